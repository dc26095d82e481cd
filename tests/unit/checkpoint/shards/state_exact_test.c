/* With exact order: is a state that grew build by build, with late records, deletions and other
 * numbers of shards on the way, the same as one made of all its records at once, byte for byte, and
 * are their order objects? */
#include <stdio.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "checkpoint/shards/build.h"
#include "checkpoint/spill/order_file.h"
#include "core/route/hash.h"
#include "tests/support/test_set.h"

enum { SOURCES = 3, SHARDS_MOST = 5, ROUNDS = 6, OFFSETS_A_ROUND = 1000, SEEDS = 40 };

static char folder[] = "/tmp/tidemark-exact-XXXXXX";

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    struct err err;
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
}

TestSuite(state_exact, .init = make_folder, .fini = remove_folder);

static uint32_t shard_of(struct bytes key, uint32_t shards)
{
    return (uint32_t)(hash_routing(key) % shards);
}

static const char *path_of(char path[200], const char *what, uint32_t round, uint32_t shard,
                           const char *suffix)
{
    snprintf(path, 200, "%s/%s-%u-%u.%s", folder, what, round, shard, suffix);
    return path;
}

/* The sources of one build: some of three; a topic may come and go. */
struct sources {
    struct source_table table;
    struct filter_build build;
    int64_t cut;
    struct filter_source filter_sources[SOURCES];
    struct filter filter;
};

static void sources_init(struct sources *sources, uint32_t mask)
{
    *sources =
        (struct sources){.build = {.window = 9, .future_bound_us = INT64_MAX}, .cut = INT64_MAX};
    for (int32_t i = 0; i < SOURCES; i++) {
        if ((mask >> i & 1) != 0) {
            source_table_add(&sources->table, "topic", i);
        }
        sources->filter_sources[i] =
            (struct filter_source){.from = 0, .to = INT64_MAX, .cuts = &sources->cut};
    }
    sources->filter = (struct filter){.builds = &sources->build,
                                      .build_count = 1,
                                      .closed_before = INT64_MIN,
                                      .sources = sources->filter_sources,
                                      .source_count = sources->table.count};
}

/* Records of one build: offsets go on, sources are of the mask, event times jump about. */
static struct test_rows make_rows(struct rng *rng, uint64_t seed, uint32_t round, uint32_t mask)
{
    uint32_t of[SOURCES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < SOURCES; i++) {
        if ((mask >> i & 1) != 0) {
            of[count++] = i;
        }
    }
    struct test_rows_plan plan = {.count = rng_below(rng, round == 0 ? 250 : 90),
                                  .keys = 120,
                                  .sources = count,
                                  .key_bytes_max = 10,
                                  .value_bytes_max = 1 + rng_below(rng, 1500),
                                  .tombstones_per_million = (uint32_t)rng_below(rng, 4) * 250000};
    struct test_rows rows = test_rows_make(seed * ROUNDS + round, &plan);
    for (size_t i = 0; i < rows.count; i++) {
        rows.rows[i].source = of[rows.rows[i].source];
        rows.rows[i].offset += (int64_t)round * OFFSETS_A_ROUND;
    }
    return rows;
}

/* The rows of the builds [from, to) that are of the shard, as one set; NULL: there are none. */
static struct test_set *rows_of(const struct test_rows *rows, uint32_t from, uint32_t to,
                                uint32_t shard, uint32_t shards, enum row_order order,
                                struct arena *arena)
{
    size_t most = 0;
    size_t count = 0;
    for (uint32_t r = from; r < to; r++) {
        most += rows[r].count;
    }
    struct row *mine = arena_zero(arena, (most + 1) * sizeof *mine);
    for (uint32_t r = from; r < to; r++) {
        for (size_t i = 0; i < rows[r].count; i++) {
            if (shard_of(rows[r].rows[i].key, shards) == shard) {
                mine[count++] = rows[r].rows[i];
            }
        }
    }
    if (count == 0) {
        return NULL;
    }
    struct test_set *set = test_set_new(order, SOURCES);
    test_set_add(set, 0, shard, mine, count);
    return set;
}

struct story {
    enum row_order order;
    uint32_t page_size;
    uint32_t shards;
    uint32_t old_shards;
    uint32_t round;
};

static size_t open_base(const struct story *story, uint32_t shard, struct base_file *files)
{
    size_t count = 0;
    for (uint32_t old = 0; story->round > 0 && old < story->old_shards; old++) {
        bool mine = story->old_shards == story->shards
                        ? old == shard
                        : base_rows_may_share(shard, story->shards, old, story->old_shards);
        char path[200];
        struct err err = {0};
        path_of(path, "grown", story->round - 1, old, "order");
        if (!mine || access(path, F_OK) != 0) {
            continue;
        }
        cr_assert(order_file_open(path, &files[count].order, &err), "%s", err.message);
        path_of(path, "grown", story->round - 1, old, "db");
        cr_assert(access(path, F_OK) != 0 || kv_open(sqlite_kv(), path, &files[count].rows, &err),
                  "%s", err.message);
        count++;
    }
    return count;
}

/* One build of one shard, as a shard job does it: no file where no row is left. */
static void build(const struct story *story, const char *what, uint32_t shard,
                  const struct sources *sources, struct test_set *rows,
                  const struct base_file *base, size_t base_count, struct build_result *result)
{
    struct sharding sharding = {.strategy = SHARDING_HASH};
    struct router router;
    struct err err = {0};
    char path[200];
    char order_path[200];
    struct row_set *set = rows == NULL ? NULL : &rows->set;
    cr_assert(route_init(&router, &sharding, story->shards, 0, false, &err), "%s", err.message);
    struct base_rule rule = {.router = &router,
                             .num_dbs = story->shards,
                             .shard = shard,
                             .from = KEY_ENCODING_RAW,
                             .to = KEY_ENCODING_RAW};
    struct build_request request = {.kv = sqlite_kv(),
                                    .path = path_of(path, what, story->round, shard, "db"),
                                    .order_path =
                                        path_of(order_path, what, story->round, shard, "order"),
                                    .exact = true,
                                    .shard = shard,
                                    .order = story->order,
                                    .page_size = story->page_size,
                                    .sources = &sources->table,
                                    .filter = &sources->filter,
                                    .sets = &set,
                                    .set_count = set != NULL,
                                    .base = base,
                                    .base_count = base_count,
                                    .base_rule = story->old_shards == story->shards ? NULL : &rule};
    cr_assert(build_shard(&request, result, &err), "%s", err.message);
    if (result->rows == 0) {
        cr_assert_eq(unlink(path), 0);
    }
    cr_assert_eq(access(order_path, F_OK) == 0, result->order_bytes > 0);
    route_done(&router);
}

static void expect_same(const struct story *story, uint64_t seed, uint32_t shard,
                        const char *suffix)
{
    char grown[200];
    char once[200];
    struct buf a;
    struct buf b;
    struct err err = {0};
    path_of(grown, "grown", story->round, shard, suffix);
    path_of(once, "once", story->round, shard, suffix);
    cr_assert_eq(access(grown, F_OK), access(once, F_OK));
    if (access(grown, F_OK) != 0) {
        return;
    }
    buf_init(&a, 1 << 26);
    buf_init(&b, 1 << 26);
    cr_assert(file_read(grown, &a, &err) && file_read(once, &b, &err), "%s", err.message);
    cr_assert(bytes_equal(buf_bytes(&a), buf_bytes(&b)), "seed %llu, build %u, shard %u: .%s",
              (unsigned long long)seed, story->round, shard, suffix);
    buf_done(&a);
    buf_done(&b);
}

/* What R6 says, by the plainest means: the newest record of every key, of all that ever came. */
static uint64_t keys_alive(const struct test_rows *rows, uint32_t rounds, enum row_order order)
{
    uint64_t alive = 0;
    for (uint32_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < rows[r].count; i++) {
            const struct row *row = &rows[r].rows[i];
            bool newest = !row->tombstone;
            for (uint32_t s = 0; newest && s < rounds; s++) {
                for (size_t k = 0; newest && k < rows[s].count; k++) {
                    const struct row *other = &rows[s].rows[k];
                    newest = !bytes_equal(other->key, row->key) ||
                             row_compare_age(order, row, other) >= 0;
                }
            }
            alive += newest;
        }
    }
    return alive;
}

static void build_round(struct story *story, uint64_t seed, const struct test_rows *rows,
                        uint32_t mask, struct arena *arena)
{
    struct sources mine;
    struct sources all;
    uint64_t counted = 0;
    uint64_t total = 0;
    sources_init(&mine, mask);
    sources_init(&all, (1u << SOURCES) - 1);
    for (uint32_t shard = 0; shard < story->shards; shard++) {
        struct build_result result;
        struct base_file files[SHARDS_MOST] = {{0}};
        size_t count = open_base(story, shard, files);
        struct test_set *set = rows_of(rows, story->round, story->round + 1, shard, story->shards,
                                       story->order, arena);
        build(story, "grown", shard, &mine, set, files, count, &result);
        cr_assert_eq(result.counts.source_count, mine.table.count);
        for (uint32_t i = 0; i < mine.table.count; i++) { /* the account is of this build alone */
            counted += result.counts.sources[i].stored + result.counts.sources[i].superseded +
                       result.counts.sources[i].tombstones;
        }
        total += result.rows;
        build_result_done(&result);
        for (size_t i = 0; i < count; i++) {
            kv_close(files[i].rows);
            row_set_free(files[i].order);
        }
        row_set_free(set == NULL ? NULL : &set->set);
        struct test_set *ever =
            rows_of(rows, 0, story->round + 1, shard, story->shards, story->order, arena);
        build(story, "once", shard, &all, ever, NULL, 0, &result);
        build_result_done(&result);
        row_set_free(ever == NULL ? NULL : &ever->set);
        expect_same(story, seed, shard, "db");
        expect_same(story, seed, shard, "order");
    }
    cr_assert_eq(counted, rows[story->round].count);
    cr_assert_eq(total, keys_alive(rows, story->round + 1, story->order));
    source_table_done(&mine.table);
    source_table_done(&all.table);
}

static void tell_story(uint64_t seed)
{
    static const uint32_t page_sizes[] = {0, 0, 4096, 16384};
    struct rng rng;
    rng_init(&rng, seed);
    struct story story = {.order = seed % 2 == 0 ? ROW_ORDER_OFFSET : ROW_ORDER_EVENT_TIME,
                          .page_size = page_sizes[rng_below(&rng, 4)],
                          .shards = 1 + (uint32_t)rng_below(&rng, SHARDS_MOST)};
    struct test_rows rows[ROUNDS];
    struct arena *arena = arena_new(1 << 16);
    for (; story.round < ROUNDS; story.round++) {
        uint32_t mask = 1 + (uint32_t)rng_below(&rng, (1 << SOURCES) - 1);
        rows[story.round] = make_rows(&rng, seed, story.round, mask);
        story.old_shards = story.shards;
        if (story.round > 0 && rng_below(&rng, 3) == 0) {
            story.shards = 1 + (uint32_t)rng_below(&rng, SHARDS_MOST);
        }
        build_round(&story, seed, rows, mask, arena);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        test_rows_done(&rows[i]);
    }
    arena_free(arena);
}

Test(state_exact, grown_is_made_at_once)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tell_story(seed);
        remove_folder();
        cr_assert(file_make_folders(folder, &(struct err){0}));
    }
}

/* ---- rows from before orders were kept; what does not belong together ---- */

static void write_file(const char *path, const struct row *rows, size_t count)
{
    struct kv_write_request request = {.path = path, .page_size = 4096};
    struct kv_written written;
    struct err err = {0};
    AUTO(buf) struct buf low;
    AUTO(buf) struct buf high;
    buf_init(&low, 1 << 20);
    buf_init(&high, 1 << 20);
    struct row_stream *stream = test_stream_new(rows, count);
    cr_assert(kv_write(sqlite_kv(), &request, stream, &written, &low, &high, &err), "%s",
              err.message);
    row_stream_free(stream);
}

static void write_order(const char *path, const struct row *rows, size_t count,
                        const struct source_table *sources)
{
    struct order_writer *writer = NULL;
    struct err err = {0};
    uint64_t written = 0;
    uint64_t bytes = 0;
    cr_assert(order_writer_new(path, ROW_ORDER_EVENT_TIME, 0, sources, true, &writer, &err), "%s",
              err.message);
    for (size_t i = 0; i < count; i++) {
        cr_assert(order_writer_add(writer, &rows[i], &err), "%s", err.message);
    }
    cr_assert(order_writer_finish(writer, &written, &bytes, &err), "%s", err.message);
    cr_assert_eq(written, count);
    order_writer_free(writer);
}

Test(state_exact, a_row_of_unknown_order_is_the_oldest)
{
    struct story story = {
        .order = ROW_ORDER_EVENT_TIME, .page_size = 4096, .shards = 1, .old_shards = 1};
    struct row before[] = {
        {.key = bytes_of_text("a"), .value = bytes_of_text("before")},
        {.key = bytes_of_text("b"), .value = bytes_of_text("before")},
    };
    struct row late = {.key = bytes_of_text("a"),
                       .value = bytes_of_text("late"),
                       .event_time_us = INT64_MIN + 1,
                       .source = 1};
    struct err err = {0};
    char path[200];
    struct sources sources;
    sources_init(&sources, (1u << SOURCES) - 1);
    struct base_file base = {0};
    write_file(path_of(path, "base", 0, 0, "db"), before, LENGTH_OF(before));
    cr_assert(kv_open(sqlite_kv(), path, &base.rows, &err), "%s", err.message);
    struct test_set *set = test_set_new(story.order, SOURCES);
    test_set_add(set, 0, 0, &late, 1);
    struct build_result result;
    build(&story, "first", 0, &sources, set, &base, 1, &result);
    cr_assert_eq(result.rows, 2);
    cr_assert_eq(result.counts.base.superseded, 1);
    build_result_done(&result);
    kv_close(base.rows);
    /* in the next build, `b` is still older than anything; its order object says so */
    cr_assert(kv_open(sqlite_kv(), path_of(path, "first", 0, 0, "db"), &base.rows, &err));
    cr_assert(order_file_open(path_of(path, "first", 0, 0, "order"), &base.order, &err));
    cr_assert_eq(base.order->index->sources.count, 2);
    cr_assert_str_eq(base.order->index->sources.names[0].topic, ORDER_UNKNOWN_TOPIC);
    struct row later[] = {late, late};
    later[0].offset = later[1].offset = 7; /* newer than the late one, by its offset alone */
    later[1].key = bytes_of_text("b");
    struct test_set *next = test_set_new(story.order, SOURCES);
    test_set_add(next, 0, 0, later, LENGTH_OF(later));
    build(&story, "second", 0, &sources, next, &base, 1, &result);
    cr_assert_eq(result.counts.base.superseded, 2);
    cr_assert_eq(result.counts.sources[1].stored, 2);
    build_result_done(&result);
    kv_close(base.rows);
    row_set_free(base.order);
    row_set_free(&set->set);
    row_set_free(&next->set);
    source_table_done(&sources.table);
}

Test(state_exact, file_and_order_that_differ_are_refused)
{
    static const char *const of_file[] = {"a", "b", "d", ""};
    static const char *const of_order[] = {"a", "b", "c", ""};
    struct err err = {0};
    char file_path[200];
    char order_path[200];
    struct source_table sources = {0};
    source_table_add(&sources, "topic", 0);
    path_of(file_path, "odd", 0, 0, "db");
    path_of(order_path, "odd", 0, 0, "order");
    for (size_t i = 0; i < 3; i++) { /* another key; a key too few; a key too many */
        struct row rows[3];
        struct row orders[3];
        size_t row_count = i == 1 ? 2 : 3;
        size_t order_count = i == 2 ? 2 : 3;
        for (size_t k = 0; k < 3; k++) {
            rows[k] = (struct row){.key = bytes_of_text(of_file[k]), .value = bytes_of_text("v")};
            orders[k] = (struct row){.key = bytes_of_text(of_order[k]), .offset = (int64_t)k};
        }
        write_file(file_path, rows, row_count);
        write_order(order_path, orders, order_count, &sources);
        struct base_file base = {0};
        cr_assert(kv_open(sqlite_kv(), file_path, &base.rows, &err), "%s", err.message);
        cr_assert(order_file_open(order_path, &base.order, &err), "%s", err.message);
        uint32_t map[] = {0, 0};
        struct row_stream *stream = NULL;
        cr_assert(base_rows_open(&base, map, NULL, &stream, &err), "%s", err.message);
        bool more = true;
        bool ok = true;
        while (ok && more) {
            struct row row;
            ok = row_stream_next(stream, &row, &more, &err);
        }
        cr_assert(!ok && err.kind == ERR_CORRUPT, "case %zu", i);
        row_stream_free(stream);
        kv_close(base.rows);
        row_set_free(base.order);
        cr_assert(unlink(file_path) == 0 && unlink(order_path) == 0);
    }
    source_table_done(&sources);
}
