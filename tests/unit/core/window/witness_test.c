/* Do witnesses tell records apart, and which are kept? */
#include <criterion/criterion.h>

#include "core/window/witness.h"

static uint64_t hash(int64_t timestamp_ms, const char *key, const char *value)
{
    return witness_hash(timestamp_ms, key == NULL ? bytes_of(NULL, 0) : bytes_of_text(key),
                        value == NULL ? bytes_of(NULL, 0) : bytes_of_text(value));
}

Test(witness, every_part_of_a_record_counts)
{
    uint64_t all[] = {hash(1, "a", "b"),  hash(2, "a", "b"), hash(1, "b", "b"),  hash(1, "a", "a"),
                      hash(1, "ab", ""),  hash(1, "", "ab"), hash(1, NULL, "b"), hash(1, "", "b"),
                      hash(1, "a", NULL), hash(1, "a", "")};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (size_t k = 0; k < i; k++) {
            cr_expect_neq(all[i], all[k], "%zu and %zu", i, k);
        }
    }
    cr_expect_eq(hash(1, "a", "b"), all[0]);
}

/* It is in ledgers and manifests: it never changes. */
Test(witness, hash_stays)
{
    cr_expect_eq(hash(1700000000000, "key", "value"), UINT64_C(0x04f12e6277bcfdd3));
}

Test(witness, many_are_thinned_out)
{
    struct witness_list witnesses = {0};
    for (int64_t i = 0; i < 1000; i++) {
        cr_assert(witness_add(&witnesses, (struct witness){5 + i * 10, (uint64_t)i}));
        cr_assert_leq(witnesses.count, WITNESSES_MAX);
        cr_assert_eq(witness_below(&witnesses, INT64_MAX)->offset, 5 + i * 10);
    }
    cr_assert_eq(witnesses.count, WITNESSES_MAX);
    cr_expect_eq(witnesses.list[0].offset, 5);
    for (size_t i = 1; i < witnesses.count; i++) {
        int64_t gap = witnesses.list[i].offset - witnesses.list[i - 1].offset;
        cr_expect_gt(gap, 0);
        cr_expect_leq(gap, 2000);
    }
    cr_expect_null(witness_below(&witnesses, 5));
    cr_expect_eq(witness_below(&witnesses, 6)->offset, 5);
}

Test(witness, another_record_is_noticed)
{
    struct witness_list witnesses = {0};
    cr_assert(witness_add(&witnesses, (struct witness){7, 1}));
    cr_assert(witness_add(&witnesses, (struct witness){3, 2}));
    cr_expect(witness_add(&witnesses, (struct witness){7, 1}));
    cr_expect_not(witness_add(&witnesses, (struct witness){7, 2}));
    cr_expect_eq(witnesses.count, 2);
    cr_expect_eq(witness_at(&witnesses, 3)->hash, 2);
    cr_expect_null(witness_at(&witnesses, 4));
}

Test(witness, the_newest_below_a_cut_stays)
{
    struct witness_list witnesses = {0};
    for (int64_t i = 1; i <= 5; i++) {
        cr_assert(witness_add(&witnesses, (struct witness){i * 10, 0}));
    }
    witness_forget_below(&witnesses, 30);
    cr_expect_eq(witnesses.count, 4);
    cr_expect_eq(witnesses.list[0].offset, 20);
    witness_forget_below(&witnesses, 100);
    cr_expect_eq(witnesses.count, 1);
    cr_expect_eq(witnesses.list[0].offset, 50);
}

Test(witness, both_ends_are_enough_to_go_on)
{
    struct witness_list witnesses = {0};
    struct witness ends[WITNESS_ENDS];
    cr_expect_eq(witness_ends(&witnesses, 100, ends), 0);
    for (int64_t i = 1; i <= 5; i++) {
        cr_assert(witness_add(&witnesses, (struct witness){i * 10, (uint64_t)i}));
    }
    cr_expect_eq(witness_ends(&witnesses, 10, ends), 0);
    cr_assert_eq(witness_ends(&witnesses, 11, ends), 1);
    cr_expect_eq(ends[0].offset, 10);
    cr_assert_eq(witness_ends(&witnesses, 41, ends), 2);
    cr_expect_eq(ends[0].hash, 1);
    cr_expect_eq(ends[1].offset, 40);
}

Test(witness, only_a_near_one_is_read_again)
{
    cr_expect_eq(witness_fetch_from(100, -1), 100);
    cr_expect_eq(witness_fetch_from(100, 99), 99);
    cr_expect_eq(witness_fetch_from(100, 100), 100);
    cr_expect_eq(witness_fetch_from(100, 120), 100);
    cr_expect_eq(witness_fetch_from(WITNESSES_BACK + 5, 5), 5);
    cr_expect_eq(witness_fetch_from(WITNESSES_BACK + 6, 5), WITNESSES_BACK + 6);
}
