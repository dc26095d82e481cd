/* Do many sorted streams become one, whatever rows are in which? */
#include "core/spill/merge.h"

#include "tests/support/test_rows.h"

enum { STREAMS_MAX = 17 };

/* The rows dealt out at random to `count` streams, each sorted. */
struct deal {
    struct row *rows[STREAMS_MAX];
    size_t counts[STREAMS_MAX];
};

static void deal_out(struct deal *deal, const struct test_rows *rows, size_t count, uint64_t seed,
                     enum row_order order)
{
    struct rng rng;
    rng_init(&rng, seed);
    for (size_t i = 0; i < count; i++) {
        deal->rows[i] = arena_alloc(rows->arena, (rows->count + 1) * sizeof(struct row));
        deal->counts[i] = 0;
    }
    for (size_t i = 0; i < rows->count; i++) {
        size_t to = rng_below(&rng, count);
        deal->rows[to][deal->counts[to]++] = rows->rows[i];
    }
    for (size_t i = 0; i < count; i++) {
        test_rows_sort(deal->rows[i], deal->counts[i], order);
    }
}

static struct row_stream *merge_of(const struct deal *deal, size_t count, enum row_order order)
{
    struct row_stream *streams[STREAMS_MAX];
    for (size_t i = 0; i < count; i++) {
        streams[i] = test_stream_new(deal->rows[i], deal->counts[i]);
    }
    return merge_new(order, streams, count);
}

Test(merge, any_deal_gives_the_sorted_rows)
{
    struct test_rows_plan plan = {.count = 600,
                                  .keys = 150,
                                  .sources = 4,
                                  .key_bytes_max = 20,
                                  .value_bytes_max = 4,
                                  .tombstones_per_million = 200000};
    for (uint64_t seed = 0; seed < 60; seed++) {
        enum row_order order = seed % 2 == 0 ? ROW_ORDER_OFFSET : ROW_ORDER_EVENT_TIME;
        struct test_rows rows = test_rows_make(seed, &plan);
        struct deal deal;
        size_t streams = 1 + seed % STREAMS_MAX;
        deal_out(&deal, &rows, streams, seed, order);
        struct row_stream *merged = merge_of(&deal, streams, order);
        test_rows_sort(rows.rows, rows.count, order);
        test_rows_expect(merged, rows.rows, rows.count);
        row_stream_free(merged);
        test_rows_done(&rows);
    }
}

Test(merge, no_streams_and_empty_streams)
{
    struct row_stream *none = merge_new(ROW_ORDER_OFFSET, NULL, 0);
    test_rows_expect(none, NULL, 0);
    row_stream_free(none);
    struct row_stream *empty[3];
    for (size_t i = 0; i < 3; i++) {
        empty[i] = test_stream_new(NULL, 0);
    }
    struct row_stream *merged = merge_new(ROW_ORDER_OFFSET, empty, 3);
    test_rows_expect(merged, NULL, 0);
    row_stream_free(merged);
}

Test(merge, the_largest_keys_and_ended_streams)
{
    static const uint8_t high[] = {255, 255, 255, 255, 255, 255, 255, 255, 0, 255};
    struct row rows[3] = {
        {.key = bytes_of(high, 8), .offset = 1},
        {.key = bytes_of(high, 9), .offset = 2},
        {.key = bytes_of(high, 10), .offset = 3},
    };
    struct row_stream *streams[5];
    for (size_t i = 0; i < 3; i++) {
        streams[i] = test_stream_new(&rows[2 - i], 1);
    }
    streams[3] = test_stream_new(NULL, 0);
    streams[4] = test_stream_new(NULL, 0);
    struct row_stream *merged = merge_new(ROW_ORDER_OFFSET, streams, 5);
    test_rows_expect(merged, rows, 3);
    row_stream_free(merged);
}

Test(merge, a_failing_stream_fails_the_merge)
{
    struct test_rows_plan plan = {.count = 100, .keys = 100, .sources = 1};
    for (size_t fail_at = 0; fail_at <= 50; fail_at += 25) {
        struct test_rows rows = test_rows_make(5, &plan);
        test_rows_sort(rows.rows, rows.count, ROW_ORDER_OFFSET);
        struct row_stream *streams[2] = {
            test_stream_new(rows.rows, 50),
            test_stream_new_failing(rows.rows + 50, 50, fail_at),
        };
        struct row_stream *merged = merge_new(ROW_ORDER_OFFSET, streams, 2);
        struct err err = {0};
        struct row row;
        bool more = true;
        while (row_stream_next(merged, &row, &more, &err)) {
            cr_assert(more, "it ends without its error");
        }
        cr_assert_eq(err.kind, ERR_TRANSIENT);
        row_stream_free(merged);
        test_rows_done(&rows);
    }
}
