/* Does SQLite find sound databases in the files that we lay out, with exactly our rows? */
#include "adapters/sqlite/sqlite_kv.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/db.h"
#include "core/base/rng.h"
#include "core/snapshot/page_size.h"

enum { ROWS_MAX = 6000, DATA_BYTES = 300 * 1024, KEY_HEAD = 8 };

/* Row i: its number as the first eight bytes of the key, the rest of both from `data`. */
struct sizes {
    uint32_t key;
    uint32_t value;
};

struct made_rows {
    struct row_stream stream;
    const struct sizes *sizes;
    uint32_t count;
    uint32_t at;
};

static char *folder;
static char path[4096];
static uint8_t data[DATA_BYTES];
static uint8_t key_bytes[DATA_BYTES];
static struct sizes sizes[ROWS_MAX];

static struct bytes key_of(const struct made_rows *rows, uint32_t i)
{
    put_u64be(key_bytes, i);
    return bytes_of(key_bytes, rows->sizes[i].key);
}

static struct bytes value_of(const struct made_rows *rows, uint32_t i)
{
    return bytes_of(data + i % 97, rows->sizes[i].value);
}

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    struct made_rows *self = (struct made_rows *)stream;
    (void)err;
    *ret_more = self->at < self->count;
    if (*ret_more) {
        *ret_row = (struct row){.key = key_of(self, self->at), .value = value_of(self, self->at)};
        self->at++;
    }
    return true;
}

static void free_nothing(struct row_stream *stream)
{
    (void)stream;
}

static const struct row_stream_ops made_ops = {.next = next_row, .free = free_nothing};

static void make_folder(void)
{
    struct err err = {0};
    struct rng rng;
    cr_assert(file_temp_folder("/tmp", "tidemark-sqlite-kv", &folder, &err));
    snprintf(path, sizeof path, "%s/shard.db", folder);
    rng_init(&rng, 11);
    for (size_t i = 0; i < DATA_BYTES; i++) {
        data[i] = (uint8_t)rng_next(&rng);
        key_bytes[i] = (uint8_t)rng_next(&rng);
    }
}

static void remove_folder(void)
{
    file_discard(folder);
    free(folder);
}

TestSuite(sqlite_kv, .init = make_folder, .fini = remove_folder);

static void write_rows(struct made_rows *rows, uint32_t page_size)
{
    struct kv_write_request request = {.path = path, .page_size = page_size};
    struct kv_written written;
    struct buf key_min;
    struct buf key_max;
    struct err err = {0};
    buf_init(&key_min, DATA_BYTES);
    buf_init(&key_max, DATA_BYTES);
    (void)unlink(path);
    cr_assert(kv_write(sqlite_kv(), &request, &rows->stream, &written, &key_min, &key_max, &err),
              "%s", err.message);
    uint64_t bytes = 0;
    cr_assert(file_size(path, &bytes, &err));
    cr_assert_eq(written.file_bytes, bytes);
    cr_assert_eq(written.rows, rows->count);
    if (rows->count > 0) {
        cr_assert(bytes_equal(buf_bytes(&key_min), key_of(rows, 0)));
        cr_assert(bytes_equal(buf_bytes(&key_max), key_of(rows, rows->count - 1)));
    }
    buf_done(&key_min);
    buf_done(&key_max);
}

static void check_number(sqlite3 *db, const char *sql, int64_t wanted)
{
    struct err err = {0};
    int64_t value;
    cr_assert(db_run_i64(db, sql, &value, &err), "%s", err.message);
    cr_assert_eq(value, wanted, "%s: %lld, not %lld", sql, (long long)value, (long long)wanted);
}

/* SQLite's own look at every page, cell and free byte. */
static void check_soundness(sqlite3 *db, const char *what)
{
    struct err err = {0};
    AUTO(db_statement) sqlite3_stmt *check = NULL;
    bool row;
    cr_assert(db_prepare(db, "PRAGMA integrity_check", &check, &err));
    cr_assert(db_step(check, &row, &err) && row, "%s", err.message);
    cr_assert_str_eq(db_text(check, 0), "ok", "%s: %s", what, db_text(check, 0));
}

static void check_rows(sqlite3 *db, const struct made_rows *rows)
{
    struct err err = {0};
    AUTO(db_statement) sqlite3_stmt *all = NULL;
    AUTO(db_statement) sqlite3_stmt *one = NULL;
    bool row;
    cr_assert(db_prepare(db, "SELECT k, v FROM kv", &all, &err));
    cr_assert(db_prepare(db, "SELECT v FROM kv WHERE k = ?", &one, &err));
    for (uint32_t i = 0; i < rows->count; i++) {
        cr_assert(db_step(all, &row, &err) && row, "%s", err.message);
        cr_assert(bytes_equal(db_blob(all, 0), key_of(rows, i)));
        cr_assert(bytes_equal(db_blob(all, 1), value_of(rows, i)));
        if (i % 7 == 0 || rows->count < 50) {
            db_bind_blob(one, 1, key_of(rows, i));
            cr_assert(db_step(one, &row, &err) && row, "row %u is not found", i);
            cr_assert(bytes_equal(db_blob(one, 0), value_of(rows, i)));
            sqlite3_reset(one);
        }
    }
    cr_assert(db_step(all, &row, &err) && !row);
}

static void check(uint32_t count, uint32_t page_size)
{
    struct err err = {0};
    AUTO(db) sqlite3 *db = NULL;
    char what[64];
    snprintf(what, sizeof what, "%u rows, pages of %u", count, page_size);
    struct made_rows rows = {.stream = {&made_ops}, .sizes = sizes, .count = count};
    write_rows(&rows, page_size);
    cr_assert(db_open_reading(path, &db, &err), "%s", err.message);
    check_soundness(db, what);
    check_number(db, "PRAGMA page_size", page_size);
    check_number(db, "PRAGMA freelist_count", 0);
    check_number(db, "SELECT count(*) FROM kv", count);
    check_rows(db, &rows);
}

/* Four rows a page: every number of rows up to a tree of four levels or more, so that each level
 * ends with a full page, one cell, and all between. */
Test(sqlite_kv, every_number_of_rows)
{
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        sizes[i] = (struct sizes){.key = KEY_HEAD, .value = 950};
    }
    for (uint32_t count = 0; count < 700; count++) {
        check(count, PAGE_SIZE_MIN);
    }
}

/* Payloads around each size at which the part that stays on the page changes. */
Test(sqlite_kv, every_size_around_overflow)
{
    for (uint32_t page_size = PAGE_SIZE_MIN; page_size <= PAGE_SIZE_MAX; page_size *= 2) {
        uint32_t inline_limit = page_size_inline_limit(page_size);
        uint32_t minimal = (page_size - 12) * 32 / 255 - 23;
        uint32_t count = 0;
        for (int32_t near = -20; near <= 20; near++) {
            const uint32_t edges[] = {inline_limit, page_size - 4 + minimal,
                                      page_size - 4 + inline_limit, 2 * (page_size - 4) + minimal};
            for (size_t i = 0; i < LENGTH_OF(edges); i++) {
                uint32_t payload = (uint32_t)((int32_t)edges[i] + near);
                sizes[count] = (struct sizes){.key = KEY_HEAD, .value = payload - KEY_HEAD};
                count++;
                /* a key that overflows itself, as a divider, too */
                sizes[count] = (struct sizes){.key = payload - 3, .value = 3};
                count++;
            }
        }
        check(count, page_size);
    }
}

static uint32_t size_below(struct rng *rng, uint32_t page_size)
{
    switch (rng_below(rng, 8)) {
    case 0:
        return 0;
    case 1:
        return (uint32_t)rng_below(rng, page_size / 4);
    case 2:
        return (uint32_t)rng_below(rng, page_size);
    case 3:
        return rng_below(rng, 40) == 0 ? (uint32_t)rng_below(rng, 200 * 1024) : 7;
    default:
        return (uint32_t)rng_below(rng, 120);
    }
}

Test(sqlite_kv, any_rows, .timeout = 120)
{
    struct rng rng;
    rng_init(&rng, 12);
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t page_size = PAGE_SIZE_MIN << rng_below(&rng, 5);
        uint32_t count = (uint32_t)rng_below(&rng, round % 10 == 0 ? ROWS_MAX : 800);
        for (uint32_t i = 0; i < count; i++) {
            sizes[i] = (struct sizes){.key = KEY_HEAD + (uint32_t)rng_below(&rng, 40),
                                      .value = size_below(&rng, page_size)};
            if (rng_below(&rng, 50) == 0) {
                sizes[i].key = KEY_HEAD + size_below(&rng, page_size);
            }
        }
        check(count, page_size);
    }
}

/* Others may write to such a file, and SQLite keeps it sound. */
Test(sqlite_kv, sqlite_goes_on_writing)
{
    struct err err = {0};
    AUTO(db) sqlite3 *db = NULL;
    for (uint32_t i = 0; i < 3000; i++) {
        sizes[i] = (struct sizes){.key = KEY_HEAD, .value = i % 300};
    }
    check(3000, PAGE_SIZE_MIN);
    cr_assert(db_open_writing(path, &db, &err), "%s", err.message);
    cr_assert(db_run(db,
                     "INSERT INTO kv SELECT k || x'00', v FROM kv;"
                     "DELETE FROM kv WHERE length(v) % 3 = 0",
                     &err),
              "%s", err.message);
    check_soundness(db, "written on");
    check_number(db, "SELECT count(*) FROM kv", 4000);
}

/* Leaves are full: no page of rows that could be in fewer. */
Test(sqlite_kv, pages_are_full)
{
    struct err err = {0};
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        sizes[i] = (struct sizes){.key = KEY_HEAD, .value = 100};
    }
    struct made_rows rows = {.stream = {&made_ops}, .sizes = sizes, .count = ROWS_MAX};
    write_rows(&rows, PAGE_SIZE_MIN);
    uint64_t bytes = 0;
    cr_assert(file_size(path, &bytes, &err));
    enum { CELL = 2 + 1 + 4 + KEY_HEAD + 100 }; /* pointer, payload size, record header */
    cr_assert_lt(bytes, (uint64_t)ROWS_MAX * CELL * 104 / 100, "%llu bytes",
                 (unsigned long long)bytes);
}

Test(sqlite_kv, a_file_that_cannot_grow)
{
    struct err err = {0};
    struct rlimit limit = {1 << 20, 1 << 20};
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        sizes[i] = (struct sizes){.key = KEY_HEAD, .value = 1000};
    }
    struct made_rows rows = {.stream = {&made_ops}, .sizes = sizes, .count = ROWS_MAX};
    struct kv_write_request request = {.path = path, .page_size = PAGE_SIZE_MIN};
    struct kv_written written;
    struct buf key_min;
    struct buf key_max;
    buf_init(&key_min, DATA_BYTES);
    buf_init(&key_max, DATA_BYTES);
    cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_not(
        kv_write(sqlite_kv(), &request, &rows.stream, &written, &key_min, &key_max, &err));
    cr_assert_eq(err.kind, ERR_LIMIT);
    cr_assert_not_null(strstr(err.message, path), "%s", err.message);
    buf_done(&key_min);
    buf_done(&key_max);
}
