/* Shard files of SQLite. */
#include "adapters/sqlite/sqlite_kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/sqlite/db.h"
#include "adapters/sqlite/rows_vtab.h"

enum { PRAGMA_MAX = 128, PAGE_MIN = 4096, PAGE_MAX = 65536, CACHE_BYTES_MIN = 256 * 1024 };

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
    CHECK(request->page_size >= PAGE_MIN && request->page_size <= PAGE_MAX &&
          (request->page_size & (request->page_size - 1)) == 0);
    struct rows_vtab state = {
        .borrowed_rows = rows,
        .borrowed_stop = request->stop,
        .borrowed_key_min = key_min,
        .borrowed_key_max = key_max,
    };
    sqlite3 *db = NULL;
    TRY(db_create(request->path, &db, err));
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
    };
    return true;
}

/* ---- reading ---- */

struct sqlite_file {
    struct kv_file file;
    sqlite3 *db;
    sqlite3_stmt *get;
    sqlite3_stmt *rows;
    bool rows_open;
};

struct sqlite_rows {
    struct row_stream stream;
    struct sqlite_file *borrowed_file;
};

static void close_file(struct kv_file *file)
{
    struct sqlite_file *self = (struct sqlite_file *)file;
    CHECK(!self->rows_open);
    db_finalize(self->get);
    db_finalize(self->rows);
    db_close(self->db);
    free(self);
}

static bool open_file(struct kv *kv, const char *path, struct kv_file **ret_file, struct err *err)
{
    struct sqlite_file *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->file.ops = kv->ops;
    if (db_open_reading(path, &self->db, err) &&
        db_prepare(self->db, "SELECT v FROM kv WHERE k = ?", &self->get, err) &&
        db_prepare(self->db, "SELECT k, v FROM kv ORDER BY k", &self->rows, err)) {
        *ret_file = &self->file;
        return true;
    }
    /* SQLITE_ERROR while preparing: there is no such table, so it is no shard file. */
    if ((err->code & 0xff) == SQLITE_ERROR) {
        err->kind = ERR_CORRUPT;
    }
    close_file(&self->file);
    return false;
}

static bool get(struct kv_file *file, struct bytes key, struct buf *value, bool *ret_found,
                struct err *err)
{
    struct sqlite_file *self = (struct sqlite_file *)file;
    db_bind_blob(self->get, 1, key);
    bool found;
    bool ok = db_step(self->get, &found, err);
    if (ok && found) {
        buf_add_bytes(value, db_blob(self->get, 0));
    }
    sqlite3_reset(self->get);
    TRY(ok);
    *ret_found = found;
    return true;
}

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    sqlite3_stmt *rows = ((struct sqlite_rows *)stream)->borrowed_file->rows;
    bool more;
    TRY(db_step(rows, &more, err));
    if (more) {
        *ret_row = (struct row){
            .key = db_blob(rows, 0),
            .value = db_blob(rows, 1),
            .event_time_us = INT64_MIN,
            .source = ROW_SOURCE_BASE,
        };
    }
    *ret_more = more;
    return true;
}

static void free_rows(struct row_stream *stream)
{
    struct sqlite_rows *self = (struct sqlite_rows *)stream;
    sqlite3_reset(self->borrowed_file->rows);
    self->borrowed_file->rows_open = false;
    free(self);
}

static const struct row_stream_ops sqlite_rows_ops = {.next = next_row, .free = free_rows};

static bool open_rows(struct kv_file *file, struct row_stream **ret_stream, struct err *err)
{
    (void)err;
    struct sqlite_file *self = (struct sqlite_file *)file;
    CHECK(!self->rows_open);
    self->rows_open = true;
    struct sqlite_rows *rows = malloc(sizeof *rows);
    CHECK(rows != NULL);
    *rows = (struct sqlite_rows){.stream = {.ops = &sqlite_rows_ops}, .borrowed_file = self};
    *ret_stream = &rows->stream;
    return true;
}

static const struct kv_ops sqlite_kv_ops = {
    .write = write_file,
    .open = open_file,
    .close = close_file,
    .get = get,
    .rows = open_rows,
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
