/* The manifest object: its columns as the bytes of an SQLite database, and back. */
#include "adapters/sqlite/sqlite_manifest.h"

#include "adapters/sqlite/db.h"

static const char schema[] =
    "CREATE TABLE build_meta (run_id TEXT NOT NULL, created_at TEXT NOT NULL,"
    " num_dbs INTEGER NOT NULL, s3_prefix TEXT NOT NULL, key_col TEXT NOT NULL,"
    " sharding TEXT NOT NULL, db_path_template TEXT NOT NULL, shard_prefix TEXT NOT NULL,"
    " format_version INTEGER NOT NULL, key_encoding TEXT NOT NULL,"
    " custom TEXT NOT NULL DEFAULT '{}');"
    "CREATE TABLE shards (db_id INTEGER NOT NULL PRIMARY KEY, db_url TEXT,"
    " attempt INTEGER NOT NULL, row_count INTEGER NOT NULL, db_bytes INTEGER NOT NULL,"
    " min_key TEXT, max_key TEXT, checkpoint_id TEXT, writer_info TEXT NOT NULL DEFAULT '{}')";

/* ---- writing ---- */

static bool insert_meta(sqlite3 *db, const struct manifest_meta_columns *meta, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, "INSERT INTO build_meta VALUES (?,?,?,?,?,?,?,?,?,?,?)", &insert, err));
    db_bind_text(insert, 1, meta->run_id);
    db_bind_text(insert, 2, meta->created_at);
    db_bind_i64(insert, 3, meta->num_dbs);
    db_bind_text(insert, 4, meta->s3_prefix);
    db_bind_text(insert, 5, meta->key_col);
    db_bind_text(insert, 6, meta->sharding);
    db_bind_text(insert, 7, meta->db_path_template);
    db_bind_text(insert, 8, meta->shard_prefix);
    db_bind_i64(insert, 9, meta->format_version);
    db_bind_text(insert, 10, meta->key_encoding);
    db_bind_text(insert, 11, meta->custom);
    bool row;
    return db_step(insert, &row, err);
}

static bool insert_shards(sqlite3 *db, const struct manifest_columns *columns, struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *insert = NULL;
    TRY(db_prepare(db, "INSERT INTO shards VALUES (?,?,?,?,?,?,?,?,?)", &insert, err));
    for (size_t i = 0; i < columns->shard_count; i++) {
        const struct manifest_shard_columns *shard = &columns->shards[i];
        db_bind_i64(insert, 1, shard->db_id);
        db_bind_text(insert, 2, shard->db_url);
        db_bind_i64(insert, 3, shard->attempt);
        db_bind_i64(insert, 4, shard->row_count);
        db_bind_i64(insert, 5, shard->db_bytes);
        db_bind_text(insert, 6, shard->min_key);
        db_bind_text(insert, 7, shard->max_key);
        db_bind_text(insert, 8, shard->checkpoint_id);
        db_bind_text(insert, 9, shard->writer_info);
        bool row;
        TRY(db_step(insert, &row, err));
        sqlite3_reset(insert);
    }
    return true;
}

static bool fill(sqlite3 *db, const struct manifest_columns *columns, struct err *err)
{
    return db_run(db, "BEGIN", err) && db_run(db, schema, err) &&
           insert_meta(db, &columns->meta, err) && insert_shards(db, columns, err) &&
           db_run(db, "COMMIT", err);
}

bool sqlite_manifest_encode(const struct manifest *manifest, struct buf *to, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    struct manifest_columns columns;
    TRY(manifest_encode(manifest, arena, &columns, err));
    AUTO(db) sqlite3 *db = NULL;
    TRY(db_open_memory(&db, err));
    TRY(fill(db, &columns, err));
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(db, "main", &size, 0);
    CHECK(bytes != NULL);
    buf_add(to, bytes, (size_t)size);
    sqlite3_free(bytes);
    return !to->overflowed || err_set(err, ERR_LIMIT, "a manifest of %lld bytes", (long long)size);
}

/* ---- reading ---- */

enum { SHARDS_MAX = 1 << 24 }; /* a sane bound for a foreign count */

/* A TEXT column as the arena's text; NULL for SQL NULL. A blob or number is no text: INPUT. */
static bool take_text(sqlite3_stmt *row, int column, bool may_be_null, struct arena *arena,
                      const char **ret_text, struct err *err)
{
    int type = sqlite3_column_type(row, column);
    if (type == SQLITE_NULL && may_be_null) {
        *ret_text = NULL;
        return true;
    }
    if (type != SQLITE_TEXT) {
        return err_set(err, ERR_INPUT, "manifest: %s is not a text",
                       sqlite3_column_name(row, column));
    }
    const char *text = db_text(row, column);
    size_t size = (size_t)sqlite3_column_bytes(row, column);
    if (strlen(text) != size) {
        return err_set(err, ERR_INPUT, "manifest: %s has a NUL in it",
                       sqlite3_column_name(row, column));
    }
    *ret_text = arena_text(arena, bytes_of(text, size));
    return true;
}

static bool take_i64(sqlite3_stmt *row, int column, int64_t *ret_value, struct err *err)
{
    if (sqlite3_column_type(row, column) != SQLITE_INTEGER) {
        return err_set(err, ERR_INPUT, "manifest: %s is not an integer",
                       sqlite3_column_name(row, column));
    }
    *ret_value = sqlite3_column_int64(row, column);
    return true;
}

static bool read_meta(sqlite3 *db, struct arena *arena, struct manifest_meta_columns *meta,
                      struct err *err)
{
    AUTO(db_statement) sqlite3_stmt *row = NULL;
    bool more;
    TRY(db_prepare(db,
                   "SELECT run_id, created_at, num_dbs, s3_prefix, key_col, sharding,"
                   " db_path_template, shard_prefix, format_version, key_encoding, custom"
                   " FROM build_meta",
                   &row, err));
    TRY(db_step(row, &more, err));
    if (!more) {
        return err_set(err, ERR_INPUT, "manifest: build_meta has no row");
    }
    TRY(take_text(row, 0, false, arena, &meta->run_id, err));
    TRY(take_text(row, 1, false, arena, &meta->created_at, err));
    TRY(take_i64(row, 2, &meta->num_dbs, err));
    TRY(take_text(row, 3, false, arena, &meta->s3_prefix, err));
    TRY(take_text(row, 4, false, arena, &meta->key_col, err));
    TRY(take_text(row, 5, false, arena, &meta->sharding, err));
    TRY(take_text(row, 6, false, arena, &meta->db_path_template, err));
    TRY(take_text(row, 7, false, arena, &meta->shard_prefix, err));
    TRY(take_i64(row, 8, &meta->format_version, err));
    TRY(take_text(row, 9, false, arena, &meta->key_encoding, err));
    TRY(take_text(row, 10, false, arena, &meta->custom, err));
    TRY(db_step(row, &more, err));
    return !more || err_set(err, ERR_INPUT, "manifest: build_meta has more than one row");
}

static bool read_shard(sqlite3_stmt *row, struct arena *arena, struct manifest_shard_columns *shard,
                       struct err *err)
{
    TRY(take_i64(row, 0, &shard->db_id, err));
    TRY(take_text(row, 1, true, arena, &shard->db_url, err));
    TRY(take_i64(row, 2, &shard->attempt, err));
    TRY(take_i64(row, 3, &shard->row_count, err));
    TRY(take_i64(row, 4, &shard->db_bytes, err));
    TRY(take_text(row, 5, true, arena, &shard->min_key, err));
    TRY(take_text(row, 6, true, arena, &shard->max_key, err));
    TRY(take_text(row, 7, true, arena, &shard->checkpoint_id, err));
    return take_text(row, 8, false, arena, &shard->writer_info, err);
}

static bool read_shards(sqlite3 *db, struct arena *arena, struct manifest_columns *columns,
                        struct err *err)
{
    int64_t count;
    TRY(db_run_i64(db, "SELECT count(*) FROM shards", &count, err));
    if (count > SHARDS_MAX) {
        return err_set(err, ERR_INPUT, "manifest: %lld shards", (long long)count);
    }
    struct manifest_shard_columns *shards = arena_alloc(arena, (size_t)count * sizeof *shards);
    AUTO(db_statement) sqlite3_stmt *row = NULL;
    TRY(db_prepare(db,
                   "SELECT db_id, db_url, attempt, row_count, db_bytes, min_key, max_key,"
                   " checkpoint_id, writer_info FROM shards ORDER BY db_id",
                   &row, err));
    size_t have = 0;
    for (;;) {
        bool more;
        TRY(db_step(row, &more, err));
        if (!more) {
            break;
        }
        if (have == (size_t)count) {
            return err_set(err, ERR_INPUT, "manifest: shards and their count differ");
        }
        TRY(read_shard(row, arena, &shards[have], err));
        have++;
    }
    columns->shards = shards;
    columns->shard_count = have;
    return true;
}

/* The database is read where it lies; it is foreign, so nothing in its schema is trusted. */
static bool open_object(struct bytes object, sqlite3 **ret_db, struct err *err)
{
    static const char magic[16] = "SQLite format 3";
    if (object.size < 100 || memcmp(object.data, magic, sizeof magic) != 0) {
        return err_set(err, ERR_INPUT, "manifest: not an SQLite file");
    }
    AUTO(db) sqlite3 *db = NULL;
    TRY(db_open_memory(&db, err));
    int code = sqlite3_deserialize(db, "main", (unsigned char *)(uintptr_t)object.data,
                                   (sqlite3_int64)object.size, (sqlite3_int64)object.size,
                                   SQLITE_DESERIALIZE_READONLY);
    if (code != SQLITE_OK) {
        return db_err(err, db, code, "manifest");
    }
    CHECK(sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK);
    CHECK(sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK);
    TRY(db_run(db, "PRAGMA cell_size_check=ON", err));
    *ret_db = TAKE(db);
    return true;
}

static bool decode(struct bytes object, struct arena *arena, struct manifest_columns *columns,
                   struct err *err)
{
    AUTO(db) sqlite3 *db = NULL;
    return open_object(object, &db, err) && read_meta(db, arena, &columns->meta, err) &&
           read_shards(db, arena, columns, err);
}

bool sqlite_manifest_decode(struct bytes object, struct arena *arena, struct manifest *ret_manifest,
                            struct err *err)
{
    struct manifest_columns columns = {0};
    if (!decode(object, arena, &columns, err)) {
        /* Whatever SQLite says about foreign bytes, the same call again will not help. */
        err->kind = ERR_INPUT;
        return false;
    }
    return manifest_decode(&columns, arena, ret_manifest, err);
}
