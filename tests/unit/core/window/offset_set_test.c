/* Does the compact set count like a plain array of flags? */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/window/offset_set.h"

enum { SPACE = 40000 };

static uint64_t plain_count(const bool *flags, int64_t from, int64_t to)
{
    uint64_t count = 0;
    for (int64_t i = from < 0 ? 0 : from; i < to && i < SPACE; i++) {
        count += flags[i];
    }
    return count;
}

static int64_t plain_first(const bool *flags, int64_t from)
{
    for (int64_t i = from; i < SPACE; i++) {
        if (flags[i]) {
            return i;
        }
    }
    return -1;
}

Test(offset_set, agrees_with_flags)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        srand(seed);
        struct offset_set set = {0};
        bool *flags = calloc(SPACE, sizeof *flags);
        int density = 1 + rand() % 100;
        for (int64_t i = 0; i < SPACE; i++) {
            if (rand() % 100 < density) {
                int64_t offset = rand() % 10 == 0 ? rand() % SPACE : i;
                offset_set_add(&set, offset);
                flags[offset] = true;
            }
        }
        for (int round = 0; round < 200; round++) {
            int64_t from = rand() % SPACE;
            int64_t to = rand() % (SPACE + 5000);
            cr_assert_eq(offset_set_count(&set, from, to), plain_count(flags, from, to));
            cr_assert_eq(offset_set_first(&set, from), plain_first(flags, from));
            if (round % 20 == 0) {
                int64_t one = rand() % SPACE;
                offset_set_remove(&set, one);
                flags[one] = false;
            }
            if (round % 50 == 49) {
                int64_t end = rand() % (SPACE / 2);
                offset_set_remove_below(&set, end);
                memset(flags, 0, (size_t)end);
            }
        }
        offset_set_remove_below(&set, SPACE);
        cr_assert(offset_set_is_empty(&set));
        offset_set_done(&set);
        free(flags);
    }
}

Test(offset_set, full_chunks_are_small)
{
    struct offset_set set = {0};
    for (int64_t i = 0; i < 4096 * 100; i++) {
        offset_set_add(&set, i);
    }
    cr_assert_eq(offset_set_count(&set, 0, INT64_MAX), 4096 * 100);
    AUTO(buf) struct buf encoded; /* a full chunk has no bitmap, here and in memory */
    buf_init(&encoded, 1 << 20);
    offset_set_encode(&set, &encoded);
    cr_assert_lt(encoded.size, 100 * 16);
    cr_assert_eq(offset_set_first(&set, 4096 * 100), -1);
    offset_set_done(&set);
}
