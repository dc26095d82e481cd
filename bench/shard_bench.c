/* What turning rows into a shard file costs, against SQLite fed with the same rows in key order.
 *
 *     shard_bench [rows] [rounds] [folder]
 *
 * In one process, in turns: ours: rows with random 8-byte keys and 100-byte values are buffered,
 * sorted and spilled several times, then merged and written as one shard file. Plain: the same
 * rows, sorted beforehand, go through one prepared INSERT in one transaction, into the same table
 * with the same pragmas. CPU is the user and system time of the process (getrusage). The values are
 * random bytes, or, in a second pass, text that compresses. Progress goes to standard error, lines
 * of "name: value" to standard output; ratios are of medians. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/db.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "checkpoint/shards/build.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/rows/shard_buffer.h"
#include "consumer/rows/spill_writer.h"
#include "core/base/rng.h"

enum { KEY_SIZE = 8, VALUE_SIZE = 100, SPILLS = 4, ROUNDS_MAX = 100, PATH_BYTES = 4096 };

struct bench {
    size_t rows;
    size_t rounds;
    const char *folder;
    uint8_t *keys;    /* in the order they come in */
    uint8_t *values;  /* of each key */
    uint8_t **sorted; /* the keys, ascending: the place in `keys` tells the value */
};

enum phase { BUFFER, SORT, SPILL, MERGE_AND_WRITE, PHASES };

struct times {
    double phases[PHASES];
    double ours;
    double plain;
};

static void give_up(const char *doing, const struct err *err)
{
    fprintf(stderr, "shard_bench: %s: %s\n", doing, err->message);
    exit(1);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static struct bytes value_of(const struct bench *bench, const uint8_t *key)
{
    size_t number = (size_t)(key - bench->keys) / KEY_SIZE;
    return bytes_of(bench->values + number * VALUE_SIZE, VALUE_SIZE);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(*(uint8_t *const *)a, *(uint8_t *const *)b, KEY_SIZE);
}

static void make_rows(struct bench *bench, bool text)
{
    struct rng rng;
    rng_init(&rng, 7);
    for (size_t i = 0; i < bench->rows; i++) {
        put_u64be(bench->keys + i * KEY_SIZE, rng_next(&rng));
        bench->sorted[i] = bench->keys + i * KEY_SIZE;
        char *value = (char *)bench->values + i * VALUE_SIZE;
        if (text) {
            char line[VALUE_SIZE + 64];
            snprintf(line, sizeof line,
                     "{\"order\": %10" PRIu64 ", \"customer\": %7" PRIu64 ", \"amount\": %6" PRIu64
                     ", \"currency\": \"EUR\", \"state\": \"shipped\"}%40s",
                     rng_below(&rng, 10000000000), rng_below(&rng, 10000000),
                     rng_below(&rng, 1000000), "");
            memcpy(value, line, VALUE_SIZE);
        } else {
            for (size_t at = 0; at < VALUE_SIZE; at += 4) {
                put_u32le((uint8_t *)value + at, (uint32_t)rng_next(&rng));
            }
        }
    }
    qsort(bench->sorted, bench->rows, sizeof bench->sorted[0], compare_keys);
}

/* ---- ours ---- */

static struct row_set *spill_rows(const struct bench *bench, size_t from, size_t to, size_t number,
                                  struct times *times)
{
    struct err err;
    double start = cpu_seconds();
    struct shard_buffer *buffer = shard_buffer_new(NULL);
    uint32_t source = shard_buffer_source(buffer, "orders", 0);
    for (size_t i = from; i < to; i++) {
        const uint8_t *key = bench->keys + i * KEY_SIZE;
        struct row row = {
            .key = bytes_of(key, KEY_SIZE),
            .value = value_of(bench, key),
            .event_time_us = INT64_C(1700000000000000) + (int64_t)i,
            .offset = (int64_t)i,
            .source = source,
        };
        CHECK(shard_buffer_append(buffer, 0, 0, &row));
    }
    double buffered = cpu_seconds();
    struct sorted_rows *rows = shard_buffer_sort(buffer, ROW_ORDER_OFFSET);
    shard_buffer_free(buffer);
    double sorted = cpu_seconds();
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/bench-%zu.spill", bench->folder, number);
    struct spill_ref ref;
    struct row_set *spill = NULL;
    if (!spill_write(&rows->set, path, false, NULL, &ref, &err) ||
        !spill_open_file(path, &spill, &err)) {
        give_up("spill", &err);
    }
    row_set_free(&rows->set);
    unlink(path);
    spill_ref_done(&ref);
    times->phases[BUFFER] += buffered - start;
    times->phases[SORT] += sorted - buffered;
    times->phases[SPILL] += cpu_seconds() - sorted;
    return spill;
}

static void build_one(const struct bench *bench, struct row_set *const *spills, const char *path)
{
    int64_t cut = (int64_t)bench->rows;
    struct filter_build build = {.window = 0, .future_bound_us = INT64_MAX};
    struct filter_source source = {.from = 0, .to = INT64_MAX, .cuts = &cut};
    struct filter filter = {
        .builds = &build,
        .build_count = 1,
        .closed_before = INT64_MIN,
        .sources = &source,
        .source_count = 1,
    };
    struct source_table sources = {0};
    source_table_add(&sources, "orders", 0);
    struct build_request request = {
        .kv = sqlite_kv(),
        .path = path,
        .page_size = 4096,
        .cache_bytes = 8 << 20,
        .sources = &sources,
        .filter = &filter,
        .sets = spills,
        .set_count = SPILLS,
    };
    struct build_result result;
    struct err err;
    if (!build_shard(&request, &result, &err)) {
        give_up("build", &err);
    }
    CHECK(result.rows == bench->rows);
    build_result_done(&result);
    source_table_done(&sources);
}

static void run_ours(const struct bench *bench, const char *path, struct times *times)
{
    double start = cpu_seconds();
    struct row_set *spills[SPILLS];
    for (size_t i = 0; i < SPILLS; i++) {
        spills[i] =
            spill_rows(bench, bench->rows * i / SPILLS, bench->rows * (i + 1) / SPILLS, i, times);
    }
    double spilled = cpu_seconds();
    build_one(bench, spills, path);
    for (size_t i = 0; i < SPILLS; i++) {
        row_set_free(spills[i]);
    }
    times->phases[MERGE_AND_WRITE] = cpu_seconds() - spilled;
    times->ours = cpu_seconds() - start;
}

/* ---- plain ---- */

static bool insert_all(const struct bench *bench, sqlite3 *db, struct err *err)
{
    TRY(db_run(db, "BEGIN", err));
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, "INSERT INTO kv VALUES (?, ?)", &insert, err));
    for (size_t i = 0; i < bench->rows; i++) {
        bool row;
        db_bind_blob(insert, 1, bytes_of(bench->sorted[i], KEY_SIZE));
        db_bind_blob(insert, 2, value_of(bench, bench->sorted[i]));
        TRY(db_step(insert, &row, err));
        sqlite3_reset(insert);
    }
    return db_run(db, "COMMIT; PRAGMA optimize", err);
}

static void run_plain(const struct bench *bench, const char *path, struct times *times)
{
    struct err err;
    double start = cpu_seconds();
    sqlite3 *db = NULL;
    bool ok = db_create(path, &db, &err) &&
              db_run(db,
                     "PRAGMA page_size=4096; PRAGMA cache_size=-8192; PRAGMA journal_mode=OFF;"
                     "PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
                     "PRAGMA temp_store=MEMORY;"
                     "CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID",
                     &err) &&
              insert_all(bench, db, &err);
    db_close(db);
    if (!ok) {
        give_up("plain inserts", &err);
    }
    times->plain = cpu_seconds() - start;
}

/* ---- the report ---- */

/* The same rows; the files themselves differ, as SQLite leaves room in its pages. */
static bool rows_equal(const char *ours, const char *plain)
{
    struct err err = {0};
    AUTO(db) sqlite3 *db = NULL;
    AUTO(db_statement) sqlite3_stmt *attach = NULL;
    bool row;
    int64_t equal = 0;
    bool ok = db_open_writing(ours, &db, &err) &&
              db_prepare(db, "ATTACH ? AS plain", &attach, &err);
    if (ok) {
        db_bind_text(attach, 1, plain);
        ok = db_step(attach, &row, &err) &&
             db_run_i64(db,
                        "SELECT (SELECT count(*) FROM main.kv) = (SELECT count(*) FROM plain.kv) "
                        "AND NOT EXISTS (SELECT 1 FROM plain.kv AS b LEFT JOIN main.kv AS a ON "
                        "a.k = b.k WHERE a.v IS NOT b.v)",
                        &equal, &err);
    }
    if (!ok) {
        give_up("comparing", &err);
    }
    return equal == 1;
}

static uint64_t bytes_of_file(const char *path)
{
    struct err err = {0};
    uint64_t bytes = 0;
    if (!file_size(path, &bytes, &err)) {
        give_up("comparing", &err);
    }
    return bytes;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Of the doubles that lie `offset` bytes into each of the times. */
static double median(const struct times *times, size_t count, size_t offset)
{
    double values[ROUNDS_MAX];
    for (size_t i = 0; i < count; i++) {
        memcpy(&values[i], (const uint8_t *)&times[i] + offset, sizeof values[i]);
    }
    qsort(values, count, sizeof values[0], compare_doubles);
    return values[count / 2];
}

static void run(struct bench *bench, bool text)
{
    static const char *const names[PHASES] = {"buffer", "sort", "spill", "merge and write"};
    static struct times times[ROUNDS_MAX];
    memset(times, 0, sizeof times);
    make_rows(bench, text);
    char ours[PATH_BYTES];
    char plain[PATH_BYTES];
    snprintf(ours, sizeof ours, "%s/bench-ours.db", bench->folder);
    snprintf(plain, sizeof plain, "%s/bench-plain.db", bench->folder);
    bool equal = true;
    double size = 0;
    for (size_t i = 0; i < bench->rounds; i++) {
        run_ours(bench, ours, &times[i]);
        run_plain(bench, plain, &times[i]);
        equal = equal && rows_equal(ours, plain);
        size = (double)bytes_of_file(ours) / (double)bytes_of_file(plain);
        unlink(ours);
        unlink(plain);
        fprintf(stderr, "%s values, round %zu: ours %.3f s, plain %.3f s of CPU\n",
                text ? "text" : "random", i + 1, times[i].ours, times[i].plain);
    }
    const char *kind = text ? "text" : "random";
    double of_ours = median(times, bench->rounds, offsetof(struct times, ours));
    double of_plain = median(times, bench->rounds, offsetof(struct times, plain));
    printf("%s values, sort + spill + merge + write: %.3f s CPU (", kind, of_ours);
    for (size_t phase = 0; phase < PHASES; phase++) {
        size_t offset = offsetof(struct times, phases) + phase * sizeof(double);
        printf("%s%s %.3f", phase == 0 ? "" : ", ", names[phase],
               median(times, bench->rounds, offset));
    }
    printf(")\n%s values, plain inserts in key order: %.3f s CPU\n", kind, of_plain);
    printf("**ratio with %s values** (aim at most 1.5): **%.2f**; rows %s, file "
           "%.0f %% of SQLite's\n",
           kind, of_ours / of_plain, equal ? "equal" : "DIFFER", size * 100);
}

static size_t number_of(const char *text, size_t max)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number == 0 || number > max) {
        fprintf(stderr, "shard_bench: not a number from 1 to %zu: %s\n", max, text);
        exit(2);
    }
    return number;
}

int main(int count, char **args)
{
    struct bench bench = {
        .rows = count > 1 ? number_of(args[1], 100000000) : 1000000,
        .rounds = count > 2 ? number_of(args[2], ROUNDS_MAX) : 5,
        .folder = count > 3 ? args[3] : "/tmp",
    };
    bench.keys = malloc(bench.rows * KEY_SIZE);
    bench.values = malloc(bench.rows * VALUE_SIZE);
    bench.sorted = malloc(bench.rows * sizeof *bench.sorted);
    CHECK(bench.keys != NULL && bench.values != NULL && bench.sorted != NULL);
    printf("shard bench: %zu rows, %zu rounds in turns, %d spills, SQLite %s\n", bench.rows,
           bench.rounds, SPILLS, sqlite_kv_version());
    run(&bench, false);
    run(&bench, true);
    free(bench.keys);
    free(bench.values);
    free(bench.sorted);
    return 0;
}
