/* Durations and sizes: what is read, what is refused and why, and that printing reads back. */
#include "core/units.h"

#include <criterion/criterion.h>

#include "core/base/rng.h"

#define SECOND INT64_C(1000000)

Test(units, durations_are_read)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"0s", 0},
        {"30s", 30 * SECOND},
        {"5m", 300 * SECOND},
        {"1h30m", 5400 * SECOND},
        {"250ms", 250000},
        {"7us", 7},
        {"2d", 172800 * SECOND},
        {"1d2h3m4s5ms6us", INT64_C(93784005006)},
        {"90m", 5400 * SECOND},
        {"007s", 7 * SECOND},
        {"1m1ms", 60 * SECOND + 1000},
        {"3660d", UNITS_DURATION_MAX_US},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct err err = {0};
        int64_t us = -1;
        cr_expect(units_duration(bytes_of_text(cases[i].text), &us, &err), "%s: %s", cases[i].text,
                  err.message);
        cr_expect(us == cases[i].us, "%s: %ld", cases[i].text, (long)us);
    }
}

Test(units, durations_are_refused_with_a_reason)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "a number is missing"},
        {"s", "a number is missing"},
        {"5", "a unit is missing"},
        {"1h30", "a unit is missing"},
        {"1.5h", "fractions"},
        {"1,5h", "fractions"},
        {"5 m", "no such unit"},
        {" 5m", "a number is missing"},
        {"5m ", "no such unit"},
        {"-5m", "a number is missing"},
        {"+5m", "a number is missing"},
        {"5M", "no unit \"M\""},
        {"1w", "no unit \"w\""},
        {"5minutes", "no unit \"minutes\""},
        {"1m1h", "largest first"},
        {"1m1m", "largest first"},
        {"3661d", "longer than"},
        {"3660d1us", "longer than"},
        {"999999999999999999d", "longer than"},
        {"9999999999999999999s", "too large"},
        {"5\x01m", "no such unit"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct err err = {0};
        int64_t us = -1;
        cr_expect(!units_duration(bytes_of_text(cases[i].text), &us, &err), "\"%s\" was read",
                  cases[i].text);
        cr_expect(err.kind == ERR_INPUT && us == -1);
        cr_expect(strstr(err.message, cases[i].reason) != NULL, "\"%s\": %s", cases[i].text,
                  err.message);
    }
}

Test(units, sizes_are_read)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"1kB", 1000},
        {"1KiB", 1024},
        {"64MiB", UINT64_C(64) << 20},
        {"1GB", 1000000000},
        {"1GiB", UINT64_C(1) << 30},
        {"3TB", UINT64_C(3000000000000)},
        {"2TiB", UINT64_C(2) << 40},
        {"4194304TiB", UINT64_C(1) << 62},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct err err = {0};
        uint64_t bytes = 1;
        cr_expect(units_size(bytes_of_text(cases[i].text), &bytes, &err), "%s: %s", cases[i].text,
                  err.message);
        cr_expect(bytes == cases[i].bytes, "%s", cases[i].text);
    }
}

Test(units, sizes_are_refused_with_a_reason)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "a number is missing"},
        {"MiB", "a number is missing"},
        {"64M", "no unit \"M\""},
        {"64mib", "no unit \"mib\""},
        {"1.5GiB", "fractions"},
        {"64 MiB", "no such unit"},
        {"1MiB1KiB", "no such unit"},
        {"4194305TiB", "larger than"},
        {"99999999999999999TiB", "larger than"},
        {"9999999999999999999", "too large"},
        {"-1", "a number is missing"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct err err = {0};
        uint64_t bytes = 1;
        cr_expect(!units_size(bytes_of_text(cases[i].text), &bytes, &err), "\"%s\" was read",
                  cases[i].text);
        cr_expect(err.kind == ERR_INPUT && bytes == 1);
        if (strcmp(cases[i].text, "1MiB1KiB") != 0) {
            cr_expect(strstr(err.message, cases[i].reason) != NULL, "\"%s\": %s", cases[i].text,
                      err.message);
        }
    }
}

Test(units, what_is_printed_reads_back)
{
    struct rng rng;
    rng_init(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        struct err err = {0};
        char text[UNITS_TEXT_SIZE];
        int64_t us = (int64_t)(rng_next(&rng) >> (rng_below(&rng, 63) + 1)) % UNITS_DURATION_MAX_US;
        int64_t us_again = -1;
        units_print_duration(us, text);
        cr_assert(units_duration(bytes_of_text(text), &us_again, &err), "%s: %s", text,
                  err.message);
        cr_assert(us == us_again, "%s", text);
        uint64_t bytes = (rng_next(&rng) >> (2 + rng_below(&rng, 61))) << rng_below(&rng, 3);
        bytes = bytes > UNITS_SIZE_MAX ? UNITS_SIZE_MAX : bytes;
        uint64_t bytes_again = 1;
        units_print_size(bytes, text);
        cr_assert(bytes > UINT64_C(999999999999999999) ||
                      (units_size(bytes_of_text(text), &bytes_again, &err) && bytes == bytes_again),
                  "%s", text);
    }
}

Test(units, printing_is_short)
{
    char text[UNITS_TEXT_SIZE];
    units_print_duration(5400 * SECOND, text);
    cr_expect_str_eq(text, "1h30m");
    units_print_duration(0, text);
    cr_expect_str_eq(text, "0s");
    units_print_size(UINT64_C(256) << 20, text);
    cr_expect_str_eq(text, "256MiB");
    units_print_size(1000000, text);
    cr_expect_str_eq(text, "1MB");
    units_print_size(0, text);
    cr_expect_str_eq(text, "0B");
}
