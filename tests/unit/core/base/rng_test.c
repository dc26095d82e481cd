/* Does a seed give the same sequence, in the range that was asked for? */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/rng.h"

Test(rng, a_seed_is_a_sequence)
{
    struct rng a;
    struct rng b;
    rng_init(&a, 42);
    rng_init(&b, 42);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(rng_next(&a), rng_next(&b));
    }
    rng_init(&b, 43);
    cr_assert_neq(rng_next(&a), rng_next(&b));
}

Test(rng, below_covers_its_range_evenly)
{
    struct rng rng;
    int seen[7] = {0};
    rng_init(&rng, 1);
    for (int i = 0; i < 70000; i++) {
        uint64_t value = rng_below(&rng, 7);
        cr_assert_lt(value, 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++) {
        cr_assert(seen[i] > 9500 && seen[i] < 10500, "%d: %d", i, seen[i]);
    }
    cr_assert_eq(rng_below(&rng, 1), 0);
}

Test(rng, chance_and_hex)
{
    struct rng rng;
    char text[33];
    int hits = 0;
    rng_init(&rng, 2);
    for (int i = 0; i < 100000; i++) {
        hits += rng_chance(&rng, 100000);
    }
    cr_assert(hits > 9500 && hits < 10500, "%d", hits);
    cr_assert_not(rng_chance(&rng, 0));
    rng_hex(&rng, text, 32);
    cr_assert_eq(strlen(text), 32);
    cr_assert_eq(strspn(text, "0123456789abcdef"), 32);
}
