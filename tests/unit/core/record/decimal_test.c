/* Are decimal times exact, whatever their form? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/rng.h"
#include "core/record/decimal.h"

static const struct {
    const char *text;
    int power;
    int64_t value;
    bool ok;
} rows[] = {
    {"0", 6, 0, true},
    {"-0", 6, 0, true},
    {"1700000000", 6, 1700000000000000, true},
    {"1700000000.123456", 6, 1700000000123456, true},
    {"1700000000.1234569", 6, 1700000000123456, true},
    {"-1.5", 0, -2, true},
    {"-1.0", 0, -1, true},
    {"-0.0000001", 6, -1, true},
    {"1.7000000001234567E9", 6, 1700000000123456, true},
    {"17e8", 6, 1700000000000000, true},
    {"1700000000000e-3", 6, 1700000000000000, true},
    {"1.5e+3", 3, 1500000, true},
    {"0.000000000000000000000000000001e30", 0, 1, true},
    {"100000000000000000000000000000e-28", 0, 10, true},
    {"9223372036854775807", 0, INT64_MAX, true},
    {"-9223372036854775808", 0, INT64_MIN, true},
    {"9223372036854775808", 0, 0, false},
    {"-9223372036854775809", 0, 0, false},
    {"-9223372036854775808.1", 0, 0, false},
    {"9223372036854775807.9", 0, INT64_MAX, true},
    {"9223372036854775807", 1, 0, false},
    {"1e999999999999", 0, 0, false},
    {"0e999999999999", 0, 0, true},
    {"1e-999999999999", 0, 0, true},
    {"-1e-999999999999", 0, -1, true},
    {"007", 0, 7, true},
    {"", 0, 0, false},
    {"-", 0, 0, false},
    {"+1", 0, 0, false},
    {".5", 0, 0, false},
    {"5.", 0, 0, false},
    {"1e", 0, 0, false},
    {"1e+", 0, 0, false},
    {"1e1.5", 0, 0, false},
    {"1 ", 0, 0, false},
    {"0x10", 0, 0, false},
    {"NaN", 0, 0, false},
};

Test(decimal, scale)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        int64_t value = 42;
        bool ok = decimal_scale(bytes_of_text(rows[i].text), rows[i].power, &value);
        cr_assert_eq(ok, rows[i].ok, "%s", rows[i].text);
        cr_assert_eq(value, ok ? rows[i].value : 42, "%s: %lld", rows[i].text, (long long)value);
    }
}

/* Any microsecond, written as seconds with a fraction, comes back. */
Test(decimal, round_trip)
{
    struct rng rng;
    rng_init(&rng, 3);
    for (int i = 0; i < 100000; i++) {
        int64_t time_us = (int64_t)rng_below(&rng, UINT64_C(4000000000000000));
        char text[64];
        snprintf(text, sizeof text, "%lld.%06lld", (long long)(time_us / 1000000),
                 (long long)(time_us % 1000000));
        int64_t value = 0;
        cr_assert(decimal_scale(bytes_of_text(text), 6, &value));
        cr_assert_eq(value, time_us);
        snprintf(text, sizeof text, "%llde-6", (long long)-time_us);
        cr_assert(decimal_scale(bytes_of_text(text), 6, &value));
        cr_assert_eq(value, -time_us);
    }
}
