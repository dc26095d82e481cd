/* Shard files opened for reading: a local file, or one that stays in its store.
 *
 * A local file has one connection, which its users take in turns. A file that is read by range has
 * one for each stream of rows, because they wait for the store, and none for look-ups, which search
 * the tree themselves (see core/snapshot/sqlite_tree). */
#include "adapters/sqlite/sqlite_read.h"

#include <stdlib.h>

#include "adapters/os/lock.h"
#include "adapters/sqlite/db.h"
#include "adapters/sqlite/range_vfs.h"
#include "core/snapshot/sqlite_tree.h"

static const char get_sql[] = "SELECT v FROM kv WHERE k = ?";

struct sqlite_file {
    struct kv_file file;
    struct range_file *range; /* NULL: a local file */
    uint32_t root;            /* of kv, by range */
    atomic_uint streams;
    struct lock lock;
    struct {
        sqlite3 *db;
        sqlite3_stmt *get;
    } locked; /* of a local file */
};

struct sqlite_rows {
    struct row_stream stream;
    struct sqlite_file *borrowed_file;
    sqlite3 *db; /* its own, by range; else NULL */
    sqlite3_stmt *statement;
    struct buf from;
    struct buf to;
};

static struct sqlite_file *file_new(const struct kv_ops *ops)
{
    struct sqlite_file *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->file.ops = ops;
    lock_init(&self->lock);
    return self;
}

void sqlite_read_close(struct kv_file *file)
{
    struct sqlite_file *self = (struct sqlite_file *)file;
    CHECK(atomic_load(&self->streams) == 0);
    db_finalize(self->locked.get);
    db_close(self->locked.db);
    range_file_free(self->range);
    lock_done(&self->lock);
    free(self);
}

/* SQLITE_ERROR while preparing: there is no such table, so it is no shard file. */
static bool no_shard_file(struct err *err)
{
    if ((err->code & 0xff) == SQLITE_ERROR) {
        err->kind = ERR_CORRUPT;
    }
    return false;
}

bool sqlite_read_open(const struct kv_ops *ops, const char *path, struct kv_file **ret_file,
                      struct err *err)
{
    struct sqlite_file *self = file_new(ops);
    if (db_open_reading(path, &self->locked.db, err) &&
        db_prepare(self->locked.db, get_sql, &self->locked.get, err)) {
        *ret_file = &self->file;
        return true;
    }
    sqlite_read_close(&self->file);
    return no_shard_file(err);
}

/* What a search in foreign pages says about them is about the file, not about its caller's key. */
static bool search_failed(const struct sqlite_file *self, struct err *err)
{
    if (err->kind == ERR_INPUT || err->kind == ERR_MISSING) {
        err->kind = ERR_CORRUPT;
    }
    return err_wrap(err, "%s", range_file_name(self->range));
}

bool sqlite_read_open_range(const struct kv_ops *ops, struct range_file *take_file,
                            struct kv_file **ret_file, struct err *err)
{
    struct sqlite_file *self = file_new(ops);
    self->range = take_file;
    struct range_reader reader = {.borrowed_file = take_file};
    struct sqlite_pages pages = range_reader_pages(&reader);
    if (!sqlite_tree_root(&pages, "kv", &self->root, err)) {
        (void)search_failed(self, err);
        sqlite_read_close(&self->file);
        return false;
    }
    *ret_file = &self->file;
    return true;
}

/* ---- one key ---- */

static bool get_by_range(struct sqlite_file *self, struct bytes key, struct buf *value,
                         bool *ret_found, struct err *err)
{
    struct range_reader reader = {.borrowed_file = self->range};
    struct sqlite_pages pages = range_reader_pages(&reader);
    return sqlite_tree_get(&pages, self->root, key, value, ret_found, err) ||
           search_failed(self, err);
}

bool sqlite_read_get(struct kv_file *file, struct bytes key, struct buf *value, bool *ret_found,
                     struct err *err)
{
    struct sqlite_file *self = (struct sqlite_file *)file;
    if (self->range != NULL) {
        return get_by_range(self, key, value, ret_found, err);
    }
    lock_take(&self->lock);
    db_bind_blob(self->locked.get, 1, key);
    bool found = false;
    bool ok = db_step(self->locked.get, &found, err);
    if (ok && found) {
        buf_add_bytes(value, db_blob(self->locked.get, 0));
    }
    sqlite3_reset(self->locked.get);
    lock_give(&self->lock);
    TRY(ok);
    *ret_found = found;
    return true;
}

/* ---- rows ---- */

static void lock_local(struct sqlite_file *file)
{
    if (file->range == NULL) {
        lock_take(&file->lock);
    }
}

static void unlock_local(struct sqlite_file *file)
{
    if (file->range == NULL) {
        lock_give(&file->lock);
    }
}

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    struct sqlite_rows *self = (struct sqlite_rows *)stream;
    bool more = false;
    lock_local(self->borrowed_file);
    bool ok = db_step(self->statement, &more, err);
    if (ok && more) {
        /* they stay until this statement goes on, whatever others do on the connection */
        *ret_row = (struct row){
            .key = db_blob(self->statement, 0),
            .value = db_blob(self->statement, 1),
            .event_time_us = INT64_MIN,
            .source = ROW_SOURCE_BASE,
        };
    }
    unlock_local(self->borrowed_file);
    if (!ok) {
        return self->db != NULL && range_vfs_err(self->db, err);
    }
    *ret_more = more;
    return true;
}

static void free_rows(struct row_stream *stream)
{
    struct sqlite_rows *self = (struct sqlite_rows *)stream;
    struct sqlite_file *file = self->borrowed_file;
    lock_local(file);
    db_finalize(self->statement);
    db_close(self->db);
    unlock_local(file);
    buf_done(&self->from);
    buf_done(&self->to);
    free(self);
    atomic_fetch_sub(&file->streams, 1);
}

static const struct row_stream_ops sqlite_rows_ops = {.next = next_row, .free = free_rows};

static bool prepare_rows(struct sqlite_rows *self, bool has_end, struct err *err)
{
    struct sqlite_file *file = self->borrowed_file;
    TRY(file->range == NULL || range_vfs_open(file->range, &self->db, err));
    sqlite3 *db = file->range == NULL ? file->locked.db : self->db;
    /* two texts: an end that may be missing would be no bound for the search */
    TRY(db_prepare(db,
                   has_end ? "SELECT k, v FROM kv WHERE k >= ?1 AND k < ?2 ORDER BY k"
                           : "SELECT k, v FROM kv WHERE k >= ?1 ORDER BY k",
                   &self->statement, err));
    db_bind_blob(self->statement, 1, buf_bytes(&self->from));
    if (has_end) {
        db_bind_blob(self->statement, 2, buf_bytes(&self->to));
    }
    return true;
}

bool sqlite_read_rows(struct kv_file *file, const struct kv_bounds *bounds,
                      struct row_stream **ret_stream, struct err *err)
{
    struct sqlite_file *owner = (struct sqlite_file *)file;
    struct sqlite_rows *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    *self = (struct sqlite_rows){.stream = {.ops = &sqlite_rows_ops}, .borrowed_file = owner};
    buf_init(&self->from, SIZE_MAX);
    buf_init(&self->to, SIZE_MAX);
    buf_add_bytes(&self->from, bounds->from);
    buf_add_bytes(&self->to, bounds->to);
    atomic_fetch_add(&owner->streams, 1);
    lock_local(owner);
    bool ok = prepare_rows(self, bounds->has_end, err);
    unlock_local(owner);
    if (!ok) {
        if (self->db != NULL) {
            (void)range_vfs_err(self->db, err);
        }
        free_rows(&self->stream);
        return no_shard_file(err);
    }
    *ret_stream = &self->stream;
    return true;
}
