/* Do source numbers order as (topic, partition) pairs do, and survive growth by a map? */
#include <criterion/criterion.h>

#include "core/spill/source_table.h"

Test(source_table, numbers_are_sorted_and_unique)
{
    struct source_table table = {0};
    static const struct {
        const char *topic;
        int32_t partition;
    } pairs[] = {{"b", 1}, {"a", 10}, {"a", 9}, {"b", 0}, {"ab", 3}, {"a", 10}, {"b", 1}};
    for (size_t i = 0; i < LENGTH_OF(pairs); i++) {
        source_table_add(&table, pairs[i].topic, pairs[i].partition);
    }
    cr_assert_eq(table.count, 5);
    cr_assert_eq(source_table_find(&table, "a", 9), 0);
    cr_assert_eq(source_table_find(&table, "a", 10), 1);
    cr_assert_eq(source_table_find(&table, "ab", 3), 2);
    cr_assert_eq(source_table_find(&table, "b", 0), 3);
    cr_assert_eq(source_table_find(&table, "b", 1), 4);
    cr_assert_eq(source_table_find(&table, "b", 2), SOURCE_NONE);
    cr_assert_eq(source_table_find(&table, "c", 0), SOURCE_NONE);
    source_table_done(&table);
    cr_assert_eq(source_table_find(&table, "a", 9), SOURCE_NONE);
}

Test(source_table, map_into_a_larger_and_a_smaller_table)
{
    struct source_table small = {0};
    struct source_table large = {0};
    for (int32_t i = 0; i < 40; i++) {
        source_table_add(&large, "t", i);
        if (i % 3 == 1) {
            source_table_add(&small, "t", i);
        }
    }
    uint32_t map[40];
    cr_assert(!source_table_map(&small, &large, map));
    for (uint32_t i = 0; i < small.count; i++) {
        cr_assert_eq(map[i], 3 * i + 1);
    }
    cr_assert(!source_table_map(&large, &small, map));
    for (uint32_t i = 0; i < large.count; i++) {
        cr_assert_eq(map[i], i % 3 == 1 ? i / 3 : SOURCE_NONE);
    }
    cr_assert(source_table_map(&large, &large, map));
    source_table_add_all(&small, &large);
    cr_assert(source_table_map(&small, &large, map));
    source_table_done(&small);
    source_table_done(&large);
}
