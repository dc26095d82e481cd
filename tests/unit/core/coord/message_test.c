/* Do records of every kind come back as they went, and are wrong ones refused by name? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/coord/message.h"

static const struct message_topic topics[] = {{"a", "id-a"}, {"b", ""}};
static const struct partition_id a0 = {"a", 0};
static const struct partition_id b1 = {"b", 1};

/* One whole record of each kind, as its JSON text must be. */
static const struct {
    const char *key;
    const char *value;
} samples[] = {
    {"leader", "{\"kind\":\"LEADER\",\"member\":\"m1\",\"nonce\":\"n1\",\"v\":1}"},
    {"progress/m1",
     "{\"fingerprint\":\"f\",\"generation\":3,\"incarnation\":7,\"kind\":\"PROGRESS\",\"member\":"
     "\"m1\","
     "\"partitions\":[{\"bytes\":9,\"from\":1,\"low_us\":5,\"owned\":true,\"partition\":0,"
     "\"position\":4,"
     "\"rows\":2,\"state\":\"blocked\",\"topic\":\"a\",\"watermark_us\":-3}],\"v\":1}"},
    {"progress/m1",
     "{\"fingerprint\":\"f\",\"incarnation\":7,\"kind\":\"PROGRESS\",\"member\":\"m1\","
     "\"needs_build\":4,\"v\":1}"},
    {"progress/m1",
     "{\"fingerprint\":\"f\",\"incarnation\":7,\"kind\":\"PROGRESS\",\"member\":\"m1\","
     "\"v\":1,\"witnesses\":[{\"partition\":0,\"topic\":\"a\",\"witness\":{\"hash\":8,"
     "\"offset\":4}}]}"},
    {"progress/m1",
     "{\"doing\":\"reads\",\"fingerprint\":\"f\",\"incarnation\":7,\"kind\":\"PROGRESS\","
     "\"leading\":\"waits\",\"member\":\"m1\",\"paused\":\"memory\",\"v\":1}"},
    {"close/2",
     "{\"build\":2,\"closed_to_us\":10,\"contents\":\"window\",\"fingerprint\":\"f\",\"from_us\":0,"
     "\"future_bound_us\":99,\"kind\":\"CLOSE\",\"parent\":\"r1\",\"partitions\":[{\"cut\":5,"
     "\"joined\":true,"
     "\"partition\":0,\"seen_end\":3,\"tail_from\":1,\"topic\":\"a\"}],\"term\":4,\"tick_us\":8,"
     "\"time_us\":9,"
     "\"to_us\":10,\"topics\":[{\"id\":\"x\",\"name\":\"a\"}],\"trigger\":\"event_time\","
     "\"triggers\":[\"t\"],"
     "\"v\":1,\"witnesses\":[{\"partition\":0,\"topic\":\"a\",\"witness\":{\"hash\":"
     "\"18446744073709551615\",\"offset\":4}},{\"partition\":1,\"topic\":\"b\",\"witness\":{"
     "\"hash\":8,\"offset\":0}}]}"},
    {"ready/2/m1/7", "{\"build\":2,\"bytes\":50,\"fingerprint\":\"f\",\"incarnation\":7,\"kind\":"
                     "\"READY\",\"member\":\"m1\","
                     "\"partitions\":[{\"carried_from\":5,\"carried_in\":1,\"from\":1,\"late\":1,"
                     "\"owned\":true,\"partition\":0,"
                     "\"read\":2,\"rows\":2,\"to\":5,\"topic\":\"a\",\"witness\":{\"hash\":"
                     "\"18446744073709551615\",\"offset\":4}}],\"rows\":2,\"shards\":[[0,1,"
                     "20],[3,1,30]],\"v\":1}"},
    {"ready/2/m1/7",
     "{\"build\":2,\"fingerprint\":\"g\",\"incarnation\":7,\"kind\":\"REFUSED\",\"member\":\"m1\","
     "\"reason\":\"no\",\"v\":1}"},
    {"gate/r2", "{\"build\":2,\"kind\":\"GATED\",\"reasons\":[\"3 rows, at least 4 are "
                "wanted\"],\"run_id\":\"r2\",\"term\":4,\"v\":1}"},
    {"accept/a", "{\"build\":2,\"id\":\"a\",\"kind\":\"ACCEPT\",\"run_id\":\"r2\",\"v\":1,\"who\":"
                 "\"ann\",\"why\":\"looked at\"}"},
    {"plan/r3",
     "{\"base\":{\"num_dbs\":2,\"run_id\":\"r2\",\"staged_url\":\"s\",\"time_us\":8},\"build\":3,"
     "\"carried\":[1],\"kind\":\"PLAN\",\"members\":[\"m1\"],\"run_id\":\"r3\",\"shards\":[[0,1],["
     "0,1]],"
     "\"term\":4,\"time_us\":9,\"v\":1}"},
    {"plan/r4",
     "{\"attempts\":[[0,1,0,77],[0,2,1,88],[1,2,1,88]],\"began_us\":77,\"build\":4,\"kind\":"
     "\"PLAN\",\"members\":[\"m1\",\"m2\"],\"run_id\":\"r4\",\"shards\":[[1,2],[1,2],[0,1]],"
     "\"term\":4,\"time_us\":9,\"v\":1}"},
    {"plan/r2",
     "{\"build\":2,\"contributions\":[{\"incarnation\":7,\"member\":\"m1\",\"ranges\":[{\"from\":1,"
     "\"partition\":0,\"to\":5,\"topic\":\"a\"}]}],\"kind\":\"PLAN\",\"members\":[\"m1\"],"
     "\"routing_values\":[\"i:-1\",\"i:4\"],\"run_id\":\"r2\",\"shards\":[[0,1],[-1,0]],"
     "\"skips\":[{\"id\":\"s\",\"range\":{\"from\":0,\"partition\":0,\"to\":1,\"topic\":\"a\"}}],"
     "\"term\":4,"
     "\"time_us\":9,\"v\":1}"},
    {"handover/2/m1/7/3", "{\"build\":2,\"bytes\":50,\"digest\":\"d\",\"event_time_max_us\":9,\"fi"
                          "ngerprint\":\"f\",\"from\":1,\"head\":\"r1\",\"incarnation\":7,\"kind\""
                          ":\"HANDOVER\",\"leader_epoch\":-1,\"member\":\"m1\",\"number\":3,\"part"
                          "ition\":0,\"rows\":2,\"tally_bytes\":20,\"tally_digest\":\"t\",\"to\":5"
                          ",\"topic\":\"a\",\"topic_id\":\"i\",\"url\":\"u\",\"v\":1,"
                          "\"witnesses\":[{\"hash\":8,\"offset\":1},{\"hash\":9,\"offs"
                          "et\":4}]}"},
    {"part/2/m1/7", "{\"build\":2,\"bytes\":50,\"digest\":\"d\",\"incarnation\":7,\"kind\":"
                    "\"PART\",\"member\":\"m1\","
                    "\"ranges\":[{\"from\":1,\"partition\":0,\"to\":5,\"topic\":\"a\"}],\"rows\":2,"
                    "\"url\":\"u\",\"v\":1}"},
    {"attempt/r2/3/1",
     "{\"attempt\":1,\"build\":2,\"checkpoint_id\":\"c\",\"db_bytes\":4096,\"duration_ms\":5,"
     "\"incarnation\":7,"
     "\"kind\":\"ATTEMPT\",\"max_key\":\"9\",\"member\":\"m1\",\"min_key\":\"1\",\"ok\":true,"
     "\"page_size\":4096,\"partitions\":[{\"partition\":0,\"stored\":2,\"topic\":\"a\"}],\"row_"
     "count\":2,"
     "\"run_id\":\"r2\",\"shard\":3,\"url\":\"u\",\"v\":1}"},
    {"commit",
     "{\"ancestors\":[\"r1\"],\"build\":2,\"close_us\":8,\"closed_to_us\":10,\"commit_kind\":"
     "\"build\","
     "\"fingerprint\":\"f\",\"future_bound_us\":99,\"history\":[{\"build\":2,\"cuts\":[[0,5,true]],"
     "\"from_us\":0,\"future_bound_us\":99,\"to_us\":10}],\"kind\":\"COMMIT\",\"parent\":\"r1\","
     "\"partitions\":[{\"account\":{\"read\":2,\"stored\":2},\"cut\":5,\"partition\":0,\"tail_"
     "from\":4,"
     "\"topic\":\"a\"}],\"pending\":[{\"manifest_ref\":\"m\",\"run_id\":\"r1\",\"sha256\":\"h\","
     "\"staged_url\":\"s\"}],\"pointer_now\":\"p0\",\"resume_offset\":6,\"run_id\":\"r2\","
     "\"snapshot\":{"
     "\"base\":\"p1\",\"build\":2,\"manifest_ref\":\"m\",\"num_dbs\":2,\"pointer\":\"p2\",\"run_"
     "id\":\"r2\","
     "\"sha256\":\"h\",\"staged_url\":\"s\",\"time_us\":9},\"term\":4,\"tick_us\":8,\"time_us\":9,"
     "\"trigger\":\"schedule\",\"used\":[\"t\"],\"v\":1,\"winners\":[1,0]}"},
    {"published",
     "{\"build\":2,\"kind\":\"PUBLISHED\",\"run_id\":\"r2\",\"term\":4,\"time_us\":9,\"v\":1}"},
    {"aborted/r2",
     "{\"build\":2,\"kind\":\"ABORTED\",\"reason\":\"x\",\"run_id\":\"r2\",\"term\":4,\"v\":1}"},
    {"hold",
     "{\"id\":\"h\",\"kind\":\"HOLD\",\"target\":\"r1\",\"v\":1,\"who\":\"w\",\"why\":\"y\"}"},
    {"hold", "{\"id\":\"h\",\"kind\":\"HELD\",\"may_appear\":\"r2\",\"term\":4,\"v\":1}"},
    {"hold", "{\"id\":\"h\",\"kind\":\"RESUME\",\"mode\":\"from_here\",\"pointer\":\"p\",\"v\":1}"},
    {"trigger/t", "{\"cuts\":[{\"cut\":5,\"partition\":0,\"topic\":\"a\"}],\"id\":\"t\",\"kind\":"
                  "\"TRIGGER\",\"v\":1}"},
    {"skip/s", "{\"id\":\"s\",\"kind\":\"SKIP\",\"range\":{\"from\":0,\"partition\":0,\"to\":1,"
               "\"topic\":\"a\"},\"v\":1,"
               "\"who\":\"w\"}"},
    {"condemn/r1", "{\"at_once\":true,\"kind\":\"CONDEMN\",\"objects\":[\"u\"],\"reason\":\"x\","
                   "\"run_id\":\"r1\",\"term\":4,"
                   "\"time_us\":9,\"v\":1}"},
    {"condemn/r1",
     "{\"kind\":\"SPARE\",\"run_id\":\"r1\",\"term\":4,\"time_us\":9,\"v\":1,\"whole_run\":true}"},
};

Test(message, every_kind_comes_back)
{
    bool seen[MESSAGE_KINDS] = {false};
    for (size_t i = 0; i < LENGTH_OF(samples); i++) {
        struct arena *arena = arena_new(1024);
        struct message message;
        struct err err = {0};
        cr_assert(message_decode(bytes_of_text(samples[i].key), bytes_of_text(samples[i].value),
                                 arena, &message, &err),
                  "%s: %s", samples[i].key, err.message);
        seen[message.kind] = true;
        AUTO(buf) struct buf again;
        buf_init(&again, 10000);
        message_encode(&message, &again);
        cr_assert_str_eq(buf_text(&again), samples[i].value);
        buf_clear(&again);
        message_key(&message, &again);
        cr_assert_str_eq(buf_text(&again), samples[i].key);
        arena_free(arena);
    }
    for (unsigned kind = 0; kind < MESSAGE_KINDS; kind++) {
        cr_assert(seen[kind], "no sample of %s", message_kind_name((enum message_kind)kind));
    }
}

static const struct {
    const char *key;
    const char *value;
    const char *message; /* part of it */
} wrong[] = {
    {"leader", "{", "no valid value"},
    {"leader", "{\"kind\":\"LEADER\",\"member\":\"m\",\"nonce\":\"n\",\"v\":2}", "version 2"},
    {"leader", "{\"kind\":\"KING\",\"v\":1}", "kind: unknown: KING"},
    {"leader", "{\"kind\":\"LEADER\",\"member\":\"m\",\"v\":1}", "LEADER: nonce: missing"},
    {"leader", "{\"kind\":\"LEADER\",\"member\":\"a/b\",\"nonce\":\"n\",\"v\":1}",
     "member: not a name"},
    {"leaders", "{\"kind\":\"LEADER\",\"member\":\"m\",\"nonce\":\"n\",\"v\":1}",
     "its key would be leader"},
    {"published",
     "{\"build\":-1,\"kind\":\"PUBLISHED\",\"run_id\":\"r\",\"term\":1,\"time_us\":1,\"v\":1}",
     "build: negative"},
    {"skip/s",
     "{\"id\":\"s\",\"kind\":\"SKIP\",\"range\":{\"from\":3,\"partition\":0,\"to\":1,\"topic\":"
     "\"a\"},\"v\":1}",
     "ends before it begins"},
    {"trigger/t",
     "{\"cuts\":[{\"cut\":5,\"partition\":1,\"topic\":\"a\"},{\"cut\":5,\"partition\":0,\"topic\":"
     "\"a\"}],"
     "\"id\":\"t\",\"kind\":\"TRIGGER\",\"v\":1}",
     "a/0: not in order"},
    {"trigger/t",
     "{\"cuts\":[{\"cut\":-5,\"partition\":1,\"topic\":\"a\"}],\"id\":\"t\",\"kind\":\"TRIGGER\","
     "\"v\":1}",
     "cuts[0].cut: -5 is not in"},
    {"plan/r",
     "{\"build\":2,\"kind\":\"PLAN\",\"members\":[],\"run_id\":\"r\",\"shards\":[[0,1]],\"term\":4,"
     "\"time_us\":9,"
     "\"v\":1}",
     "shards[0]: builder"},
    {"plan/r",
     "{\"build\":2,\"carried\":[0],\"kind\":\"PLAN\",\"members\":[\"m\"],\"run_id\":\"r\","
     "\"shards\":[[0,1]],"
     "\"term\":4,\"time_us\":9,\"v\":1}",
     "carried: without a base"},
    {"plan/r",
     "{\"base\":{\"num_dbs\":1,\"run_id\":\"r1\",\"time_us\":8},\"build\":2,\"carried\":[1],"
     "\"kind\":\"PLAN\","
     "\"members\":[\"m\"],\"run_id\":\"r\",\"shards\":[[0,1]],\"term\":4,\"time_us\":9,\"v\":1}",
     "carried[0]: a shard that nobody makes"},
    {"plan/r",
     "{\"build\":2,\"kind\":\"PLAN\",\"run_id\":\"r\",\"shards\":[[0,1,2]],\"term\":4,\"time_us\":"
     "9,\"v\":1}",
     "shards[0]: 3 items, at most 2"},
    {"plan/r",
     "{\"attempts\":[[1,1,0,5]],\"build\":4,\"kind\":\"PLAN\",\"members\":[\"m1\",\"m2\"],"
     "\"run_id\":\"r\",\"shards\":[[1,3],[-1,0]],\"term\":4,\"time_us\":9,\"v\":1}",
     "attempts[0]: a shard that nobody makes"},
    {"plan/r",
     "{\"attempts\":[[0,1,2,5]],\"build\":4,\"kind\":\"PLAN\",\"members\":[\"m1\",\"m2\"],"
     "\"run_id\":\"r\",\"shards\":[[1,3],[-1,0]],\"term\":4,\"time_us\":9,\"v\":1}",
     "attempts[0]: builder: not in members"},
    {"plan/r",
     "{\"attempts\":[[0,3,0,5]],\"build\":4,\"kind\":\"PLAN\",\"members\":[\"m1\",\"m2\"],"
     "\"run_id\":\"r\",\"shards\":[[1,3],[-1,0]],\"term\":4,\"time_us\":9,\"v\":1}",
     "attempts[0]: builder: not that of the shard"},
    {"plan/r",
     "{\"attempts\":[[0,4,0,5]],\"build\":4,\"kind\":\"PLAN\",\"members\":[\"m1\",\"m2\"],"
     "\"run_id\":\"r\",\"shards\":[[1,3],[-1,0]],\"term\":4,\"time_us\":9,\"v\":1}",
     "attempts[0]: newer than"},
    {"plan/r",
     "{\"attempts\":[[0,2,0,5],[0,1,0,5]],\"build\":4,\"kind\":\"PLAN\",\"members\":[\"m1\",\"m2\"]"
     ","
     "\"run_id\":\"r\",\"shards\":[[1,3],[-1,0]],\"term\":4,\"time_us\":9,\"v\":1}",
     "attempts[1]: not in order"},
    {"plan/r",
     "{\"attempts\":[[0,1,0,5],[0,2,0,5]],\"build\":4,\"kind\":\"PLAN\",\"members\":[\"m1\",\"m2\"]"
     ","
     "\"run_id\":\"r\",\"shards\":[[1,3],[-1,0]],\"term\":4,\"time_us\":9,\"v\":1}",
     "attempts[1]: two beside the newest"},
    {"commit",
     "{\"build\":0,\"close_us\":8,\"commit_kind\":\"empty\",\"fingerprint\":\"f\",\"kind\":"
     "\"COMMIT\","
     "\"run_id\":\"r\",\"term\":4,\"time_us\":9,\"trigger\":\"schedule\",\"v\":1}",
     "build: 0"},
};

Test(message, wrong_ones_are_refused)
{
    for (size_t i = 0; i < LENGTH_OF(wrong); i++) {
        struct arena *arena = arena_new(1024);
        struct message message;
        struct err err = {0};
        cr_assert_not(message_decode(bytes_of_text(wrong[i].key), bytes_of_text(wrong[i].value),
                                     arena, &message, &err),
                      "%s", wrong[i].value);
        cr_assert_eq(err.kind, ERR_INPUT);
        cr_assert_not_null(strstr(err.message, wrong[i].message), "%s", err.message);
        arena_free(arena);
    }
}

/* Who is at a shard, and since when: by the record's stamp where an earlier PLAN does not say it.
 */
Test(message, attempts_that_are_not_given_up)
{
    static const struct {
        int64_t began_us;
        struct plan_shard shard;
        struct plan_attempt said[PLAN_ATTEMPTS_MAX];
        size_t said_count;
        struct plan_attempt expected[PLAN_ATTEMPTS_MAX];
        size_t expected_count;
    } cases[] = {
        {0, {-1, 0}, {{0}}, 0, {{0}}, 0},
        {0, {2, 1}, {{0}}, 0, {{1, 1, 2, 500}}, 1},
        {70, {2, 1}, {{0}}, 0, {{1, 1, 2, 70}}, 1},
        {70, {2, 2}, {{0}}, 0, {{1, 2, 2, 500}}, 1},
        {70, {2, 2}, {{1, 1, 0, 70}}, 1, {{1, 1, 0, 70}, {1, 2, 2, 500}}, 2},
        {70, {2, 3}, {{1, 2, 0, 80}, {1, 3, 2, 90}}, 2, {{1, 2, 0, 80}, {1, 3, 2, 90}}, 2},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct plan_shard shards[] = {{0, 1}, cases[i].shard, {0, 4}};
        struct plan_attempt said[PLAN_ATTEMPTS_MAX + 1];
        memcpy(said, cases[i].said, sizeof cases[i].said);
        said[cases[i].said_count] = (struct plan_attempt){2, 4, 0, 60};
        struct message_plan plan = {.began_us = cases[i].began_us,
                                    .shards = shards,
                                    .shard_count = 3,
                                    .attempts = said,
                                    .attempt_count = cases[i].said_count + 1};
        struct plan_attempt got[PLAN_ATTEMPTS_MAX];
        cr_assert_eq(message_plan_attempts(&plan, 1, 500, got), cases[i].expected_count, "%zu", i);
        for (size_t k = 0; k < cases[i].expected_count; k++) {
            const struct plan_attempt *expected = &cases[i].expected[k];
            cr_expect(got[k].shard == expected->shard && got[k].attempt == expected->attempt &&
                          got[k].builder == expected->builder &&
                          got[k].since_us == expected->since_us,
                      "%zu", i);
        }
    }
}

/* What a manifest keeps is enough to go on from. */
Test(message, lineage)
{
    struct commit_partition partitions[] = {{.id = a0,
                                             .tail_from = 3,
                                             .cut = 5,
                                             .account = {.read = 9, .stored = 8, .carried_out = 1},
                                             .has_witness = true,
                                             .witness = {4, UINT64_MAX}},
                                            {.id = b1, .tail_from = 7, .cut = 7}};
    struct history_cut cut = {.partition = 0, .cut = 5};
    struct history_step step = {2, 10, 20, 99, &cut, 1};
    const char *ancestors[] = {"r1"};
    struct close_partition cuts[] = {{.id = a0, .tail_from = 1, .seen_end = 2, .cut = 5},
                                     {.id = b1, .cut = 7, .joined = true}};
    struct history_cut earlier_cut = {.partition = 0, .cut = 2};
    struct history_step earlier = {1, EVENT_TIME_LOW, 10, 98, &earlier_cut, 1};
    struct plan_range skipped = {.id = a0, .from = 1, .to = 2};
    struct commit_order order = {.shard = 2, .url = "file:///a/db=00002/attempt=01"};
    struct message_commit commit = {
        .term = 4,
        .build = 2,
        .kind = COMMIT_BUILD,
        .run_id = "r2",
        .parent = "r1",
        .closed_to_us = 20,
        .future_bound_us = 99,
        .fingerprint = "f",
        .topics = topics,
        .topic_count = 2,
        .partitions = partitions,
        .partition_count = 2,
        .history = &step,
        .history_count = 1,
        .ancestors = ancestors,
        .ancestor_count = 1,
        .has_made_of = true,
        .made_of = {.from_us = 10,
                    .to_us = EVENT_TIME_HIGH,
                    .partitions = cuts,
                    .partition_count = 2,
                    .before = &earlier,
                    .before_count = 1,
                    .skipped = &skipped,
                    .skipped_count = 1,
                    .base = "r1",
                    .whole = true,
                    .orders = &order,
                    .order_count = 1},
        .has_snapshot = true,
        .snapshot = {.run_id = "r2",
                     .build = 2,
                     .time_us = 1,
                     .num_dbs = 3,
                     .rows = 17,
                     .is_state = true,
                     .state = {"utf8", "hash", "page_size=0", "exact", "dim 3, l2"},
                     .staged_url = "s",
                     .manifest_ref = "m",
                     .sha256 = "h",
                     .pointer = "p2",
                     .base = "p1"}};
    AUTO(buf) struct buf text;
    buf_init(&text, 10000);
    message_lineage_encode(&commit, "ledger", &text);
    struct arena *arena = arena_new(1024);
    struct message_commit back;
    const char *ledger = NULL;
    struct err err = {0};
    cr_assert(message_lineage_decode(buf_bytes(&text), arena, &back, &ledger, &err), "%s",
              err.message);
    cr_assert_str_eq(ledger, "ledger");
    cr_assert_eq(back.kind, COMMIT_ADOPTED);
    cr_assert_eq(back.build, 2);
    cr_assert_eq(back.partition_count, 2);
    cr_assert_eq(back.partitions[0].tail_from, 3);
    cr_assert_eq(back.partitions[0].account.carried_out, 1);
    cr_assert(back.partitions[0].has_witness);
    cr_assert_eq(back.partitions[0].witness.offset, 4);
    cr_assert_eq(back.partitions[0].witness.hash, UINT64_MAX);
    cr_assert_not(back.partitions[1].has_witness);
    cr_assert_eq(back.history[0].cuts[0].cut, 5);
    cr_assert_eq(back.closed_to_us, 20);
    cr_assert_str_eq(back.snapshot.run_id, "r2");
    cr_assert_str_eq(back.snapshot.base, "p1");
    cr_assert_str_eq(back.ancestors[0], "r1");
    cr_assert(back.has_made_of);
    cr_assert_eq(back.made_of.from_us, 10);
    cr_assert_eq(back.made_of.to_us, EVENT_TIME_HIGH);
    cr_assert_eq(back.made_of.partitions[0].seen_end, 2);
    cr_assert(back.made_of.partitions[1].joined);
    cr_assert_eq(back.made_of.before[0].cuts[0].cut, 2);
    cr_assert_eq(back.made_of.skipped[0].to, 2);
    cr_assert_str_eq(back.made_of.base, "r1");
    cr_assert(back.made_of.whole);
    cr_assert_eq(back.snapshot.rows, 17);
    cr_assert(back.snapshot.is_state);
    cr_assert_str_eq(back.snapshot.state.files, "page_size=0");
    cr_assert_str_eq(back.snapshot.state.order, "exact");
    cr_assert_str_eq(back.snapshot.state.vectors, "dim 3, l2");
    cr_assert_eq(back.made_of.order_count, 1);
    cr_assert_eq(back.made_of.orders[0].shard, 2);
    cr_assert_str_eq(back.made_of.orders[0].url, "file:///a/db=00002/attempt=01");

    /* the ledger's record of the same build goes without it; what cannot be is refused */
    struct message record = {.kind = MESSAGE_COMMIT, .commit = commit};
    buf_clear(&text);
    message_encode(&record, &text);
    cr_assert_null(strstr(buf_text(&text), "made_of"));
    cuts[0].seen_end = 6;
    buf_clear(&text);
    message_lineage_encode(&commit, "ledger", &text);
    cr_assert_not(message_lineage_decode(buf_bytes(&text), arena, &back, &ledger, &err));
    cr_assert_not_null(strstr(err.message, "made_of.partitions[0]"), "%s", err.message);
    cr_assert_not(message_lineage_decode(bytes_of_text("{\"v\":9}"), arena, &back, &ledger, &err));
    arena_free(arena);
}
