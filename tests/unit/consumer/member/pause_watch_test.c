/* Is what keeps partitions from being read named by its setting, the worst first? */
#include "consumer/member/pause_watch.h"

#include <criterion/criterion.h>

static const struct {
    struct pause_moment moment;
    const char *reason;
} moments[] = {
    {{.memory = false}, NULL},
    {{.disk_full = true}, NULL}, /* records still come in */
    {{.paused = {[PAUSE_AHEAD] = 3}}, "window.max_open_windows"},
    {{.paused = {[PAUSE_AHEAD] = 3, [PAUSE_UNPUBLISHED] = 1}}, "window.max_unpublished_windows"},
    {{.paused = {[PAUSE_AHEAD] = 3, [PAUSE_ROOM] = 1}}, "limits.disk_budget"},
    {{.memory = true}, "limits.memory_budget"},
    {{.memory = true, .disk_full = true, .paused = {[PAUSE_ROOM] = 1}}, "limits.disk_budget"},
};

Test(pause_watch, names_the_setting)
{
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        const char *reason = pause_reason(&moments[i].moment);
        cr_expect(reason == NULL
                      ? moments[i].reason == NULL
                      : moments[i].reason != NULL && strcmp(reason, moments[i].reason) == 0,
                  "%zu: %s", i, reason == NULL ? "(none)" : reason);
    }
}

Test(pause_watch, says_how_much_the_disk_holds)
{
    char text[PAUSE_TEXT_MAX];
    struct pause_moment moment = {.paused = {[PAUSE_ROOM] = 2},
                                  .disk_bytes = UINT64_C(50) << 20,
                                  .disk_budget = UINT64_C(64) << 20};
    pause_text(&moment, text);
    cr_expect_not_null(strstr(text, "limits.disk_budget (50 of 64 MiB)"), "%s", text);
    moment.memory = true;
    moment.disk_full = true;
    pause_text(&moment, text);
    cr_expect_not_null(strstr(text, "(50 MiB on the disk, at most 64 MiB)"), "%s", text);
    cr_expect_not_null(strstr(text, "raise limits.disk_budget"), "%s", text);
}

Test(pause_watch, tells_a_long_pause_once)
{
    struct pause_watch watch = {0};
    struct pause_moment none = {0};
    struct pause_moment ahead = {.paused = {[PAUSE_AHEAD] = 1}};
    struct pause_moment room = {.paused = {[PAUSE_ROOM] = 1}};
    pause_watch_look(&watch, &none, 0);
    pause_watch_look(&watch, &ahead, 1000000);
    pause_watch_look(&watch, &ahead, 5000000);
    cr_assert_not(watch.told, "it may be over soon");
    pause_watch_look(&watch, &none, 5500000);
    pause_watch_look(&watch, &ahead, 5600000);
    pause_watch_look(&watch, &ahead, 7000000);
    cr_assert_not(watch.told, "another one");
    pause_watch_look(&watch, &ahead, 10600000);
    cr_assert(watch.told);
    pause_watch_look(&watch, &room, 11000000);
    cr_assert_not(watch.told, "for another reason");
    pause_watch_look(&watch, &room, 16000000);
    cr_assert(watch.told);
    pause_watch_look(&watch, &none, 17000000);
    cr_assert_null(watch.reason);
}
