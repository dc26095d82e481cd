/* Do cron expressions tick when crontab(5) says, in UTC? */
#include <criterion/criterion.h>

#include "core/window/cron.h"

#define US INT64_C(1000000)

/* 2026-01-01 00:00:00 was a Thursday. */
#define NEW_YEAR (INT64_C(1767225600) * US)
#define HOUR (3600 * US)
#define DAY (24 * HOUR)

static const struct {
    const char *text;
    int64_t after_us;
    int64_t next_us;
} ticks[] = {
    {"* * * * *", NEW_YEAR, NEW_YEAR + 60 * US},
    {"* * * * *", NEW_YEAR - 1, NEW_YEAR},
    {"*/15 * * * *", NEW_YEAR + 1, NEW_YEAR + 15 * 60 * US},
    {"5-20/5 3 * * *", NEW_YEAR, NEW_YEAR + 3 * HOUR + 5 * 60 * US},
    {"0 0 * * sun", NEW_YEAR, NEW_YEAR + 3 * DAY},
    {"0 0 * * 7", NEW_YEAR, NEW_YEAR + 3 * DAY},
    {"0 0 1 feb *", NEW_YEAR, NEW_YEAR + 31 * DAY},
    {"0 12 13 * fri", NEW_YEAR, NEW_YEAR + DAY + 12 * HOUR}, /* either day is enough */
    {"0 0 29 2 *", NEW_YEAR, INT64_C(1835395200) * US},      /* 2028-02-29 */
    {"0 0 30 2 *", NEW_YEAR, INT64_MAX},
    {"30 1,2 * * mon-wed", NEW_YEAR, NEW_YEAR + 4 * DAY + 90 * 60 * US},
    {"0 0 * * *", -DAY - 1, -DAY},
};

Test(cron, next)
{
    for (size_t i = 0; i < LENGTH_OF(ticks); i++) {
        struct cron cron;
        struct err err = {0};
        cr_assert(cron_parse(ticks[i].text, &cron, &err), "%s: %s", ticks[i].text, err.message);
        cr_assert_eq(cron_next_us(&cron, ticks[i].after_us), ticks[i].next_us, "%s: %lld",
                     ticks[i].text, (long long)cron_next_us(&cron, ticks[i].after_us));
    }
}

/* Missed ticks collapse into the last of them; it agrees with walking tick by tick. */
Test(cron, last)
{
    static const char *const texts[] = {"*/7 * * * *", "0 */5 * * *", "15 3 */2 * *",
                                        "0 0 * * mon"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct cron cron;
        struct err err = {0};
        cr_assert(cron_parse(texts[i], &cron, &err));
        for (int64_t hours = 0; hours < 400; hours += 7) {
            int64_t now = NEW_YEAR + hours * HOUR + 123;
            int64_t expected = 0;
            for (int64_t at = cron_next_us(&cron, NEW_YEAR); at <= now;
                 at = cron_next_us(&cron, at)) {
                expected = at;
            }
            cr_assert_eq(cron_last_us(&cron, NEW_YEAR, now), expected);
        }
    }
}

static const char *const refused[] = {"",           "* * * *",     "* * * * * *", "60 * * * *",
                                      "* 24 * * *", "* * 0 * *",   "* * * 13 *",  "* * * * 8",
                                      "a * * * *",  "5-1 * * * *", "*/0 * * * *", "1, * * * *",
                                      "1- * * * *", "* * * foo *", "1;2 * * * *"};

Test(cron, refused)
{
    for (size_t i = 0; i < LENGTH_OF(refused); i++) {
        struct cron cron;
        struct err err = {0};
        cr_assert_not(cron_parse(refused[i], &cron, &err), "%s", refused[i]);
        cr_assert_eq(err.kind, ERR_SETTINGS);
    }
}
