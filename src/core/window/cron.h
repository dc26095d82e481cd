/* Five-field cron expressions, in UTC. */
#ifndef TIDEMARK_CORE_WINDOW_CRON_H
#define TIDEMARK_CORE_WINDOW_CRON_H

#include <stdint.h>

#include "core/base/err.h"

/* minute hour day-of-month month day-of-week, as crontab(5) has them: *, lists, ranges, steps,
 * names of months and days, 7 for Sunday. When both days are restricted, either of them is enough.
 */
struct cron {
    uint64_t minutes; /* bit per value */
    uint32_t hours;
    uint32_t days_of_month; /* bits 1 to 31 */
    uint16_t months;        /* bits 1 to 12 */
    uint8_t days_of_week;   /* bit 0: Sunday */
    bool any_day_of_month;
    bool any_day_of_week;
};

/* ERR_SETTINGS names the field and what is wrong with it. */
MUST_CHECK bool cron_parse(const char *text, struct cron *out, struct err *err);
/* The first tick after `after_us`; INT64_MAX when there is none (the 30th of February). */
int64_t cron_next_us(const struct cron *cron, int64_t after_us);
/* The last tick at or before `now_us` that is after `after_us`: missed ones collapse into it. 0:
 * none. */
int64_t cron_last_us(const struct cron *cron, int64_t after_us, int64_t now_us);

#endif
