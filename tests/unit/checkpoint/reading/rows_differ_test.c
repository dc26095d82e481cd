/* Is every key that differs found, once, whatever older rows and tombstones lie about? */
#include "checkpoint/reading/rows_differ.h"

#include <stdio.h>

#include "core/spill/dedupe.h"
#include "tests/support/test_rows.h"

static struct row row(const char *key, const char *value, int64_t offset)
{
    return (struct row){.key = bytes_of_text(key),
                        .value = bytes_of_text(value == NULL ? "" : value),
                        .offset = offset,
                        .tombstone = value == NULL};
}

/* "-a +b *c" and the values, in the order of the calls. */
struct said {
    char text[512];
};

static bool note(void *to, enum rows_difference difference, const struct row *left,
                 const struct row *right, struct err *err)
{
    (void)err;
    struct said *said = to;
    const struct row *any = left != NULL ? left : right;
    size_t at = strlen(said->text);
    snprintf(said->text + at, sizeof said->text - at, "%c%.*s%s ", "+-*"[difference],
             (int)any -> key.size, (const char *)any->key.data,
             left != NULL && left->tombstone ? "!" : "");
    return true;
}

Test(rows_differ, the_first_row_of_a_key_counts)
{
    const struct row left[] = {row("a", "1", 5),    row("a", "0", 2), row("b", NULL, 9),
                               row("b", "old", 3),  row("c", "x", 1), row("e", NULL, 4),
                               row("f", "same", 1), row("f", NULL, 0)};
    const struct row right[] = {row("a", "1", 0), row("b", "old", 0), row("c", "y", 0),
                                row("d", "new", 0), row("f", "same", 0)};
    struct row_stream *one = test_stream_new(left, LENGTH_OF(left));
    struct row_stream *two = test_stream_new(right, LENGTH_OF(right));
    struct said said = {""};
    struct rows_differ_sink sink = {.found = note, .to = &said};
    struct rows_differ_counts counts;
    bool broken = false;
    struct err err = {0};
    cr_assert(rows_differ(one, two, &sink, NULL, &counts, &broken, &err), "%s", err.message);
    cr_assert_str_eq(said.text, "+b! *c +d ");
    cr_assert_eq(counts.left, 3);
    cr_assert_eq(counts.right, 5);
    cr_assert_eq(counts.equal, 2);
    row_stream_free(one);
    row_stream_free(two);
}

Test(rows_differ, says_whose_stream_failed)
{
    const struct row rows[] = {row("a", "1", 1), row("b", "1", 2)};
    for (int side = 0; side < 2; side++) {
        struct row_stream *left = test_stream_new_failing(rows, 2, side == 0 ? 1 : SIZE_MAX);
        struct row_stream *right = test_stream_new_failing(rows, 2, side == 1 ? 1 : SIZE_MAX);
        struct rows_differ_counts counts;
        bool broken = side == 0;
        struct err err = {0};
        cr_assert_not(rows_differ(left, right, NULL, NULL, &counts, &broken, &err));
        cr_assert_eq(broken, side == 1);
        cr_assert_eq(err.kind, ERR_TRANSIENT);
        row_stream_free(left);
        row_stream_free(right);
    }
}

static bool refuse(void *to, enum rows_difference difference, const struct row *left,
                   const struct row *right, struct err *err)
{
    (void)to;
    (void)difference;
    (void)left;
    (void)right;
    return err_set(err, ERR_LIMIT, "enough");
}

Test(rows_differ, random_sides_against_a_plain_count)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct test_rows_plan plan = {.count = 400,
                                      .keys = 120,
                                      .sources = 2,
                                      .value_bytes_max = 1,
                                      .tombstones_per_million = 200000};
        struct test_rows rows[2];
        struct row_stream *streams[2];
        for (uint64_t side = 0; side < 2; side++) {
            rows[side] = test_rows_make(seed * 2 + side, &plan);
            test_rows_sort(rows[side].rows, rows[side].count, ROW_ORDER_OFFSET);
            streams[side] = test_stream_new(rows[side].rows, rows[side].count);
        }
        uint64_t keys[2] = {0};
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < rows[side].count; i++) {
                const struct row *at = &rows[side].rows[i];
                keys[side] += (i == 0 || !bytes_equal(at[-1].key, at->key)) && !at->tombstone;
            }
        }
        struct rows_differ_counts counts;
        bool broken = false;
        struct err err = {0};
        cr_assert(rows_differ(streams[0], streams[1], NULL, NULL, &counts, &broken, &err));
        cr_assert_eq(counts.left, keys[0]);
        cr_assert_eq(counts.right, keys[1]);
        cr_assert_eq(counts.left,
                     counts.equal + counts.differ[ROWS_REMOVED] + counts.differ[ROWS_CHANGED]);
        cr_assert_eq(counts.right,
                     counts.equal + counts.differ[ROWS_ADDED] + counts.differ[ROWS_CHANGED]);
        cr_assert(counts.equal > 0 && counts.differ[ROWS_CHANGED] > 0);
        for (int side = 0; side < 2; side++) {
            row_stream_free(streams[side]);
        }
        struct row_stream *left = test_stream_new(rows[0].rows, rows[0].count);
        struct row_stream *right = test_stream_new(rows[1].rows, rows[1].count);
        struct rows_differ_sink sink = {.found = refuse};
        cr_assert_not(rows_differ(left, right, &sink, NULL, &counts, &broken, &err));
        cr_assert_eq(err.kind, ERR_LIMIT);
        row_stream_free(left);
        row_stream_free(right);
        test_rows_done(&rows[0]);
        test_rows_done(&rows[1]);
    }
}
