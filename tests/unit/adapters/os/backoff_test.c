/* Full jitter: bounds by try, the cap, and that it really spreads. */
#include <criterion/criterion.h>

#include "adapters/os/backoff.h"

Test(backoff, the_longest_wait_doubles_up_to_the_cap)
{
    static const struct {
        unsigned tries;
        int64_t longest_us;
    } cases[] = {{0, 100}, {1, 200}, {2, 400}, {3, 800}, {4, 1000}, {5, 1000}, {4000000000u, 1000}};
    struct backoff backoff = {.base_us = 100, .cap_us = 1000};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(backoff_delay_us(&backoff, cases[i].tries, 0), 0);
        uint64_t top = (uint64_t)cases[i].longest_us;
        cr_expect_eq(backoff_delay_us(&backoff, cases[i].tries, top), cases[i].longest_us);
        cr_expect_eq(backoff_delay_us(&backoff, cases[i].tries, top + 1), 0);
    }
}

Test(backoff, extremes)
{
    struct backoff none = {.base_us = 0, .cap_us = 0};
    cr_expect_eq(backoff_next_us(&none), 0);
    struct backoff huge = {.base_us = INT64_MAX / 2 + 1, .cap_us = INT64_MAX};
    cr_expect_geq(backoff_delay_us(&huge, 60, UINT64_MAX), 0);
    struct backoff small_cap = {.base_us = 1000, .cap_us = 10};
    cr_expect_leq(backoff_delay_us(&small_cap, 0, UINT64_MAX), 10);
}

Test(backoff, spreads_and_counts)
{
    struct backoff backoff = {.base_us = 1000000, .cap_us = 1000000};
    int low = 0;
    for (int i = 0; i < 400; i++) {
        int64_t delay_us = backoff_next_us(&backoff);
        cr_assert(delay_us >= 0 && delay_us <= 1000000);
        low += delay_us < 500000;
    }
    cr_assert(low > 100 && low < 300, "%d of 400 in the lower half", low);
    cr_assert_eq(backoff.tries, 400);
    backoff_reset(&backoff);
    cr_assert_eq(backoff.tries, 0);
}
