/* Is the page size the one that the format's formula gives? */
#include "core/snapshot/page_size.h"
#include "core/base/rng.h"
#include "tests/support/vectors.h"

static int64_t first_of(const cJSON *list, int i)
{
    return (int64_t)cJSON_GetArrayItem(list, i)->valuedouble;
}

/* Rows with the value sizes of the vector and its key sizes in turn. */
static void add_rows(struct page_size_stats *stats, const cJSON *row)
{
    const cJSON *keys = vectors_member(row, "key_sizes");
    int key = 0;
    const cJSON *sizes = NULL;
    cJSON_ArrayForEach(sizes, vectors_member(row, "values"))
    {
        for (int64_t i = 0; i < first_of(sizes, 1); i++) {
            int64_t key_size = first_of(keys, key++ % cJSON_GetArraySize(keys));
            page_size_add(stats, (size_t)key_size, (size_t)first_of(sizes, 0));
        }
    }
}

static void hold_row(const cJSON *row)
{
    const char *kind = vectors_text(row, "kind");
    if (strcmp(kind, "inline_limit") == 0) {
        cr_assert_eq(page_size_inline_limit((uint32_t)vectors_integer(row, "page_size")),
                     vectors_integer(row, "limit"));
        return;
    }
    uint32_t expected = (uint32_t)vectors_integer(row, "page_size");
    if (strcmp(kind, "formula") == 0) {
        cr_assert_eq(page_size_for((uint64_t)vectors_integer(row, "p95_value_bytes"),
                                   (uint64_t)vectors_integer(row, "max_key_bytes")),
                     expected);
        return;
    }
    struct page_size_stats *stats = calloc(1, sizeof *stats);
    cr_assert_not_null(stats);
    add_rows(stats, row);
    uint32_t dim = 0;
    if (strcmp(kind, "vector_file") == 0) {
        dim = (uint32_t)vectors_integer(row, "dim");
    } else {
        cr_assert_str_eq(kind, "file");
    }
    cr_assert_eq(page_size_auto(stats, dim), expected);
    free(stats);
}

Test(page_size, vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = vectors_read("page_size.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        AUTO(json) cJSON *row = vectors_json(line);
        hold_row(row);
        rows++;
    }
    cr_assert_eq(rows, 87);
    arena_free(arena);
}

static int compare_sizes(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

/* The histogram against sorting. */
Test(page_size, p95_is_the_nearest_rank)
{
    struct rng rng;
    rng_init(&rng, 9);
    struct page_size_stats *stats = calloc(1, sizeof *stats);
    for (int round = 0; round < 200; round++) {
        memset(stats, 0, sizeof *stats);
        int sizes[300];
        size_t count = 1 + (size_t)rng_below(&rng, LENGTH_OF(sizes));
        uint64_t most = UINT64_C(1) << (1 + rng_below(&rng, 16));
        for (size_t i = 0; i < count; i++) {
            sizes[i] = (int)rng_below(&rng, most);
            page_size_add(stats, 8, (size_t)sizes[i]);
        }
        qsort(sizes, count, sizeof *sizes, compare_sizes);
        size_t rank = (95 * count + 99) / 100;
        cr_assert_eq(page_size_auto(stats, 0), page_size_for((uint64_t)sizes[rank - 1], 8));
    }
    free(stats);
}

Test(page_size, limits)
{
    cr_assert_not(page_size_is_valid(0));
    cr_assert_not(page_size_is_valid(2048));
    cr_assert_not(page_size_is_valid(12288));
    cr_assert_not(page_size_is_valid(131072));
    cr_assert(page_size_is_valid(65536));
    cr_assert_eq(page_size_for(UINT64_MAX, UINT64_MAX), 65536);
}
