/* Is the state of the ledger the same for any compaction of it, and does it mean what the rules
 * say? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/rng.h"
#include "core/coord/fold.h"

struct record {
    char key[80];
    char value[600]; /* "": a tombstone */
};

static void apply(struct fold *fold, int64_t offset, const struct record *record)
{
    struct err err = {0};
    struct bytes value = {.data = NULL};
    if (record->value[0] != '\0') {
        value = bytes_of_text(record->value);
    }
    if (!fold_apply(fold, offset, offset * 10, bytes_of_text(record->key), value, &err)) {
        cr_assert_fail("%s", err.message);
    }
}

static void progress(struct record *record, const char *member, int generation, bool owned,
                     int64_t position, int64_t watermark_us)
{
    snprintf(record->key, sizeof record->key, "progress/%s", member);
    snprintf(record->value, sizeof record->value,
             "{\"fingerprint\":\"f\",\"generation\":%d,\"incarnation\":1,\"kind\":\"PROGRESS\","
             "\"member\":\"%s\","
             "\"partitions\":[{\"from\":%lld,\"low_us\":%lld,\"owned\":%s,\"partition\":0,"
             "\"position\":%lld,"
             "\"state\":\"reading\",\"topic\":\"a\",\"watermark_us\":%lld}],\"v\":1}",
             generation, member, (long long)(position / 2), (long long)position,
             owned ? "true" : "false", (long long)position, (long long)watermark_us);
}

static void commit(struct record *record, int build, int parent, int term)
{
    snprintf(record->key, sizeof record->key, "commit");
    snprintf(record->value, sizeof record->value,
             "{\"build\":%d,\"close_us\":1,\"commit_kind\":\"empty\",\"fingerprint\":\"f\","
             "\"kind\":\"COMMIT\","
             "\"parent\":\"r%d\",\"partitions\":[{\"account\":{},\"cut\":5,\"partition\":0,\"tail_"
             "from\":4,"
             "\"topic\":\"a\"}],\"run_id\":\"r%d\",\"term\":%d,\"time_us\":1,\"trigger\":"
             "\"manual\",\"v\":1}",
             build, parent, build, term);
}

static void simple(struct record *record, const char *key, const char *kind, const char *rest)
{
    snprintf(record->key, sizeof record->key, "%s", key);
    snprintf(record->value, sizeof record->value, "{\"kind\":\"%s\",%s\"v\":1}", kind, rest);
}

static void random_record(struct rng *rng, struct record *record)
{
    char key[40];
    char rest[300];
    int number = 1 + (int)rng_below(rng, 4);
    switch (rng_below(rng, 9)) {
    case 0:
        snprintf(key, sizeof key, "m%d", number);
        progress(record, key, (int)rng_below(rng, 5), rng_below(rng, 2) == 0,
                 (int64_t)rng_below(rng, 100), (int64_t)rng_below(rng, 100));
        break;
    case 1:
        commit(record, number, number - 1, 0);
        break;
    case 2:
        simple(record, "hold", "HOLD", "\"id\":\"h\",");
        break;
    case 3:
        simple(record, "hold", "RESUME", "\"id\":\"h\",\"mode\":\"adopt\",");
        break;
    case 4:
        snprintf(key, sizeof key, "trigger/t%d", number);
        snprintf(rest, sizeof rest, "\"id\":\"t%d\",", number);
        simple(record, key, "TRIGGER", rest);
        break;
    case 5:
        snprintf(key, sizeof key, "aborted/r%d", number);
        snprintf(rest, sizeof rest, "\"build\":%d,\"reason\":\"x\",\"run_id\":\"r%d\",\"term\":0,",
                 number, number);
        simple(record, key, "ABORTED", rest);
        break;
    case 6:
        snprintf(key, sizeof key, "condemn/r%d", number);
        snprintf(rest, sizeof rest,
                 "\"run_id\":\"r%d\",\"term\":0,\"time_us\":1,\"whole_run\":true,", number);
        simple(record, key, rng_below(rng, 2) == 0 ? "CONDEMN" : "SPARE", rest);
        break;
    case 7:
        snprintf(key, sizeof key, "close/%d", number);
        snprintf(rest, sizeof rest,
                 "\"build\":%d,\"contents\":\"window\",\"fingerprint\":\"f\",\"parent\":\"r%d\","
                 "\"term\":0,"
                 "\"time_us\":1,\"trigger\":\"manual\",",
                 number, number - 1);
        simple(record, key, "CLOSE", rest);
        break;
    default: {
        static const char *const keys[] = {"hold", "trigger/t1", "aborted/r2", "condemn/r3",
                                           "close/2"};
        snprintf(record->key, sizeof record->key, "%s", keys[rng_below(rng, 5)]);
        record->value[0] = '\0';
        break;
    }
    }
}

/* Everything the machines ask of a fold, as text. */
static void describe(const struct fold *fold, struct buf *out)
{
    buf_clear(out);
    for (unsigned kind = 0; kind < MESSAGE_KINDS; kind++) {
        size_t at = 0;
        for (const struct fold_entry *entry = fold_next(fold, (enum message_kind)kind, &at);
             entry != NULL; entry = fold_next(fold, (enum message_kind)kind, &at)) {
            buf_add_format(out, "%lld %lld %s ", (long long)entry->offset,
                           (long long)entry->timestamp_us, entry->key);
            message_encode(&entry->message, out);
            buf_add_byte(out, '\n');
        }
    }
    struct fold_pair pair = {0};
    bool known = fold_pair(fold, "f", (struct partition_id){"a", 0}, &pair);
    buf_add_format(out, "%d %lld %lld %lld %lld %lld", known, (long long)pair.from,
                   (long long)pair.position, (long long)pair.watermark_us, (long long)pair.low_us,
                   pair.owner == NULL ? -1LL : (long long)pair.owner->offset);
    const struct message_commit *head = fold_head(fold);
    buf_add_format(out, " head %s hold %d resume %d close %d next %llu condemned %d",
                   head == NULL ? "-" : head->run_id, fold_hold(fold) != NULL,
                   fold_resume(fold) != NULL, fold_open_close(fold) != NULL,
                   (unsigned long long)fold_next_build(fold), fold_condemned(fold, "r3") != NULL);
}

/* The law: a compaction drops any record that a later one of its key follows, and nothing else. */
Test(fold, any_compaction_gives_the_same_state)
{
    enum { RECORDS = 120, RUNS = 150 };
    static struct record records[RECORDS];
    struct rng rng;
    rng_init(&rng, 5);
    AUTO(buf) struct buf whole;
    AUTO(buf) struct buf compacted;
    buf_init(&whole, 1 << 20);
    buf_init(&compacted, 1 << 20);
    for (int run = 0; run < RUNS; run++) {
        struct fold *all = fold_new();
        struct fold *some = fold_new();
        for (size_t i = 0; i < RECORDS; i++) {
            random_record(&rng, &records[i]);
        }
        for (size_t i = 0; i < RECORDS; i++) {
            bool last = true;
            for (size_t j = i + 1; j < RECORDS && last; j++) {
                last = strcmp(records[i].key, records[j].key) != 0;
            }
            apply(all, (int64_t)i, &records[i]);
            if (last || rng_below(&rng, 3) == 0) {
                apply(some, (int64_t)i, &records[i]);
            }
        }
        describe(all, &whole);
        describe(some, &compacted);
        cr_assert_str_eq(buf_text(&whole), buf_text(&compacted));
        fold_free(all);
        fold_free(some);
    }
}

/* R4: position and watermark of dead m1 stay above what m2 has read so far, with m2 as the owner.
 */
Test(fold, the_pair_of_the_highest_position)
{
    struct fold *fold = fold_new();
    struct record record;
    struct partition_id id = {"a", 0};
    struct fold_pair pair;
    cr_assert_not(fold_pair(fold, "f", id, &pair));
    progress(&record, "m1", 1, true, 100, 1205);
    apply(fold, 0, &record);
    progress(&record, "m2", 2, true, 20, 7);
    apply(fold, 1, &record);
    cr_assert(fold_pair(fold, "f", id, &pair));
    cr_assert_eq(pair.position, 100);
    cr_assert_eq(pair.watermark_us, 1205);
    cr_assert_eq(pair.owner_position, 20);
    cr_assert_eq(pair.owner->offset, 1);
    progress(&record, "m1", 1, true, 110, 1206); /* a zombie: newer, and of an older generation */
    apply(fold, 2, &record);
    cr_assert(fold_pair(fold, "f", id, &pair));
    cr_assert_eq(pair.owner->offset, 1);
    cr_assert_not(fold_pair(fold, "another fingerprint", id, &pair));
    fold_free(fold);
}

/* A second lock behind Kafka's fence: an older term's record is refused, and what was seen is not
 * seen twice. */
Test(fold, older_terms)
{
    struct fold *fold = fold_new();
    struct record record;
    struct err err = {0};
    simple(&record, "leader", "LEADER", "\"member\":\"m\",\"nonce\":\"n\",");
    apply(fold, 7, &record);
    commit(&record, 1, 0, 3);
    cr_assert_not(
        fold_apply(fold, 8, 0, bytes_of_text(record.key), bytes_of_text(record.value), &err));
    cr_assert_not_null(strstr(err.message, "below LEADER 7"), "%s", err.message);
    cr_assert_null(fold_head(fold));
    commit(&record, 1, 0, 7);
    apply(fold, 9, &record);
    cr_assert_not_null(fold_head(fold));
    apply(fold, 9, &record);
    cr_assert_eq(fold_end(fold), 10);
    fold_free(fold);
}

/* R5: a CLOSE that stands on another head is void; a RESUME is open until a COMMIT answers it. */
Test(fold, what_is_open)
{
    struct fold *fold = fold_new();
    struct record record;
    simple(&record, "close/1", "CLOSE",
           "\"build\":1,\"contents\":\"window\",\"fingerprint\":\"f\",\"term\":0,\"time_us\":1,"
           "\"trigger\":\"manual\",");
    apply(fold, 0, &record);
    cr_assert_not_null(fold_open_close(fold));
    cr_assert(fold_first_build(fold));
    commit(&record, 1, 0, 0);
    apply(fold, 1, &record);
    cr_assert_null(fold_open_close(fold));
    cr_assert_not(fold_first_build(fold));
    simple(&record, "close/2", "CLOSE",
           "\"build\":2,\"contents\":\"window\",\"fingerprint\":\"f\",\"parent\":\"r0\",\"term\":0,"
           "\"time_us\":1,"
           "\"trigger\":\"manual\",");
    apply(fold, 2, &record);
    cr_assert_null(fold_open_close(fold));
    simple(&record, "hold", "HOLD", "\"id\":\"h\",");
    apply(fold, 3, &record);
    cr_assert_not_null(fold_hold(fold));
    simple(&record, "hold", "RESUME", "\"id\":\"h\",\"mode\":\"adopt\",");
    apply(fold, 4, &record);
    cr_assert_null(fold_hold(fold));
    cr_assert_not_null(fold_resume(fold));
    snprintf(record.key, sizeof record.key, "commit");
    snprintf(record.value, sizeof record.value,
             "{\"build\":1,\"close_us\":1,\"commit_kind\":\"resumed\",\"fingerprint\":\"f\","
             "\"kind\":\"COMMIT\","
             "\"resume_offset\":4,\"run_id\":\"r1\",\"term\":0,\"time_us\":1,\"trigger\":"
             "\"manual\",\"v\":1}");
    apply(fold, 5, &record);
    cr_assert_null(fold_resume(fold));
    fold_free(fold);
}

/* R27: what a gate said counts for the PLAN in force, until somebody lets its run through. */
Test(fold, what_a_gate_keeps)
{
    struct fold *fold = fold_new();
    struct record record;
    simple(&record, "close/1", "CLOSE",
           "\"build\":1,\"contents\":\"window\",\"fingerprint\":\"f\",\"term\":0,\"time_us\":1,"
           "\"trigger\":\"manual\",");
    apply(fold, 0, &record);
    for (int run = 1; run <= 2; run++) {
        char key[20];
        char rest[200];
        snprintf(key, sizeof key, "plan/r%d", run);
        snprintf(rest, sizeof rest,
                 "\"build\":1,\"members\":[\"m\"],\"run_id\":\"r%d\",\"shards\":[[0,1]],\"term\":0,"
                 "\"time_us\":1,",
                 run);
        simple(&record, key, "PLAN", rest);
        apply(fold, 3 * run, &record);
        cr_assert_null(fold_gated(fold), "of run %d nothing was said", run);
        snprintf(key, sizeof key, "gate/r%d", run);
        snprintf(rest, sizeof rest,
                 "\"build\":1,\"reasons\":[\"too few\"],\"run_id\":\"r%d\",\"term\":0,", run);
        simple(&record, key, "GATED", rest);
        apply(fold, 3 * run + 1, &record);
        cr_assert_str_eq(fold_gated(fold)->run_id, run == 1 ? "r1" : "r2");
    }
    simple(&record, "accept/a", "ACCEPT", "\"build\":1,\"id\":\"a\",\"run_id\":\"r1\",");
    apply(fold, 9, &record);
    cr_assert_not_null(fold_gated(fold), "another run");
    simple(&record, "accept/b", "ACCEPT", "\"build\":1,\"id\":\"b\",\"run_id\":\"r2\",");
    apply(fold, 10, &record);
    cr_assert_null(fold_gated(fold));
    fold_free(fold);
}
