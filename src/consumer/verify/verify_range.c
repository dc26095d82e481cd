/* Whether the log still has the records that a proof needs. */
#include "consumer/verify/verify_range.h"

#include "adapters/os/clock.h"

enum {
    RANGE_KAFKA_MS = 30 * 1000,
    RANGE_PATIENCE_US = 60 * 1000 * 1000, /* for brokers that elect a leader, or start again */
    RANGE_PAUSE_US = 500 * 1000,
};

/* After a failure: true when it may be gone with the next try, after a pause. */
static bool try_again(int64_t since_us, const struct err *err)
{
    if (err->kind != ERR_TRANSIENT || clock_mono_us() - since_us > RANGE_PATIENCE_US) {
        return false;
    }
    clock_sleep_us(RANGE_PAUSE_US);
    return true;
}

static const struct source_ends *find_ends(const struct source_ends *ends, size_t count,
                                           const struct verify_partition *of)
{
    for (size_t i = 0; i < count; i++) {
        if (ends[i].partition.topic == of->topic && ends[i].partition.partition == of->id.number) {
            return &ends[i];
        }
    }
    return NULL;
}

/* An id that one of the two does not know proves nothing. */
static bool is_other_topic(const struct verify_partition *of, const struct source_ends *ends)
{
    char now[CLUSTER_ID_TEXT_MAX];
    cluster_topic_id_text(ends->topic_id, now);
    return of->topic_id[0] != '\0' && now[0] != '\0' && strcmp(of->topic_id, now) != 0;
}

static void add_gone(struct verify_report *report, const struct verify_partition *of, int64_t from,
                     int64_t to, const char *why)
{
    struct verify_finding finding = verify_finding(VERIFY_UNPROVED);
    finding.topic = of->id.topic;
    finding.partition = of->id.number;
    finding.from = from;
    finding.to = to;
    finding.found = why;
    verify_report_add(report, &finding);
}

static bool check_partition(const struct verify_partition *of, const struct source_ends *ends,
                            struct arena *arena, struct verify_report *report)
{
    if (ends == NULL) {
        add_gone(report, of, of->from, of->cut, "gone: the topic has no such partition any more");
        return false;
    }
    if (is_other_topic(of, ends)) {
        add_gone(report, of, of->from, of->cut, "gone: the topic was deleted and made again since");
        return false;
    }
    bool whole = true;
    if (ends->low > of->from) {
        add_gone(report, of, of->from, ends->low < of->cut ? ends->low : of->cut,
                 arena_format(arena, "gone: the log begins at %lld", (long long)ends->low));
        whole = false;
    }
    if (ends->stable < of->cut) {
        add_gone(report, of, ends->stable > of->from ? ends->stable : of->from, of->cut,
                 arena_format(arena,
                              "gone: the log ends at %lld; it was cut off, or the topic was made "
                              "again",
                              (long long)ends->stable));
        whole = false;
    }
    return whole;
}

bool verify_range_check(const struct source_settings *source, const struct verify_plan *plan,
                        struct arena *arena, struct verify_report *report, bool *ret_whole,
                        struct err *err)
{
    struct source_query *query = NULL;
    struct source_ends *ends = NULL;
    size_t count = 0;
    TRY(source_query_new(source, &query, err));
    int64_t since_us = clock_mono_us();
    bool done = false;
    do {
        done = source_query_ends(query, RANGE_KAFKA_MS, arena, &ends, &count, err);
    } while (!done && try_again(since_us, err));
    source_query_free(query);
    if (!done && err->kind != ERR_MISSING) {
        return false;
    }
    *ret_whole = true;
    for (size_t i = 0; i < plan->partition_count; i++) {
        const struct verify_partition *of = &plan->partitions[i];
        if (!done) {
            add_gone(report, of, of->from, of->cut, err->message);
            *ret_whole = false;
        } else if (!check_partition(of, find_ends(ends, count, of), arena, report)) {
            *ret_whole = false;
        }
    }
    return true;
}

bool verify_range_compacted(const struct source_settings *source, bool *ret_compacted,
                            struct err *err)
{
    struct cluster *cluster = NULL;
    TRY(cluster_new(&source->cluster, &cluster, err));
    bool done = true;
    for (size_t i = 0; done && i < source->topic_count; i++) {
        struct cluster_topic topic;
        int64_t since_us = clock_mono_us();
        do {
            done = cluster_describe_topic(cluster, source->topics[i], RANGE_KAFKA_MS, &topic, err);
        } while (!done && try_again(since_us, err));
        ret_compacted[i] = done && strstr(topic.cleanup_policy, "compact") != NULL;
    }
    cluster_free(cluster);
    return done;
}
