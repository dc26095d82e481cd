/* Is a build closed before its number of records for a member that has no room for more, and for
 * no other (R29)? And which record of a topic does its CLOSE name (R9)? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/coord/leader.h"

enum { SECOND_US = 1000000 };

static const struct message_topic topics[] = {{"a", "t"}};
static struct coord_settings settings;
static struct leader *leader;
static struct leader_out out;
static int64_t now_us = INT64_C(1767225600000000);
static int64_t next_offset;

static void step(struct leader_event event)
{
    now_us += 1000;
    event.now_us = now_us;
    leader_step(leader, &event, &out);
}

static const struct leader_command *told(enum leader_command_kind kind)
{
    for (size_t i = 0; i < out.command_count; i++) {
        if (out.commands[i].kind == kind) {
            return &out.commands[i];
        }
    }
    return NULL;
}

static void answer(enum leader_command_kind kind, struct leader_event event)
{
    const struct leader_command *command = told(kind);
    cr_assert_not_null(command, "command %d", (int)kind);
    event.kind = LEADER_EVENT_RESULT;
    event.result.command = command->id;
    event.result.message = "";
    step(event);
}

static void record(const char *key, const char *value, int64_t age_us)
{
    step((struct leader_event){
        .kind = LEADER_EVENT_RECORD,
        .record = {next_offset++, now_us - age_us, bytes_of_text(key), bytes_of_text(value)}});
}

/* To the moment when only the number of records is missing. */
static void set_up(void)
{
    static const struct coord_ends ends = {
        .id = {"a", 0}, .topic_id = "t", .last_stable = 90, .high = 90};
    static char value[300];
    coord_settings_init(&settings);
    settings.ledger_id = "l";
    settings.fingerprint = "f";
    settings.topics = topics;
    settings.topic_count = 1;
    settings.trigger = TRIGGER_OFFSETS;
    settings.every_records = 1000;
    settings.partitions_check_us = INT64_C(3600) * SECOND_US;
    leader = leader_new(&settings, "m1", 1);
    leader_out_init(&out);
    step((struct leader_event){.kind = LEADER_EVENT_ELECTED});
    answer(LEADER_INIT_TRANSACTIONS, (struct leader_event){0});
    const struct bytes said = told(LEADER_APPEND)->append.records[0].value;
    snprintf(value, sizeof value, "%.*s", (int)said.size, (const char *)said.data);
    answer(LEADER_APPEND, (struct leader_event){.result = {.append_offset = next_offset}});
    record("leader", value, 0);
    step((struct leader_event){.kind = LEADER_EVENT_TICK});
    answer(LEADER_GET_POINTER,
           (struct leader_event){
               .result = {
                   .pointer = {.missing = true, .etag = "", .run_id = "", .newer_run_id = ""}}});
    answer(LEADER_QUERY_ENDS, (struct leader_event){.result = {.ends = &ends, .end_count = 1}});
    cr_assert_eq(out.command_count, 0);
}

static void tear_down(void)
{
    leader_free(leader);
    leader_out_done(&out);
}

TestSuite(leader_close, .init = set_up, .fini = tear_down);

struct word {
    const char *member;
    const char *fingerprint;
    const char *more;
    int position; /* read from 4 on */
    int needs_build;
    int64_t age_us;
};

/* PROGRESS of a member. */
static void says(struct word word)
{
    char key[50];
    char value[500];
    snprintf(key, sizeof key, "progress/%s", word.member);
    snprintf(value, sizeof value,
             "{\"fingerprint\":\"%s\",\"incarnation\":1,\"kind\":\"PROGRESS\",%s\"member\":\"%s\","
             "\"needs_build\":%d,\"partitions\":[{\"from\":4,\"owned\":true,\"partition\":0,"
             "\"position\":%d,\"state\":\"reading\",\"topic\":\"a\"}],\"v\":1}",
             word.fingerprint, word.more, word.member, word.needs_build, word.position);
    record(key, value, word.age_us);
}

Test(leader_close, is_early_for_a_member_without_room)
{
    says((struct word){"m2", "f", "", .position = 60});
    cr_assert_null(told(LEADER_APPEND), "56 records of 1000");
    says((struct word){"m2", "f", "", .position = 60, .needs_build = 1});
    const struct leader_command *append = told(LEADER_APPEND);
    cr_assert_not_null(append);
    struct bytes close = append->append.records[0].value;
    cr_assert_not_null(memmem(close.data, close.size, "\"kind\":\"CLOSE\"", 14));
    cr_assert_not_null(memmem(close.data, close.size, "\"cut\":60", 8));
    const struct leader_command *alert = told(LEADER_ALERT);
    cr_assert_not_null(alert);
    cr_assert_not_null(strstr(alert->alert, "the disk of m2 is nearly full"), "%s", alert->alert);
}

#define WITNESS(hash)                                                                              \
    "\"witnesses\":[{\"partition\":0,\"topic\":\"a\",\"witness\":{\"hash\":" hash                  \
    ",\"offset\":50}}],"

/* What was said last, by a member with the same settings. */
Test(leader_close, names_a_record_of_each_topic)
{
    says((struct word){"m3", "f", WITNESS("6"), .position = 60});
    says((struct word){"m2", "f", WITNESS("7"), .position = 60});
    says((struct word){"m4", "g", WITNESS("8"), .position = 60});
    says((struct word){"m5", "f", "", .position = 60, .needs_build = 1});
    const struct leader_command *append = told(LEADER_APPEND);
    cr_assert_not_null(append);
    char close[2000];
    snprintf(close, sizeof close, "%.*s", (int)append->append.records[0].value.size,
             (const char *)append->append.records[0].value.data);
    cr_expect_not_null(strstr(close, "\"witnesses\":[{\"partition\":0,\"topic\":\"a\",\"witness\":"
                                     "{\"hash\":7,\"offset\":50}}]"),
                       "%s", close);
}

static const struct {
    struct word word;
    const char *why;
} others[] = {
    {{"m2", "f", "", .position = 4, .needs_build = 1}, "nothing was read"},
    {{"m2", "f", "", .position = 60, .needs_build = 2}, "of another build"},
    {{"m3", "f", "", .position = 60}, "it has room"},
    {{"m2", "g", "", .position = 60, .needs_build = 1}, "with other settings"},
    {{"m2", "f", "\"leaving\":true,", .position = 60, .needs_build = 1}, "it is leaving"},
    {{"m2", "f", "", .position = 60, .needs_build = 1, .age_us = INT64_C(3600) * SECOND_US},
     "it was said long ago"},
};

Test(leader_close, waits_for_the_number_of_records_otherwise)
{
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        says(others[i].word);
        cr_expect_null(told(LEADER_APPEND), "%s", others[i].why);
        cr_expect_null(told(LEADER_ALERT), "%s", others[i].why);
    }
}
