/* Does a limit hold over time, whatever the sizes, and does it never stop for good? */
#include "core/rate.h"

#include <criterion/criterion.h>

enum { SECOND = 1000000 };

/* Batches of that size as fast as they are let in: how many records come in `seconds`. */
static uint64_t let_in(struct rate *rate, uint64_t records, uint64_t bytes, int64_t seconds)
{
    int64_t now = 5 * (int64_t)SECOND;
    int64_t end = now + seconds * SECOND;
    uint64_t sum = 0;
    while (now < end) {
        int64_t wait = rate_wait_us(rate, now);
        now += wait > 0 ? wait : 10; /* a batch takes 10 us */
        if (wait == 0) {
            rate_pay(rate, records, bytes, now);
            sum += records;
        }
    }
    return sum;
}

Test(rate, records_and_bytes)
{
    for (uint64_t batch = 1; batch <= 100000; batch *= 10) {
        struct rate by_records = {.records_per_second = 1000};
        uint64_t sum = let_in(&by_records, batch, 50, 200);
        /* a second's share at the start, and the last batch, come on top */
        cr_expect(sum >= 200 * 1000 && sum <= 201 * 1000 + 2 * batch, "%ju of %ju", (uintmax_t)sum,
                  (uintmax_t)batch);
        struct rate by_bytes = {.bytes_per_second = 1000 * 1000};
        sum = let_in(&by_bytes, batch, 1000 * batch, 200);
        cr_expect(sum >= 200 * 1000 && sum <= 201 * 1000 + 2 * batch, "%ju of %ju", (uintmax_t)sum,
                  (uintmax_t)batch);
    }
}

Test(rate, the_narrower_one_counts)
{
    struct rate rate = {.records_per_second = 1000, .bytes_per_second = 10000};
    uint64_t sum = let_in(&rate, 10, 1000, 100); /* 100 records a second by bytes */
    cr_expect(sum >= 100 * 100 && sum <= 102 * 100, "%ju", (uintmax_t)sum);
}

Test(rate, more_than_a_second_at_once_goes_through)
{
    struct rate rate = {.records_per_second = 10};
    cr_assert_eq(rate_wait_us(&rate, SECOND), 0);
    rate_pay(&rate, 10000, 0, SECOND);
    int64_t wait = rate_wait_us(&rate, SECOND);
    cr_assert(wait > 990 * (int64_t)SECOND && wait <= 1000 * (int64_t)SECOND);
    cr_assert_eq(rate_wait_us(&rate, SECOND + wait), 0);
}

Test(rate, no_limit)
{
    struct rate rate = {0};
    rate_pay(&rate, UINT64_MAX, UINT64_MAX, SECOND);
    cr_assert_eq(rate_wait_us(&rate, SECOND), 0);
}

Test(rate, a_quiet_hour_is_worth_one_second)
{
    struct rate rate = {.records_per_second = 100};
    int64_t now = 3600 * (int64_t)SECOND;
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(rate_wait_us(&rate, now), 0);
        rate_pay(&rate, 1, 0, now);
    }
    rate_pay(&rate, 1, 0, now);
    cr_assert_gt(rate_wait_us(&rate, now), 0);
}
