/* Is what many streams have read no more than so many at a time, and are all of their rows there?
 */
#include "checkpoint/spill/narrow.h"

#include <dirent.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "checkpoint/shards/build.h"
#include "core/spill/merge.h"
#include "tests/support/test_set.h"

enum { SOURCES = 3, STREAM_ROWS = 40, SMALL = 60 };

static char *folder;
static struct source_table sources;
static struct arena *arena;
static size_t reading;     /* streams that gave a row and are not freed */
static size_t reading_max; /* since the start */

static void set_up(void)
{
    struct err err;
    arena = arena_new(4096);
    cr_assert(file_temp_folder("/tmp", "narrow", &folder, &err), "%s", err.message);
    for (int32_t i = 0; i < SOURCES; i++) {
        source_table_add(&sources, "topic", i);
    }
}

static void tear_down(void)
{
    struct err err;
    source_table_done(&sources);
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
    free(folder);
    arena_free(arena);
    cr_expect_eq(reading, 0, "a stream is left");
}

TestSuite(narrow, .init = set_up, .fini = tear_down);

/* ---- a stream that is counted while it is read ---- */

struct counted {
    struct row_stream stream;
    struct row_stream *rows;
    bool begun;
};

static bool counted_next(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                         struct err *err)
{
    struct counted *self = (struct counted *)stream;
    if (!self->begun) {
        self->begun = true;
        reading++;
        reading_max = reading > reading_max ? reading : reading_max;
    }
    return row_stream_next(self->rows, ret_row, ret_more, err);
}

static void counted_free(struct row_stream *stream)
{
    struct counted *self = (struct counted *)stream;
    reading -= self->begun;
    row_stream_free(self->rows);
    free(self);
}

static struct row_stream *counted_new(struct row_stream *take_rows)
{
    static const struct row_stream_ops ops = {.next = counted_next, .free = counted_free};
    struct counted *self = calloc(1, sizeof *self);
    cr_assert_not_null(self);
    *self = (struct counted){.stream = {.ops = &ops}, .rows = take_rows};
    return &self->stream;
}

/* ---- many of them over one list of rows ---- */

static struct test_rows all_rows(size_t streams, size_t value_bytes_max)
{
    struct test_rows_plan plan = {.count = streams * STREAM_ROWS,
                                  .keys = streams * STREAM_ROWS / 3,
                                  .sources = SOURCES,
                                  .value_bytes_max = value_bytes_max,
                                  .tombstones_per_million = 50000};
    struct test_rows rows = test_rows_make(streams, &plan);
    for (size_t i = 0; i < streams; i++) {
        test_rows_sort(rows.rows + i * STREAM_ROWS, STREAM_ROWS, ROW_ORDER_OFFSET);
    }
    return rows;
}

static struct row_stream **open_all(const struct test_rows *rows, size_t count, size_t fail_at)
{
    struct row_stream **streams = calloc(count, sizeof *streams);
    for (size_t i = 0; i < count; i++) {
        size_t of = i == 1 ? fail_at : SIZE_MAX;
        streams[i] =
            counted_new(test_stream_new_failing(rows->rows + i * STREAM_ROWS, STREAM_ROWS, of));
    }
    return streams;
}

static bool narrow(struct row_stream **streams, size_t *count, const atomic_bool *stop,
                   struct err *err)
{
    struct narrow_request request = {.order = ROW_ORDER_OFFSET,
                                     .sources = &sources,
                                     .path = arena_format(arena, "%s/shard.db", folder),
                                     .stop = stop};
    struct narrowed narrowed = {0};
    bool done = narrow_streams(&request, streams, count, &narrowed, err);
    narrowed_done(&narrowed); /* the streams go on without it */
    return done;
}

static size_t files_in_folder(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 2;
}

static void close_all(struct row_stream **streams, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        row_stream_free(streams[i]);
    }
    free(streams);
}

static void expect_all(struct row_stream *got, const struct test_rows *sorted)
{
    struct err err;
    bool more = true;
    for (size_t i = 0; more; i++) {
        struct row row;
        cr_assert(row_stream_next(got, &row, &more, &err), "%s", err.message);
        cr_assert_eq(more, i < sorted->count);
        cr_assert(!more || test_rows_equal(&row, &sorted->rows[i]), "row %zu", i);
    }
}

Test(narrow, all_rows_of_any_number_of_streams)
{
    static const size_t counts[] = {1, NARROW_STREAMS_MAX, NARROW_STREAMS_MAX + 1, 100, 1000, 5000};
    for (size_t i = 0; i < LENGTH_OF(counts); i++) {
        struct err err;
        size_t count = counts[i];
        struct test_rows rows = all_rows(count, SMALL);
        struct row_stream **streams = open_all(&rows, count, SIZE_MAX);
        cr_assert(narrow(streams, &count, NULL, &err), "%s", err.message);
        cr_assert_eq(count, counts[i] < NARROW_STREAMS_MAX ? counts[i] : NARROW_STREAMS_MAX);
        cr_assert_eq(files_in_folder(), 0, "they are gone once they are open");
        struct row_stream *merged = merge_new(ROW_ORDER_OFFSET, streams, count);
        struct test_rows sorted = all_rows(counts[i], SMALL);
        test_rows_sort(sorted.rows, sorted.count, ROW_ORDER_OFFSET);
        expect_all(merged, &sorted);
        row_stream_free(merged);
        free(streams);
        test_rows_done(&sorted);
        test_rows_done(&rows);
    }
    cr_expect_leq(reading_max, NARROW_STREAMS_MAX);
}

Test(narrow, a_stream_that_fails_leaves_no_file)
{
    struct err err;
    size_t count = 100;
    struct test_rows rows = all_rows(count, SMALL);
    struct row_stream **streams = open_all(&rows, count, STREAM_ROWS / 2);
    cr_assert_not(narrow(streams, &count, NULL, &err));
    cr_assert_lt(count, 100);
    cr_assert_eq(files_in_folder(), 0);
    close_all(streams, count);
    test_rows_done(&rows);
}

Test(narrow, who_stops_it_need_not_wait)
{
    struct err err;
    size_t count = 100;
    atomic_bool stop = true;
    struct test_rows rows = all_rows(count, SMALL);
    struct row_stream **streams = open_all(&rows, count, SIZE_MAX);
    cr_assert_not(narrow(streams, &count, &stop, &err));
    cr_assert_eq(err.kind, ERR_STOPPED);
    cr_assert_eq(files_in_folder(), 0);
    close_all(streams, count);
    test_rows_done(&rows);
}

Test(narrow, streams_without_rows_need_no_file)
{
    struct err err;
    size_t count = 100;
    struct row_stream *streams[100];
    for (size_t i = 0; i < count; i++) {
        streams[i] = counted_new(test_stream_new(NULL, 0));
    }
    cr_assert(narrow(streams, &count, NULL, &err), "%s", err.message);
    cr_assert_leq(count, NARROW_STREAMS_MAX);
    for (size_t i = 0; i < count; i++) {
        row_stream_free(streams[i]);
    }
}

/* ---- a build ---- */

static bool open_counted(struct row_set *set, size_t section, struct row_stream **ret_stream,
                         struct err *err)
{
    TRY(test_set_open(set, section, ret_stream, err));
    *ret_stream = counted_new(*ret_stream);
    return true;
}

/* Of many sets, under a filter that takes all. */
struct story {
    struct test_rows rows;
    size_t set_count;
    struct row_set **sets;
    int64_t cut;
    struct filter_build of;
    struct filter_source from[SOURCES];
    struct filter filter;
    struct build_request request;
};

static void open_story(struct story *story, size_t sets, size_t value_bytes_max)
{
    static const struct row_set_ops ops = {.open = open_counted, .free = test_set_free};
    *story = (struct story){.rows = all_rows(sets, value_bytes_max),
                            .set_count = sets,
                            .sets = calloc(sets, sizeof(struct row_set *)),
                            .cut = INT64_MAX,
                            .of = {.window = 9, .future_bound_us = INT64_MAX}};
    for (size_t i = 0; i < sets; i++) {
        struct test_set *set = test_set_new(ROW_ORDER_OFFSET, SOURCES);
        set->set.ops = &ops;
        test_set_add(set, 0, 0, story->rows.rows + i * STREAM_ROWS, STREAM_ROWS);
        story->sets[i] = &set->set;
    }
    for (size_t i = 0; i < SOURCES; i++) {
        story->from[i] = (struct filter_source){.to = INT64_MAX, .cuts = &story->cut};
    }
    story->filter = (struct filter){.builds = &story->of,
                                    .build_count = 1,
                                    .closed_before = INT64_MIN,
                                    .sources = story->from,
                                    .source_count = SOURCES};
    story->request = (struct build_request){.kv = sqlite_kv(),
                                            .path = arena_format(arena, "%s/shard.db", folder),
                                            .order = ROW_ORDER_OFFSET,
                                            .sources = &sources,
                                            .filter = &story->filter,
                                            .sets = story->sets,
                                            .set_count = sets};
}

static void close_story(struct story *story)
{
    for (size_t i = 0; i < story->set_count; i++) {
        row_set_free(story->sets[i]);
    }
    free(story->sets);
    test_rows_done(&story->rows);
}

static void build(struct story *story, struct build_result *ret_result)
{
    struct err err;
    cr_assert(build_shard(&story->request, ret_result, &err), "%s", err.message);
}

/* As of a member that wrote a local checkpoint every half minute for hours. */
Test(narrow, a_build_reads_few_of_many_spills_at_a_time)
{
    struct story story;
    struct build_result result;
    open_story(&story, 500, SMALL);
    build(&story, &result);
    uint64_t seen = 0;
    for (size_t i = 0; i < SOURCES; i++) {
        seen += result.counts.sources[i].stored + result.counts.sources[i].superseded +
                result.counts.sources[i].tombstones;
    }
    cr_expect_eq(seen, story.rows.count);
    cr_expect_gt(result.rows, 0);
    cr_expect_leq(reading_max, NARROW_STREAMS_MAX);
    cr_expect_eq(files_in_folder(), 1);
    build_result_done(&result);
    close_story(&story);
}

static size_t times_opened(const struct story *story)
{
    size_t opened = 0;
    for (size_t i = 0; i < story->set_count; i++) {
        opened += ((struct test_set *)story->sets[i])->opened;
    }
    return opened;
}

static void read_shard(const struct story *story, struct buf *bytes)
{
    struct err err;
    cr_assert(file_read(story->request.path, bytes, &err), "%s", err.message);
}

/* Of so many streams, those that need not be merged. */
static size_t never_merged(size_t streams)
{
    size_t left = streams;
    for (size_t count = streams; count > NARROW_STREAMS_MAX;) {
        size_t merged = count - NARROW_STREAMS_MAX + 1;
        merged = merged < NARROW_STREAMS_MAX ? merged : NARROW_STREAMS_MAX;
        left -= merged < left ? merged : left;
        count -= merged - 1;
    }
    return left;
}

/* Where the sizes of rows do not tell the page size, all of them are read before they are written:
 * what was merged for that is not merged again. */
Test(narrow, what_is_read_twice_is_merged_once)
{
    static const size_t counts[] = {NARROW_STREAMS_MAX, 100, 2500};
    for (size_t i = 0; i < LENGTH_OF(counts); i++) {
        struct story story;
        struct build_result chosen;
        struct build_result given;
        AUTO(buf) struct buf one;
        AUTO(buf) struct buf other;
        buf_init(&one, SIZE_MAX);
        buf_init(&other, SIZE_MAX);
        open_story(&story, counts[i], 1100);
        build(&story, &chosen);
        cr_assert_gt(chosen.sizes_us, 0, "the page size was known before");
        cr_expect_eq(times_opened(&story), counts[i] + never_merged(counts[i]));
        cr_expect_eq(files_in_folder(), 1);
        read_shard(&story, &one);
        story.request.page_size = chosen.page_size;
        build(&story, &given);
        read_shard(&story, &other);
        cr_expect(bytes_equal(buf_bytes(&one), buf_bytes(&other)));
        build_result_done(&chosen);
        build_result_done(&given);
        close_story(&story);
    }
    cr_expect_leq(reading_max, NARROW_STREAMS_MAX);
}
