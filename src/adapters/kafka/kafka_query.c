/* Questions about offsets, batched by leader: two handles, since each sees the log by its
 * isolation.
 *
 * librdkafka passes the times of rd_kafka_offsets_for_times on to the brokers as they are, and
 * there -1 is the end and -2 the beginning (ListOffsets): one request a broker, not one a partition
 * as with rd_kafka_query_watermark_offsets. Under read_committed the end is the last stable offset.
 */
#include "adapters/kafka/kafka_query.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client_error.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/os/clock.h"

enum { TIME_END = -1, TIME_BEGINNING = -2 };

static bool open_client(const struct source_settings *settings, enum client_role role,
                        struct client **ret_client, struct err *err)
{
    /* The group is named for its committed offsets; a handle that subscribes to nothing never
     * joins. */
    const struct cluster_property own[] = {
        {"group.id", settings->group},
        /* Only single records are fetched: no more than one of a partition at a time, and no wait
         * for more at its end. A low queued.min.messages would spare nothing, and hold up the next
         * question for half a second. */
        {"max.partition.fetch.bytes", "65536"},
        {"fetch.wait.max.ms", "10"},
    };
    const struct client_options options = {
        .role = role,
        .properties = {.own = own, .own_count = LENGTH_OF(own)},
    };
    return client_new(&settings->cluster, &options, ret_client, err);
}

bool source_query_new(const struct source_settings *settings, struct source_query **ret_query,
                      struct err *err)
{
    struct source_query *query = calloc(1, sizeof(*query));
    CHECK(query != NULL);
    query->topics = calloc(settings->topic_count, sizeof(*query->topics));
    query->opened = calloc(settings->topic_count, sizeof(rd_kafka_topic_t *));
    query->known = calloc(settings->topic_count, sizeof(*query->known));
    CHECK(query->topics != NULL && query->opened != NULL && query->known != NULL);
    query->topic_count = settings->topic_count;
    for (size_t i = 0; i < settings->topic_count; i++) {
        query->topics[i] = strdup(settings->topics[i]);
        CHECK(query->topics[i] != NULL);
    }
    if (!open_client(settings, CLIENT_QUERY, &query->committed, err) ||
        !open_client(settings, CLIENT_QUERY_UNCOMMITTED, &query->uncommitted, err)) {
        source_query_free(query);
        return false;
    }
    *ret_query = query;
    return true;
}

struct source_query *source_query_free(struct source_query *query)
{
    if (query != NULL) {
        bool fetched = false;
        for (size_t i = 0; i < query->topic_count; i++) {
            if (query->opened[i] != NULL) {
                fetched = true;
                rd_kafka_topic_destroy(query->opened[i]);
            }
            free(query->topics[i]);
        }
        if (fetched && client_lost_partitions(query->committed)) {
            query->committed->is_stuck = true;
        }
        client_free(query->committed);
        client_free(query->uncommitted);
        free(query->opened);
        free(query->known);
        free(query->topics);
        free(query);
    }
    return NULL;
}

bool source_query_partitions(struct source_query *query, int timeout_ms, int32_t *ret_counts,
                             struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    for (size_t i = 0; i < query->topic_count; i++) {
        const struct rd_kafka_metadata *metadata = NULL;
        TRY(kafka_topics_metadata(query->committed, query->topics[i], client_wait_ms(deadline_us),
                                  &metadata, err));
        ret_counts[i] = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    return true;
}

static void list_auto(rd_kafka_topic_partition_list_t **list)
{
    if (*list != NULL) {
        rd_kafka_topic_partition_list_destroy(*list);
    }
}

/* What came out of a question for each partition of the list, where none may have failed. */
static bool check_list(const rd_kafka_topic_partition_list_t *list, const char *what,
                       struct err *err)
{
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            client_error_set(err, list->elems[i].err, "%s of %s/%d", what, list->elems[i].topic,
                             (int)list->elems[i].partition);
            return client_error_right(err, "Read on the topic %s", list->elems[i].topic);
        }
    }
    return true;
}

static rd_kafka_resp_err_t offsets_at(struct client *client, rd_kafka_topic_partition_list_t *list,
                                      int64_t time_ms, int64_t deadline_us)
{
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = time_ms;
        list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return rd_kafka_offsets_for_times(client->rk, list, client_wait_ms(deadline_us));
}

/* A partition came after the client's last look, which it would believe for up to a minute. */
static bool is_unheard(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t *list)
{
    bool unheard = code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        unheard = unheard || list->elems[i].err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    }
    return unheard;
}

static bool look_again(struct client *client, const rd_kafka_topic_partition_list_t *list,
                       int64_t deadline_us, struct err *err)
{
    for (int i = 0; i < list->cnt; i++) {
        const char *topic = list->elems[i].topic;
        if (i == 0 || strcmp(topic, list->elems[i - 1].topic) != 0) {
            TRY(kafka_topics_warm(client, topic, deadline_us, err));
        }
    }
    return true;
}

static bool ask_offsets(struct client *client, rd_kafka_topic_partition_list_t *list,
                        int64_t time_ms, int64_t deadline_us, const char *what, struct err *err)
{
    if (list->cnt == 0) {
        return true;
    }
    rd_kafka_resp_err_t code = offsets_at(client, list, time_ms, deadline_us);
    if (is_unheard(code, list)) {
        TRY(look_again(client, list, deadline_us, err));
        code = offsets_at(client, list, time_ms, deadline_us);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_error_set(err, code, "%s", what);
        return client_explain(client, err);
    }
    return check_list(list, what, err);
}

/* -- ends -- */

static bool list_all(struct source_query *query, int64_t deadline_us,
                     rd_kafka_topic_partition_list_t *list, struct arena *arena,
                     struct source_ends **ret_ends, struct err *err)
{
    int32_t *counts = arena_zero(arena, query->topic_count * sizeof(*counts));
    TRY(source_query_partitions(query, client_wait_ms(deadline_us), counts, err));
    size_t total = 0;
    for (size_t t = 0; t < query->topic_count; t++) {
        total += (size_t)counts[t];
    }
    struct source_ends *ends = arena_zero(arena, (total + 1) * sizeof(*ends));
    size_t next = 0;
    for (uint32_t t = 0; t < query->topic_count; t++) {
        for (int32_t p = 0; p < counts[t]; p++) {
            rd_kafka_topic_partition_list_add(list, query->topics[t], p);
            ends[next++].partition = (struct source_partition){t, p};
        }
    }
    *ret_ends = ends;
    return true;
}

/* The first handle has just asked for the partitions; the second one would hear of new ones minutes
 * later, and say until then that they do not exist. */
static bool tell_uncommitted(struct source_query *query, size_t partitions, int64_t deadline_us,
                             struct err *err)
{
    for (size_t i = 0; query->partitions != partitions && i < query->topic_count; i++) {
        const struct rd_kafka_metadata *metadata = NULL;
        TRY(kafka_topics_metadata(query->uncommitted, query->topics[i], client_wait_ms(deadline_us),
                                  &metadata, err));
        rd_kafka_metadata_destroy(metadata);
    }
    query->partitions = partitions;
    return true;
}

static bool fill_ids(struct source_query *query, int64_t deadline_us, struct arena *arena,
                     struct source_ends *ends, size_t count, struct err *err)
{
    struct cluster_topic_id *ids = arena_zero(arena, query->topic_count * sizeof(*ids));
    TRY(kafka_topics_ids(query->committed, (const char *const *)query->topics, query->topic_count,
                         client_wait_ms(deadline_us), ids, err));
    for (size_t i = 0; i < count; i++) {
        ends[i].topic_id = ids[ends[i].partition.topic];
    }
    return true;
}

bool source_query_ends(struct source_query *query, int timeout_ms, struct arena *arena,
                       struct source_ends **ret_ends, size_t *ret_count, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    AUTO(list) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    struct source_ends *ends = NULL;
    TRY(list_all(query, deadline_us, list, arena, &ends, err));
    size_t count = (size_t)list->cnt;
    TRY(ask_offsets(query->committed, list, TIME_BEGINNING, deadline_us, "low watermark", err));
    for (size_t i = 0; i < count; i++) {
        ends[i].low = list->elems[i].offset;
    }
    TRY(ask_offsets(query->committed, list, TIME_END, deadline_us, "last stable offset", err));
    for (size_t i = 0; i < count; i++) {
        ends[i].stable = list->elems[i].offset;
    }
    TRY(tell_uncommitted(query, count, deadline_us, err));
    TRY(ask_offsets(query->uncommitted, list, TIME_END, deadline_us, "high watermark", err));
    for (size_t i = 0; i < count; i++) {
        ends[i].high = list->elems[i].offset;
    }
    TRY(fill_ids(query, deadline_us, arena, ends, count, err));
    *ret_ends = ends;
    *ret_count = count;
    return true;
}

/* -- starts and the mirror -- */

static bool add_partition(const struct source_query *query, rd_kafka_topic_partition_list_t *list,
                          struct source_partition partition, struct err *err)
{
    if (partition.topic >= query->topic_count || partition.partition < 0) {
        return err_set(err, ERR_INPUT, "a question about a topic that is not configured");
    }
    rd_kafka_topic_partition_list_add(list, query->topics[partition.topic], partition.partition);
    return true;
}

bool source_query_starts(struct source_query *query, enum source_start_kind kind, int64_t time_ms,
                         struct source_start *starts, size_t count, int timeout_ms, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    AUTO(list) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    AUTO(list) rd_kafka_topic_partition_list_t *late = rd_kafka_topic_partition_list_new(4);
    for (size_t i = 0; i < count; i++) {
        TRY(add_partition(query, list, starts[i].partition, err));
    }
    if (kind == SOURCE_TIME && time_ms < 0) {
        return err_set(err, ERR_INPUT, "a start time before 1970");
    }
    int64_t time = kind == SOURCE_TIME     ? time_ms
                   : kind == SOURCE_LATEST ? TIME_END
                                           : TIME_BEGINNING;
    TRY(ask_offsets(query->committed, list, time, deadline_us, "start offset", err));
    for (size_t i = 0; i < count; i++) {
        if (list->elems[i].offset < 0) { /* no record that late */
            TRY(add_partition(query, late, starts[i].partition, err));
        }
    }
    TRY(ask_offsets(query->committed, late, TIME_END, deadline_us, "last stable offset", err));
    for (size_t i = 0, next_late = 0; i < count; i++) {
        int64_t offset = list->elems[i].offset;
        starts[i].offset = offset >= 0 ? offset : late->elems[next_late++].offset;
        starts[i].leader_epoch = -1;
    }
    return true;
}

bool source_query_mirrored(struct source_query *query, struct source_offset *offsets, size_t count,
                           int timeout_ms, struct err *err)
{
    AUTO(list) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (size_t i = 0; i < count; i++) {
        TRY(add_partition(query, list, offsets[i].partition, err));
    }
    rd_kafka_resp_err_t code = rd_kafka_committed(query->committed->rk, list, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_error_set(err, code, "asking for the group's offsets");
        client_error_right(err, "Read on the group");
        return client_explain(query->committed, err);
    }
    TRY(check_list(list, "the group's offset", err));
    for (size_t i = 0; i < count; i++) {
        offsets[i].offset = list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
    }
    return true;
}
