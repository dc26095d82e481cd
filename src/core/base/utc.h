/* Microseconds since 1970-01-01T00:00:00Z, to text and back, without the C library's time
 * functions. */
#ifndef TIDEMARK_CORE_BASE_UTC_H
#define TIDEMARK_CORE_BASE_UTC_H

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* Proleptic Gregorian calendar, years 0001 to 9999: all that the text forms can hold. */
#define UTC_MIN_US (-INT64_C(62135596800) * 1000000)
#define UTC_MAX_US (INT64_C(253402300799) * 1000000 + 999999)

enum { UTC_TEXT_SIZE = 28 }; /* "2026-03-14T10:30:00.000000Z" and its NUL */

static inline bool utc_in_range(int64_t time_us)
{
    return time_us >= UTC_MIN_US && time_us <= UTC_MAX_US;
}

/* The form in object names: always six fractional digits, so that text order is time order
 * (snapshot format, section 1). `time_us` must be in range (CHECK). */
void utc_format_name(int64_t time_us, char ret_text[UTC_TEXT_SIZE]);

/* The form in JSON and YAML: no fraction at all when the microseconds are 0 (section 2). */
void utc_format_json(int64_t time_us, char ret_text[UTC_TEXT_SIZE]);

/* Exactly the form in names; anything else is false and *ret_time_us is not written. */
MUST_CHECK bool utc_parse_name(struct bytes text, int64_t *ret_time_us);

/* An RFC 3339 time ("T", "t" or a blank between date and time; "Z", "z" or an offset, required; a
 * fraction of any length, of which what is finer than a microsecond is cut off towards the past).
 * A leap second is accepted where RFC 3339 allows one, 23:59:60 UTC, and means the first moment of
 * the next minute plus its fraction, as POSIX time counts. Errors: ERR_INPUT. */
MUST_CHECK bool utc_parse(struct bytes text, int64_t *ret_time_us, struct err *err);

/* A day's date, for calendars (cron): the proleptic Gregorian day number since 1970-01-01. */
int64_t utc_days_from_date(int64_t year, int month, int day);

struct utc_date {
    int year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
    int hour;
    int minute;
    int second;
    int microsecond;
    int weekday; /* 0 is Sunday */
};

/* `time_us` must be in range (CHECK). */
struct utc_date utc_split(int64_t time_us);

#endif
