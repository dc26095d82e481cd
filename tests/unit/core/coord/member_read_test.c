/* Is what must be given up named as `tidemark skip` wants it, where retention was faster? */
#include <criterion/criterion.h>

#include "tests/support/one_member.h"

TestSuite(member_read, .init = one_member_open, .fini = one_member_close);

/* What is said when a member that holds up to `held_to` (0: nothing) finds that all below 90 is
 * gone; the head has a tail from 40. */
static const char *said(int64_t held_to)
{
    static const char head[] =
        "{\"build\":3,\"close_us\":1,\"commit_kind\":\"empty\",\"fingerprint\":\"f\",\"kind\":"
        "\"COMMIT\",\"partitions\":[{\"account\":{},\"cut\":50,\"partition\":0,\"tail_from\":40,"
        "\"topic\":\"a\"}],\"run_id\":\"r3\",\"term\":0,\"time_us\":1,\"trigger\":\"manual\",\"v\":"
        "1}";
    struct member_held held = {
        .id = a0, .from = 40, .position = held_to, .leader_epoch = -1, .head = "r3"};
    struct member_reading one = {.id = a0,
                                 .from = held_to > 0 ? 40 : 90,
                                 .position = 90,
                                 .watermark_us = EVENT_TIME_LOW,
                                 .low_us = EVENT_TIME_HIGH,
                                 .state = DATA_READING,
                                 .lost_to = 90};
    if (held_to > 0) {
        step((struct member_event){.kind = MEMBER_EVENT_HELD, .held = {&held, 1}});
    }
    record("commit", head);
    assign();
    step((struct member_event){.kind = MEMBER_EVENT_LEDGER_END});
    step((struct member_event){.kind = MEMBER_EVENT_PROGRESS,
                               .progress = {.readings = &one, .count = 1}});
    for (size_t i = 0; i < out.command_count; i++) {
        if (out.commands[i].kind == MEMBER_ALERT) {
            return out.commands[i].alert;
        }
    }
    return "";
}

Test(member_read, names_what_is_lost)
{
    const char *text = said(0);
    cr_assert_not_null(strstr(text, "a/0: offsets 40 to 90 are gone"), "%s", text);
    cr_assert_not_null(strstr(text, "skip all from 40 to 90"), "%s", text);
}

/* What it holds ends where the gap begins, and is delivered no more. */
Test(member_read, names_what_it_holds_below_the_gap_too)
{
    const char *text = said(70);
    cr_assert_not_null(strstr(text, "a/0: offsets 70 to 90 are gone"), "%s", text);
    cr_assert_not_null(strstr(text, "skip all from 40 to 90"), "%s", text);
}
