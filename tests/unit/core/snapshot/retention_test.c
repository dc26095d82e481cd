/* Is nothing called old that somebody may still need? */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/snapshot/retention.h"

#define NONE RETENTION_NOT_PUBLISHED

static const char *const points_into_c[] = {"c", "b"};
static const char *const points_into_d[] = {"d"};

/* Published newest to oldest: a (100), b (90), c (80), d (70), e (60). */
static const struct retention_run five[] = {
    {.run_id = "c", .published_us = 80}, {.run_id = "a", .published_us = 100},
    {.run_id = "e", .published_us = 60}, {.run_id = "b", .published_us = 90},
    {.run_id = "d", .published_us = 70},
};

static enum retention_reason reason_of(const struct retention_run *runs, size_t count,
                                       const char *run_id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(runs[i].run_id, run_id) == 0) {
            return runs[i].reason;
        }
    }
    cr_assert_fail("no run %s", run_id);
    return RETENTION_OLD;
}

static void expect(struct retention_policy policy, const struct retention_run *runs, size_t count,
                   const char *run_id, enum retention_reason reason)
{
    struct retention_run copy[16];
    memcpy(copy, runs, count * sizeof *copy);
    retention_decide(&policy, copy, count);
    cr_assert_str_eq(retention_reason_name(reason_of(copy, count, run_id)),
                     retention_reason_name(reason), "%s", run_id);
}

Test(retention, by_count_and_age)
{
    struct retention_policy none = {.now_us = 1000};
    struct retention_policy two = {.keep_last = 2, .now_us = 1000};
    struct retention_policy age = {.keep_for_us = 25, .now_us = 100};
    struct retention_policy both = {.keep_last = 1, .keep_for_us = 25, .now_us = 100};
    struct retention_policy ancient = {.keep_for_us = 1, .now_us = 1000};
    expect(none, five, 5, "e", RETENTION_KEEP_LAST);
    expect(two, five, 5, "a", RETENTION_KEEP_LAST);
    expect(two, five, 5, "b", RETENTION_KEEP_LAST);
    expect(two, five, 5, "c", RETENTION_OLD);
    expect(age, five, 5, "b", RETENTION_KEEP_FOR);
    expect(age, five, 5, "c", RETENTION_KEEP_FOR);
    expect(age, five, 5, "d", RETENTION_OLD);
    expect(both, five, 5, "c", RETENTION_KEEP_FOR);
    expect(both, five, 5, "e", RETENTION_OLD);
    expect(ancient, five, 5, "a", RETENTION_KEEP_LAST);
    expect(ancient, five, 5, "b", RETENTION_OLD);
}

Test(retention, protected_whatever_the_age)
{
    const struct retention_run runs[] = {
        {.run_id = "new", .published_us = 100},
        {.run_id = "rolled_back_to", .published_us = 10, .is_current = true},
        {.run_id = "head", .published_us = 20, .is_head = true},
        {.run_id = "open", .published_us = NONE, .is_open_build = true},
        {.run_id = "live",
         .published_us = NONE,
         .has_running_record = true,
         .lease_expires_us = 1001},
        {.run_id = "expired",
         .published_us = NONE,
         .has_running_record = true,
         .lease_expires_us = 1000},
        {.run_id = "dead", .published_us = NONE},
    };
    struct retention_policy policy = {.keep_last = 1, .now_us = 1000};
    expect(policy, runs, 7, "new", RETENTION_KEEP_LAST);
    expect(policy, runs, 7, "rolled_back_to", RETENTION_CURRENT);
    expect(policy, runs, 7, "head", RETENTION_HEAD);
    expect(policy, runs, 7, "open", RETENTION_OPEN_BUILD);
    expect(policy, runs, 7, "live", RETENTION_LEASE);
    expect(policy, runs, 7, "expired", RETENTION_OLD);
    expect(policy, runs, 7, "dead", RETENTION_OLD);
}

Test(retention, references_are_followed)
{
    const struct retention_run runs[] = {
        {.run_id = "a", .published_us = 100, .points_into = points_into_c, .points_into_count = 2},
        {.run_id = "b", .published_us = 90},
        {.run_id = "c", .published_us = 80, .points_into = points_into_d, .points_into_count = 1},
        {.run_id = "d", .published_us = NONE},
        {.run_id = "e", .published_us = 60, .points_into = points_into_d, .points_into_count = 1},
    };
    struct retention_policy policy = {.keep_last = 1, .now_us = 1000};
    expect(policy, runs, 5, "a", RETENTION_KEEP_LAST);
    expect(policy, runs, 5, "b", RETENTION_REFERENCED);
    expect(policy, runs, 5, "c", RETENTION_REFERENCED);
    expect(policy, runs, 5, "d", RETENTION_REFERENCED);
    expect(policy, runs, 5, "e", RETENTION_OLD);
}

/* The order of the listing changes nothing, also where times are equal. */
Test(retention, order_does_not_matter)
{
    struct rng rng;
    rng_init(&rng, 2);
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (int round = 0; round < 2000; round++) {
        struct retention_run runs[8] = {0};
        for (size_t i = 0; i < 8; i++) {
            runs[i].run_id = ids[i];
            runs[i].published_us = rng_chance(&rng, 300000) ? NONE : (int64_t)rng_below(&rng, 4);
            runs[i].is_current = i == 3;
            runs[i].points_into = &ids[rng_below(&rng, 8)];
            runs[i].points_into_count = rng_below(&rng, 2) == 0 ? 0 : 1;
        }
        struct retention_run shuffled[8];
        memcpy(shuffled, runs, sizeof runs);
        for (size_t i = 7; i > 0; i--) {
            size_t j = (size_t)rng_below(&rng, i + 1);
            struct retention_run swap = shuffled[i];
            shuffled[i] = shuffled[j];
            shuffled[j] = swap;
        }
        struct retention_policy policy = {.keep_last = (uint32_t)rng_below(&rng, 4),
                                          .keep_for_us = (int64_t)rng_below(&rng, 4),
                                          .now_us = 4};
        retention_decide(&policy, runs, 8);
        retention_decide(&policy, shuffled, 8);
        for (size_t i = 0; i < 8; i++) {
            bool old = reason_of(shuffled, 8, ids[i]) == RETENTION_OLD;
            cr_assert_eq(old, runs[i].reason == RETENTION_OLD);
        }
        cr_assert_eq(reason_of(runs, 8, "d"), RETENTION_CURRENT);
    }
}
