/* Does a term begin in the order of R18, and end by itself at once? Are new partitions asked for?
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/coord/leader.h"

static struct coord_settings settings;
static struct leader *leader;
static struct leader_out out;
static int64_t now_us = INT64_C(1767225600000000);

static void set_up(void)
{
    static const struct message_topic topics[] = {{"a", "t"}};
    coord_settings_init(&settings);
    settings.ledger_id = "l";
    settings.fingerprint = "f";
    settings.topics = topics;
    settings.topic_count = 1;
    settings.trigger = TRIGGER_MANUAL;
    leader = leader_new(&settings, "m1", 1);
    leader_out_init(&out);
}

static void tear_down(void)
{
    leader_free(leader);
    leader_out_done(&out);
}

TestSuite(leader, .init = set_up, .fini = tear_down);

static void event(enum leader_event_kind kind)
{
    now_us += 1000;
    leader_step(leader, &(struct leader_event){.kind = kind, .now_us = now_us}, &out);
}

static void result(uint64_t command, enum err_kind outcome, int64_t offset)
{
    now_us += 1000;
    leader_step(
        leader,
        &(struct leader_event){
            .kind = LEADER_EVENT_RESULT,
            .now_us = now_us,
            .result = {.command = command,
                       .outcome = outcome,
                       .message = "",
                       .append_offset = offset,
                       .pointer = {.missing = true, .etag = "", .run_id = "", .newer_run_id = ""}}},
        &out);
}

static void record(int64_t offset, int64_t timestamp_us, struct bytes key, struct bytes value)
{
    now_us += 1000;
    leader_step(leader,
                &(struct leader_event){.kind = LEADER_EVENT_RECORD,
                                       .now_us = now_us,
                                       .record = {offset, timestamp_us, key, value}},
                &out);
}

/* The one command of the last step. */
static const struct leader_command *only(enum leader_command_kind kind)
{
    cr_assert_eq(out.command_count, 1, "%zu commands", out.command_count);
    cr_assert_eq(out.commands[0].kind, kind, "command %d", (int)out.commands[0].kind);
    return &out.commands[0];
}

/* To the moment when LEADER was appended at offset 5 and is not read yet. */
static void append_leader(char *value, size_t size)
{
    event(LEADER_EVENT_ELECTED);
    result(only(LEADER_INIT_TRANSACTIONS)->id, ERR_NONE, 0);
    const struct leader_command *append = only(LEADER_APPEND);
    cr_assert_eq(append->append.count, 1);
    snprintf(value, size, "%.*s", (int)append->append.records[0].value.size,
             (const char *)append->append.records[0].value.data);
    cr_assert_not_null(strstr(value, "\"kind\":\"LEADER\""));
    result(append->id, ERR_NONE, 5);
    cr_assert_eq(out.command_count, 0);
    cr_assert_eq(leader_phase(leader), LEADER_INIT);
}

Test(leader, decides_only_after_reading_its_own_leader)
{
    char value[300];
    append_leader(value, sizeof value);
    event(LEADER_EVENT_TICK);
    cr_assert_eq(out.command_count, 0);
    record(5, now_us, bytes_of_text("leader"), bytes_of_text(value));
    cr_assert_eq(leader_phase(leader), LEADER_ACTIVE);
    cr_assert_eq(leader_term(leader), 5);
    event(LEADER_EVENT_TICK);
    result(only(LEADER_GET_POINTER)->id, ERR_NONE, 0); /* R21 before anything else */
    cr_assert_eq(out.command_count, 0);                /* no trigger: it waits */
}

Test(leader, another_leader_above_ends_the_term)
{
    char value[300];
    append_leader(value, sizeof value);
    record(5, now_us, bytes_of_text("leader"), bytes_of_text(value));
    record(9, now_us, bytes_of_text("leader"),
           bytes_of_text("{\"kind\":\"LEADER\",\"member\":\"m2\",\"nonce\":\"other\",\"v\":1}"));
    cr_assert_eq(leader_phase(leader), LEADER_RESTING);
    now_us += settings.retry_max_us;
    event(LEADER_EVENT_TICK); /* R22: still elected, so it tries again */
    only(LEADER_INIT_TRANSACTIONS);
}

Test(leader, late_answers_of_a_term_that_is_over_change_nothing)
{
    event(LEADER_EVENT_ELECTED);
    uint64_t id = only(LEADER_INIT_TRANSACTIONS)->id;
    event(LEADER_EVENT_UNELECTED);
    cr_assert_eq(leader_phase(leader), LEADER_OFF);
    result(id, ERR_NONE, 0);
    cr_assert_eq(out.command_count, 0);
    event(LEADER_EVENT_ELECTED);
    cr_assert_neq(only(LEADER_INIT_TRANSACTIONS)->id, id);
}

static const struct {
    enum err_kind outcome;
    enum leader_phase phase;
} appends[] = {
    {ERR_AMBIGUOUS, LEADER_RESTING}, {ERR_FENCED, LEADER_RESTING}, {ERR_TRANSIENT, LEADER_RESTING}};

Test(leader, an_append_that_may_have_happened_ends_the_term)
{
    for (size_t i = 0; i < LENGTH_OF(appends); i++) {
        event(LEADER_EVENT_ELECTED);
        now_us += 2 * settings.retry_max_us;
        if (out.command_count == 0) {
            event(LEADER_EVENT_TICK);
        }
        result(only(LEADER_INIT_TRANSACTIONS)->id, ERR_NONE, 0);
        result(only(LEADER_APPEND)->id, appends[i].outcome, -1);
        cr_assert_eq(leader_phase(leader), appends[i].phase);
    }
}

Test(leader, a_clock_that_is_wrong_does_not_lead)
{
    char value[300];
    append_leader(value, sizeof value);
    record(5, now_us - 2 * settings.max_clock_skew_us, bytes_of_text("leader"),
           bytes_of_text(value));
    bool stepped_down = false;
    for (size_t i = 0; i < out.command_count; i++) {
        stepped_down = stepped_down || out.commands[i].kind == LEADER_STEP_DOWN;
    }
    cr_assert(stepped_down);
    cr_assert_neq(leader_phase(leader), LEADER_ACTIVE);
}

/* An adopted head whose PUBLISHED was lost with the end of the ledger: its manifest is listed, no
 * one staged it, and the pointer names it. */
static const char adopted[] =
    "{\"build\":1,\"close_us\":8,\"commit_kind\":\"adopted\",\"fingerprint\":\"f\",\"kind\":"
    "\"COMMIT\","
    "\"partitions\":[{\"account\":{\"read\":4,\"stored\":4},\"cut\":4,\"partition\":0,\"tail_"
    "from\":4,"
    "\"topic\":\"t\"}],\"run_id\":\"b1\",\"snapshot\":{\"build\":1,\"manifest_ref\":\"\",\"num_"
    "dbs\":1,"
    "\"pointer\":\"now "
    "b1\",\"rows\":4,\"run_id\":\"b1\",\"sha256\":\"\",\"staged_url\":\"\",\"time_us\":9},"
    "\"term\":2,\"time_us\":9,\"topics\":[{\"id\":\"a\",\"name\":\"t\"}],\"trigger\":\"manual\","
    "\"v\":1}";

static void pointer_is(const char *bytes)
{
    now_us += 1000;
    leader_step(leader,
                &(struct leader_event){.kind = LEADER_EVENT_RESULT,
                                       .now_us = now_us,
                                       .result = {.command = only(LEADER_GET_POINTER)->id,
                                                  .message = "",
                                                  .pointer = {.bytes = bytes_of_text(bytes),
                                                              .etag = "e",
                                                              .run_id = "b1",
                                                              .newer_run_id = ""}}},
                &out);
}

Test(leader, an_adopted_head_without_published_has_no_manifest_to_put)
{
    char value[300];
    record(3, now_us, bytes_of_text("commit"), bytes_of_text(adopted));
    append_leader(value, sizeof value);
    record(5, now_us, bytes_of_text("leader"), bytes_of_text(value));
    event(LEADER_EVENT_TICK);
    pointer_is("now b1"); /* R21 */
    pointer_is("now b1"); /* R12 */
    const struct leader_command *append = only(LEADER_APPEND);
    cr_assert_eq(append->append.count, 1);
    snprintf(value, sizeof value, "%.*s", (int)append->append.records[0].value.size,
             (const char *)append->append.records[0].value.data);
    cr_assert_not_null(strstr(value, "\"kind\":\"PUBLISHED\""));
    cr_assert_not_null(strstr(value, "\"run_id\":\"b1\""));
}

/* To a term whose head is published and is what the pointer names. */
static void lead_what_is_published(void)
{
    static const char published[] =
        "{\"build\":1,\"kind\":\"PUBLISHED\",\"run_id\":\"b1\",\"term\":2,\"time_us\":9,\"v\":1}";
    char value[300];
    record(3, now_us, bytes_of_text("commit"), bytes_of_text(adopted));
    record(4, now_us, bytes_of_text("published"), bytes_of_text(published));
    append_leader(value, sizeof value);
    record(5, now_us, bytes_of_text("leader"), bytes_of_text(value));
    event(LEADER_EVENT_TICK);
    pointer_is("now b1");
}

/* A trigger would publish nothing: what it waits for is the operator. */
Test(leader, says_that_it_holds)
{
    static const char held[] = "{\"id\":\"h\",\"kind\":\"HELD\",\"term\":5,\"v\":1}";
    lead_what_is_published();
    event(LEADER_EVENT_TICK);
    cr_assert_str_eq(leader_doing(leader), "waits for the trigger");
    record(6, now_us, bytes_of_text("hold"), bytes_of_text(held));
    event(LEADER_EVENT_TICK);
    cr_assert_str_eq(leader_doing(leader), "holds, until an operator resumes");
}

/* The run before the head's is too old. */
static void old_runs_are_listed(void)
{
    static const struct leader_old_run runs[] = {{"b1", 9}, {"b0", 8}};
    now_us += 1000;
    leader_step(leader,
                &(struct leader_event){.kind = LEADER_EVENT_RESULT,
                                       .now_us = now_us,
                                       .result = {.command = only(LEADER_LIST_OLD_RUNS)->id,
                                                  .message = "",
                                                  .old_runs = runs,
                                                  .old_run_count = LENGTH_OF(runs)}},
                &out);
    const struct leader_command *append = only(LEADER_APPEND);
    char key[40];
    snprintf(key, sizeof key, "%.*s", (int)append->append.records[0].key.size,
             (const char *)append->append.records[0].key.data);
    cr_assert_str_eq(key, "condemn/b0");
}

/* Else they would stay until the next snapshot, which may be a day away. */
Test(leader, looks_for_old_runs_until_they_are_condemned)
{
    settings.keep_last = 1;
    lead_what_is_published();
    result(only(LEADER_LIST_OLD_RUNS)->id, ERR_TRANSIENT, -1);
    cr_assert_eq(out.command_count, 0, "it is not asked at once");
    now_us += settings.retry_max_us;
    event(LEADER_EVENT_TICK);
    old_runs_are_listed();
    result(only(LEADER_APPEND)->id, ERR_TRANSIENT, -1);
    now_us += settings.retry_max_us;
    event(LEADER_EVENT_TICK);
    old_runs_are_listed();
    result(only(LEADER_APPEND)->id, ERR_NONE, 7);
    now_us += settings.retry_max_us;
    event(LEADER_EVENT_TICK);
    cr_assert_eq(out.command_count, 0, "once is enough");
}

/* The brokers name the first `count` partitions of topic t. */
static void ends_are(size_t count)
{
    static const struct coord_ends ends[] = {{.id = {"t", 0}, .topic_id = ""},
                                             {.id = {"t", 1}, .topic_id = ""}};
    now_us += 1000;
    leader_step(leader,
                &(struct leader_event){.kind = LEADER_EVENT_RESULT,
                                       .now_us = now_us,
                                       .result = {.command = only(LEADER_QUERY_ENDS)->id,
                                                  .message = "",
                                                  .ends = ends,
                                                  .end_count = count}},
                &out);
}

static void progress(int64_t offset, const char *fingerprint, const char *partitions)
{
    char value[600];
    snprintf(value, sizeof value,
             "{\"fingerprint\":\"%s\",\"generation\":1,\"incarnation\":1,\"kind\":\"PROGRESS\","
             "\"member\":\"m\",\"partitions\":[%s],\"v\":1}",
             fingerprint, partitions);
    record(offset, now_us, bytes_of_text("progress/m"), bytes_of_text(value));
}

#define READ(partition)                                                                            \
    "{\"from\":0,\"low_us\":9,\"owned\":true,\"partition\":" #partition                            \
    ",\"position\":9,\"state\":\"reading\",\"topic\":\"t\",\"watermark_us\":9}"

/* A new partition counts when a member reads it, and not only when the ends are old (a minute). */
Test(leader, asks_for_the_partition_that_a_member_reads)
{
    char value[300];
    settings.trigger = TRIGGER_OFFSETS;
    settings.every_records = 1000;
    append_leader(value, sizeof value);
    record(5, now_us, bytes_of_text("leader"), bytes_of_text(value));
    event(LEADER_EVENT_TICK);
    result(only(LEADER_GET_POINTER)->id, ERR_NONE, 0);
    ends_are(1);
    progress(6, "f", READ(0));
    cr_assert_eq(out.command_count, 0);
    progress(7, "other", READ(0) "," READ(1));
    cr_assert_eq(out.command_count, 0, "those settings are not ours");
    progress(8, "f", READ(0) "," READ(1));
    ends_are(1);
    event(LEADER_EVENT_TICK);
    cr_assert_eq(out.command_count, 0, "once for each PROGRESS");
    progress(9, "f", READ(0) "," READ(1));
    ends_are(2);
    progress(10, "f", READ(0) "," READ(1));
    cr_assert_eq(out.command_count, 0, "it is known");
}
