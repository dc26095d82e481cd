/* Does a member ask for a build that makes room, and only for one that would (R29)? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/one_member.h"

static const struct partition_id a1 = {"a", 1};

static void set_up(void)
{
    one_member_open();
    settings.trigger = TRIGGER_OFFSETS;
    settings.every_records = 1000;
}

TestSuite(member_pause, .init = set_up, .fini = one_member_close);

static void commit(const char *build, const char *cut)
{
    char value[500];
    snprintf(value, sizeof value,
             "{\"build\":%s,\"close_us\":1,\"commit_kind\":\"empty\",\"fingerprint\":\"f\","
             "\"kind\":\"COMMIT\",\"partitions\":[{\"account\":{},\"cut\":%s,\"partition\":0,"
             "\"tail_from\":%s,\"topic\":\"a\"},{\"account\":{},\"cut\":50,\"partition\":1,"
             "\"tail_from\":50,\"topic\":\"a\"}],\"run_id\":\"r%s\",\"term\":0,\"time_us\":1,"
             "\"trigger\":\"offsets\",\"v\":1}",
             build, cut, cut, build);
    record("commit", value);
}

/* The ledger has what was appended in the last step. */
static void acknowledge(void)
{
    uint64_t command = 0;
    for (size_t i = 0; i < out.command_count; i++) {
        command = out.commands[i].kind == MEMBER_APPEND ? out.commands[i].id : command;
    }
    if (command != 0) {
        step((struct member_event){.kind = MEMBER_EVENT_APPENDED,
                                   .appended = {.command = command, .outcome = ERR_NONE}});
    }
}

/* What PROGRESS says now; "": nothing new. */
static const char *reads_to(int64_t position, bool short_of_room)
{
    static char text[2000];
    struct member_reading one = {.id = a0,
                                 .from = 50,
                                 .position = position,
                                 .watermark_us = EVENT_TIME_LOW,
                                 .low_us = EVENT_TIME_HIGH,
                                 .state = DATA_READING};
    now_us += settings.progress_interval_us;
    step((struct member_event){
        .kind = MEMBER_EVENT_PROGRESS,
        .progress = {.readings = &one, .count = 1, .short_of_room = short_of_room}});
    text[0] = '\0';
    for (size_t i = 0; i < out.command_count; i++) {
        if (out.commands[i].kind == MEMBER_APPEND) {
            struct bytes value = out.commands[i].append.records[0].value;
            snprintf(text, sizeof text, "%.*s", (int)value.size, (const char *)value.data);
        }
    }
    acknowledge();
    return text;
}

static void begin(void)
{
    commit("3", "50");
    assign();
    step((struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
    acknowledge();
}

Test(member_pause, asks_for_the_build_that_makes_room)
{
    begin();
    cr_assert_null(strstr(reads_to(60, false), "needs_build"));
    const char *said = reads_to(61, true);
    cr_assert_not_null(strstr(said, "\"needs_build\":4"), "%s", said);
    cr_assert_eq(member_paused(member, PAUSE_ROOM), 1);
    commit("4", "58");
    said = reads_to(61, true);
    cr_assert_not_null(strstr(said, "\"needs_build\":5"), "some are above its cut: %s", said);
    commit("5", "61");
    said = reads_to(61, true);
    cr_assert(said[0] != '\0' && strstr(said, "needs_build") == NULL,
              "no build takes anything more from it: %s", said);
}

/* What fills the disk is of builds that are over, and goes with the next one. */
Test(member_pause, reads_on_where_no_build_would_make_room)
{
    begin();
    (void)reads_to(50, true);
    cr_assert_eq(member_paused(member, PAUSE_ROOM), 0);
    const char *said = reads_to(51, true);
    cr_assert_eq(member_paused(member, PAUSE_ROOM), 1);
    cr_assert_not_null(strstr(said, "\"needs_build\":4"), "%s", said);
}

/* Of another's partition, since before its last start: the disk is full all the same. */
Test(member_pause, asks_for_it_with_what_it_brought_along)
{
    struct member_held held = {
        .id = a1, .from = 50, .position = 70, .leader_epoch = -1, .head = "r3"};
    step((struct member_event){.kind = MEMBER_EVENT_HELD, .held = {&held, 1}});
    begin();
    const char *said = reads_to(50, true);
    cr_assert_not_null(strstr(said, "\"needs_build\":4"), "%s", said);
}

Test(member_pause, asks_for_nothing_where_time_closes)
{
    settings.trigger = TRIGGER_SCHEDULE;
    begin();
    const char *said = reads_to(61, true);
    cr_assert(said[0] != '\0' && strstr(said, "needs_build") == NULL, "%s", said);
}
