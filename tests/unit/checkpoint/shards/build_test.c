/* Does a build take the right sections, choose the right page size, and leave nothing when it
 * fails? */
#include "checkpoint/shards/build.h"

#include <stdio.h>
#include <unistd.h>

#include "adapters/sqlite/sqlite_kv.h"
#include "core/snapshot/page_size.h"
#include "tests/support/test_set.h"

enum { SOURCES = 2 };

/* One build of windows up to 9 and all offsets, over one set. */
struct story {
    struct test_set *set;
    struct row_set *sets[1];
    struct source_table sources;
    struct filter_build build;
    int64_t cut;
    struct filter_source filter_sources[SOURCES];
    struct filter filter;
    struct build_request request;
    char path[64];
};

static struct story *story_new(void)
{
    struct story *story = calloc(1, sizeof *story);
    cr_assert_not_null(story);
    strcpy(story->path, "/tmp/tidemark-build-XXXXXX");
    int fd = mkstemp(story->path);
    cr_assert_geq(fd, 0);
    close(fd);
    story->set = test_set_new(ROW_ORDER_OFFSET, SOURCES);
    story->sets[0] = &story->set->set;
    story->build = (struct filter_build){.window = 9, .future_bound_us = INT64_MAX};
    story->cut = INT64_MAX;
    source_table_add_all(&story->sources, &story->set->index.sources);
    for (size_t i = 0; i < SOURCES; i++) {
        story->filter_sources[i] =
            (struct filter_source){.from = 0, .to = INT64_MAX, .cuts = &story->cut};
    }
    story->filter = (struct filter){.builds = &story->build,
                                    .build_count = 1,
                                    .closed_before = INT64_MIN,
                                    .sources = story->filter_sources,
                                    .source_count = SOURCES};
    story->request = (struct build_request){.kv = sqlite_kv(),
                                            .path = story->path,
                                            .order = ROW_ORDER_OFFSET,
                                            .sources = &story->sources,
                                            .filter = &story->filter,
                                            .sets = story->sets,
                                            .set_count = 1};
    return story;
}

static void story_free(struct story *story)
{
    unlink(story->path);
    row_set_free(&story->set->set);
    source_table_done(&story->sources);
    free(story);
}

static struct test_rows some_rows(uint64_t seed, size_t count)
{
    struct test_rows_plan plan = {
        .count = count, .keys = (size_t)1 << 50, .sources = SOURCES, .value_bytes_max = 50};
    return test_rows_make(seed, &plan);
}

Test(build, takes_the_shards_sections_of_all_closed_windows)
{
    struct story *story = story_new();
    struct test_rows rows[8];
    static const struct {
        int64_t window;
        uint32_t group;
    } places[] = {{-3, 0}, {-3, 1}, {2, 1}, {2, 5}, {7, 0}, {9, 1}, {10, 0}, {10, 1}};
    for (size_t i = 0; i < LENGTH_OF(places); i++) {
        rows[i] = some_rows(i, 10 + i);
        test_set_add(story->set, places[i].window, places[i].group, rows[i].rows, rows[i].count);
    }
    static const uint64_t wanted[] = {10 + 14, 11 + 12 + 15, 0, 0, 0, 13, 0};
    for (uint32_t shard = 0; shard < LENGTH_OF(wanted); shard++) {
        struct build_result result;
        struct err err = {0};
        story->request.shard = shard;
        cr_assert(build_shard(&story->request, &result, &err), "%s", err.message);
        cr_assert_eq(result.rows, wanted[shard], "shard %u", shard);
        cr_assert_eq(result.counts.sources[0].stored + result.counts.sources[1].stored,
                     wanted[shard]);
        cr_assert_eq(result.key_min.size > 0, wanted[shard] > 0);
        build_result_done(&result);
    }
    cr_assert_eq(story->set->opened, 6, "sections of later windows are not even opened");
    story_free(story);
    for (size_t i = 0; i < LENGTH_OF(places); i++) {
        test_rows_done(&rows[i]);
    }
}

/* `count` rows with keys 0, 1, … and values of `bytes`. */
struct sized_rows {
    size_t count;
    size_t bytes;
    bool tombstone;
};

static const struct {
    const char *what;
    struct sized_rows parts[3];
    uint32_t page_size;
    bool read_twice;
} sizes[] = {
    {"no rows", {{0}}, 4096, false},
    {"all small", {{100, 900, false}}, 4096, false},
    {"981 + 8 + 12 is 1001, the limit is 1002", {{10, 981, false}}, 4096, false},
    {"one more fits, too", {{10, 982, false}}, 4096, false},
    {"all of one larger size", {{10, 983, false}}, 8192, false},
    {"sizes of one page size", {{10, 1500, false}, {10, 2000, false}}, 8192, false},
    {"the largest twentieth does not count", {{95, 100, false}, {5, 3000, false}}, 4096, true},
    {"one more and it does", {{94, 100, false}, {6, 3000, false}}, 16384, true},
    {"only tombstones", {{10, 0, true}}, 4096, false},
    {"tombstones might leave nothing", {{10, 3000, false}, {1, 0, true}}, 16384, true},
    {"the largest", {{3, 100000, false}}, 65536, false},
};

Test(build, auto_page_size_is_exact_and_mostly_free)
{
    static uint8_t value[100000];
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        struct story *story = story_new();
        struct arena *arena = arena_new(4096);
        struct row *rows = arena_zero(arena, 200 * sizeof *rows);
        size_t count = 0;
        for (size_t part = 0; part < 3; part++) {
            for (size_t k = 0; k < sizes[i].parts[part].count; k++) {
                uint8_t *key = arena_alloc(arena, 8);
                put_u64be(key, count);
                bool tombstone = sizes[i].parts[part].tombstone;
                rows[count++] = (struct row){.key = bytes_of(key, 8),
                                             .value = bytes_of(value, sizes[i].parts[part].bytes),
                                             .offset = (int64_t)count,
                                             .tombstone = tombstone};
            }
        }
        if (count > 0) {
            test_set_add(story->set, 0, 0, rows, count);
        }
        struct build_result result;
        struct err err = {0};
        cr_assert(build_shard(&story->request, &result, &err), "%s", err.message);
        cr_assert_eq(result.page_size, sizes[i].page_size, "%s: %u", sizes[i].what,
                     result.page_size);
        cr_assert_eq(story->set->opened,
                     count == 0            ? 0
                     : sizes[i].read_twice ? 2
                                           : 1,
                     "%s", sizes[i].what);
        cr_assert_eq(result.file_bytes % result.page_size, 0);
        build_result_done(&result);
        story_free(story);
        arena_free(arena);
    }
}

static void expect_failure(struct story *story, enum err_kind kind)
{
    struct build_result result;
    struct err err = {0};
    cr_assert(!build_shard(&story->request, &result, &err));
    cr_assert_eq(err.kind, kind, "%s", err.message);
    cr_assert_neq(access(story->path, F_OK), 0, "a file is left");
}

Test(build, failures_leave_nothing_and_a_retry_works)
{
    struct story *story = story_new();
    struct test_rows rows = some_rows(1, 3000);
    test_set_add(story->set, 0, 0, rows.rows, rows.count);
    for (uint32_t page_size = 0; page_size <= 4096; page_size += 4096) {
        story->request.page_size = page_size;
        story->set->fail_at = 2000;
        expect_failure(story, ERR_TRANSIENT);
        story->set->fail_at = SIZE_MAX;
        atomic_bool stop = true;
        story->request.stop = &stop;
        expect_failure(story, ERR_STOPPED);
        atomic_store(&stop, false);
        struct build_result result;
        struct err err = {0};
        cr_assert(build_shard(&story->request, &result, &err), "%s", err.message);
        cr_assert_eq(result.rows, rows.count);
        build_result_done(&result);
        cr_assert(build_shard(&story->request, &result, &err), "over its own file: %s",
                  err.message);
        build_result_done(&result);
        story->request.stop = NULL;
    }
    story->request.path = "/tmp/tidemark-no-such-folder/shard.db";
    struct build_result result;
    struct err err = {0};
    cr_assert(!build_shard(&story->request, &result, &err));
    cr_assert_eq(err.kind, ERR_MISSING, "%s", err.message);
    story_free(story);
    test_rows_done(&rows);
}
