/* Is what must be given up named as `tidemark skip` wants it, where retention was faster? */
#include <criterion/criterion.h>

#include "core/coord/member.h"

static const struct message_topic topics[] = {{"a", "t"}};
static const struct partition_id a0 = {"a", 0};
static struct coord_settings settings;
static struct member *member;
static struct member_out out;
static int64_t now_us = INT64_C(1767225600000000);

static void set_up(void)
{
    coord_settings_init(&settings);
    settings.fingerprint = "f";
    settings.topics = topics;
    settings.topic_count = 1;
    settings.trigger = TRIGGER_MANUAL;
    member = member_new(&settings, "m1", 7, 1);
    member_out_init(&out);
}

static void tear_down(void)
{
    member_free(member);
    member_out_done(&out);
}

TestSuite(member_read, .init = set_up, .fini = tear_down);

static void step(struct member_event event)
{
    now_us += 1000;
    event.now_us = now_us;
    member_step(member, &event, &out);
}

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
    step(
        (struct member_event){.kind = MEMBER_EVENT_RECORD,
                              .record = {0, now_us, bytes_of_text("commit"), bytes_of_text(head)}});
    step((struct member_event){.kind = MEMBER_EVENT_ASSIGNED,
                               .assignment = {.generation = 1, .partitions = &a0, .count = 1}});
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
