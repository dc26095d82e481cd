/* Do exactly the rows of the build come through, under the build's numbers, without a look where
 * none is needed? */
#include "core/spill/filter_stream.h"

#include "tests/support/test_set.h"

enum { ROWS = 400 };

/* A build of sources "topic" 0, 1, 2 and "another" 0, which is number 0 there: the map shifts. */
static const int64_t cuts[] = {60, 100};
static const struct filter_build builds[] = {{0, 100}, {1, 300}};

static void make_filter(struct filter *filter, struct filter_source sources[4])
{
    for (size_t i = 0; i < 4; i++) {
        sources[i] = (struct filter_source){.tail_from = 5, .from = 0, .to = 95, .cuts = cuts};
    }
    *filter = (struct filter){.builds = builds,
                              .build_count = 2,
                              .closed_before = 0,
                              .sources = sources,
                              .source_count = 4,
                              .policy = {.take_late = false, .take_future = true}};
}

Test(filter_stream, exactly_the_rows_of_the_build)
{
    struct test_rows_plan plan = {.count = ROWS, .keys = 50, .sources = 3, .value_bytes_max = 3};
    static const uint32_t map[] = {1, 2, SOURCE_NONE};
    uint64_t all[FILTER_VERDICTS] = {0};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct test_rows rows = test_rows_make(seed, &plan);
        struct test_set *set = test_set_new(ROW_ORDER_OFFSET, 3);
        test_set_add(set, (int64_t)seed % 3, 0, rows.rows, rows.count);
        struct filter filter;
        struct filter_source sources[4];
        make_filter(&filter, sources);
        struct row wanted[ROWS];
        size_t count = 0;
        uint64_t counts[FILTER_VERDICTS] = {0};
        uint64_t wanted_counts[FILTER_VERDICTS] = {0};
        for (size_t i = 0; i < ROWS; i++) {
            struct row row = rows.rows[i];
            row.source = map[row.source];
            enum filter_verdict verdict = row.source == SOURCE_NONE
                                              ? FILTER_OUTSIDE
                                              : filter_row(&filter, (int64_t)seed % 3, row.source,
                                                           row.offset, row.event_time_us);
            wanted_counts[verdict]++;
            all[verdict]++;
            if (filter_takes(&filter, verdict)) {
                wanted[count++] = row;
            }
        }
        struct row_stream *stream = NULL;
        struct err err = {0};
        cr_assert(filter_stream_open(&filter, &set->set, 0, map, counts, &stream, &err));
        cr_assert_not_null(stream);
        test_rows_expect(stream, wanted, count);
        cr_assert_eq(memcmp(counts, wanted_counts, sizeof counts), 0);
        row_stream_free(stream);
        row_set_free(&set->set);
        test_rows_done(&rows);
    }
    for (int verdict = 0; verdict < FILTER_VERDICTS; verdict++) {
        cr_assert_gt(all[verdict], 0, "verdict %d never came", verdict);
    }
}

Test(filter_stream, whole_sections)
{
    static const uint32_t same[] = {0};
    static const uint32_t shifted[] = {2};
    struct row rows[] = {{.key = bytes_of_text("a"), .offset = 70, .event_time_us = 10},
                         {.key = bytes_of_text("b"), .offset = 80, .event_time_us = 20}};
    struct test_set *set = test_set_new(ROW_ORDER_OFFSET, 1);
    test_set_add(set, 1, 0, rows, 2);
    test_set_add(set, 2, 0, rows, 2);
    struct filter filter;
    struct filter_source sources[4];
    struct row_stream *stream = NULL;
    struct err err = {0};
    uint64_t counts[FILTER_VERDICTS] = {0};
    make_filter(&filter, sources);

    cr_assert(filter_stream_open(&filter, &set->set, 0, same, counts, &stream, &err));
    cr_assert_eq(stream->ops, &test_stream_ops, "nothing stands between");
    test_rows_expect(stream, rows, 2);
    row_stream_free(stream);

    cr_assert(filter_stream_open(&filter, &set->set, 0, shifted, counts, &stream, &err));
    struct row wanted[] = {rows[0], rows[1]};
    wanted[0].source = wanted[1].source = 2;
    test_rows_expect(stream, wanted, 2);
    row_stream_free(stream);

    size_t opened = set->opened;
    cr_assert(filter_stream_open(&filter, &set->set, 1, same, counts, &stream, &err));
    cr_assert_null(stream, "a window that is still open");
    cr_assert_eq(set->opened, opened);
    cr_assert_eq(counts[FILTER_TAKE], 4);
    cr_assert_eq(counts[FILTER_LATER], 2);
    row_set_free(&set->set);
}
