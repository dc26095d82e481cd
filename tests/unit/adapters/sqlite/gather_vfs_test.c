/* Is a file that is written in large pieces the one that is written page by page, and is a full
 * disk told? */
#include "adapters/sqlite/gather_vfs.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "core/base/rng.h"

enum { ROWS = 3000, ROUNDS = 3, VALUE_MAX = 9000, NAME_BYTES = 64 };

typedef bool (*create_fn)(const char *path, sqlite3 **ret_db, struct err *err);

/* Keys come in any order and the cache holds ten pages: pages are written early, read back and
 * written again. */
static bool fill(sqlite3 *db, int page_size, struct err *err)
{
    static uint8_t data[VALUE_MAX];
    char sql[NAME_BYTES];
    snprintf(sql, sizeof sql, "PRAGMA page_size=%d", page_size);
    TRY(db_run(db, sql, err));
    TRY(db_run(db,
               "PRAGMA cache_size=10; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
               "PRAGMA locking_mode=EXCLUSIVE; CREATE TABLE kv (k INTEGER PRIMARY KEY, v BLOB)",
               err));
    struct rng rng;
    rng_init(&rng, 5);
    for (int round = 0; round < ROUNDS; round++) {
        AUTO(db_statement) sqlite3_stmt *put = NULL;
        TRY(db_run(db, "BEGIN", err));
        TRY(db_prepare(db, "INSERT OR REPLACE INTO kv VALUES (?, ?)", &put, err));
        for (int i = 0; i < ROWS; i++) {
            size_t size = rng_chance(&rng, 20000) ? VALUE_MAX : (size_t)rng_below(&rng, 300);
            memset(data, i, size);
            bool row;
            db_bind_i64(put, 1, (int64_t)rng_below(&rng, ROWS));
            db_bind_blob(put, 2, bytes_of(data, size));
            TRY(db_step(put, &row, err));
            sqlite3_reset(put);
        }
        TRY(db_run(db, "COMMIT; DELETE FROM kv WHERE k % 7 = 0", err));
    }
    return db_run(db, "VACUUM", err);
}

static bool make(create_fn create, const char *path, int page_size, struct err *err)
{
    sqlite3 *db = NULL;
    TRY(create(path, &db, err));
    bool ok = fill(db, page_size, err);
    db_close(db);
    return ok;
}

static char folder[] = "/tmp/tidemark-gather-XXXXXX";
static char plain[NAME_BYTES];
static char gathered[NAME_BYTES];

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(plain, sizeof plain, "%s/plain.db", folder);
    snprintf(gathered, sizeof gathered, "%s/gathered.db", folder);
}

static void remove_folder(void)
{
    unlink(plain);
    unlink(gathered);
    rmdir(folder);
}

TestSuite(gather_vfs, .init = make_folder, .fini = remove_folder);

Test(gather_vfs, the_same_file)
{
    static const int page_sizes[] = {4096, 16384, 65536};
    for (size_t i = 0; i < LENGTH_OF(page_sizes); i++) {
        struct err err = {0};
        cr_assert(make(db_create, plain, page_sizes[i], &err), "%s", err.message);
        cr_assert(make(gather_vfs_create, gathered, page_sizes[i], &err), "%s", err.message);
        AUTO(buf) struct buf a;
        AUTO(buf) struct buf b;
        buf_init(&a, SIZE_MAX);
        buf_init(&b, SIZE_MAX);
        cr_assert(file_read(plain, &a, &err) && file_read(gathered, &b, &err), "%s", err.message);
        cr_assert_gt(a.size, 100000);
        cr_assert(bytes_equal(buf_bytes(&a), buf_bytes(&b)), "pages of %d", page_sizes[i]);
        cr_assert(unlink(plain) == 0 && unlink(gathered) == 0);
    }
}

/* All pages fit into one piece: only the COMMIT can find out. */
Test(gather_vfs, a_commit_tells_that_the_disk_is_full)
{
    sqlite3 *db = NULL;
    struct err err = {0};
    cr_assert(gather_vfs_create(gathered, &db, &err));
    cr_assert(db_run(db,
                     "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                     "PRAGMA locking_mode=EXCLUSIVE; CREATE TABLE kv (k INTEGER PRIMARY KEY, v);"
                     "BEGIN; INSERT INTO kv VALUES (1, zeroblob(20000))",
                     &err),
              "%s", err.message);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 12000, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool committed = db_run(db, "COMMIT", &err);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert(!committed);
    db_close(db);
}
