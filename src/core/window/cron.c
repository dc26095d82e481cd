/* Five-field cron expressions, in UTC. */
#include "core/window/cron.h"

#include <string.h>

enum { MINUTES_A_DAY = 24 * 60, YEARS_MAX = 9 /* from one 29th of February to the next but one */ };
#define MINUTE_US INT64_C(60000000)

struct field {
    const char *name;
    int min;
    int max;
    const char *const *names; /* of value min, min + 1, … */
    int name_count;
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
static const struct field fields[5] = {
    {"minute", 0, 59, NULL, 0},          {"hour", 0, 23, NULL, 0},
    {"day of month", 1, 31, NULL, 0},    {"month", 1, 12, month_names, 12},
    {"day of week", 0, 7, day_names, 7},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A number or a name; moves *at behind it. -1: neither. */
static int parse_value(const struct field *field, const char **at)
{
    for (int i = 0; i < field->name_count; i++) {
        const char *name = field->names[i];
        if (lower((*at)[0]) == name[0] && lower((*at)[1]) == name[1] &&
            lower((*at)[2]) == name[2]) {
            *at += 3;
            return field->min + i;
        }
    }
    if (**at < '0' || **at > '9') {
        return -1;
    }
    int value = 0;
    while (**at >= '0' && **at <= '9' && value < 1000) {
        value = value * 10 + (**at - '0');
        (*at)++;
    }
    return value;
}

/* One item of a list: *, 5, 1-5, each with /step. */
static bool parse_item(const struct field *field, const char **at, uint64_t *bits, struct err *err)
{
    int low = field->min;
    int high = field->max;
    bool star = **at == '*';
    bool range = star;
    if (star) {
        (*at)++;
    } else {
        low = parse_value(field, at);
        high = low;
        if (low >= 0 && **at == '-') {
            (*at)++;
            high = parse_value(field, at);
            range = true;
        }
    }
    int step = 1;
    if (**at == '/') {
        (*at)++;
        step = parse_value(&(struct field){"", 0, 0, NULL, 0}, at);
        high = range ? high : field->max;
    }
    if (low < field->min || high > field->max || low > high || step < 1) {
        return err_set(err, ERR_SETTINGS, "cron: %s: not a value, range or step of %d to %d",
                       field->name, field->min, field->max);
    }
    for (int value = low; value <= high; value += step) {
        *bits |= UINT64_C(1) << value;
    }
    return true;
}

static bool parse_field(const struct field *field, const char **at, uint64_t *out, bool *any,
                        struct err *err)
{
    while (**at == ' ' || **at == '\t') {
        (*at)++;
    }
    *any = **at == '*';
    uint64_t bits = 0;
    TRY(parse_item(field, at, &bits, err));
    while (**at == ',') {
        (*at)++;
        TRY(parse_item(field, at, &bits, err));
    }
    if (**at != '\0' && **at != ' ' && **at != '\t') {
        return err_set(err, ERR_SETTINGS, "cron: %s: unexpected '%c'", field->name, **at);
    }
    *out = bits;
    return true;
}

bool cron_parse(const char *text, struct cron *out, struct err *err)
{
    uint64_t bits[5] = {0};
    bool any[5] = {false};
    const char *at = text;
    for (int i = 0; i < 5; i++) {
        TRY(parse_field(&fields[i], &at, &bits[i], &any[i], err));
    }
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    if (*at != '\0') {
        return err_set(err, ERR_SETTINGS, "cron: more than five fields");
    }
    if ((bits[4] & UINT64_C(1) << 7) != 0) {
        bits[4] |= 1;
    }
    *out = (struct cron){.minutes = bits[0],
                         .hours = (uint32_t)bits[1],
                         .days_of_month = (uint32_t)bits[2],
                         .months = (uint16_t)bits[3],
                         .days_of_week = (uint8_t)(bits[4] & 0x7f),
                         .any_day_of_month = any[2],
                         .any_day_of_week = any[4]};
    return true;
}

/* Days since the epoch to a civil date (Howard Hinnant's algorithm). */
static void civil_date(int64_t days, int *out_month, int *out_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    *out_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *out_month = (int)(month < 10 ? month + 3 : month - 9);
}

static bool day_matches(const struct cron *cron, int64_t days)
{
    int month = 0;
    int day = 0;
    civil_date(days, &month, &day);
    if ((cron->months >> month & 1) == 0) {
        return false;
    }
    int64_t weekday = ((days + 4) % 7 + 7) % 7; /* the epoch was a Thursday */
    bool by_month = (cron->days_of_month >> day & 1) != 0;
    bool by_week = (cron->days_of_week >> weekday & 1) != 0;
    if (cron->any_day_of_month || cron->any_day_of_week) {
        return by_month && by_week;
    }
    return by_month || by_week;
}

static bool minute_matches(const struct cron *cron, int64_t minute_of_day)
{
    return (cron->hours >> (minute_of_day / 60) & 1) != 0 &&
           (cron->minutes >> (minute_of_day % 60) & 1) != 0;
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

int64_t cron_next_us(const struct cron *cron, int64_t after_us)
{
    int64_t minute = floor_div(after_us, MINUTE_US) + 1;
    int64_t first_day = floor_div(minute, MINUTES_A_DAY);
    for (int64_t day = first_day; day <= first_day + YEARS_MAX * 366; day++) {
        if (!day_matches(cron, day)) {
            continue;
        }
        int64_t from = day == first_day ? minute - day * MINUTES_A_DAY : 0;
        for (int64_t at = from; at < MINUTES_A_DAY; at++) {
            if (minute_matches(cron, at)) {
                return (day * MINUTES_A_DAY + at) * MINUTE_US;
            }
        }
    }
    return INT64_MAX;
}

int64_t cron_last_us(const struct cron *cron, int64_t after_us, int64_t now_us)
{
    int64_t last_day = floor_div(floor_div(now_us, MINUTE_US), MINUTES_A_DAY);
    for (int64_t day = last_day; day >= last_day - YEARS_MAX * 366; day--) {
        if ((day + 1) * MINUTES_A_DAY * MINUTE_US <= after_us) {
            return 0;
        }
        if (!day_matches(cron, day)) {
            continue;
        }
        for (int64_t at = MINUTES_A_DAY - 1; at >= 0; at--) {
            int64_t tick_us = (day * MINUTES_A_DAY + at) * MINUTE_US;
            if (tick_us <= now_us && minute_matches(cron, at)) {
                return tick_us > after_us ? tick_us : 0;
            }
        }
    }
    return 0;
}
