/* Does the source give every committed record once, in order, from exactly where it was told, and
 * say truly where a partition ends? */
#include <string.h>

#include "tests/conformance/kafka_bed.h"

static void starts_where_it_is_told(void)
{
    bed_topic("starts", 3, NULL);
    for (int p = 0; p < 3; p++) {
        bed_produce("starts", p, 0, 100);
    }
    struct bed_source bed;
    bed_open(&bed, "g-starts", "m1", "starts", NULL, 0);
    bed.starts[0] = 10;
    bed.starts[2] = 100;
    BED_UNTIL(&bed, bed.end[0] == 100 && bed.end[1] == 100 && bed.end[2] == 100);
    IS_NUMBER(bed.assigns, 1);
    IS_NUMBER(bed.records[0], 90);
    IS_NUMBER(bed.records[1], 100);
    IS_NUMBER(bed.records[2], 0);
    BED_UNTIL(&bed, bed.end_high[0] == 100 && bed.end_high[2] == 100);
    IS_NUMBER(source_position(bed.source, (struct source_partition){0, 1}), 100);
    bed_produce("starts", 2, 100, 5);
    BED_UNTIL(&bed, bed.end[2] == 105);
    IS_NUMBER(bed.records[2], 5);
    bed_close(&bed);
}

/* The answer to ASSIGNED may take longer than a session: polling keeps the membership. */
static void waits_for_the_answer(void)
{
    bed_topic("waits", 1, NULL);
    bed_produce("waits", 0, 0, 10);
    struct bed_source bed;
    bed_open(&bed, "g-waits", "m1", "waits", NULL, 0);
    bed.answers = false;
    BED_UNTIL(&bed, bed.assigns == 1);
    IS(source_rebalancing(bed.source));
    bed_poll_for(&bed, 8000);
    IS_NUMBER(bed.records[0] + bed.revokes, 0);
    struct err err;
    struct source_start wrong = {{0, 3}, 0, -1};
    IS(!source_start(bed.source, &wrong, 1, &err) && err.kind == ERR_INPUT);
    IS(!source_start(bed.source, NULL, 0, &err) && err.kind == ERR_INPUT);
    struct source_start start = {{0, 0}, 4, -1};
    bed.assigned[0] = true;
    WORKS(source_start(bed.source, &start, 1, &err));
    IS(!source_rebalancing(bed.source));
    BED_UNTIL(&bed, bed.end[0] == 10);
    IS_NUMBER(bed.records[0], 6);
    bed_close(&bed);
}

static void send_odd(rd_kafka_t *rk, const void *key, size_t key_size, const void *value,
                     size_t value_size)
{
    IS(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("odd"), RD_KAFKA_V_PARTITION(0),
                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size),
                         RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value_size),
                         RD_KAFKA_V_TIMESTAMP(1234567890123), RD_KAFKA_V_HEADER("one", "1", 1),
                         RD_KAFKA_V_HEADER("none", NULL, 0), RD_KAFKA_V_HEADER("one", "", 0),
                         RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* Null is not empty, for keys, values and headers. */
static void tells_null_from_empty(void)
{
    bed_topic("odd", 1, NULL);
    rd_kafka_t *rk = bed_transactional("odd");
    IS(rd_kafka_begin_transaction(rk) == NULL);
    send_odd(rk, NULL, 0, "value", 5);
    send_odd(rk, "", 0, NULL, 0);
    send_odd(rk, "key", 3, "", 0);
    IS(rd_kafka_commit_transaction(rk, BED_WAIT_MS) == NULL);
    rd_kafka_destroy(rk);

    struct bed_source bed;
    struct err err;
    bed_open(&bed, "g-odd", "m1", "odd", NULL, 0);
    struct source_message copies[3];
    struct source_header headers[3];
    size_t count = 0;
    while (count < 3) {
        bed_poll(&bed, 1000);
        for (size_t i = 0; i < bed.batch->message_count; i++) {
            copies[count] = bed.batch->messages[i];
            IS_NUMBER(copies[count].header_count, 3);
            memcpy(headers, copies[count].headers, sizeof(headers));
            IS(bytes_equal(headers[0].name, bytes_of_text("one")) && !headers[0].is_null);
            IS(bytes_equal(headers[0].value, bytes_of_text("1")));
            IS(headers[1].is_null && bytes_equal(headers[1].name, bytes_of_text("none")));
            IS(!headers[2].is_null && headers[2].value.size == 0);
            IS_NUMBER(copies[count].timestamp_ms, 1234567890123);
            count++;
        }
    }
    IS(!copies[0].has_key && copies[0].has_value && copies[0].value.size == 5);
    IS(copies[1].has_key && copies[1].key.size == 0 && !copies[1].has_value);
    IS(copies[2].has_key && copies[2].has_value && copies[2].value.size == 0);
    (void)err;
    bed_close(&bed);
}

static void query_ends(const char *topic, struct source_ends *ret_end)
{
    struct err err;
    struct source_settings settings = {.cluster = bed_settings(),
                                       .group = "g-ends",
                                       .member_id = "q",
                                       .topics = &topic,
                                       .topic_count = 1};
    struct source_query *query = NULL;
    WORKS(source_query_new(&settings, &query, &err));
    struct arena *arena = arena_new(1024);
    struct source_ends *ends = NULL;
    size_t count = 0;
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    while (!source_query_ends(query, 20000, arena, &ends, &count, &err)) {
        IS(bed_now_ms() < deadline); /* a topic that was just made is not known to all at once */
    }
    IS_NUMBER(count, 1);
    *ret_end = ends[0];
    arena_free(arena);
    source_query_free(query);
}

/* PROTOCOL R4a: an open transaction is told from idleness, also when it begins after the end was
 * seen. */
static void sees_open_transactions(void)
{
    bed_topic("open", 1, NULL);
    bed_produce("open", 0, 0, 5);
    struct bed_source bed;
    bed_open(&bed, "g-open", "m1", "open", NULL, 0);
    BED_UNTIL(&bed, bed.end[0] == 5 && bed.end_high[0] == 5);

    rd_kafka_t *rk = bed_transactional("open");
    IS(rd_kafka_begin_transaction(rk) == NULL);
    for (int i = 0; i < 5; i++) {
        bed_send(rk, "open", 0, "never");
    }
    BED_UNTIL(&bed, bed.end[0] == 5 && bed.end_high[0] == 10);
    struct source_ends end;
    query_ends("open", &end);
    IS_NUMBER(end.low, 0);
    IS_NUMBER(end.stable, 5);
    IS_NUMBER(end.high, 10);
    IS_NUMBER(cluster_topic_id_known(end.topic_id), rd_kafka_version() >= 0x020300ff);
    bed_poll_for(&bed, 500);
    IS_NUMBER(bed.records[0], 5);

    /* aborted: never seen, and the position passes the marker */
    IS(rd_kafka_abort_transaction(rk, BED_WAIT_MS) == NULL);
    BED_UNTIL(&bed, bed.end[0] == 11 && bed.end_high[0] == 11);
    IS_NUMBER(bed.records[0], 5);

    IS(rd_kafka_begin_transaction(rk) == NULL);
    bed_send(rk, "open", 0, "now");
    IS(rd_kafka_commit_transaction(rk, BED_WAIT_MS) == NULL);
    BED_UNTIL(&bed, bed.end[0] == 13 && bed.end_high[0] == 13);
    IS_NUMBER(bed.records[0], 6);
    IS_NUMBER(bed.last[0], 11);
    query_ends("open", &end);
    IS_NUMBER(end.stable, 13);
    IS_NUMBER(end.high, 13);
    rd_kafka_destroy(rk);
    bed_close(&bed);
}

static void pause_and_look(struct bed_source *bed, const struct source_partition *partitions,
                           size_t count)
{
    struct err err;
    WORKS(source_pause(bed->source, partitions, count, &err));
    WORKS(source_pause(bed->source, partitions, count, &err)); /* twice is once */
    bed_poll(bed, 0); /* what was taken already may still come */
    int64_t before[2] = {bed->records[0], bed->records[1]};
    bed_poll_for(bed, 30);
    for (size_t i = 0; i < count; i++) {
        int p = partitions[i].partition;
        IS_NUMBER(bed->records[p], before[p]);
    }
    WORKS(source_resume(bed->source, partitions, count, &err));
    WORKS(source_resume(bed->source, partitions, count, &err));
}

/* Nothing is lost or given twice, whatever is paused when. */
static void survives_pauses(void)
{
    enum { COUNT = 40000, STEP = 1500 };
    bed_topic("pauses", 2, NULL);
    bed_produce("pauses", 0, 0, COUNT);
    bed_produce("pauses", 1, 0, COUNT);
    struct bed_source bed;
    bed_open(&bed, "g-pauses", "m1", "pauses", NULL, 0);
    bed_count(&bed);
    const struct source_partition both[] = {{0, 0}, {0, 1}};
    for (int round = 1; round * STEP < 2 * COUNT; round++) {
        BED_UNTIL(&bed, bed.records[0] + bed.records[1] >= round * STEP);
        pause_and_look(&bed, &both[round % 2], round % 3 == 2 ? (size_t)(2 - round % 2) : 1);
    }
    BED_UNTIL(&bed, bed.end[0] == COUNT && bed.end[1] == COUNT);
    for (int p = 0; p < 2; p++) {
        for (int o = 0; o < COUNT; o++) {
            IS_NUMBER(bed.seen[p * BED_OFFSETS_MAX + o], 1);
        }
    }
    bed_close(&bed);
}

/* Back and forth: what a seek says next is what comes next. */
static void seeks(void)
{
    bed_topic("seeks", 2, NULL);
    bed_produce("seeks", 0, 0, 5000);
    bed_produce("seeks", 1, 0, 5000);
    struct bed_source bed;
    struct err err;
    bed_open(&bed, "g-seeks", "m1", "seeks", NULL, 0);
    bed_count(&bed);
    static const int64_t OFFSETS[] = {100, 4000, 0, 2500, 4990, 10};
    for (size_t i = 0; i < LENGTH_OF(OFFSETS); i++) {
        BED_UNTIL(&bed, bed.records[0] > 200 * (int64_t)(i + 1) || bed.end[0] == 5000);
        struct source_start start = {{0, 0}, OFFSETS[i], -1};
        WORKS(source_seek(bed.source, &start, 1, &err));
        bed.end[0] = -1;
        memset(bed.seen, 0, BED_OFFSETS_MAX);
        int64_t before = bed.records[0];
        BED_UNTIL(&bed, bed.records[0] > before);
        IS_NUMBER(bed.seen[OFFSETS[i]], 1);
    }
    BED_UNTIL(&bed, bed.end[0] == 5000 && bed.end[1] == 5000);
    for (int o = 10; o < 5000; o++) {
        IS_NUMBER(bed.seen[o], 1);
    }
    for (int o = 0; o < 5000; o++) {
        IS_NUMBER(bed.seen[BED_OFFSETS_MAX + o], 1); /* the other partition never noticed */
    }
    WORKS(source_seek(bed.source, &(struct source_start){{0, 7}, 0, -1}, 1, &err)); /* not ours */
    bed_close(&bed);
}

/* What retention took is said, not jumped over; a seek goes on behind it. */
static void names_lost_ranges(void)
{
    bed_topic("lost", 2, "segment.ms=100,retention.ms=500");
    bed_produce("lost", 0, 0, 50);
    struct source_ends end;
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    const char *topic = "lost";
    struct err err;
    struct source_settings settings = {.cluster = bed_settings(),
                                       .group = "g-lost",
                                       .member_id = "q",
                                       .topics = &topic,
                                       .topic_count = 1};
    struct source_query *query = NULL;
    WORKS(source_query_new(&settings, &query, &err));
    struct arena *arena = arena_new(1024);
    do {
        struct source_ends *ends = NULL;
        size_t count = 0;
        WORKS(source_query_ends(query, 20000, arena, &ends, &count, &err));
        end = ends[0];
        IS(bed_now_ms() < deadline);
    } while (end.low < 50);
    IS_NUMBER(end.low, 50);

    struct bed_source bed;
    bed_open(&bed, "g-lost", "m1", "lost", NULL, 0);
    bed.starts[0] = 7;
    BED_UNTIL(&bed, bed.lost_range[0] >= 0);
    IS_NUMBER(bed.lost_range[0], 7);
    IS_NUMBER(bed.records[0], 0);
    /* above the end is no better */
    struct source_start high = {{0, 0}, 1000, -1};
    bed.lost_range[0] = -1;
    WORKS(source_seek(bed.source, &high, 1, &err));
    BED_UNTIL(&bed, bed.lost_range[0] == 1000);
    struct source_start good = {{0, 0}, 50, -1};
    WORKS(source_seek(bed.source, &good, 1, &err));
    BED_UNTIL(&bed, bed.end[0] == 50 && bed.end[1] == 0);
    source_query_free(query);
    arena_free(arena);
    bed_close(&bed);
}

static void accepts_gaps_of_compaction(void)
{
    bed_topic("gaps", 1,
              "cleanup.policy=compact,segment.ms=100,min.cleanable.dirty.ratio=0.01,max.compaction."
              "lag.ms=500");
    for (int i = 0; i < 20; i++) {
        bed_produce("gaps", 0, 0, 10); /* the same ten keys */
    }
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    int64_t records = 0;
    for (int round = 0; records == 0 || records >= 200; round++) {
        IS(bed_now_ms() < deadline);
        bed_produce("gaps", 0, 0, 1); /* an append rolls the segment */
        struct bed_source bed;
        char group[32];
        snprintf(group, sizeof(group), "g-gaps%d", round);
        bed_open(&bed, group, "m1", "gaps", NULL, 0);
        BED_UNTIL(&bed, bed.end[0] == 201 + round);
        records = bed.records[0];
        IS_NUMBER(bed.last[0], 200 + round);
        bed_close(&bed);
    }
}

static void asks_for_starts(void)
{
    bed_topic("times", 1, NULL);
    bed_produce("times", 0, 0, 10);
    struct err err;
    const char *topic = "times";
    struct source_settings settings = {.cluster = bed_settings(),
                                       .group = "g-times",
                                       .member_id = "q",
                                       .topics = &topic,
                                       .topic_count = 1};
    struct source_query *query = NULL;
    WORKS(source_query_new(&settings, &query, &err));
    struct source_start start = {{0, 0}, -1, 5};
    WORKS(source_query_starts(query, SOURCE_EARLIEST, 0, &start, 1, 20000, &err));
    IS_NUMBER(start.offset, 0);
    WORKS(source_query_starts(query, SOURCE_LATEST, 0, &start, 1, 20000, &err));
    IS_NUMBER(start.offset, 10);
    WORKS(source_query_starts(query, SOURCE_TIME, 1000, &start, 1, 20000, &err));
    IS_NUMBER(start.offset, 0);
    WORKS(source_query_starts(query, SOURCE_TIME, INT64_C(4000000000000), &start, 1, 20000, &err));
    IS_NUMBER(start.offset, 10);
    start.partition.partition = 3;
    IS(!source_query_starts(query, SOURCE_EARLIEST, 0, &start, 1, 20000, &err));
    source_query_free(query);

    const char *none = "no-such-topic";
    settings.topics = &none;
    WORKS(source_query_new(&settings, &query, &err));
    int32_t count = 0;
    IS(!source_query_partitions(query, 20000, &count, &err));
    IS_NUMBER(err.kind, ERR_MISSING);
    source_query_free(query);
}

/* A partition that came after the first question is known at the next one. */
static void knows_new_partitions(void)
{
    bed_topic("more", 1, NULL);
    bed_produce("more", 0, 0, 10);
    struct err err;
    const char *topic = "more";
    struct source_settings settings = {.cluster = bed_settings(),
                                       .group = "g-more",
                                       .member_id = "q",
                                       .topics = &topic,
                                       .topic_count = 1};
    struct source_query *query = NULL;
    WORKS(source_query_new(&settings, &query, &err));
    struct source_start starts[] = {{{0, 0}, -1, 5}, {{0, 2}, -1, 5}};
    WORKS(source_query_starts(query, SOURCE_LATEST, 0, starts, 1, 20000, &err));
    bed_grow_topic("more", 3);
    bed_produce("more", 2, 0, 4);
    WORKS(source_query_starts(query, SOURCE_LATEST, 0, starts, 2, 20000, &err));
    IS_NUMBER(starts[0].offset, 10);
    IS_NUMBER(starts[1].offset, 4);
    source_query_free(query);
}

/* A topic that is deleted and made again: what was read belongs to another log. */
static void notices_a_new_topic(void)
{
    bed_topic("again", 1, NULL);
    bed_produce("again", 0, 0, 50);
    struct bed_source bed;
    struct source_ends before;
    struct source_ends after;
    static const struct cluster_property QUICK[] = {{"topic.metadata.refresh.interval.ms", "1000"}};
    bed_open(&bed, "g-again", "m1", "again", QUICK, 1);
    BED_UNTIL(&bed, bed.end[0] == 50);
    query_ends("again", &before);
    bed_delete_topic("again");
    BED_UNTIL(&bed, bed.gones > 0);
    struct err err;
    struct cluster_new_topic topic = {.name = "again", .partitions = 1, .replicas = 1};
    int64_t deadline = bed_now_ms() + BED_WAIT_MS;
    bool existed = true;
    while (!cluster_create_topic(bed_cluster(), &topic, 5000, &existed, &err) || existed) {
        IS(bed_now_ms() < deadline);
        bed_poll(&bed, 100);
    }
    query_ends("again", &after);
    IS_NUMBER(after.high, 0); /* below our position: known with any librdkafka */
    if (cluster_topic_id_known(before.topic_id)) {
        IS(before.topic_id.high != after.topic_id.high ||
           before.topic_id.low != after.topic_id.low);
    }
    bed_produce("again", 0, 0, 80);
    BED_UNTIL(&bed, bed.assigns == 2 && bed.end[0] == 80);
    IS_NUMBER(bed.revokes, 1);
    IS_NUMBER(bed.records[0], 50 + 80); /* from where it was told, which is 0 */
    bed_close(&bed);
}

int main(void)
{
    bed_start(1, "log.retention.check.interval.ms=300\nlog.initial.task.delay.ms=300");
    STORY(starts_where_it_is_told);
    STORY(waits_for_the_answer);
    STORY(tells_null_from_empty);
    STORY(sees_open_transactions);
    STORY(survives_pauses);
    STORY(seeks);
    STORY(names_lost_ranges);
    STORY(accepts_gaps_of_compaction);
    STORY(asks_for_starts);
    STORY(knows_new_partitions);
    STORY(notices_a_new_topic);
    return 0;
}
