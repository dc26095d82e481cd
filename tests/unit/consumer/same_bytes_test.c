/* Is a shard file a function of the rows and the cuts alone, whatever is buffered, spilled or tried
 * again? */
#include <stdio.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/db.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "checkpoint/shards/build.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/rows/shard_buffer.h"
#include "consumer/rows/spill_writer.h"
#include "tests/support/test_rows.h"

enum { SETS_MAX = 64, SHARDS = 3, WINDOWS = 4, SOURCES = 3 };

static char folder[] = "/tmp/tidemark-same-XXXXXX";

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    struct err err;
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
}

TestSuite(same_bytes, .init = make_folder, .fini = remove_folder);

/* The rows of a build, held in some way or other. */
struct sets {
    struct row_set *all[SETS_MAX];
    size_t count;
};

static void sets_done(struct sets *sets)
{
    for (size_t i = 0; i < sets->count; i++) {
        row_set_free(sets->all[i]);
    }
}

static struct row_set *to_disk(struct row_set *set)
{
    static unsigned next;
    char path[200];
    snprintf(path, sizeof path, "%s/%u.spill", folder, next++);
    struct spill_ref ref;
    struct row_set *spill = NULL;
    struct err err = {0};
    cr_assert(spill_write(set, path, false, NULL, &ref, &err), "%s", err.message);
    cr_assert(spill_open_file(path, &spill, &err), "%s", err.message);
    cr_assert_eq(unlink(path), 0);
    spill_ref_done(&ref);
    row_set_free(set);
    return spill;
}

static int64_t window_of_row(const struct row *row)
{
    return (row->event_time_us + 500) * WINDOWS / 1000;
}

static uint32_t shard_of(const struct row *row)
{
    return row->key.size == 0 ? 0 : row->key.data[row->key.size - 1] % SHARDS;
}

/* Every row into one set: of one of some members, in memory or on disk, cut off at random. Each
 * buffer has its own numbers of the sources. */
static void hold(struct sets *sets, const struct test_rows *rows, uint64_t seed,
                 enum row_order order)
{
    struct rng rng;
    rng_init(&rng, seed);
    size_t members = 1 + rng_below(&rng, 3);
    uint32_t spill_chance = (uint32_t)rng_below(&rng, 4) * 2500;
    for (size_t member = 0; member < members; member++) {
        struct shard_buffer *buffer = shard_buffer_new(NULL);
        if (rng_chance(&rng, 500000)) {
            (void)shard_buffer_source(buffer, "another", 5);
        }
        for (size_t i = 0; i < rows->count; i++) {
            struct row row = rows->rows[i];
            /* a partition's rows are read in order, by one member or another */
            if ((row.source + (uint64_t)row.offset / 100) % members != member) {
                continue;
            }
            uint32_t group = shard_of(&row);
            row.source = shard_buffer_source(buffer, "topic", (int32_t)row.source);
            cr_assert(shard_buffer_append(buffer, window_of_row(&row), group, &row));
            if (rng_chance(&rng, spill_chance) && sets->count < SETS_MAX - 4) {
                struct sorted_rows *sorted = shard_buffer_sort(buffer, order);
                sets->all[sets->count++] = rng_chance(&rng, 700000) ? to_disk(&sorted->set)
                                                                    : &sorted->set;
            }
        }
        struct sorted_rows *sorted = shard_buffer_sort(buffer, order);
        if (sorted != NULL) {
            sets->all[sets->count++] = rng_chance(&rng, 300000) ? to_disk(&sorted->set)
                                                                : &sorted->set;
        }
        shard_buffer_free(buffer);
    }
}

/* Two builds: windows 0 and 1 up to the first cuts, the rest up to the second. */
struct plan {
    struct source_table sources;
    struct filter_build builds[2];
    int64_t cuts[SOURCES][2];
    struct filter_source filter_sources[SOURCES];
    struct filter filter;
};

static void make_plan(struct plan *plan, const struct test_rows *rows, size_t build,
                      struct filter_policy policy)
{
    *plan = (struct plan){.builds = {{1, 400}, {WINDOWS, INT64_MAX}}};
    for (int32_t s = 0; s < SOURCES; s++) {
        source_table_add(&plan->sources, "topic", s);
        plan->cuts[s][0] = (int64_t)rows->count / SOURCES / 2;
        plan->cuts[s][1] = (int64_t)rows->count;
        plan->filter_sources[s] =
            (struct filter_source){.from = 0, .to = INT64_MAX, .cuts = plan->cuts[s]};
    }
    plan->filter = (struct filter){
        .builds = plan->builds,
        .build_count = build,
        .closed_before = build == 1 ? INT64_MIN : plan->builds[0].window,
        .sources = plan->filter_sources,
        .source_count = SOURCES,
        .policy = policy,
    };
}

static void build_file(const struct plan *plan, const struct sets *sets, uint32_t shard,
                       enum row_order order, uint32_t page_size, uint64_t cache_bytes,
                       struct kv_file *base, const char *path, struct build_result *ret_result)
{
    struct base_file file = {.rows = base};
    struct build_request request = {
        .kv = sqlite_kv(),
        .path = path,
        .shard = shard,
        .order = order,
        .page_size = page_size,
        .cache_bytes = cache_bytes,
        .sources = &plan->sources,
        .filter = &plan->filter,
        .sets = sets->all,
        .set_count = sets->count,
        .base = &file,
        .base_count = base != NULL,
    };
    struct err err = {0};
    cr_assert(build_shard(&request, ret_result, &err), "%s", err.message);
}

static struct buf content_of(const char *path)
{
    struct buf content;
    struct err err = {0};
    buf_init(&content, 1 << 28);
    cr_assert(file_read(path, &content, &err), "%s", err.message);
    return content;
}

static void check_integrity(const char *path, uint64_t rows)
{
    struct err err = {0};
    sqlite3 *db = NULL;
    cr_assert(db_open_reading(path, &db, &err), "%s", err.message);
    sqlite3_stmt *statement = NULL;
    bool more;
    cr_assert(db_prepare(db, "PRAGMA integrity_check", &statement, &err));
    cr_assert(db_step(statement, &more, &err) && more);
    cr_assert_str_eq(db_text(statement, 0), "ok");
    db_finalize(statement);
    int64_t number;
    cr_assert(db_run_i64(db, "SELECT count(*) FROM kv", &number, &err));
    cr_assert_eq((uint64_t)number, rows);
    cr_assert(db_run_i64(db, "PRAGMA freelist_count", &number, &err));
    cr_assert_eq(number, 0);
    db_close(db);
}

/* The rows of the build by its definition: sorted plainly, first of a key, no tombstones. */
static void check_rows(const struct plan *plan, const struct test_rows *rows, uint32_t shard,
                       enum row_order order, const char *path)
{
    struct row *wanted = malloc((rows->count + 1) * sizeof *wanted);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->rows[i];
        if (shard_of(row) == shard &&
            filter_takes(&plan->filter, filter_row(&plan->filter, window_of_row(row), row->source,
                                                   row->offset, row->event_time_us))) {
            wanted[count++] = *row;
        }
    }
    test_rows_sort(wanted, count, order);
    struct kv_file *file = NULL;
    struct row_stream *stream = NULL;
    struct err err = {0};
    cr_assert(kv_open(sqlite_kv(), path, &file, &err), "%s", err.message);
    cr_assert(kv_rows(file, &stream, &err));
    struct row got;
    bool more;
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].tombstone || (i > 0 && bytes_equal(wanted[i].key, wanted[i - 1].key))) {
            continue;
        }
        cr_assert(row_stream_next(stream, &got, &more, &err) && more);
        cr_assert(bytes_equal(got.key, wanted[i].key));
        cr_assert(bytes_equal(got.value, wanted[i].value));
    }
    cr_assert(row_stream_next(stream, &got, &more, &err) && !more);
    row_stream_free(stream);
    kv_close(file);
    free(wanted);
}

static const struct {
    struct test_rows_plan rows;
    uint32_t page_size;
} cases[] = {
    {{.count = 3000,
      .keys = 900,
      .sources = SOURCES,
      .value_bytes_max = 200,
      .tombstones_per_million = 150000},
     4096},
    {{.count = 1500, .keys = 700, .sources = SOURCES, .key_bytes_max = 60, .value_bytes_max = 3000},
     0},
    {{.count = 400, .keys = 200, .sources = SOURCES, .key_bytes_max = 9, .value_bytes_max = 90000},
     65536},
    {{.count = 60, .keys = 10, .sources = SOURCES, .value_bytes_max = 1200}, 0},
    {{.count = 30, .keys = 5, .sources = SOURCES, .tombstones_per_million = 1000000}, 0},
};

/* Both builds of every shard, from rows held in one way; the files' contents and counts. */
static void build_all(const struct test_rows *rows, size_t number, uint64_t seed,
                      enum row_order order, struct buf contents[2][SHARDS],
                      struct dedupe_source counts[2][SHARDS][SOURCES])
{
    struct sets sets = {0};
    hold(&sets, rows, seed, order);
    struct filter_policy policy = {.take_late = number % 2 == 0, .take_future = true};
    for (size_t build = 1; build <= 2; build++) {
        struct plan plan;
        make_plan(&plan, rows, build, policy);
        for (uint32_t shard = 0; shard < SHARDS; shard++) {
            char path[200];
            snprintf(path, sizeof path, "%s/shard.db", folder);
            struct build_result result;
            build_file(&plan, &sets, shard, order, cases[number].page_size,
                       (seed % 3) << (18 + seed % 5), NULL, path, &result);
            check_integrity(path, result.rows);
            check_rows(&plan, rows, shard, order, path);
            contents[build - 1][shard] = content_of(path);
            cr_assert_eq(contents[build - 1][shard].size, result.file_bytes);
            memcpy(counts[build - 1][shard], result.counts.sources,
                   sizeof counts[build - 1][shard]);
            build_result_done(&result);
        }
        source_table_done(&plan.sources);
    }
    sets_done(&sets);
}

Test(same_bytes, however_rows_are_held)
{
    for (size_t number = 0; number < LENGTH_OF(cases); number++) {
        enum row_order order = number % 2 == 0 ? ROW_ORDER_OFFSET : ROW_ORDER_EVENT_TIME;
        struct test_rows rows = test_rows_make(number, &cases[number].rows);
        struct buf first[2][SHARDS];
        struct dedupe_source first_counts[2][SHARDS][SOURCES];
        build_all(&rows, number, 1, order, first, first_counts);
        for (uint64_t seed = 2; seed < 8; seed++) {
            struct buf again[2][SHARDS];
            struct dedupe_source counts[2][SHARDS][SOURCES];
            build_all(&rows, number, seed, order, again, counts);
            cr_assert_eq(memcmp(counts, first_counts, sizeof counts), 0);
            for (size_t i = 0; i < 2 * SHARDS; i++) {
                struct buf *a = &first[i / SHARDS][i % SHARDS];
                struct buf *b = &again[i / SHARDS][i % SHARDS];
                cr_assert(bytes_equal(buf_bytes(a), buf_bytes(b)), "case %zu, seed %llu, file %zu",
                          number, (unsigned long long)seed, i);
                buf_done(b);
            }
        }
        for (size_t i = 0; i < 2 * SHARDS; i++) {
            buf_done(&first[i / SHARDS][i % SHARDS]);
        }
        test_rows_done(&rows);
    }
}

Test(same_bytes, a_state_built_in_two_steps_has_the_rows_of_one)
{
    /* All rows in one build, or half of them and then the rest over the file of the first half.
     * Window order and offsets agree here, so both are the newest row of each key. */
    struct test_rows_plan kinds = {.count = 2000,
                                   .keys = 600,
                                   .sources = 1,
                                   .value_bytes_max = 100,
                                   .tombstones_per_million = 200000};
    struct test_rows rows = test_rows_make(11, &kinds);
    for (size_t i = 0; i < rows.count; i++) {
        rows.rows[i].event_time_us = i < rows.count / 2 ? -500 : 499;
    }
    char one[200];
    char half[200];
    char two[200];
    snprintf(one, sizeof one, "%s/one.db", folder);
    snprintf(half, sizeof half, "%s/half.db", folder);
    snprintf(two, sizeof two, "%s/two.db", folder);
    struct filter_policy all = {.take_late = true, .take_future = true};
    struct sets sets = {0};
    hold(&sets, &rows, 5, ROW_ORDER_OFFSET);
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        struct plan plan;
        struct build_result result;
        make_plan(&plan, &rows, 1, all);
        plan.builds[0] = (struct filter_build){.window = 1, .future_bound_us = INT64_MAX};
        plan.cuts[0][0] = (int64_t)rows.count / 2;
        build_file(&plan, &sets, shard, ROW_ORDER_OFFSET, 4096, 0, NULL, half, &result);
        build_result_done(&result);
        source_table_done(&plan.sources);

        struct kv_file *base = NULL;
        struct err err = {0};
        make_plan(&plan, &rows, 2, all);
        plan.builds[0] = (struct filter_build){.window = 1, .future_bound_us = INT64_MAX};
        plan.cuts[0][0] = (int64_t)rows.count / 2;
        cr_assert(kv_open(sqlite_kv(), half, &base, &err), "%s", err.message);
        build_file(&plan, &sets, shard, ROW_ORDER_OFFSET, 0, 0, base, two, &result);
        cr_assert_gt(result.counts.base.stored, 0);
        cr_assert_gt(result.counts.base.superseded, 0);
        kv_close(base);
        build_result_done(&result);
        source_table_done(&plan.sources);

        make_plan(&plan, &rows, 1, all);
        plan.builds[0] = (struct filter_build){.window = WINDOWS, .future_bound_us = INT64_MAX};
        plan.cuts[0][0] = (int64_t)rows.count;
        build_file(&plan, &sets, shard, ROW_ORDER_OFFSET, 4096, 0, NULL, one, &result);
        build_result_done(&result);
        source_table_done(&plan.sources);
        struct buf a = content_of(one);
        struct buf b = content_of(two);
        cr_assert(bytes_equal(buf_bytes(&a), buf_bytes(&b)), "shard %u", shard);
        buf_done(&a);
        buf_done(&b);
    }
    sets_done(&sets);
    test_rows_done(&rows);
}
