/* A shard file with vectors, opened for reading.
 *
 * The happy path: a row is put together from its value and, by its place in the file, the vector,
 * the id and the payload. A search asks the index, and the two tables beside it by row id.
 *
 * What can go wrong: another writer has numbered its vectors in another way. Its rows are read by
 * the plain driver; what is read here was written by ours, or is only searched. */
#include "adapters/sqlite/sqlite_vec_file.h"

#include <stdlib.h>

#include "adapters/os/lock.h"
#include "adapters/sqlite/db.h"
#include "adapters/sqlite/range_vfs.h"
#include "core/record/vector.h"

/* One connection with what is asked of it. */
struct vec_db {
    sqlite3 *db;
    bool by_range;
    sqlite3_stmt *vector;  /* by row id */
    sqlite3_stmt *id;      /* by row id */
    sqlite3_stmt *payload; /* by row id */
};

struct vec_file {
    struct kv_file file;
    struct range_file *range; /* NULL: a local file */
    char *path;               /* NULL: by range */
    const char *borrowed_extension;
    uint32_t dim;
    atomic_uint streams;
    struct lock lock;
    struct vec_db locked;
};

/* ---- connections ---- */

static bool failed(const struct vec_db *at, struct err *err)
{
    if ((err->code & 0xff) == SQLITE_ERROR) {
        err->kind = ERR_CORRUPT; /* there is no such table, so it is no shard file with vectors */
    }
    return at->by_range && range_vfs_err(at->db, err);
}

static void vec_db_done(struct vec_db *at)
{
    db_finalize(at->vector);
    db_finalize(at->id);
    db_finalize(at->payload);
    db_close(at->db);
    *at = (struct vec_db){0};
}

static bool vec_db_open(const struct vec_file *file, struct vec_db *at, struct err *err)
{
    *at = (struct vec_db){.by_range = file->range != NULL};
    TRY(at->by_range ? range_vfs_open(file->range, &at->db, err)
                     : db_open_reading(file->path, &at->db, err));
    return (db_load_extension(at->db, file->borrowed_extension, "sqlite3_vec_init", err) &&
            db_prepare(at->db, "SELECT embedding FROM vec_index WHERE rowid = ?", &at->vector,
                       err) &&
            db_prepare(at->db, "SELECT original_id FROM vec_id_map WHERE internal_id = ?", &at->id,
                       err) &&
            db_prepare(at->db, "SELECT payload FROM vec_payloads WHERE rowid = ?", &at->payload,
                       err)) ||
           failed(at, err);
}

void sqlite_vec_file_close(struct kv_file *file)
{
    struct vec_file *self = (struct vec_file *)file;
    CHECK(atomic_load(&self->streams) == 0);
    vec_db_done(&self->locked);
    range_file_free(self->range);
    lock_done(&self->lock);
    free(self->path);
    free(self);
}

bool sqlite_vec_file_open(const struct kv *kv, const char *borrowed_extension, const char *path,
                          struct range_file *take_range, struct kv_file **ret_file, struct err *err)
{
    struct vec_file *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    *self = (struct vec_file){.file = {.ops = kv->ops},
                              .range = take_range,
                              .borrowed_extension = borrowed_extension,
                              .dim = kv->vector_dim};
    lock_init(&self->lock);
    if (path != NULL) {
        self->path = strdup(path);
        CHECK(self->path != NULL);
    }
    if (!vec_db_open(self, &self->locked, err)) {
        sqlite_vec_file_close(&self->file);
        return false;
    }
    *ret_file = &self->file;
    return true;
}

/* ---- rows ---- */

/* Adds column 0 of the row with this id; nothing when there is none. */
static bool add_by_row_id(const struct vec_db *at, sqlite3_stmt *statement, int64_t row_id,
                          struct buf *to, struct err *err)
{
    bool row = false;
    db_bind_i64(statement, 1, row_id);
    bool ok = db_step(statement, &row, err);
    if (ok && row) {
        buf_add_bytes(to, db_blob(statement, 0));
    }
    (void)sqlite3_reset(statement);
    return ok || failed(at, err);
}

/* The value at place `place`, packed with what belongs to it. */
static bool add_packed(const struct vec_file *file, const struct vec_db *at, struct bytes value,
                       int64_t place, struct buf *to, struct err *err)
{
    AUTO(buf) struct buf vector;
    AUTO(buf) struct buf id;
    AUTO(buf) struct buf payload;
    buf_init(&vector, SIZE_MAX);
    buf_init(&id, SIZE_MAX);
    buf_init(&payload, SIZE_MAX);
    TRY(add_by_row_id(at, at->vector, place, &vector, err));
    if (vector.size > 0) {
        TRY(add_by_row_id(at, at->id, place, &id, err));
        TRY(add_by_row_id(at, at->payload, place, &payload, err));
    }
    struct vector_row row = {.value = value,
                             .vector = buf_bytes(&vector),
                             .id = buf_bytes(&id),
                             .payload = buf_bytes(&payload)};
    if ((vector.size > 0 && vector.size != (size_t)4 * file->dim) ||
        (vector.size > 0) != (id.size > 0)) {
        return err_set(err, ERR_CORRUPT, "row %lld has a vector of another size, or without id",
                       (long long)place);
    }
    vector_row_pack(&row, to);
    return true;
}

static const char count_sql[] = "SELECT count(*) FROM kv WHERE k < ?";

static bool count_below(const struct vec_db *at, struct bytes key, int64_t *ret_count,
                        struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *count = NULL;
    bool row = false;
    if (!db_prepare(at->db, count_sql, &count, err)) {
        return failed(at, err);
    }
    db_bind_blob(count, 1, key);
    if (!db_step(count, &row, err)) {
        return failed(at, err);
    }
    *ret_count = sqlite3_column_int64(count, 0);
    return true;
}

static bool get_locked(struct vec_file *self, struct bytes key, struct buf *value, bool *ret_found,
                       struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *get = NULL;
    int64_t place = 0;
    if (!db_prepare(self->locked.db, "SELECT v FROM kv WHERE k = ?", &get, err)) {
        return failed(&self->locked, err);
    }
    db_bind_blob(get, 1, key);
    if (!db_step(get, ret_found, err)) {
        return failed(&self->locked, err);
    }
    return !*ret_found || (count_below(&self->locked, key, &place, err) &&
                           add_packed(self, &self->locked, db_blob(get, 0), place, value, err));
}

bool sqlite_vec_file_get(struct kv_file *file, struct bytes key, struct buf *value, bool *ret_found,
                         struct err *err)
{
    struct vec_file *self = (struct vec_file *)file;
    lock_take(&self->lock);
    bool found = false;
    bool ok = get_locked(self, key, value, &found, err);
    lock_give(&self->lock);
    TRY(ok);
    *ret_found = found;
    return true;
}

struct vec_rows {
    struct row_stream stream;
    struct vec_file *borrowed_file;
    struct vec_db at; /* its own */
    sqlite3_stmt *rows;
    int64_t place;
    struct buf from;
    struct buf to;
    struct buf packed;
};

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    struct vec_rows *self = (struct vec_rows *)stream;
    bool more = false;
    if (!db_step(self->rows, &more, err)) {
        return failed(&self->at, err);
    }
    if (more) {
        buf_clear(&self->packed);
        TRY(add_packed(self->borrowed_file, &self->at, db_blob(self->rows, 1), self->place,
                       &self->packed, err));
        self->place++;
        *ret_row = (struct row){
            .key = db_blob(self->rows, 0),
            .value = buf_bytes(&self->packed),
            .event_time_us = INT64_MIN,
            .source = ROW_SOURCE_BASE,
        };
    }
    *ret_more = more;
    return true;
}

static void free_rows(struct row_stream *stream)
{
    struct vec_rows *self = (struct vec_rows *)stream;
    db_finalize(self->rows);
    vec_db_done(&self->at);
    buf_done(&self->from);
    buf_done(&self->to);
    buf_done(&self->packed);
    atomic_fetch_sub(&self->borrowed_file->streams, 1);
    free(self);
}

static const struct row_stream_ops vec_rows_ops = {.next = next_row, .free = free_rows};

static bool start_rows(struct vec_rows *self, bool has_end, struct err *err)
{
    TRY(vec_db_open(self->borrowed_file, &self->at, err));
    TRY(self->from.size == 0 || count_below(&self->at, buf_bytes(&self->from), &self->place, err));
    if (!db_prepare(self->at.db,
                    has_end ? "SELECT k, v FROM kv WHERE k >= ?1 AND k < ?2 ORDER BY k"
                            : "SELECT k, v FROM kv WHERE k >= ?1 ORDER BY k",
                    &self->rows, err)) {
        return failed(&self->at, err);
    }
    db_bind_blob(self->rows, 1, buf_bytes(&self->from));
    if (has_end) {
        db_bind_blob(self->rows, 2, buf_bytes(&self->to));
    }
    return true;
}

bool sqlite_vec_file_rows(struct kv_file *file, const struct kv_bounds *bounds,
                          struct row_stream **ret_stream, struct err *err)
{
    struct vec_rows *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    *self = (struct vec_rows){.stream = {.ops = &vec_rows_ops},
                              .borrowed_file = (struct vec_file *)file};
    buf_init(&self->from, SIZE_MAX);
    buf_init(&self->to, SIZE_MAX);
    buf_init(&self->packed, SIZE_MAX);
    buf_add_bytes(&self->from, bounds->from);
    buf_add_bytes(&self->to, bounds->to);
    atomic_fetch_add(&self->borrowed_file->streams, 1);
    if (!start_rows(self, bounds->has_end, err)) {
        free_rows(&self->stream);
        return false;
    }
    *ret_stream = &self->stream;
    return true;
}

/* ---- search ---- */

static bool take_text(const struct vec_db *at, sqlite3_stmt *statement, int64_t row_id,
                      struct arena *arena, const char **ret_text, struct err *err)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    TRY(add_by_row_id(at, statement, row_id, &text, err));
    *ret_text = text.size == 0 ? NULL : arena_text(arena, buf_bytes(&text));
    return true;
}

static bool search_locked(struct vec_file *self, struct bytes vector, size_t count,
                          struct arena *arena, struct kv_neighbour *neighbours, size_t *have,
                          struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *search = NULL;
    if (!db_prepare(self->locked.db,
                    "SELECT rowid, distance FROM vec_index WHERE embedding MATCH ?1 AND k = ?2"
                    " ORDER BY distance",
                    &search, err)) {
        return failed(&self->locked, err);
    }
    db_bind_blob(search, 1, vector);
    db_bind_i64(search, 2, (int64_t)count);
    for (*have = 0; *have < count; (*have)++) {
        bool row = false;
        struct kv_neighbour *found = &neighbours[*have];
        if (!db_step(search, &row, err)) {
            return failed(&self->locked, err);
        }
        if (!row) {
            break;
        }
        int64_t row_id = sqlite3_column_int64(search, 0);
        found->distance = sqlite3_column_double(search, 1);
        TRY(take_text(&self->locked, self->locked.id, row_id, arena, &found->id, err));
        TRY(take_text(&self->locked, self->locked.payload, row_id, arena, &found->payload, err));
        if (found->id == NULL) {
            return err_set(err, ERR_CORRUPT, "vector %lld has no id", (long long)row_id);
        }
    }
    return true;
}

bool sqlite_vec_file_search(struct kv_file *file, struct bytes vector, size_t count,
                            struct arena *arena, struct kv_neighbour *ret_neighbours,
                            size_t *ret_count, struct err *err)
{
    struct vec_file *self = (struct vec_file *)file;
    lock_take(&self->lock);
    size_t have = 0;
    bool ok = search_locked(self, vector, count, arena, ret_neighbours, &have, err);
    lock_give(&self->lock);
    TRY(ok);
    *ret_count = have;
    return true;
}
