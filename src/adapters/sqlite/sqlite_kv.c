/* Shard files of SQLite. */
#include "adapters/sqlite/sqlite_kv.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/sqlite/db.h"
#include "adapters/sqlite/gather_vfs.h"
#include "adapters/sqlite/rows_vtab.h"
#include "adapters/sqlite/sqlite_read.h"
#include "core/snapshot/page_size.h"

enum { PRAGMA_MAX = 128, CACHE_BYTES_MIN = 256 * 1024 };

/* ---- writing ----
 *
 * CREATE TABLE is a transaction of its own and all rows are a second one: so the change counter in
 * the header becomes what the library's files have (1 for a table of one page, else 2). The rows
 * come from a virtual table inside one statement: no bind, step and reset a row. OR REPLACE is not
 * needed, and a plain INSERT refuses a key that comes twice. */

static bool start_file(sqlite3 *db, const struct kv_write_request *request, struct err *err)
{
    uint64_t cache = request->cache_bytes > CACHE_BYTES_MIN ? request->cache_bytes
                                                            : CACHE_BYTES_MIN;
    char sql[PRAGMA_MAX];
    snprintf(sql, sizeof sql, "PRAGMA page_size=%u", request->page_size);
    TRY(db_run(db, sql, err));
    snprintf(sql, sizeof sql, "PRAGMA cache_size=-%llu", (unsigned long long)(cache / 1024));
    TRY(db_run(db, sql, err));
    return db_run(db,
                  "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                  "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY",
                  err) &&
           db_run(db, "CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID", err);
}

/* `state->err` says more than what SQLite makes of it. */
static bool insert_rows(sqlite3 *db, struct rows_vtab *state, struct err *err)
{
    int code = rows_vtab_add(db, state);
    if (code != SQLITE_OK) {
        return db_err(err, db, code, "add rows_in");
    }
    if (db_run(db, "BEGIN; INSERT INTO kv SELECT k, v FROM rows_in; COMMIT; PRAGMA optimize",
               err)) {
        return true;
    }
    if (state->failed) {
        *err = state->err;
    } else if ((err->code & 0xff) == SQLITE_CONSTRAINT) {
        err->kind = ERR_CORRUPT; /* a key that came twice: the merge is broken, not the record */
    }
    return false;
}

static bool write_file(struct kv *kv, const struct kv_write_request *request,
                       struct row_stream *rows, struct kv_written *ret_written, struct buf *key_min,
                       struct buf *key_max, struct err *err)
{
    (void)kv;
    CHECK(page_size_is_valid(request->page_size));
    struct rows_vtab state = {
        .borrowed_rows = rows,
        .borrowed_stop = request->stop,
        .borrowed_key_min = key_min,
        .borrowed_key_max = key_max,
    };
    sqlite3 *db = NULL;
    TRY(gather_vfs_create(request->path, &db, err));
    bool ok = start_file(db, request, err) && insert_rows(db, &state, err);
    db_close(db);
    TRY(ok);
    struct stat status;
    if (stat(request->path, &status) != 0) {
        return err_set(err, ERR_MISSING, "it is gone");
    }
    *ret_written = (struct kv_written){
        .rows = state.rows,
        .file_bytes = (uint64_t)status.st_size,
        .key_bytes = state.key_bytes,
        .value_bytes = state.value_bytes,
        .whole_rows =
            state.row_bytes_max + PAGE_SIZE_OVERHEAD <= page_size_inline_limit(request->page_size),
    };
    return true;
}

/* ---- reading ---- */

static bool open_file(struct kv *kv, const char *path, struct kv_file **ret_file, struct err *err)
{
    return sqlite_read_open(kv->ops, path, ret_file, err);
}

static bool open_range(struct kv *kv, struct range_file *take_file, struct kv_file **ret_file,
                       struct err *err)
{
    return sqlite_read_open_range(kv->ops, take_file, ret_file, err);
}

static const struct kv_ops sqlite_kv_ops = {
    .write = write_file,
    .open = open_file,
    .open_range = open_range,
    .close = sqlite_read_close,
    .get = sqlite_read_get,
    .rows = sqlite_read_rows,
    .features = {.same_bytes = true, .range_read = true},
    .name = "sqlite",
};

struct kv *sqlite_kv(void)
{
    static struct kv driver = {.ops = &sqlite_kv_ops};
    return &driver;
}

const char *sqlite_kv_version(void)
{
    return sqlite3_libversion();
}
