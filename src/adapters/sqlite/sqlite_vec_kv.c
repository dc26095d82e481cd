/* Shard files of SQLite with vectors beside the rows, by the extension sqlite-vec (snapshot format,
 * section 9).
 *
 * The row at place i of the file, by key and from 0, has row id i in the tables of vectors; a row
 * without a vector leaves its number out. So a file can be read back as the rows it was made of. */
#include "adapters/sqlite/sqlite_vec_kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "adapters/sqlite/db.h"
#include "adapters/sqlite/gather_vfs.h"
#include "adapters/sqlite/sqlite_vec_file.h"

enum { SQL_MAX = 256, CACHE_BYTES_MIN = 256 * 1024 };

struct sqlite_vec_kv {
    struct kv kv;
    char *extension;
    enum vector_metric metric;
};

/* ---- writing ---- */

struct writing {
    const struct kv_write_request *request;
    sqlite3 *db;
    sqlite3_stmt *kv;
    sqlite3_stmt *vector;
    sqlite3_stmt *id;
    sqlite3_stmt *payload;
    struct buf *key_max;
};

static bool start_file(const struct sqlite_vec_kv *self, struct writing *writing, struct err *err)
{
    const struct kv_write_request *request = writing->request;
    uint64_t cache = request->cache_bytes > CACHE_BYTES_MIN ? request->cache_bytes
                                                            : CACHE_BYTES_MIN;
    char sql[SQL_MAX];
    snprintf(sql, sizeof sql,
             "PRAGMA page_size=%u; PRAGMA cache_size=-%llu; PRAGMA journal_mode=OFF;"
             "PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY",
             request->page_size, (unsigned long long)(cache / 1024));
    TRY(db_run(writing->db, sql, err));
    snprintf(sql, sizeof sql,
             "CREATE VIRTUAL TABLE vec_index USING vec0(embedding float[%u] distance_metric=%s)",
             self->kv.vector_dim, vector_metric_name(self->metric));
    return db_run(writing->db,
                  "CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID", err) &&
           db_run(writing->db, sql, err) &&
           db_run(writing->db,
                  "CREATE TABLE vec_payloads (rowid INTEGER PRIMARY KEY, payload TEXT NOT NULL)",
                  err) &&
           db_run(writing->db,
                  "CREATE TABLE vec_id_map (internal_id INTEGER PRIMARY KEY, original_id TEXT NOT "
                  "NULL)",
                  err);
}

static bool prepare(struct writing *writing, struct err *err)
{
    return db_prepare(writing->db, "INSERT INTO kv VALUES (?, ?)", &writing->kv, err) &&
           db_prepare(writing->db, "INSERT INTO vec_index (rowid, embedding) VALUES (?, ?)",
                      &writing->vector, err) &&
           db_prepare(writing->db, "INSERT INTO vec_id_map VALUES (?, ?)", &writing->id, err) &&
           db_prepare(writing->db, "INSERT INTO vec_payloads VALUES (?, ?)", &writing->payload,
                      err);
}

static bool insert(sqlite3_stmt *statement, struct err *err)
{
    bool row;
    bool ok = db_step(statement, &row, err);
    (void)sqlite3_reset(statement);
    if (!ok && (err->code & 0xff) == SQLITE_CONSTRAINT) {
        err->kind = ERR_CORRUPT; /* a key that came twice: the merge is broken, not the record */
    }
    return ok;
}

static void bind_text(sqlite3_stmt *statement, int parameter, struct bytes text)
{
    CHECK(sqlite3_bind_text64(statement, parameter, (const char *)text.data, text.size,
                              SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

static bool add_row(struct writing *writing, uint32_t dim, const struct row *row, int64_t place,
                    struct err *err)
{
    struct vector_row packed;
    TRY(vector_row_unpack(row->value, dim, &packed, err));
    db_bind_blob(writing->kv, 1, row->key);
    db_bind_blob(writing->kv, 2, packed.value);
    TRY(insert(writing->kv, err));
    if (packed.vector.size > 0) {
        db_bind_i64(writing->vector, 1, place);
        db_bind_blob(writing->vector, 2, packed.vector);
        db_bind_i64(writing->id, 1, place);
        bind_text(writing->id, 2, packed.id);
        TRY(insert(writing->vector, err) && insert(writing->id, err));
    }
    if (packed.payload.size > 0) {
        db_bind_i64(writing->payload, 1, place);
        bind_text(writing->payload, 2, packed.payload);
        TRY(insert(writing->payload, err));
    }
    buf_clear(writing->key_max);
    buf_add_bytes(writing->key_max, row->key);
    return true;
}

static bool add_rows(struct writing *writing, uint32_t dim, struct row_stream *rows,
                     struct err *err)
{
    TRY(db_run(writing->db, "BEGIN", err));
    for (int64_t place = 0;; place++) {
        struct row row;
        bool more;
        TRY(row_stream_next(rows, &row, &more, err));
        if (!more) {
            break;
        }
        TRY(add_row(writing, dim, &row, place, err));
    }
    return db_run(writing->db, "COMMIT; PRAGMA optimize", err);
}

static bool write_file(struct kv *kv, const struct kv_write_request *request,
                       struct row_stream *rows, struct kv_written *written, struct buf *key_max,
                       struct err *err)
{
    const struct sqlite_vec_kv *self = (const struct sqlite_vec_kv *)kv;
    struct writing writing = {.request = request, .key_max = key_max};
    TRY(gather_vfs_create(request->path, &writing.db, err));
    bool ok = db_load_extension(writing.db, self->extension, "sqlite3_vec_init", err) &&
              start_file(self, &writing, err) && prepare(&writing, err) &&
              add_rows(&writing, kv->vector_dim, rows, err);
    db_finalize(writing.kv);
    db_finalize(writing.vector);
    db_finalize(writing.id);
    db_finalize(writing.payload);
    db_close(writing.db);
    TRY(ok);
    struct stat status;
    if (stat(request->path, &status) != 0) {
        return err_set(err, ERR_MISSING, "it is gone");
    }
    written->file_bytes = (uint64_t)status.st_size;
    return true;
}

/* ---- reading ---- */

static bool open_file(struct kv *kv, const char *path, struct kv_file **ret_file, struct err *err)
{
    const struct sqlite_vec_kv *self = (const struct sqlite_vec_kv *)kv;
    return sqlite_vec_file_open(kv, self->extension, path, NULL, ret_file, err);
}

static bool open_range(struct kv *kv, struct range_file *take_file, struct kv_file **ret_file,
                       struct err *err)
{
    const struct sqlite_vec_kv *self = (const struct sqlite_vec_kv *)kv;
    return sqlite_vec_file_open(kv, self->extension, NULL, take_file, ret_file, err);
}

static void free_kv(struct kv *kv)
{
    free(((struct sqlite_vec_kv *)kv)->extension);
    free(kv);
}

static const struct kv_ops sqlite_vec_kv_ops = {
    .write = write_file,
    .open = open_file,
    .open_range = open_range,
    .close = sqlite_vec_file_close,
    .get = sqlite_vec_file_get,
    .rows = sqlite_vec_file_rows,
    .search = sqlite_vec_file_search,
    .free = free_kv,
    .features = {.same_bytes = true, .range_read = true},
    .name = "sqlite-vec",
};

bool sqlite_vec_kv_new(const struct sqlite_vec_settings *settings, struct kv **ret_kv,
                       struct err *err)
{
    CHECK(settings->dim > 0 && settings->dim <= VECTOR_DIM_MAX);
    AUTO(db) sqlite3 *db = NULL;
    AUTO(db_statement) sqlite3_stmt *version = NULL;
    bool row = false;
    TRY(db_open_memory(&db, err));
    TRY(db_load_extension(db, settings->extension, "sqlite3_vec_init", err));
    if (!db_prepare(db, "SELECT vec_version()", &version, err) || !db_step(version, &row, err)) {
        err->kind = ERR_SETTINGS;
        return err_wrap(err, "%.200s is not sqlite-vec", settings->extension);
    }
    struct sqlite_vec_kv *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    *self = (struct sqlite_vec_kv){
        .kv = {.ops = &sqlite_vec_kv_ops, .vector_dim = settings->dim},
        .extension = strdup(settings->extension),
        .metric = settings->metric,
    };
    CHECK(self->extension != NULL);
    *ret_kv = &self->kv;
    return true;
}
