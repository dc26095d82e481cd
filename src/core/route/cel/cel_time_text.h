/* Timestamps and durations as text. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_TIME_TEXT_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_TIME_TEXT_H

#include "core/route/cel/cel_value.h"

enum { CEL_TIME_TEXT_MAX = 48 };

/* RFC 3339 as readers take it: blanks around, 't' and 'z', fields of one digit, a zone of hours
 * alone, a 60th second (the next one). False: it is none; years are not looked at. */
bool cel_time_text_parse_timestamp(struct bytes text, struct cel_span *ret);

/* A sum as in "-1h30m0.5s" of h, m, s, ms, us, ns, or "0". What is below a nanosecond is cut off.
 * False: it is none. Beyond any range it is as large as the range. */
bool cel_time_text_parse_duration(struct bytes text, struct cel_span *ret);

/* "2024-01-02T03:04:05.120Z", "5400s", "-0.000000001s": 0, 3, 6 or 9 digits of the fraction. */
size_t cel_time_text_print_timestamp(struct cel_span time, char to[CEL_TIME_TEXT_MAX]);
size_t cel_time_text_print_duration(struct cel_span duration, char to[CEL_TIME_TEXT_MAX]);

/* Days since 1970-01-01 of a date, and back. Months from 1. */
int64_t cel_time_text_days(int64_t year, int month, int day);
void cel_time_text_date(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

#endif
