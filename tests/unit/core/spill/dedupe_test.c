/* Does the newest row of a key win, and is every row counted once? */
#include "core/spill/dedupe.h"

#include "core/spill/merge.h"
#include "tests/support/test_rows.h"

/* The definition, by brute force: for each key the newest row; everything counted by source. */
static size_t dedupe_plainly(const struct row *sorted, size_t count, struct row *winners,
                             struct dedupe_counts *counts)
{
    size_t won = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_base = sorted[i].source == ROW_SOURCE_BASE;
        struct dedupe_source *of = is_base ? &counts->base : &counts->sources[sorted[i].source];
        size_t first = i;
        while (first > 0 && bytes_equal(sorted[first - 1].key, sorted[i].key)) {
            first--;
        }
        bool shared = false;
        bool shared_before = false;
        for (size_t k = first; k <= i; k++) {
            bool other = sorted[k].source != sorted[first].source &&
                         sorted[k].source != ROW_SOURCE_BASE;
            shared = shared || other;
            shared_before = shared_before || (other && k < i);
        }
        counts->shared_keys += shared && !shared_before;
        if (first != i) {
            of->superseded++;
        } else if (sorted[i].tombstone) {
            of->tombstones++;
        } else {
            of->stored++;
            winners[won++] = sorted[i];
        }
    }
    return won;
}

Test(dedupe, newest_wins_and_all_are_counted)
{
    struct test_rows_plan plan = {.count = 500,
                                  .keys = 90,
                                  .sources = 3,
                                  .key_bytes_max = 12,
                                  .value_bytes_max = 6,
                                  .tombstones_per_million = 300000};
    for (uint64_t seed = 0; seed < 40; seed++) {
        plan.sources = 1 + (uint32_t)seed % 4;
        struct test_rows rows = test_rows_make(seed, &plan);
        test_rows_sort(rows.rows, rows.count, ROW_ORDER_OFFSET);
        struct dedupe_source wanted_sources[4] = {0};
        struct dedupe_source sources[4] = {0};
        struct dedupe_counts wanted = {.sources = wanted_sources, .source_count = plan.sources};
        struct dedupe_counts counts = {.sources = sources, .source_count = plan.sources};
        struct row *winners = arena_alloc(rows.arena, rows.count * sizeof *winners);
        size_t won = dedupe_plainly(rows.rows, rows.count, winners, &wanted);
        struct row_stream *stream = dedupe_new(test_stream_new(rows.rows, rows.count), &counts);
        test_rows_expect(stream, winners, won);
        row_stream_free(stream);
        uint64_t sum = 0;
        for (size_t i = 0; i < plan.sources; i++) {
            cr_assert_eq(memcmp(&sources[i], &wanted_sources[i], sizeof sources[i]), 0);
            sum += sources[i].stored + sources[i].superseded + sources[i].tombstones;
        }
        cr_assert_eq(sum, rows.count);
        cr_assert_eq(counts.shared_keys, wanted.shared_keys);
        test_rows_done(&rows);
    }
}

Test(dedupe, delta_beats_base_whatever_its_offset)
{
    /* PROTOCOL A6: the base has k from offset 9, the delta has k at offset 5, and a tombstone. */
    struct row base[] = {
        {.key = bytes_of_text("k"),
         .value = bytes_of_text("old"),
         .source = ROW_SOURCE_BASE,
         .event_time_us = INT64_MAX,
         .offset = 9},
        {.key = bytes_of_text("m"), .value = bytes_of_text("kept"), .source = ROW_SOURCE_BASE},
        {.key = bytes_of_text("n"), .value = bytes_of_text("gone"), .source = ROW_SOURCE_BASE},
    };
    struct row delta[] = {
        {.key = bytes_of_text("k"), .value = bytes_of_text("new"), .offset = 5},
        {.key = bytes_of_text("n"), .tombstone = true, .offset = 6},
    };
    for (int order = ROW_ORDER_OFFSET; order <= ROW_ORDER_EVENT_TIME; order++) {
        struct row_stream *streams[] = {test_stream_new(base, 3), test_stream_new(delta, 2)};
        struct dedupe_source source = {0};
        struct dedupe_counts counts = {.sources = &source, .source_count = 1};
        struct row_stream *stream =
            dedupe_new(merge_new((enum row_order)order, streams, 2), &counts);
        struct row wanted[] = {delta[0], base[1]};
        test_rows_expect(stream, wanted, 2);
        row_stream_free(stream);
        cr_assert_eq(counts.base.stored, 1);
        cr_assert_eq(counts.base.superseded, 2);
        cr_assert_eq(source.stored, 1);
        cr_assert_eq(source.tombstones, 1);
        cr_assert_eq(counts.shared_keys, 0, "the base is no second source");
    }
}

Test(dedupe, unsorted_rows_and_unknown_sources_are_refused)
{
    struct row rows[] = {{.key = bytes_of_text("b")}, {.key = bytes_of_text("a")}};
    struct row foreign[] = {{.key = bytes_of_text("b"), .source = 1}};
    struct dedupe_source source = {0};
    struct dedupe_counts counts = {.sources = &source, .source_count = 1};
    struct row_stream *streams[] = {dedupe_new(test_stream_new(rows, 2), &counts),
                                    dedupe_new(test_stream_new(foreign, 1), &counts)};
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        struct row row;
        bool more;
        bool ok = row_stream_next(streams[i], &row, &more, &err);
        ok = ok && row_stream_next(streams[i], &row, &more, &err);
        cr_assert(!ok);
        cr_assert_eq(err.kind, ERR_CORRUPT);
        row_stream_free(streams[i]);
    }
}
