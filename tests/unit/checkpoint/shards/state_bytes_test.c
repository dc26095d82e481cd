/* Is a state that grew build by build the same file, byte for byte, as one made of all its rows at
 * once? */
#include <stdio.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "checkpoint/shards/build.h"
#include "core/route/hash.h"
#include "core/snapshot/page_size.h"
#include "tests/support/test_set.h"

enum { SOURCES = 3, SHARDS_MAX_HERE = 6, ROUNDS = 7, SETS = 3 };

static char folder[] = "/tmp/tidemark-state-XXXXXX";

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    struct err err;
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
}

TestSuite(state_bytes, .init = make_folder, .fini = remove_folder);

/* By the hash of the key; or by an expression, which sees bytes up to their first NUL. */
static bool by_expression;

static uint32_t shard_of(struct bytes key, uint32_t shards)
{
    const uint8_t *nul = key.size == 0 ? NULL : memchr(key.data, 0, key.size);
    if (by_expression && nul != NULL) {
        key.size = (size_t)(nul - key.data);
    }
    return (uint32_t)(hash_routing(key) % shards);
}

/* What the state is by its definition: the newest row of each key, a later round before an earlier
 * one. */
struct known {
    struct row rows[4096]; /* keys ascending; tombstones are not kept */
    size_t count;
};

static size_t place_of(const struct known *known, struct bytes key)
{
    size_t at = 0;
    while (at < known->count && bytes_compare(known->rows[at].key, key) < 0) {
        at++;
    }
    return at;
}

static void know(struct known *known, const struct row *row)
{
    size_t at = place_of(known, row->key);
    bool there = at < known->count && bytes_equal(known->rows[at].key, row->key);
    if (row->tombstone) {
        if (there) {
            memmove(&known->rows[at], &known->rows[at + 1], (known->count - at - 1) * sizeof *row);
            known->count--;
        }
        return;
    }
    if (!there) {
        cr_assert_lt(known->count, LENGTH_OF(known->rows));
        memmove(&known->rows[at + 1], &known->rows[at], (known->count - at) * sizeof *row);
        known->count++;
    }
    known->rows[at] = *row;
}

/* Rows of one round, oldest first by the order, become known. */
static void know_round(struct known *known, const struct test_rows *rows, enum row_order order)
{
    struct row *sorted = malloc((rows->count + 1) * sizeof *sorted);
    memcpy(sorted, rows->rows, rows->count * sizeof *sorted);
    for (size_t i = 1; i < rows->count; i++) { /* by age alone */
        struct row row = sorted[i];
        size_t at = i;
        for (; at > 0 && row_compare_age(order, &sorted[at - 1], &row) > 0; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = row;
    }
    for (size_t i = 0; i < rows->count; i++) {
        know(known, &sorted[i]);
    }
    free(sorted);
}

static void all_at_once(const struct known *known, uint32_t shard, uint32_t shards,
                        uint32_t page_size, const char *path)
{
    struct row *mine = malloc((known->count + 1) * sizeof *mine);
    size_t count = 0;
    struct page_size_stats *stats = calloc(1, sizeof *stats);
    for (size_t i = 0; i < known->count; i++) {
        if (shard_of(known->rows[i].key, shards) == shard) {
            mine[count++] = known->rows[i];
            page_size_add(stats, known->rows[i].key.size, known->rows[i].value.size);
        }
    }
    struct kv_write_request request = {
        .path = path, .page_size = page_size != 0 ? page_size : page_size_auto(stats, 0)};
    struct kv_written written;
    struct buf low;
    struct buf high;
    struct err err = {0};
    buf_init(&low, 1 << 20);
    buf_init(&high, 1 << 20);
    struct row_stream *stream = test_stream_new(mine, count);
    cr_assert(kv_write(sqlite_kv(), &request, stream, &written, &low, &high, &err), "%s",
              err.message);
    row_stream_free(stream);
    buf_done(&low);
    buf_done(&high);
    free(stats);
    free(mine);
}

/* Rows of a round by shard, dealt out over some sets as over members and spills. */
static void deal(struct test_set *sets[SETS], const struct test_rows *rows, uint32_t shards,
                 enum row_order order, struct rng *rng, struct arena *arena)
{
    struct row *of[SETS][SHARDS_MAX_HERE];
    size_t counts[SETS][SHARDS_MAX_HERE] = {{0}};
    for (size_t s = 0; s < SETS; s++) {
        sets[s] = test_set_new(order, SOURCES);
        for (uint32_t g = 0; g < shards; g++) {
            of[s][g] = arena_zero(arena, (rows->count + 1) * sizeof(struct row));
        }
    }
    for (size_t i = 0; i < rows->count; i++) {
        size_t s = rng_below(rng, SETS);
        uint32_t g = shard_of(rows->rows[i].key, shards);
        of[s][g][counts[s][g]++] = rows->rows[i];
    }
    for (size_t s = 0; s < SETS; s++) {
        for (uint32_t g = 0; g < shards; g++) {
            if (counts[s][g] > 0) {
                test_set_add(sets[s], 0, g, of[s][g], counts[s][g]);
            }
        }
    }
}

struct history {
    enum row_order order;
    uint32_t page_size;
    uint32_t shards;
    uint32_t round;
    struct source_table sources;
    struct filter_build build;
    int64_t cut;
    struct filter_source filter_sources[SOURCES];
    struct filter filter;
};

static void history_init(struct history *history)
{
    history->build = (struct filter_build){.window = 9, .future_bound_us = INT64_MAX};
    history->cut = INT64_MAX;
    for (int32_t i = 0; i < SOURCES; i++) {
        source_table_add(&history->sources, "topic", i);
        history->filter_sources[i] =
            (struct filter_source){.from = 0, .to = INT64_MAX, .cuts = &history->cut};
    }
    history->filter = (struct filter){.builds = &history->build,
                                      .build_count = 1,
                                      .closed_before = INT64_MIN,
                                      .sources = history->filter_sources,
                                      .source_count = SOURCES};
}

static const char *path_of(char path[200], const char *what, uint32_t round, uint32_t shard)
{
    snprintf(path, 200, "%s/%s-%u-%u.db", folder, what, round, shard);
    return path;
}

/* The files of the round before: the shard's own, or, where their number changed, all that may
 * share keys. */
static size_t open_base(const struct history *history, uint32_t shard, uint32_t old_shards,
                        struct base_file *files)
{
    size_t count = 0;
    for (uint32_t old = 0; history->round > 0 && old < old_shards; old++) {
        bool mine = old_shards == history->shards
                        ? old == shard
                        : by_expression ||
                              base_rows_may_share(shard, history->shards, old, old_shards);
        char path[200];
        struct err err = {0};
        if (mine) {
            cr_assert(kv_open(sqlite_kv(), path_of(path, "state", history->round - 1, old),
                              &files[count++].rows, &err),
                      "%s", err.message);
        }
    }
    return count;
}

static uint64_t grow(const struct history *history, uint32_t shard, uint32_t old_shards,
                     struct test_set *sets[SETS], uint64_t *ret_counted)
{
    struct base_file files[SHARDS_MAX_HERE] = {{0}};
    struct row_set *all[SETS];
    for (size_t i = 0; i < SETS; i++) {
        all[i] = &sets[i]->set;
    }
    char expression[64];
    snprintf(expression, sizeof expression, "shard_hash(key) %% %uu", history->shards);
    struct sharding_column column = {.name = "key", .type = COLUMN_BYTES};
    struct sharding sharding = {.strategy = SHARDING_HASH};
    if (by_expression) {
        sharding = (struct sharding){.strategy = SHARDING_CEL,
                                     .cel_expr = expression,
                                     .columns = &column,
                                     .column_count = 1};
    }
    struct router router;
    struct err err = {0};
    cr_assert(route_init(&router, &sharding, history->shards, 0, false, &err), "%s", err.message);
    struct base_rule rule = {.router = &router,
                             .num_dbs = history->shards,
                             .shard = shard,
                             .from = KEY_ENCODING_RAW,
                             .to = KEY_ENCODING_RAW};
    char path[200];
    struct build_request request = {.kv = sqlite_kv(),
                                    .path = path_of(path, "state", history->round, shard),
                                    .shard = shard,
                                    .order = history->order,
                                    .page_size = history->page_size,
                                    .sources = &history->sources,
                                    .filter = &history->filter,
                                    .sets = all,
                                    .set_count = SETS,
                                    .base = files,
                                    .base_count = open_base(history, shard, old_shards, files),
                                    .base_rule = old_shards == history->shards ? NULL : &rule};
    struct build_result result;
    cr_assert(build_shard(&request, &result, &err), "%s", err.message);
    for (size_t i = 0; i < request.base_count; i++) {
        kv_close(files[i].rows);
    }
    for (uint32_t i = 0; i < SOURCES; i++) { /* the account (R1) is of the new rows alone */
        *ret_counted += result.counts.sources[i].stored + result.counts.sources[i].superseded +
                        result.counts.sources[i].tombstones;
    }
    uint64_t rows = result.rows;
    build_result_done(&result);
    route_done(&router);
    return rows;
}

static void expect_same_file(const char *path, const char *wanted, uint64_t seed, uint32_t round,
                             uint32_t shard)
{
    struct buf a;
    struct buf b;
    struct err err = {0};
    buf_init(&a, 1 << 26);
    buf_init(&b, 1 << 26);
    cr_assert(file_read(path, &a, &err) && file_read(wanted, &b, &err), "%s", err.message);
    cr_assert(bytes_equal(buf_bytes(&a), buf_bytes(&b)), "seed %llu, round %u, shard %u differs",
              (unsigned long long)seed, round, shard);
    buf_done(&a);
    buf_done(&b);
}

static void tell_history(uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed);
    static const uint32_t page_sizes[] = {0, 0, 4096, 16384};
    struct history history = {.order = rng_below(&rng, 2) == 0 ? ROW_ORDER_OFFSET
                                                               : ROW_ORDER_EVENT_TIME,
                              .page_size = page_sizes[rng_below(&rng, 4)],
                              .shards = 1 + (uint32_t)rng_below(&rng, SHARDS_MAX_HERE)};
    history_init(&history);
    struct known *known = calloc(1, sizeof *known);
    struct test_rows rows[ROUNDS];
    struct arena *arena = arena_new(1 << 16);
    for (; history.round < ROUNDS; history.round++) {
        uint32_t round = history.round;
        struct test_rows_plan plan = {.count = rng_below(&rng, round == 0 ? 400 : 120),
                                      .keys = 300,
                                      .sources = SOURCES,
                                      .key_bytes_max = 12,
                                      .value_bytes_max = 1 + rng_below(&rng, 2500),
                                      .tombstones_per_million =
                                          (uint32_t)rng_below(&rng, 3) * 300000};
        rows[round] = test_rows_make(seed * ROUNDS + round, &plan);
        know_round(known, &rows[round], history.order);
        uint32_t old_shards = history.shards;
        if (round > 0 && rng_below(&rng, 3) == 0) {
            history.shards = 1 + (uint32_t)rng_below(&rng, SHARDS_MAX_HERE);
        }
        struct test_set *sets[SETS];
        deal(sets, &rows[round], history.shards, history.order, &rng, arena);
        uint64_t counted = 0;
        uint64_t total = 0;
        for (uint32_t shard = 0; shard < history.shards; shard++) {
            char path[200];
            char wanted[200];
            total += grow(&history, shard, old_shards, sets, &counted);
            all_at_once(known, shard, history.shards, history.page_size,
                        path_of(wanted, "once", round, shard));
            expect_same_file(path_of(path, "state", round, shard), wanted, seed, round, shard);
        }
        cr_assert_eq(counted, rows[round].count);
        cr_assert_eq(total, known->count);
        for (size_t i = 0; i < SETS; i++) {
            row_set_free(&sets[i]->set);
        }
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        test_rows_done(&rows[i]);
    }
    source_table_done(&history.sources);
    arena_free(arena);
    free(known);
}

Test(state_bytes, grown_is_made_at_once)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        by_expression = seed > 40;
        tell_history(seed);
        remove_folder();
        cr_assert_eq(file_make_folders(folder, &(struct err){0}), true);
    }
}

/* What an expression of today says of a key that was there before it. */
static bool read_base(const char *expression, uint32_t num_dbs, struct err *err)
{
    char path[200];
    struct sharding_column column = {.name = "key", .type = COLUMN_STRING};
    struct sharding sharding = {
        .strategy = SHARDING_CEL, .cel_expr = expression, .columns = &column, .column_count = 1};
    struct router router;
    cr_assert(route_init(&router, &sharding, num_dbs, 0, false, err), "%s", err->message);
    struct row row = {.key = bytes_of_text("alpha"), .value = bytes_of_text("1")};
    struct kv_write_request request = {.path = path_of(path, "base", 0, num_dbs),
                                       .page_size = 4096};
    struct kv_written written;
    AUTO(buf) struct buf low;
    AUTO(buf) struct buf high;
    buf_init(&low, 1 << 20);
    buf_init(&high, 1 << 20);
    struct row_stream *stream = test_stream_new(&row, 1);
    cr_assert(kv_write(sqlite_kv(), &request, stream, &written, &low, &high, err), "%s",
              err->message);
    row_stream_free(stream);
    struct base_rule rule = {.router = &router,
                             .num_dbs = 2,
                             .shard = 1,
                             .from = KEY_ENCODING_UTF8,
                             .to = KEY_ENCODING_UTF8};
    struct base_file file = {0};
    cr_assert(kv_open(sqlite_kv(), path, &file.rows, err), "%s", err->message);
    cr_assert(base_rows_open(&file, NULL, &rule, &stream, err), "%s", err->message);
    bool more = false;
    bool ok = row_stream_next(stream, &row, &more, err);
    row_stream_free(stream);
    kv_close(file.rows);
    cr_assert_eq(unlink(path), 0);
    route_done(&router);
    cr_assert(!ok || more);
    return ok;
}

Test(state_bytes, a_base_key_without_a_shard)
{
    struct err err = {0};
    cr_assert(read_base("size(key) - 4", 2, &err), "%s", err.message);
    cr_assert_not(read_base("size(key)", 2, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    cr_assert_str_eq(err.message, "the key \"alpha\" of the base: there is no shard 5");
    err = (struct err){0};
    cr_assert_not(read_base("size(key)", 0, &err)); /* an expression may say how many there are */
    cr_assert_str_eq(err.message, "the key \"alpha\" of the base: there is no shard 5");
    err = (struct err){0};
    cr_assert_not(read_base("10 / (size(key) - 5)", 2, &err));
    cr_assert(strstr(err.message, "the key \"alpha\" of the base: the routing expression: ") !=
                  NULL,
              "%s", err.message);
}

Test(state_bytes, shards_that_may_share_keys)
{
    uint32_t counts[] = {1, 2, 3, 4, 6, 8, 12};
    for (size_t a = 0; a < LENGTH_OF(counts); a++) {
        for (size_t b = 0; b < LENGTH_OF(counts); b++) {
            for (uint64_t hash = 0; hash < 1000; hash++) {
                cr_assert(base_rows_may_share((uint32_t)(hash % counts[a]), counts[a],
                                              (uint32_t)(hash % counts[b]), counts[b]));
            }
        }
    }
    cr_assert_not(base_rows_may_share(3, 4, 0, 2));
    cr_assert(base_rows_may_share(3, 4, 1, 2));
    cr_assert(base_rows_may_share(2, 3, 0, 2));
}
