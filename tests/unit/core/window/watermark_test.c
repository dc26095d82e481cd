/* Does the watermark move only forward, and only by what may move it? */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "core/window/watermark.h"

Test(watermark, of_a_partition)
{
    struct watermark mark = {.highest_us = EVENT_TIME_LOW};
    cr_assert_eq(watermark_us(&mark, 10), EVENT_TIME_LOW);
    watermark_add(&mark, 100, 50, 60);
    cr_assert_eq(watermark_us(&mark, 10), 90);
    cr_assert(watermark_add(&mark, 70, 50, 60)); /* out of order */
    cr_assert_eq(watermark_us(&mark, 10), 90);
    cr_assert_not(watermark_add(&mark, 111, 50, 60)); /* beyond now + skew (R24) */
    cr_assert_eq(watermark_us(&mark, 10), 90);
    watermark_add(&mark, 110, 50, 60);
    cr_assert_eq(watermark_us(&mark, 10), 100);
    watermark_add(&mark, INT64_MAX, INT64_MAX - 1, 60);
    cr_assert_eq(watermark_us(&mark, 0), INT64_MAX);
    cr_assert(watermark_add(&mark, 200, 50, 60)); /* ahead of now, but it moves nothing */
}

/* What a member is told to go on from comes from the ledger: any number. */
Test(watermark, lowered)
{
    struct watermark mark = {.highest_us = 100};
    watermark_lower(&mark, EVENT_TIME_HIGH, 10);
    watermark_lower(&mark, EVENT_TIME_HIGH - 1, 10); /* no overflow */
    watermark_lower(&mark, 95, 10);
    cr_assert_eq(mark.highest_us, 100);
    watermark_lower(&mark, 80, 10);
    cr_assert_eq(watermark_us(&mark, 10), 80);
    watermark_lower(&mark, EVENT_TIME_LOW, 10);
    cr_assert_eq(watermark_us(&mark, 10), EVENT_TIME_LOW);
}

static const struct {
    struct watermark_vote votes[3];
    size_t count;
    bool known;
    int64_t expected;
} groups[] = {
    {{{10, false}, {20, false}, {15, false}}, 3, true, 10},
    {{{10, true}, {20, false}, {15, false}}, 3, true, 15}, /* idle: no vote */
    {{{10, true}, {20, true}, {15, true}}, 3, true, 20},   /* all idle: as far as it had come */
    {{{10, false}, {EVENT_TIME_LOW, false}}, 2, false, 0}, /* no row yet, and not idle: it waits */
    {{{10, false}, {EVENT_TIME_LOW, true}}, 2, true, 10},
    {{{EVENT_TIME_LOW, true}}, 1, false, 0},
    {{{0, false}}, 0, false, 0},
};

Test(watermark, of_the_group)
{
    for (size_t i = 0; i < LENGTH_OF(groups); i++) {
        int64_t mark = -1;
        bool known = watermark_of_group(groups[i].votes, groups[i].count, &mark);
        cr_assert_eq(known, groups[i].known, "group %zu", i);
        if (known) {
            cr_assert_eq(mark, groups[i].expected, "group %zu", i);
        }
    }
}
