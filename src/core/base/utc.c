/* Microseconds since 1970-01-01T00:00:00Z, to text and back, without the C library's time
 * functions. */
#include "core/base/utc.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US (INT64_C(86400) * SECOND_US)

/* Civil calendar arithmetic over eras of 400 years that start on a 1 March, so that the leap day is
 * the last day of its year. */
int64_t utc_days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, struct utc_date *date)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    date->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    date->month = (int)(month < 10 ? month + 3 : month - 9);
    date->year = (int)(year_of_era + era * 400 + (date->month <= 2));
}

struct utc_date utc_split(int64_t time_us)
{
    CHECK(utc_in_range(time_us));
    int64_t days = time_us / DAY_US;
    int64_t rest = time_us % DAY_US;
    if (rest < 0) {
        days--;
        rest += DAY_US;
    }
    struct utc_date date = {0};
    date_from_days(days, &date);
    int64_t second_of_day = rest / SECOND_US;
    date.hour = (int)(second_of_day / 3600);
    date.minute = (int)(second_of_day / 60 % 60);
    date.second = (int)(second_of_day % 60);
    date.microsecond = (int)(rest % SECOND_US);
    date.weekday = (int)(((days + 4) % 7 + 7) % 7);
    return date;
}

/* `digits` decimal digits of `value`, with zeros in front. */
static char *put_digits(char *to, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + digits;
}

static void format(int64_t time_us, bool fraction, char ret_text[UTC_TEXT_SIZE])
{
    struct utc_date date = utc_split(time_us);
    char *to = put_digits(ret_text, date.year, 4);
    *to++ = '-';
    to = put_digits(to, date.month, 2);
    *to++ = '-';
    to = put_digits(to, date.day, 2);
    *to++ = 'T';
    to = put_digits(to, date.hour, 2);
    *to++ = ':';
    to = put_digits(to, date.minute, 2);
    *to++ = ':';
    to = put_digits(to, date.second, 2);
    if (fraction) {
        *to++ = '.';
        to = put_digits(to, date.microsecond, 6);
    }
    *to++ = 'Z';
    *to = '\0';
}

void utc_format_name(int64_t time_us, char ret_text[UTC_TEXT_SIZE])
{
    format(time_us, true, ret_text);
}

void utc_format_json(int64_t time_us, char ret_text[UTC_TEXT_SIZE])
{
    format(time_us, time_us % SECOND_US != 0, ret_text);
}

/* ---- parsing: a cursor over the text ---- */

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take_digits(struct cursor *cursor, int digits, int *ret_value)
{
    if (cursor->end - cursor->at < digits) {
        return false;
    }
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (cursor->at[i] < '0' || cursor->at[i] > '9') {
            return false;
        }
        value = value * 10 + (cursor->at[i] - '0');
    }
    cursor->at += digits;
    *ret_value = value;
    return true;
}

/* One byte out of `allowed`. */
static bool take_one_of(struct cursor *cursor, const char *allowed)
{
    if (cursor->at == cursor->end || *cursor->at == 0 || strchr(allowed, *cursor->at) == NULL) {
        return false;
    }
    cursor->at++;
    return true;
}

/* ".123…": the first six digits count. Absent is 0. */
static bool take_fraction(struct cursor *cursor, int *ret_microsecond)
{
    *ret_microsecond = 0;
    if (!take_one_of(cursor, ".")) {
        return true;
    }
    int value = 0;
    int digits = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        if (digits < 6) {
            value = value * 10 + (*cursor->at - '0');
        }
        digits += digits < 7;
        cursor->at++;
    }
    if (digits == 0) {
        return false;
    }
    for (; digits < 6; digits++) {
        value *= 10;
    }
    *ret_microsecond = value;
    return true;
}

/* "Z" or "+hh:mm", in minutes east of UTC. */
static bool take_offset(struct cursor *cursor, int *ret_minutes)
{
    if (take_one_of(cursor, "Zz")) {
        *ret_minutes = 0;
        return true;
    }
    bool west = cursor->at < cursor->end && *cursor->at == '-';
    int hours = 0;
    int minutes = 0;
    if (!take_one_of(cursor, "+-") || !take_digits(cursor, 2, &hours) ||
        !take_one_of(cursor, ":") || !take_digits(cursor, 2, &minutes) || hours > 23 ||
        minutes > 59) {
        return false;
    }
    *ret_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date_and_time(struct cursor *cursor, const char *between, struct utc_date *date)
{
    return take_digits(cursor, 4, &date->year) && take_one_of(cursor, "-") &&
           take_digits(cursor, 2, &date->month) && take_one_of(cursor, "-") &&
           take_digits(cursor, 2, &date->day) && take_one_of(cursor, between) &&
           take_digits(cursor, 2, &date->hour) && take_one_of(cursor, ":") &&
           take_digits(cursor, 2, &date->minute) && take_one_of(cursor, ":") &&
           take_digits(cursor, 2, &date->second) && take_fraction(cursor, &date->microsecond);
}

/* The moment of a date, or false when there is no such date. `second` may be 60. */
static bool date_is_valid(const struct utc_date *date)
{
    return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days_in_month(date->year, date->month) && date->hour <= 23 &&
           date->minute <= 59 && date->second <= 60;
}

static int64_t join(const struct utc_date *date, int offset_minutes)
{
    int64_t days = utc_days_from_date(date->year, date->month, date->day);
    int64_t minutes = (days * 24 + date->hour) * 60 + date->minute - offset_minutes;
    return (minutes * 60 + date->second) * SECOND_US + date->microsecond;
}

bool utc_parse(struct bytes text, int64_t *ret_time_us, struct err *err)
{
    if (text.size == 0) {
        return err_set(err, ERR_INPUT, "not an RFC 3339 time: empty");
    }
    struct cursor cursor = {.at = text.data, .end = text.data + text.size};
    struct utc_date date = {0};
    int offset_minutes = 0;
    if (!take_date_and_time(&cursor, "Tt ", &date) || !take_offset(&cursor, &offset_minutes) ||
        cursor.at != cursor.end) {
        return err_set(err, ERR_INPUT, "not an RFC 3339 time");
    }
    if (!date_is_valid(&date)) {
        return err_set(err, ERR_INPUT, "no such date or time of day");
    }
    int64_t time_us = join(&date, offset_minutes);
    if (date.second == 60 && (time_us / SECOND_US) % 86400 != 0) {
        return err_set(err, ERR_INPUT, "a leap second that is not at 23:59:60 UTC");
    }
    if (!utc_in_range(time_us)) {
        return err_set(err, ERR_INPUT, "a time outside the years 0001 to 9999 in UTC");
    }
    *ret_time_us = time_us;
    return true;
}

bool utc_parse_name(struct bytes text, int64_t *ret_time_us)
{
    if (text.size != UTC_TEXT_SIZE - 1) {
        return false;
    }
    struct cursor cursor = {.at = text.data, .end = text.data + text.size};
    struct utc_date date = {0};
    if (text.data[19] != '.' || !take_date_and_time(&cursor, "T", &date) ||
        cursor.end - cursor.at != 1 || *cursor.at != 'Z' || !date_is_valid(&date) ||
        date.second > 59) {
        return false;
    }
    *ret_time_us = join(&date, 0);
    return true;
}
