/* Timestamps and durations: made, added, taken apart. */
#include "core/base/err.h"
#include "core/route/cel/cel_functions.h"
#include "core/route/cel/cel_time_text.h"

static const char *const TIME_OVERFLOW = "a timestamp outside of the years 1 to 9999";
static const char *const DURATION_OVERFLOW = "a duration overflows";

enum { NANOS = 1000000000, DAY_SECONDS = 86400 };

#define TIMESTAMP_FIRST (-62135596800ll) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_LAST 253402300799ll    /* 9999-12-31T23:59:59Z */
#define DURATION_MOST 315576000000ll     /* seconds: 10,000 years */

static bool give_time(struct cel_frame *frame, struct cel_span time, struct cel_value *ret)
{
    if (time.seconds < TIMESTAMP_FIRST || time.seconds > TIMESTAMP_LAST) {
        return cel_frame_fail(frame, TIME_OVERFLOW);
    }
    *ret = (struct cel_value){.kind = CEL_TIMESTAMP, .span = time};
    return true;
}

bool cel_time_timestamp(struct cel_frame *frame, const struct cel_value *value,
                        struct cel_value *ret)
{
    struct cel_span time = {0};
    switch ((int)value->kind) {
    case CEL_TIMESTAMP:
        *ret = *value;
        return true;
    case CEL_INT:
        time.seconds = value->integer;
        return give_time(frame, time, ret);
    case CEL_STRING:
        if (!cel_time_text_parse_timestamp(value->text, &time)) {
            return cel_frame_fail(frame, "a text that is not a timestamp");
        }
        return give_time(frame, time, ret);
    default:
        return cel_frame_no_overload(frame);
    }
}

/* Up to 10,000 years, a fraction of the last second included. */
bool cel_time_duration(struct cel_frame *frame, const struct cel_value *value,
                       struct cel_value *ret)
{
    struct cel_span span = {0};
    if (value->kind == CEL_DURATION) {
        *ret = *value;
        return true;
    }
    if (value->kind != CEL_STRING) {
        return cel_frame_no_overload(frame);
    }
    if (!cel_time_text_parse_duration(value->text, &span)) {
        return cel_frame_fail(frame, "a text that is not a duration");
    }
    if (span.seconds > DURATION_MOST || span.seconds < -DURATION_MOST) {
        return cel_frame_fail(frame, "a duration of more than 10000 years");
    }
    *ret = (struct cel_value){.kind = CEL_DURATION, .span = span};
    return true;
}

/* Nanoseconds in an int64, cut off at its ends as readers do it. */
static int64_t nanos_of(struct cel_span span)
{
    int64_t nanos = 0;
    if (__builtin_mul_overflow(span.seconds, (int64_t)NANOS, &nanos) ||
        __builtin_add_overflow(nanos, (int64_t)span.nanos, &nanos)) {
        return span.seconds < 0 ? INT64_MIN : INT64_MAX;
    }
    return nanos;
}

static bool give_duration(int64_t nanos, struct cel_value *ret)
{
    *ret = (struct cel_value){
        .kind = CEL_DURATION,
        .span = {.seconds = nanos / NANOS, .nanos = (int32_t)(nanos % NANOS)},
    };
    return true;
}

static bool shift_time(struct cel_frame *frame, struct cel_span time, struct cel_span by,
                       struct cel_value *ret)
{
    int64_t nanos = (int64_t)time.nanos + by.nanos;
    int64_t carry = nanos / NANOS - (nanos % NANOS < 0);
    struct cel_span moved = {.nanos = (int32_t)(nanos - carry * NANOS)};
    if (__builtin_add_overflow(time.seconds, by.seconds, &moved.seconds) ||
        __builtin_add_overflow(moved.seconds, carry, &moved.seconds)) {
        return cel_frame_fail(frame, TIME_OVERFLOW);
    }
    return give_time(frame, moved, ret);
}

bool cel_time_add(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    if (pair[0].kind == CEL_TIMESTAMP && pair[1].kind == CEL_DURATION) {
        return shift_time(frame, pair[0].span, pair[1].span, ret);
    }
    if (pair[0].kind == CEL_DURATION && pair[1].kind == CEL_TIMESTAMP) {
        return shift_time(frame, pair[1].span, pair[0].span, ret);
    }
    if (pair[0].kind != CEL_DURATION || pair[1].kind != CEL_DURATION) {
        return cel_frame_no_overload(frame);
    }
    int64_t nanos = 0;
    if (__builtin_add_overflow(nanos_of(pair[0].span), nanos_of(pair[1].span), &nanos)) {
        return cel_frame_fail(frame, DURATION_OVERFLOW);
    }
    return give_duration(nanos, ret);
}

static bool subtract_times(struct cel_frame *frame, const struct cel_value *pair,
                           struct cel_value *ret)
{
    int64_t nanos = 0;
    if (__builtin_mul_overflow(pair[0].span.seconds - pair[1].span.seconds, (int64_t)NANOS,
                               &nanos) ||
        __builtin_add_overflow(nanos, (int64_t)pair[0].span.nanos - pair[1].span.nanos, &nanos)) {
        return cel_frame_fail(frame, DURATION_OVERFLOW);
    }
    return give_duration(nanos, ret);
}

bool cel_time_subtract(struct cel_frame *frame, const struct cel_value *pair, struct cel_value *ret)
{
    if (pair[0].kind == CEL_TIMESTAMP && pair[1].kind == CEL_TIMESTAMP) {
        return subtract_times(frame, pair, ret);
    }
    if (pair[1].kind != CEL_DURATION) {
        return cel_frame_no_overload(frame);
    }
    int64_t by = nanos_of(pair[1].span);
    if (pair[0].kind == CEL_TIMESTAMP) {
        if (by == INT64_MIN) {
            return cel_frame_fail(frame, DURATION_OVERFLOW);
        }
        struct cel_value back;
        return give_duration(-by, &back) && shift_time(frame, pair[0].span, back.span, ret);
    }
    int64_t nanos = 0;
    if (__builtin_sub_overflow(nanos_of(pair[0].span), by, &nanos)) {
        return cel_frame_fail(frame, DURATION_OVERFLOW);
    }
    return give_duration(nanos, ret);
}

/* A timestamp as a calendar and a clock show it. */
struct parts {
    int64_t year;
    int month;
    int day;
    int64_t days; /* since 1970-01-01 */
    int64_t of_day;
};

/* "" and the names of UTC, or an offset "[+-]hh:mm". Names of places need a database that differs
 * from machine to machine, so they have no place in a function that must give the same everywhere.
 */
static bool zone_seconds(struct cel_frame *frame, struct bytes zone, int64_t *out_seconds)
{
    static const char *const utc[] = {"", "UTC", "GMT", "Etc/UTC"};
    for (size_t i = 0; i < LENGTH_OF(utc); i++) {
        if (bytes_equal(zone, bytes_of_text(utc[i]))) {
            *out_seconds = 0;
            return true;
        }
    }
    size_t at = zone.data[0] == '-' || zone.data[0] == '+';
    int64_t parts[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        size_t digits = 0;
        for (; at < zone.size && digits < 3 && zone.data[at] >= '0' && zone.data[at] <= '9'; at++) {
            parts[i] = parts[i] * 10 + (zone.data[at] - '0');
            digits++;
        }
        if (digits == 0 || digits == 3 || (i == 0 && (at == zone.size || zone.data[at++] != ':'))) {
            return cel_frame_fail(frame,
                                  "a time zone that is neither UTC nor an offset, \"+01:00\"");
        }
    }
    if (at != zone.size) {
        return cel_frame_fail(frame, "a time zone that is neither UTC nor an offset, \"+01:00\"");
    }
    int64_t seconds = parts[0] * 3600 + parts[1] * 60;
    *out_seconds = zone.data[0] == '-' ? -seconds : seconds;
    return true;
}

static bool take_apart(struct cel_frame *frame, const struct cel_value *arguments,
                       struct parts *out)
{
    int64_t zone = 0;
    if (arguments[0].kind != CEL_TIMESTAMP ||
        (arguments[1].kind != CEL_KINDS && arguments[1].kind != CEL_STRING)) {
        return cel_frame_no_overload(frame);
    }
    if (arguments[1].kind == CEL_STRING) {
        TRY(zone_seconds(frame, arguments[1].text, &zone));
    }
    int64_t seconds = arguments[0].span.seconds + zone;
    out->days = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
    out->of_day = seconds - out->days * DAY_SECONDS;
    cel_time_text_date(out->days, &out->year, &out->month, &out->day);
    return true;
}

bool cel_time_year(struct cel_frame *frame, const struct cel_value *arguments,
                   struct cel_value *ret)
{
    struct parts parts;
    TRY(take_apart(frame, arguments, &parts));
    *ret = cel_value_int(parts.year);
    return true;
}

bool cel_time_month(struct cel_frame *frame, const struct cel_value *arguments,
                    struct cel_value *ret)
{
    struct parts parts;
    TRY(take_apart(frame, arguments, &parts));
    *ret = cel_value_int(parts.month - 1);
    return true;
}

bool cel_time_day_of_year(struct cel_frame *frame, const struct cel_value *arguments,
                          struct cel_value *ret)
{
    struct parts parts;
    TRY(take_apart(frame, arguments, &parts));
    *ret = cel_value_int(parts.days - cel_time_text_days(parts.year, 1, 1));
    return true;
}

bool cel_time_day_of_month(struct cel_frame *frame, const struct cel_value *arguments,
                           struct cel_value *ret)
{
    struct parts parts;
    TRY(take_apart(frame, arguments, &parts));
    *ret = cel_value_int(parts.day - 1);
    return true;
}

bool cel_time_date(struct cel_frame *frame, const struct cel_value *arguments,
                   struct cel_value *ret)
{
    struct parts parts;
    TRY(take_apart(frame, arguments, &parts));
    *ret = cel_value_int(parts.day);
    return true;
}

bool cel_time_day_of_week(struct cel_frame *frame, const struct cel_value *arguments,
                          struct cel_value *ret)
{
    struct parts parts;
    TRY(take_apart(frame, arguments, &parts));
    *ret = cel_value_int(((parts.days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    return true;
}

/* Of a duration: all of it in that unit; of a timestamp: what its clock shows. */
static bool give_unit(struct cel_frame *frame, const struct cel_value *arguments, int64_t unit,
                      int64_t modulus, struct cel_value *ret)
{
    if (arguments[0].kind == CEL_DURATION && arguments[1].kind == CEL_KINDS) {
        *ret = cel_value_int(arguments[0].span.seconds / unit);
        return true;
    }
    struct parts parts;
    TRY(take_apart(frame, arguments, &parts));
    *ret = cel_value_int(parts.of_day / unit % modulus);
    return true;
}

bool cel_time_hours(struct cel_frame *frame, const struct cel_value *arguments,
                    struct cel_value *ret)
{
    return give_unit(frame, arguments, 3600, 24, ret);
}

bool cel_time_minutes(struct cel_frame *frame, const struct cel_value *arguments,
                      struct cel_value *ret)
{
    return give_unit(frame, arguments, 60, 60, ret);
}

bool cel_time_seconds(struct cel_frame *frame, const struct cel_value *arguments,
                      struct cel_value *ret)
{
    return give_unit(frame, arguments, 1, 60, ret);
}

/* The part below a second of both. */
bool cel_time_milliseconds(struct cel_frame *frame, const struct cel_value *arguments,
                           struct cel_value *ret)
{
    struct parts parts;
    if (arguments[0].kind != CEL_DURATION || arguments[1].kind != CEL_KINDS) {
        TRY(take_apart(frame, arguments, &parts));
    }
    *ret = cel_value_int(arguments[0].span.nanos / 1000000);
    return true;
}
