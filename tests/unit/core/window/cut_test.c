/* Is a row in exactly one build, told by the recorded cuts alone? */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/window/cut.h"

/* Windows of 10: [0,10) closed at cut 100, [10,20) at 110, [20,40) at 200. */
static const struct cut_step steps[] = {
    {.build = 1, .from_us = EVENT_TIME_LOW, .to_us = 10, .cut = 100, .future_bound_us = 1000},
    {.build = 2, .from_us = 10, .to_us = 20, .cut = 110, .future_bound_us = 1010},
    {.build = 3, .from_us = 20, .to_us = 40, .cut = 200, .future_bound_us = 1020},
};

static const struct {
    int64_t offset;
    int64_t event_us;
    enum cut_class class;
    uint64_t build;
} rows[] = {
    {5, 3, CUT_ON_TIME, 1},
    {99, 9, CUT_ON_TIME, 1},
    {100, 9, CUT_LATE, 2},   /* read after the cut of its window */
    {5, 10, CUT_ON_TIME, 2}, /* below the first cut, of the next window */
    {120, 3, CUT_LATE, 3},   /* PROTOCOL A2: in neither of two closed windows */
    {5, 25, CUT_ON_TIME, 3},
    {5, 40, CUT_OPEN, 0},
    {200, 3, CUT_OPEN, 0},
    {5, 1001, CUT_FUTURE, 1}, /* by the first build whose cut is above it, and by no other */
    {105, 1005, CUT_OPEN, 0}, /* under the bound of build 2, above that of build 1 */
    {105, 1011, CUT_FUTURE, 2},
    {99, 1000, CUT_OPEN, 0},
};

Test(cut, judge)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct cut_verdict verdict =
            cut_judge(steps, LENGTH_OF(steps), rows[i].offset, rows[i].event_us);
        cr_assert_eq(verdict.class, rows[i].class, "row %zu", i);
        cr_assert_eq(verdict.build, rows[i].build, "row %zu", i);
    }
}

Test(cut, the_cut_alone)
{
    struct cut_step step = {.build = 4,
                            .from_us = EVENT_TIME_LOW,
                            .to_us = EVENT_TIME_HIGH,
                            .cut = 10,
                            .future_bound_us = INT64_MAX};
    cr_assert_eq(cut_judge(&step, 1, 9, INT64_MAX).class, CUT_ON_TIME);
    cr_assert_eq(cut_judge(&step, 1, 9, INT64_MIN).class, CUT_ON_TIME);
    cr_assert_eq(cut_judge(&step, 1, 10, 0).class, CUT_OPEN);
}

/* R2, R24: a verdict that is not OPEN stays the same whatever builds come later, and with any steps
 * left out whose cut is not above the row. */
Test(cut, a_verdict_is_for_good)
{
    struct rng rng;
    rng_init(&rng, 11);
    for (int run = 0; run < 20000; run++) {
        struct cut_step history[8];
        int64_t cut = 0;
        int64_t to_us = EVENT_TIME_LOW;
        int64_t bound = 50;
        for (size_t i = 0; i < LENGTH_OF(history); i++) {
            int64_t from_us = to_us;
            cut += (int64_t)rng_below(&rng, 5);
            bound += (int64_t)rng_below(&rng, 10);
            to_us = (to_us == EVENT_TIME_LOW ? 0 : to_us) + (int64_t)rng_below(&rng, 10);
            history[i] = (struct cut_step){i + 1, from_us, to_us, cut, bound};
        }
        int64_t offset = (int64_t)rng_below(&rng, 40);
        int64_t event_us = (int64_t)rng_below(&rng, 120);
        struct cut_verdict before = {.class = CUT_OPEN};
        for (size_t n = 0; n <= LENGTH_OF(history); n++) {
            size_t skip = 0;
            while (skip < n && history[skip].cut <= offset) {
                skip++;
            }
            struct cut_verdict all = cut_judge(history, n, offset, event_us);
            struct cut_verdict tail = cut_judge(history + skip, n - skip, offset, event_us);
            cr_assert(all.class == tail.class && all.build == tail.build);
            if (before.class != CUT_OPEN) {
                cr_assert(all.class == before.class && all.build == before.build);
            }
            before = all;
        }
    }
}

Test(cut, windows)
{
    cr_assert_eq(window_of(0, 10), 0);
    cr_assert_eq(window_of(9, 10), 0);
    cr_assert_eq(window_of(-1, 10), -1);
    cr_assert_eq(window_of(-10, 10), -1);
    cr_assert_eq(window_of(INT64_MIN, 1), INT64_MIN);
    cr_assert_eq(window_start_us(-1, 10), -10);
    cr_assert_eq(window_start_us(INT64_MAX, 10), INT64_MAX);
    cr_assert_eq(window_start_us(INT64_MIN, 10), INT64_MIN);
    cr_assert_eq(window_bucket_us(25, 10, EVENT_TIME_LOW), 20);
    cr_assert_eq(window_bucket_us(25, 10, 23), 23);
    cr_assert_eq(window_bucket_us(22, 10, 23), 20);
    cr_assert_eq(window_bucket_us(25, 10, 20), 20);
}

Test(cut, partitions_are_ordered)
{
    struct partition_id a = {"a", 5};
    struct partition_id b = {"b", 0};
    struct partition_id c = {"b", 1};
    cr_assert_lt(partition_id_compare(a, b), 0);
    cr_assert_lt(partition_id_compare(b, c), 0);
    cr_assert_eq(partition_id_compare(c, c), 0);
    cr_assert_gt(partition_id_compare(c, a), 0);
}
