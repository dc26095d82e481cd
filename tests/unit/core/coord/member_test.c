/* Where does a member begin to read, what does it promise, and what does it refuse? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/one_member.h"

TestSuite(member, .init = one_member_open, .fini = one_member_close);

static bool short_of_room;

static void reading(int64_t from, int64_t position)
{
    struct member_reading one = {.id = a0,
                                 .from = from,
                                 .position = position,
                                 .watermark_us = EVENT_TIME_LOW,
                                 .low_us = EVENT_TIME_HIGH,
                                 .state = DATA_READING};
    step((struct member_event){
        .kind = MEMBER_EVENT_PROGRESS,
        .progress = {.readings = &one, .count = 1, .short_of_room = short_of_room}});
}

static const struct member_command *find(enum member_command_kind kind)
{
    for (size_t i = 0; i < out.command_count; i++) {
        if (out.commands[i].kind == kind) {
            return &out.commands[i];
        }
    }
    return NULL;
}

static const char *appended(const char *kind)
{
    static char text[4000];
    for (size_t i = 0; i < out.command_count; i++) {
        if (out.commands[i].kind == MEMBER_APPEND) {
            const struct coord_record *said = &out.commands[i].append.records[0];
            snprintf(text, sizeof text, "%.*s", (int)said->value.size,
                     (const char *)said->value.data);
            if (strstr(text, kind) != NULL) {
                return text;
            }
        }
    }
    return NULL;
}

#define COMMIT(build, tail, cut)                                                                   \
    "{\"build\":" build                                                                            \
    ",\"close_us\":1,\"commit_kind\":\"empty\",\"fingerprint\":\"f\",\"kind\":\"COMMIT\","         \
    "\"partitions\":[{\"account\":{},\"cut\":" cut ",\"partition\":0,\"tail_from\":" tail          \
    ",\"topic\":\"a\"}],"                                                                          \
    "\"run_id\":\"r" build "\",\"term\":0,\"time_us\":1,\"trigger\":\"manual\",\"v\":1}"
#define CLOSE(build, parent, fingerprint, tail, seen, cut)                                         \
    "{\"build\":" build ",\"contents\":\"window\",\"fingerprint\":\"" fingerprint                  \
    "\",\"kind\":\"CLOSE\","                                                                       \
    "\"parent\":\"" parent "\",\"partitions\":[{\"cut\":" cut                                      \
    ",\"partition\":0,\"seen_end\":" seen ",\"tail_from\":" tail                                   \
    ",\"topic\":\"a\"}],\"term\":0,\"time_us\":1,\"topics\":[{\"id\":\"t\","                       \
    "\"name\":\"a\"}],\"trigger\":\"manual\",\"v\":1}"

static const struct {
    const char *key; /* a record that is there before; NULL: none */
    const char *value;
    int64_t start;
} starts[] = {
    {NULL, NULL, MEMBER_START_POLICY},
    {"commit", COMMIT("3", "40", "50"), 40}, /* the head's tail_from, not its cut (R1) */
    {"close/1", CLOSE("1", "", "f", "12", "12", "20"), 12}, /* what the first build needs (R3) */
    {"progress/m2",
     "{\"fingerprint\":\"f\",\"incarnation\":1,\"kind\":\"PROGRESS\",\"member\":\"m2\","
     "\"partitions\":[{"
     "\"from\":9,\"partition\":0,\"position\":30,\"state\":\"reading\",\"topic\":\"a\"}],\"v\":1}",
     9}, /* where another member began */
    {"commit",
     "{\"build\":3,\"close_us\":1,\"commit_kind\":\"empty\",\"fingerprint\":\"f\",\"kind\":"
     "\"COMMIT\","
     "\"partitions\":[{\"account\":{},\"cut\":5,\"partition\":1,\"tail_from\":5,\"topic\":\"a\"}],"
     "\"run_id\":\"r3\",\"term\":0,\"time_us\":1,\"trigger\":\"manual\",\"v\":1}",
     0}, /* new after the first build (R7) */
};

Test(member, starts_where_nothing_is_missed)
{
    for (size_t i = 0; i < LENGTH_OF(starts); i++) {
        if (starts[i].key != NULL) {
            record(starts[i].key, starts[i].value);
        }
        assign();
        cr_assert_null(find(MEMBER_START_PARTITION), "before the ledger was read");
        step((struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
        const struct member_command *start = find(MEMBER_START_PARTITION);
        cr_assert_not_null(start);
        cr_assert_eq(start->start.offset, starts[i].start, "%zu: %lld", i,
                     (long long)start->start.offset);
        one_member_close();
        one_member_open();
    }
}

/* The ledger has, or has not, taken all that was sent so far. */
static void acknowledge(enum err_kind outcome)
{
    for (uint64_t id = 1; id < 20; id++) {
        step((struct member_event){.kind = MEMBER_EVENT_APPENDED,
                                   .appended = {.command = id, .outcome = outcome}});
    }
}

static void read_to(int64_t position)
{
    record("commit", COMMIT("3", "40", "50"));
    assign();
    step((struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
    reading(40, position);
}

/* What the shell tells it for people goes with the next PROGRESS; without it there is not a word.
 */
Test(member, says_what_keeps_it)
{
    read_to(59);
    acknowledge(ERR_NONE);
    now_us += settings.progress_interval_us;
    step((struct member_event){.kind = MEMBER_EVENT_TICK});
    const char *said = appended("PROGRESS");
    cr_assert_not_null(said);
    cr_assert_null(strstr(said, "doing"), "%s", said);
    acknowledge(ERR_NONE);
    member_note(member, "memory is short", "waits for the trigger");
    now_us += settings.progress_interval_us;
    step((struct member_event){.kind = MEMBER_EVENT_TICK});
    said = appended("PROGRESS");
    cr_assert_not_null(said);
    cr_assert_not_null(strstr(said, "\"paused\":\"memory is short\""), "%s", said);
    cr_assert_not_null(strstr(said, "\"leading\":\"waits for the trigger\""), "%s", said);
    cr_assert_not_null(strstr(said, "\"doing\":"), "%s", said);
    acknowledge(ERR_NONE);
    now_us += settings.progress_interval_us;
    step((struct member_event){.kind = MEMBER_EVENT_TICK});
    cr_assert_null(appended("PROGRESS"), "the same words again");
}

static void answer_seal(uint64_t number)
{
    struct ready_partition sealed = {
        .id = a0, .from = 40, .to = 60, .read = 3, .rows = 3, .carried_from = 60};
    struct shard_size shard = {.rows = 3, .bytes = 30};
    struct member_event event = {.kind = MEMBER_EVENT_SEALED,
                                 .sealed = {.build = 4, .seal = number, .ok = true, .error = ""}};
    event.sealed.partitions = &sealed;
    event.sealed.shards = &shard;
    event.sealed.partition_count = event.sealed.shard_count = 1;
    step(event);
}

Test(member, seals_when_its_position_has_passed_the_cut)
{
    read_to(59);
    record("close/4", CLOSE("4", "r3", "f", "40", "50", "60"));
    cr_assert_null(find(MEMBER_SEAL));
    reading(40, 60);
    const struct member_command *seal = find(MEMBER_SEAL);
    cr_assert(seal != NULL && seal->seal.count == 1);
    cr_assert_eq(seal->seal.partitions[0].from, 40);
    cr_assert_eq(seal->seal.partitions[0].seen_end, 50);
    cr_assert_eq(seal->seal.partitions[0].to, 60);
    answer_seal(seal->seal.seal);
    const char *ready = appended("\"READY\"");
    cr_assert_not_null(ready);
    cr_assert_not_null(strstr(ready, "\"owned\":true"), "%s", ready);
    reading(40, 61); /* said once */
    cr_assert_null(find(MEMBER_SEAL));
    cr_assert_null(appended("\"READY\""));
}

/* It slept, and the leader has retired it: the next words are said although nothing is new. */
Test(member, says_itself_again_after_its_tombstone)
{
    read_to(60);
    for (int i = 0; i < 2; i++) {
        acknowledge(ERR_NONE);
        now_us += settings.progress_interval_us;
        reading(40, 60);
    }
    cr_assert_null(appended("\"PROGRESS\""), "nothing is new");
    step((struct member_event){
        .kind = MEMBER_EVENT_RECORD,
        .record = {next_offset++, now_us, bytes_of_text("progress/m2"), bytes_of(NULL, 0)}});
    cr_assert_null(appended("\"PROGRESS\""), "of another");
    step((struct member_event){
        .kind = MEMBER_EVENT_RECORD,
        .record = {next_offset++, now_us, bytes_of_text("progress/m1"), bytes_of(NULL, 0)}});
    cr_assert_not_null(appended("\"PROGRESS\""));
}

/* R29: what no build needs yet is not read while the disk is nearly full; what one needs is. */
Test(member, keeps_the_last_room_for_the_open_build)
{
    read_to(60);
    cr_assert_null(find(MEMBER_PAUSE));
    short_of_room = true;
    reading(40, 61);
    cr_assert_not_null(find(MEMBER_PAUSE));
    cr_assert_eq(member_paused(member, PAUSE_ROOM), 1);
    cr_assert_str_eq(member_pause_name(PAUSE_ROOM), "disk_budget");
    cr_assert_not_null(strstr(member_doing(member), "disk_budget"));
    record("close/4", CLOSE("4", "r3", "f", "40", "50", "70"));
    cr_assert_not_null(find(MEMBER_UNPAUSE), "below its cut");
    reading(40, 70);
    cr_assert_not_null(find(MEMBER_PAUSE), "its cut is reached");
    short_of_room = false;
    reading(40, 70);
    cr_assert_not_null(find(MEMBER_UNPAUSE));
    cr_assert_eq(member_paused(member, PAUSE_ROOM), 0);
}

/* What the head has seen is read again at once, however far ahead it is: no window is closed before
 * that, so nobody could catch up with it. */
Test(member, does_not_stop_below_the_cut_of_the_head)
{
    struct member_reading one = {.id = a0, .from = 40, .position = 45, .state = DATA_READING};
    settings.trigger = TRIGGER_EVENT_TIME;
    one.watermark_us = (settings.max_open_windows + 10) * settings.window_size_us;
    record("progress/m2",
           "{\"fingerprint\":\"f\",\"incarnation\":1,\"kind\":\"PROGRESS\",\"member\":\"m2\","
           "\"partitions\":[{\"from\":0,\"low_us\":7,\"owned\":true,\"partition\":1,\"position\":9,"
           "\"state\":\"reading\",\"topic\":\"a\"}],\"v\":1}");
    read_to(42);
    step((struct member_event){.kind = MEMBER_EVENT_PROGRESS,
                               .progress = {.readings = &one, .count = 1}});
    cr_assert_eq(member_paused(member, PAUSE_AHEAD), 0);
    one.position = 50;
    step((struct member_event){.kind = MEMBER_EVENT_PROGRESS,
                               .progress = {.readings = &one, .count = 1}});
    cr_assert_eq(member_paused(member, PAUSE_AHEAD), 1);
}

/* A build that waits for an operator is not still being built. */
Test(member, says_that_a_gate_keeps_its_build)
{
    read_to(60);
    record("close/4", CLOSE("4", "r3", "f", "60", "60", "60"));
    record("plan/r4", "{\"build\":4,\"kind\":\"PLAN\",\"members\":[\"m1\"],\"run_id\":\"r4\","
                      "\"shards\":[[0,1]],\"term\":0,\"time_us\":1,\"v\":1}");
    cr_assert_not_null(find(MEMBER_BUILD));
    cr_assert_str_eq(member_doing(member), "builds r4");
    record("attempt/r4/0/1", "{\"attempt\":1,\"build\":4,\"db_bytes\":1,\"incarnation\":7,\"kind\":"
                             "\"ATTEMPT\",\"member\":\"m1\",\"ok\":true,\"row_count\":1,\"run_id\":"
                             "\"r4\",\"shard\":0,\"url\":\"u\",\"v\":1}");
    cr_assert_str_eq(member_doing(member), "waits until r4 is published");
    record("gate/r4", "{\"build\":4,\"kind\":\"GATED\",\"reasons\":[\"few\"],\"run_id\":\"r4\","
                      "\"term\":0,\"v\":1}");
    cr_assert_str_eq(member_doing(member), "waits: a gate keeps r4 from being published");
}

Test(member, refuses_other_settings)
{
    read_to(60);
    record("close/4", CLOSE("4", "r3", "other", "40", "50", "60"));
    cr_assert_not_null(appended("\"REFUSED\""));
    cr_assert_null(find(MEMBER_SEAL));
    reading(40, 61);
    cr_assert_null(appended("\"REFUSED\""));
}

/* What this member has read may be of the topic that is gone; nothing makes that good. */
Test(member, ends_where_a_topic_was_made_again)
{
    read_to(60);
    char *close = strdup(CLOSE("4", "r3", "f", "40", "50", "60"));
    strstr(close, "\"id\":\"t\"")[6] = 'u';
    record("close/4", close);
    free(close);
    cr_assert_not_null(appended("\"REFUSED\""));
    cr_assert_null(find(MEMBER_SEAL));
    const struct member_command *end = find(MEMBER_END);
    cr_assert(end != NULL && strstr(end->end, "topic a was deleted and made again"));
}

Test(member, sends_again_what_was_not_acknowledged)
{
    read_to(60);
    acknowledge(ERR_TRANSIENT);
    now_us += settings.retry_max_us;
    step((struct member_event){.kind = MEMBER_EVENT_TICK});
    cr_assert_not_null(appended("\"PROGRESS\""));
    acknowledge(ERR_NONE);
    now_us += settings.retry_max_us;
    step((struct member_event){.kind = MEMBER_EVENT_TICK});
    cr_assert_not_null(appended("\"position\":60"), "the newer one was not said in between");
}

Test(member, forgets_what_a_commit_covers)
{
    read_to(60);
    record("commit", COMMIT("4", "55", "60"));
    const struct member_command *forget = find(MEMBER_FORGET);
    cr_assert(forget != NULL && forget->forget.build == 4);
    cr_assert_eq(forget->forget.partitions[0].tail_from, 55);
}

Test(member, says_goodbye)
{
    read_to(60);
    acknowledge(ERR_NONE);
    step((struct member_event){.kind = MEMBER_EVENT_STOP});
    cr_assert_not_null(appended("\"leaving\":true"));
    cr_assert_not(member_left(member));
    acknowledge(ERR_NONE);
    cr_assert(member_left(member));
}

static const struct {
    int64_t from, position;
    const char *head;
    bool goes_on;
} held[] = {
    {40, 70, "r3", true},  /* all from tail_from on, under the same head */
    {10, 45, "", true},    /* nothing was forgotten yet; behind the head's cut is read again */
    {10, 40, "r2", true},  /* its parent */
    {41, 70, "r3", false}, /* a gap */
    {10, 39, "r3", false}, /* it ends too early */
    {40, 70, "r9", false}, /* a run that the head does not stand on: rows were forgotten */
};

Test(member, goes_on_from_what_is_held_when_nothing_is_missing)
{
    for (size_t i = 0; i < LENGTH_OF(held); i++) {
        struct member_held one = {a0, held[i].from, held[i].position, 5, held[i].head, -1};
        step((struct member_event){.kind = MEMBER_EVENT_HELD, .held = {&one, 1}});
        record(
            "commit",
            "{\"build\":3,\"close_us\":1,\"commit_kind\":\"empty\",\"fingerprint\":\"f\",\"kind\":"
            "\"COMMIT\",\"parent\":\"r2\",\"partitions\":[{\"account\":{},\"cut\":50,"
            "\"partition\":0,\"tail_from\":40,\"topic\":\"a\"}],\"run_id\":\"r3\",\"term\":0,"
            "\"time_us\":1,\"trigger\":\"manual\",\"v\":1}");
        step((struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
        cr_assert_null(find(MEMBER_FORGET), "its start says what the head has of it");
        assign();
        const struct member_command *start = find(MEMBER_START_PARTITION);
        cr_assert_not_null(start);
        cr_expect_eq(start->start.goes_on, held[i].goes_on, "%zu", i);
        cr_expect_eq(start->start.offset, held[i].goes_on ? held[i].position : 40);
        cr_expect_eq(start->start.void_held, !held[i].goes_on);
        cr_expect_eq(start->start.leader_epoch, held[i].goes_on ? 5 : -1);
        one_member_close();
        one_member_open();
    }
}

static void revoke(void)
{
    step((struct member_event){.kind = MEMBER_EVENT_REVOKED,
                               .assignment = {.generation = 2, .partitions = &a0, .count = 1}});
}

Test(member, a_partition_that_comes_back_goes_on_unless_its_rows_are_gone)
{
    read_to(60);
    revoke();
    assign();
    const struct member_command *start = find(MEMBER_START_PARTITION);
    cr_assert(start != NULL && start->start.goes_on && start->start.offset == 60);
    cr_assert_eq(start->start.watermark_us, EVENT_TIME_LOW, "as it was said at 60 (R4)");
    reading(40, 65);
    revoke();
    record("commit", COMMIT("4", "55", "60")); /* its owner has the rest */
    assign();
    start = find(MEMBER_START_PARTITION);
    cr_assert(start != NULL && !start->start.goes_on && start->start.offset == 55);
}

/* The last PROGRESS of `ticks` times 100 ms, each acknowledged; "" when none was said. */
static const char *progress_after(int ticks)
{
    static char last[4000];
    last[0] = '\0';
    for (int i = 0; i < ticks; i++) {
        now_us += 99 * 1000;
        step((struct member_event){.kind = MEMBER_EVENT_TICK});
        const char *said = appended("\"PROGRESS\"");
        if (said != NULL) {
            snprintf(last, sizeof last, "%s", said);
            acknowledge(ERR_NONE);
        }
    }
    return last;
}

/* Without it the READY would count only when the interval is over: no PROGRESS before it could name
 * the partition. */
Test(member, says_what_it_owns_behind_its_first_ready)
{
    read_to(60);
    acknowledge(ERR_NONE);
    cr_assert_str_eq(progress_after(3), "", "nobody waits for it");
    record("close/4", CLOSE("4", "r3", "f", "40", "50", "60"));
    answer_seal(find(MEMBER_SEAL)->seal.seal);
    cr_assert_not_null(appended("\"READY\""));
    const char *said = appended("\"PROGRESS\"");
    cr_assert(said != NULL && strstr(said, "\"owned\":true,") && strstr(said, "\"position\":60"));
    acknowledge(ERR_NONE);
    reading(40, 61);
    cr_assert_str_eq(progress_after(3), "", "it has named the partition");
}

/* What it knew before it slept says nothing of now (R4a). */
Test(member, a_partition_is_not_idle_because_its_member_slept)
{
    settings.idle_after_us = 3000000;
    read_to(59);
    acknowledge(ERR_NONE);
    struct member_reading end = {.id = a0,
                                 .from = 40,
                                 .position = 60,
                                 .watermark_us = EVENT_TIME_LOW,
                                 .low_us = EVENT_TIME_HIGH,
                                 .state = DATA_AT_END};
    step((struct member_event){.kind = MEMBER_EVENT_PROGRESS, .progress = {&end, 1}});
    cr_assert_null(strstr(progress_after(10), "\"idle\""));
    now_us += 60 * 1000000;
    const char *said = progress_after(25);
    cr_assert(said[0] != '\0' && strstr(said, "\"idle\"") == NULL, "%s", said);
    cr_assert_not_null(strstr(progress_after(20), "\"idle\""), "nothing came while it looked");
}

/* Another member had begun lower: what was read is not enough, and the rest may come with a
 * handover. Nothing is sealed meanwhile, though the position has passed the cut. */
Test(member, promises_nothing_of_a_partition_that_waits_for_a_handover)
{
    settings.handover_wait_us = 2000000;
    assign();
    step((struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
    reading(17, 40);
    record("progress/m2",
           "{\"fingerprint\":\"f\",\"incarnation\":1,\"kind\":\"PROGRESS\",\"member\":\"m2\","
           "\"partitions\":[{\"from\":0,\"handing_over\":true,\"partition\":0,\"position\":60,"
           "\"rows\":5,\"state\":\"reading\",\"topic\":\"a\"}],\"v\":1}");
    cr_assert_not_null(find(MEMBER_STOP_PARTITION));
    cr_assert_null(find(MEMBER_START_PARTITION));
    record("close/1", CLOSE("1", "", "f", "0", "0", "30"));
    cr_assert_null(find(MEMBER_SEAL));
    now_us += settings.handover_wait_us;
    step((struct member_event){.kind = MEMBER_EVENT_TICK});
    const struct member_command *start = find(MEMBER_START_PARTITION);
    cr_assert(start != NULL && start->start.offset == 0);
    cr_assert_null(find(MEMBER_SEAL));
}
