/* Are times exact, and their two text forms the ones that readers know? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/rng.h"
#include "core/base/utc.h"

static const struct {
    const char *text;
    int64_t time_us;
    bool ok;
} times[] = {
    {"1970-01-01T00:00:00Z", 0, true},
    {"1969-12-31T23:59:59.999999Z", -1, true},
    {"2026-03-14T10:30:00.123456Z", 1773484200123456, true},
    {"2026-03-14T10:30:00.1234569Z", 1773484200123456, true},
    {"2026-03-14T10:30:00.5Z", 1773484200500000, true},
    {"2026-03-14t10:30:00z", 1773484200000000, true},
    {"2026-03-14 10:30:00Z", 1773484200000000, true},
    {"2026-03-14T12:30:00+02:00", 1773484200000000, true},
    {"2026-03-14T05:00:00-05:30", 1773484200000000, true},
    {"2024-02-29T00:00:00Z", 1709164800000000, true},
    {"2000-02-29T00:00:00Z", 951782400000000, true},
    {"0001-01-01T00:00:00Z", UTC_MIN_US, true},
    {"9999-12-31T23:59:59.999999Z", UTC_MAX_US, true},
    {"2016-12-31T23:59:60Z", 1483228800000000, true},
    {"2016-12-31T23:59:60.5Z", 1483228800500000, true},
    {"2017-01-01T01:59:60+02:00", 1483228800000000, true},
    {"2016-12-31T22:59:60Z", 0, false},
    {"2016-12-31T23:59:61Z", 0, false},
    {"2025-02-29T00:00:00Z", 0, false},
    {"1900-02-29T00:00:00Z", 0, false},
    {"2026-13-01T00:00:00Z", 0, false},
    {"2026-00-01T00:00:00Z", 0, false},
    {"2026-01-00T00:00:00Z", 0, false},
    {"2026-01-01T24:00:00Z", 0, false},
    {"2026-01-01T00:60:00Z", 0, false},
    {"2026-01-01T00:00:00", 0, false},
    {"2026-01-01T00:00:00.Z", 0, false},
    {"2026-01-01T00:00:00+0200", 0, false},
    {"2026-01-01T00:00:00+24:00", 0, false},
    {"2026-01-01T00:00:00Zx", 0, false},
    {"2026-1-01T00:00:00Z", 0, false},
    {"0000-01-01T00:00:00Z", 0, false},
    {"0001-01-01T00:00:00+00:01", 0, false},
    {"9999-12-31T23:59:60Z", 0, false},
    {"9999-12-31T23:59:00-00:01", 0, false},
    {"", 0, false},
};

Test(utc, parse)
{
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        int64_t time_us = 42;
        struct err err = {0};
        bool ok = utc_parse(bytes_of_text(times[i].text), &time_us, &err);
        cr_assert_eq(ok, times[i].ok, "%s: %s", times[i].text, err.message);
        cr_assert_eq(time_us, ok ? times[i].time_us : 42, "%s: %lld", times[i].text,
                     (long long)time_us);
        cr_assert_eq(err.kind, ok ? ERR_NONE : ERR_INPUT);
    }
}

static const struct {
    int64_t time_us;
    const char *name;
    const char *json;
} forms[] = {
    {1773484200000000, "2026-03-14T10:30:00.000000Z", "2026-03-14T10:30:00Z"},
    {1773484200000001, "2026-03-14T10:30:00.000001Z", "2026-03-14T10:30:00.000001Z"},
    {1773484200120000, "2026-03-14T10:30:00.120000Z", "2026-03-14T10:30:00.120000Z"},
    {-1, "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
    {UTC_MIN_US, "0001-01-01T00:00:00.000000Z", "0001-01-01T00:00:00Z"},
    {UTC_MAX_US, "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
};

Test(utc, format)
{
    for (size_t i = 0; i < LENGTH_OF(forms); i++) {
        char text[UTC_TEXT_SIZE];
        utc_format_name(forms[i].time_us, text);
        cr_assert_str_eq(text, forms[i].name);
        int64_t time_us = 0;
        cr_assert(utc_parse_name(bytes_of_text(text), &time_us));
        cr_assert_eq(time_us, forms[i].time_us);
        utc_format_json(forms[i].time_us, text);
        cr_assert_str_eq(text, forms[i].json);
    }
}

Test(utc, names_are_strict)
{
    static const char *const bad[] = {
        "2026-03-14T10:30:00Z",
        "2026-03-14T10:30:00.00000Z",
        "2026-03-14T10:30:00.0000000Z",
        "2026-03-14t10:30:00.000000Z",
        "2026-03-14T10:30:00.000000z",
        "2026-02-30T10:30:00.000000Z",
        "2026-03-14T10:30:60.000000Z",
        "2026-03-14T10:30:00.000000+0",
        "",
        "2026-03-14T10:30:000000000Z",
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        int64_t time_us = 0;
        cr_assert_not(utc_parse_name(bytes_of_text(bad[i]), &time_us), "%s", bad[i]);
    }
}

/* Any moment survives both forms, and text order of names is time order. */
Test(utc, round_trip)
{
    struct rng rng;
    rng_init(&rng, 7);
    int64_t last = 0;
    char last_text[UTC_TEXT_SIZE] = "1970-01-01T00:00:00.000000Z";
    for (int i = 0; i < 200000; i++) {
        int64_t time_us =
            UTC_MIN_US + (int64_t)rng_below(&rng, (uint64_t)(UTC_MAX_US - UTC_MIN_US) + 1);
        if (i % 2 == 0) {
            time_us -= time_us % 1000000;
        }
        char text[UTC_TEXT_SIZE];
        int64_t again = 0;
        struct err err = {0};
        utc_format_json(time_us, text);
        cr_assert(utc_parse(bytes_of_text(text), &again, &err), "%s", text);
        cr_assert_eq(again, time_us, "%s", text);
        utc_format_name(time_us, text);
        cr_assert(utc_parse_name(bytes_of_text(text), &again), "%s", text);
        cr_assert_eq(again, time_us, "%s", text);
        int order = strcmp(text, last_text);
        cr_assert_eq((order > 0) - (order < 0), (time_us > last) - (time_us < last));
        last = time_us;
        memcpy(last_text, text, sizeof text);
    }
}

/* Every day of 400 years follows the one before, and its weekday too. */
Test(utc, calendar)
{
    int64_t days = utc_days_from_date(1970, 1, 1);
    cr_assert_eq(days, 0);
    cr_assert_eq(utc_split(0).weekday, 4);
    struct utc_date last = utc_split(0);
    for (days = 1; days <= 146097; days++) {
        struct utc_date date = utc_split(days * 86400 * INT64_C(1000000));
        cr_assert_eq(utc_days_from_date(date.year, date.month, date.day), days);
        cr_assert_eq(date.weekday, (last.weekday + 1) % 7);
        bool next_day = date.day == last.day + 1 && date.month == last.month;
        bool next_month = date.day == 1 && (date.month == last.month + 1 || date.month == 1);
        cr_assert(next_day || next_month);
        last = date;
    }
    cr_assert_eq(last.year, 2370);
}
