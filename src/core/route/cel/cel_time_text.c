/* Timestamps and durations as text. */
#include "core/route/cel/cel_time_text.h"

#include <inttypes.h>
#include <stdio.h>

enum { NANOS = 1000000000, DAY_SECONDS = 86400, YEAR_DIGITS_MAX = 9 };

/* The calendar by eras of 400 years that begin in March. */
int64_t cel_time_text_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void cel_time_text_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

struct scan {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take(struct scan *scan, char a, char b)
{
    if (scan->at < scan->end && (*scan->at == a || *scan->at == b)) {
        scan->at++;
        return true;
    }
    return false;
}

static bool is_digit(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static bool take_number(struct scan *scan, int digits_max, int low, int high, int *out)
{
    int value = 0;
    int digits = 0;
    for (; digits < digits_max && is_digit(scan); digits++) {
        value = value * 10 + (*scan->at++ - '0');
    }
    *out = value;
    return digits > 0 && value >= low && value <= high;
}

/* Nanoseconds; digits behind the ninth are passed over. */
static bool take_fraction(struct scan *scan, int32_t *out_nanos)
{
    int32_t unit = NANOS / 10;
    *out_nanos = 0;
    if (!is_digit(scan)) {
        return false;
    }
    for (; is_digit(scan); unit /= 10) {
        *out_nanos += (*scan->at++ - '0') * unit;
    }
    return true;
}

/* Two digits exactly; nothing is taken otherwise. */
static bool take_pair(struct scan *scan, int high, int *out)
{
    struct scan attempt = *scan;
    if (!take_number(&attempt, 2, 0, high, out) || attempt.at - scan->at != 2) {
        return false;
    }
    *scan = attempt;
    return true;
}

/* Z, or +hh, +hhmm, +hh:mm and the same with seconds. */
static bool take_zone(struct scan *scan, int64_t *out_seconds)
{
    int parts[3] = {0, 0, 0};
    *out_seconds = 0;
    if (take(scan, 'Z', 'z')) {
        return true;
    }
    bool negative = scan->at < scan->end && *scan->at == '-';
    if (!take(scan, '+', '-') || !take_pair(scan, 23, &parts[0])) {
        return false;
    }
    for (int i = 1; i < 3; i++) {
        struct scan attempt = *scan;
        take(&attempt, ':', ':');
        if (!take_pair(&attempt, 59, &parts[i])) {
            parts[i] = 0;
            break;
        }
        *scan = attempt;
    }
    int64_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
    *out_seconds = negative ? -seconds : seconds;
    return true;
}

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || (*scan->at >= '\t' && *scan->at <= '\r'))) {
        scan->at++;
    }
}

bool cel_time_text_parse_timestamp(struct bytes text, struct cel_span *ret)
{
    struct scan scan = {.at = text.data, .end = text.data + text.size};
    int year = 0;
    int field[5] = {0}; /* month, day, hour, minute, second */
    static const int low[5] = {1, 1, 0, 0, 0};
    static const int high[5] = {12, 31, 23, 59, 60};
    int32_t nanos = 0;
    int64_t zone = 0;
    skip_blanks(&scan);
    bool before_zero = take(&scan, '-', '-');
    if (!take_number(&scan, YEAR_DIGITS_MAX, 0, INT32_MAX, &year)) {
        return false;
    }
    for (int i = 0; i < 5; i++) {
        bool separated = i < 2    ? take(&scan, '-', '-')
                         : i == 2 ? take(&scan, 'T', 't')
                                  : take(&scan, ':', ':');
        if (!separated || !take_number(&scan, 2, low[i], high[i], &field[i])) {
            return false;
        }
    }
    if (take(&scan, '.', '.') && !take_fraction(&scan, &nanos)) {
        return false;
    }
    if (!take_zone(&scan, &zone)) {
        return false;
    }
    skip_blanks(&scan);
    int64_t days = cel_time_text_days(before_zero ? -year : year, field[0], field[1]);
    int64_t back_year = 0;
    int back_month = 0;
    int back_day = 0;
    cel_time_text_date(days, &back_year, &back_month, &back_day);
    if (scan.at != scan.end || back_day != field[1]) {
        return false; /* the 30th of February */
    }
    ret->seconds = days * DAY_SECONDS + field[2] * 3600 + field[3] * 60 + field[4] - zone;
    ret->nanos = field[4] == 60 ? 0 : nanos;
    return true;
}

/* Nanoseconds of a unit, 0 when it is none. Takes it. */
static int64_t take_unit(struct scan *scan)
{
    static const struct {
        char name[3];
        int64_t nanos;
    } units[] = {{"ns", 1},    {"us", 1000},        {"ms", 1000000},
                 {"s", NANOS}, {"m", 60ll * NANOS}, {"h", 3600ll * NANOS}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t size = strlen(units[i].name);
        if ((size_t)(scan->end - scan->at) >= size && memcmp(scan->at, units[i].name, size) == 0) {
            scan->at += size;
            return units[i].nanos;
        }
    }
    return 0;
}

__extension__ typedef __int128 wide;

/* Far above every range, and far below the overflow of a sum of them. */
#define WIDE_MAX ((wide)INT64_MAX * NANOS)

/* One "1.5h". */
static bool take_part(struct scan *scan, wide *total)
{
    int64_t whole = 0;
    wide fraction = 0;
    wide scale = 1;
    bool digits = is_digit(scan);
    for (; is_digit(scan); scan->at++) {
        if (__builtin_mul_overflow(whole, (int64_t)10, &whole) ||
            __builtin_add_overflow(whole, (int64_t)(*scan->at - '0'), &whole)) {
            return false;
        }
    }
    if (take(scan, '.', '.')) {
        digits = digits || is_digit(scan);
        for (; is_digit(scan); scan->at++) {
            if (scale < NANOS * (wide)NANOS) {
                fraction = fraction * 10 + (*scan->at - '0');
                scale *= 10;
            }
        }
    }
    int64_t unit = digits ? take_unit(scan) : 0;
    if (unit == 0) {
        return false;
    }
    *total += (wide)whole * unit + fraction * unit / scale;
    *total = *total > WIDE_MAX ? WIDE_MAX : *total;
    return true;
}

bool cel_time_text_parse_duration(struct bytes text, struct cel_span *ret)
{
    struct scan scan = {.at = text.data, .end = text.data + text.size};
    bool negative = scan.at < scan.end && *scan.at == '-';
    take(&scan, '-', '+');
    wide total = 0;
    if (scan.end - scan.at != 1 || *scan.at != '0') {
        do {
            if (!take_part(&scan, &total)) {
                return false;
            }
        } while (scan.at < scan.end);
    }
    total = negative ? -total : total;
    *ret =
        (struct cel_span){.seconds = (int64_t)(total / NANOS), .nanos = (int32_t)(total % NANOS)};
    return true;
}

static size_t print_fraction(int32_t nanos, char *to, size_t room)
{
    if (nanos == 0) {
        return 0;
    }
    int digits = nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
    int32_t shown = digits == 3 ? nanos / 1000000 : digits == 6 ? nanos / 1000 : nanos;
    return (size_t)snprintf(to, room, ".%0*" PRId32, digits, shown);
}

size_t cel_time_text_print_timestamp(struct cel_span time, char to[CEL_TIME_TEXT_MAX])
{
    int64_t days = time.seconds / DAY_SECONDS - (time.seconds % DAY_SECONDS < 0);
    int64_t of_day = time.seconds - days * DAY_SECONDS;
    int64_t year = 0;
    int month = 0;
    int day = 0;
    cel_time_text_date(days, &year, &month, &day);
    size_t size =
        (size_t)snprintf(to, CEL_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month,
                         day, (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
    size += print_fraction(time.nanos, to + size, CEL_TIME_TEXT_MAX - size);
    to[size++] = 'Z';
    return size;
}

size_t cel_time_text_print_duration(struct cel_span duration, char to[CEL_TIME_TEXT_MAX])
{
    bool negative = duration.seconds < 0 || duration.nanos < 0;
    size_t size =
        (size_t)snprintf(to, CEL_TIME_TEXT_MAX, "%s%" PRIu64, negative ? "-" : "",
                         negative ? 0 - (uint64_t)duration.seconds : (uint64_t)duration.seconds);
    size += print_fraction(negative ? -duration.nanos : duration.nanos, to + size,
                           CEL_TIME_TEXT_MAX - size);
    to[size++] = 's';
    return size;
}
