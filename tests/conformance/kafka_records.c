/* Are single records what the log has at their offsets now, however often it is asked, and is a
 * record that is not there said to be missing? */
#include <string.h>

#include "tests/conformance/kafka_bed.h"

enum { RECORDS_MAX = 100 };

/* What was handed out. */
struct heard {
    int times[RECORDS_MAX];
    char value[RECORDS_MAX][32];
    struct source_message message[RECORDS_MAX]; /* its bytes are gone */
};

static atomic_bool stop_now;

static void take(void *context, size_t index, const struct source_message *message)
{
    struct heard *heard = context;
    heard->times[index]++;
    heard->message[index] = *message;
    snprintf(heard->value[index], sizeof heard->value[index], "%.*s", (int)message->value.size,
             (const char *)message->value.data);
}

static struct source_query *open_query(const char *topic)
{
    struct err err;
    struct source_query *query = NULL;
    struct source_settings settings = {.cluster = bed_settings(),
                                       .group = "g-records",
                                       .member_id = "q",
                                       .topics = &topic,
                                       .topic_count = 1};
    WORKS(source_query_new(&settings, &query, &err));
    return query;
}

static struct source_record record(int32_t partition, int64_t offset)
{
    return (struct source_record){.partition = {0, partition}, .offset = offset};
}

static void gives_what_is_there(void)
{
    bed_topic("there", 3, NULL);
    for (int p = 0; p < 3; p++) {
        bed_produce("there", p, 0, 100 + p);
    }
    struct source_query *query = open_query("there");
    struct err err;
    for (int i = 0; i < 50; i++) { /* at once, one after the other */
        struct heard heard = {0};
        struct source_record records[] = {record(2, i), record(0, 99 - i), record(1, 2 * i)};
        WORKS(source_query_records(query, records, 3, take, &heard, BED_WAIT_MS, &stop_now, &err));
        for (int k = 0; k < 3; k++) {
            char value[32];
            snprintf(value, sizeof value, "value%d", (int)records[k].offset);
            IS_NUMBER(records[k].state, SOURCE_RECORD_FOUND);
            IS_NUMBER(heard.times[k], 1);
            IS_NUMBER(heard.message[k].offset, records[k].offset);
            IS_NUMBER(heard.message[k].partition, records[k].partition.partition);
            IS(heard.message[k].has_key && heard.message[k].timestamp_ms > 0);
            IS(strcmp(heard.value[k], value) == 0);
        }
    }
    /* it has joined no group and committed nothing */
    struct source_offset mirrored[3] = {{{0, 0}, 0}, {{0, 1}, 0}, {{0, 2}, 0}};
    WORKS(source_query_mirrored(query, mirrored, 3, BED_WAIT_MS, &err));
    for (int p = 0; p < 3; p++) {
        IS_NUMBER(mirrored[p].offset, -1);
    }
    source_query_free(query);
}

/* A partition that came after the first question is known at the next one. */
static void sees_new_partitions(void)
{
    bed_topic("grows", 1, NULL);
    bed_produce("grows", 0, 0, 3);
    struct source_query *query = open_query("grows");
    struct err err;
    struct heard heard = {0};
    struct source_record records[] = {record(0, 1), record(2, 1)};
    WORKS(source_query_records(query, records, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    bed_grow_topic("grows", 3);
    bed_produce("grows", 2, 0, 3);
    int64_t begun = bed_now_ms();
    WORKS(source_query_records(query, records, 2, take, &heard, BED_WAIT_MS, &stop_now, &err));
    IS(bed_now_ms() - begun < 10000);
    IS_NUMBER(heard.times[0] + heard.times[1], 3);
    source_query_free(query);
}

static void asks_for_more_than_fit_at_once(void)
{
    bed_topic("wide", RECORDS_MAX, NULL);
    for (int p = 0; p < RECORDS_MAX; p += 9) {
        bed_produce("wide", p, 0, 3);
    }
    struct source_query *query = open_query("wide");
    struct err err;
    struct heard heard = {0};
    struct source_record records[RECORDS_MAX];
    for (int p = 0; p < RECORDS_MAX; p++) {
        records[p] = record(p, 1);
    }
    WORKS(source_query_records(query, records, RECORDS_MAX, take, &heard, BED_WAIT_MS, &stop_now,
                               &err));
    for (int p = 0; p < RECORDS_MAX; p++) {
        IS_NUMBER(records[p].state, p % 9 == 0 ? SOURCE_RECORD_FOUND : SOURCE_RECORD_MISSING);
        IS_NUMBER(heard.times[p], p % 9 == 0);
    }
    source_query_free(query);
}

static void wait_for_stable(struct source_query *query, int64_t stable)
{
    struct arena *arena = arena_new(1024);
    struct source_ends *ends = NULL;
    size_t count = 0;
    struct err err;
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    do {
        WORKS(source_query_ends(query, 20000, arena, &ends, &count, &err));
        IS(bed_now_ms() < deadline);
    } while (ends[0].stable < stable);
    arena_free(arena);
}

/* Markers, aborted records, the end, behind the end. */
static void says_what_is_not_there(void)
{
    bed_topic("holes", 1, NULL);
    rd_kafka_t *rk = bed_transactional("holes");
    IS(rd_kafka_begin_transaction(rk) == NULL);
    bed_send(rk, "holes", 0, "aborted"); /* 0, and its marker is 1 */
    IS(rd_kafka_abort_transaction(rk, BED_WAIT_MS) == NULL);
    IS(rd_kafka_begin_transaction(rk) == NULL);
    bed_send(rk, "holes", 0, "kept"); /* 2, and its marker is 3 */
    IS(rd_kafka_commit_transaction(rk, BED_WAIT_MS) == NULL);
    struct source_query *query = open_query("holes");
    struct err err;
    wait_for_stable(query, 4); /* a commit's marker comes after its answer */
    for (int64_t offset = 0; offset < 6; offset++) {
        struct heard heard = {0};
        struct source_record one = record(0, offset);
        WORKS(source_query_records(query, &one, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
        IS_NUMBER(one.state, offset == 2 ? SOURCE_RECORD_FOUND : SOURCE_RECORD_MISSING);
        IS_NUMBER(heard.times[0], offset == 2);
    }
    source_query_free(query);
    rd_kafka_destroy(rk);
}

static void says_what_is_not_there_any_more(void)
{
    bed_topic("short", 1, "segment.ms=100,retention.ms=500");
    bed_produce("short", 0, 0, 50); /* which the broker deletes soon */
    struct source_query *query = open_query("short");
    struct err err;
    struct arena *arena = arena_new(1024);
    struct source_ends *ends = NULL;
    size_t count = 0;
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    do {
        WORKS(source_query_ends(query, 20000, arena, &ends, &count, &err));
        IS(bed_now_ms() < deadline);
    } while (ends[0].low < 50);
    struct heard heard = {0};
    struct source_record one = record(0, 7);
    WORKS(source_query_records(query, &one, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    IS_NUMBER(one.state, SOURCE_RECORD_MISSING);
    arena_free(arena);
    source_query_free(query);
}

/* The same question before and after: another record; and in between no answer, in time. */
static void sees_a_new_topic(void)
{
    bed_topic("anew", 1, NULL);
    bed_produce("anew", 0, 0, 20);
    struct source_query *query = open_query("anew");
    struct err err;
    struct heard heard = {0};
    struct source_record one = record(0, 10);
    WORKS(source_query_records(query, &one, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    IS(strcmp(heard.value[0], "value10") == 0);
    bed_delete_topic("anew");
    int64_t begun = bed_now_ms();
    IS(!source_query_records(query, &one, 1, take, &heard, 2000, &stop_now, &err));
    IS(err.kind == ERR_TRANSIENT || err.kind == ERR_MISSING);
    IS_NUMBER(one.state, SOURCE_RECORD_UNKNOWN);
    IS(bed_now_ms() - begun < 10000);
    struct cluster_new_topic topic = {.name = "anew", .partitions = 1, .replicas = 1};
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    bool existed = true;
    while (!cluster_create_topic(bed_cluster(), &topic, 5000, &existed, &err) || existed) {
        IS(bed_now_ms() < deadline);
    }
    bed_produce("anew", 0, 100, 30);
    WORKS(source_query_records(query, &one, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    IS(strcmp(heard.value[0], "value110") == 0);
    IS_NUMBER(heard.times[0], 2);
    source_query_free(query);
}

/* A topic that goes between two questions does not keep the handle from ending (librdkafka 4724).
 */
static void ends_after_its_topic(void)
{
    bed_topic("leaves", 1, NULL);
    bed_produce("leaves", 0, 0, 2000);
    struct source_query *query = open_query("leaves");
    struct err err;
    struct heard heard = {0};
    struct source_record one = record(0, 10);
    WORKS(source_query_records(query, &one, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    bed_delete_topic("leaves");
    int32_t count = 0;
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    while (source_query_partitions(query, 5000, &count, &err)) {
        IS(bed_now_ms() < deadline);
    }
    IS_NUMBER(err.kind, ERR_MISSING);
    int64_t begun = bed_now_ms();
    source_query_free(query);
    IS(bed_now_ms() - begun < 10000);
}

static void refuses_what_cannot_be(void)
{
    bed_topic("odd-one", 1, NULL);
    struct source_query *query = open_query("odd-one");
    struct err err;
    struct heard heard = {0};
    struct source_record wrong[] = {{.partition = {1, 0}}, {.partition = {0, -1}}, {.offset = -1}};
    for (int i = 0; i < 3; i++) {
        IS(!source_query_records(query, &wrong[i], 1, take, &heard, 1000, &stop_now, &err));
        IS_NUMBER(err.kind, ERR_INPUT);
    }
    struct source_record far = record(7, 0); /* no such partition */
    IS(!source_query_records(query, &far, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    IS_NUMBER(err.kind, ERR_MISSING);
    IS_NUMBER(far.state, SOURCE_RECORD_UNKNOWN);
    atomic_store(&stop_now, true);
    struct source_record one = record(0, 0);
    IS(!source_query_records(query, &one, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    IS_NUMBER(err.kind, ERR_STOPPED);
    source_query_free(query);
    query = open_query("no-such-topic");
    IS(!source_query_records(query, &one, 1, take, &heard, BED_WAIT_MS, &stop_now, &err));
    IS_NUMBER(err.kind, ERR_MISSING);
    IS_NUMBER(heard.times[0], 0);
    source_query_free(query);
}

int main(void)
{
    bed_start(1, "log.retention.check.interval.ms=300\nlog.initial.task.delay.ms=300");
    STORY(gives_what_is_there);
    STORY(sees_new_partitions);
    STORY(asks_for_more_than_fit_at_once);
    STORY(says_what_is_not_there);
    STORY(says_what_is_not_there_any_more);
    STORY(sees_a_new_topic);
    STORY(ends_after_its_topic);
    STORY(refuses_what_cannot_be);
    return 0;
}
