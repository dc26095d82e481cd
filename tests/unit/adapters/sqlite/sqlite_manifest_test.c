/* Do golden manifests decode to what the library put in, and ours to what we put in? */
#include "adapters/sqlite/sqlite_manifest.h"

#include "adapters/sqlite/db.h"
#include "tests/support/vectors.h"

static const char *const snapshots[] = {
    "manifest_example",
    "manifest_example_cel",
    "manifest_example_cel_int",
    "manifest_example_sparse",
    "page_auto",
    "sidecar_64k",
    "sidecar_deep",
    "vector_example",
};

static const char *text_or_none(const char *text)
{
    return text == NULL ? "(none)" : text;
}

static void check_shard(const struct attempt *shard, const cJSON *wanted)
{
    cr_assert_eq(shard->db_id, vectors_integer(wanted, "db_id"));
    cr_assert_eq(shard->attempt, vectors_integer(wanted, "attempt"));
    cr_assert_eq(shard->row_count, vectors_integer(wanted, "row_count"));
    cr_assert_eq(shard->db_bytes, vectors_integer(wanted, "db_bytes"));
    cr_assert_str_eq(text_or_none(shard->db_url), text_or_none(vectors_text(wanted, "db_url")));
    cr_assert_str_eq(text_or_none(shard->min_key), text_or_none(vectors_text(wanted, "min_key")));
    cr_assert_str_eq(text_or_none(shard->max_key), text_or_none(vectors_text(wanted, "max_key")));
    cr_assert_str_eq(text_or_none(shard->checkpoint_id),
                     text_or_none(vectors_text(wanted, "checkpoint_id")));
}

static void check_manifest(const struct manifest *manifest, const cJSON *wanted)
{
    const cJSON *meta = vectors_member(wanted, "build_meta");
    cr_assert_str_eq(manifest->run_id, vectors_text(meta, "run_id"));
    cr_assert_eq(manifest->num_dbs, vectors_integer(meta, "num_dbs"));
    cr_assert_str_eq(manifest->s3_prefix, vectors_text(meta, "s3_prefix"));
    cr_assert_str_eq(manifest->key_column, vectors_text(meta, "key_col"));
    cr_assert_str_eq(manifest->db_path_template, vectors_text(meta, "db_path_template"));
    cr_assert_str_eq(manifest->shard_prefix, vectors_text(meta, "shard_prefix"));
    const cJSON *shards = vectors_member(wanted, "shards");
    cr_assert_eq(manifest->shard_count, (size_t)cJSON_GetArraySize(shards));
    const cJSON *shard;
    size_t at = 0;
    cJSON_ArrayForEach(shard, shards)
    {
        check_shard(&manifest->shards[at++], shard);
    }
}

/* Tables and their columns as SQLite describes them: names, types, NOT NULL, defaults, keys. */
static const char *columns_of(struct bytes object, struct arena *arena)
{
    AUTO(db) sqlite3 *db = NULL;
    AUTO(db_statement) sqlite3_stmt *row = NULL;
    struct err err = {0};
    bool more;
    cr_assert(db_open_memory(&db, &err));
    cr_assert_eq(sqlite3_deserialize(db, "main", (unsigned char *)(uintptr_t)object.data,
                                     (sqlite3_int64)object.size, (sqlite3_int64)object.size,
                                     SQLITE_DESERIALIZE_READONLY),
                 SQLITE_OK);
    cr_assert(db_prepare(db,
                         "SELECT group_concat(t.type || ' ' || t.name || '.' || c.name || ' ' ||"
                         " c.type || ' ' || c.\"notnull\" || ' ' || ifnull(c.dflt_value, '-') ||"
                         " ' ' || c.pk, ', ') FROM sqlite_schema t, pragma_table_info(t.name) c",
                         &row, &err),
              "%s", err.message);
    cr_assert(db_step(row, &more, &err) && more);
    return arena_text(arena, bytes_of_text(db_text(row, 0)));
}

Test(sqlite_manifest, golden_ones_decode)
{
    for (size_t i = 0; i < LENGTH_OF(snapshots); i++) {
        AUTO(arena) struct arena *arena = arena_new(1 << 16);
        struct bytes text =
            vectors_read(arena_format(arena, "%s/decoded.json", snapshots[i]), arena);
        cJSON *root = vectors_json(text);
        const cJSON *wanted = vectors_member(root, "manifest");
        struct bytes object = vectors_read(
            arena_format(arena, "%s/objects/%s", snapshots[i], vectors_text(wanted, "object")),
            arena);
        struct manifest manifest;
        struct err err = {0};
        cr_assert(sqlite_manifest_decode(object, arena, &manifest, &err), "%s: %s", snapshots[i],
                  err.message);
        check_manifest(&manifest, wanted);
        cr_assert_eq(manifest.lineage.size, 0, "not made by us");
        const cJSON *custom = vectors_member(vectors_member(wanted, "parsed"), "custom");
        cr_assert_eq(manifest.sidecar.on, cJSON_HasObjectItem(custom, "sqlite_sidecar"));

        /* ours of the same content decodes to the same, and is the same bytes each time */
        struct buf first;
        struct buf second;
        buf_init(&first, 1 << 20);
        buf_init(&second, 1 << 20);
        cr_assert(sqlite_manifest_encode(&manifest, &first, &err), "%s", err.message);
        cr_assert(sqlite_manifest_encode(&manifest, &second, &err), "%s", err.message);
        cr_assert(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
        cr_assert_str_eq(columns_of(buf_bytes(&first), arena), columns_of(object, arena));
        struct manifest again;
        cr_assert(sqlite_manifest_decode(buf_bytes(&first), arena, &again, &err), "%s",
                  err.message);
        check_manifest(&again, wanted);
        cr_assert_eq(again.created_at_us, manifest.created_at_us);
        buf_done(&first);
        buf_done(&second);
        cJSON_Delete(root);
    }
}

/* An SQLite file that a statement makes of a golden manifest. */
static bool decodes_after(const char *sql, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 16);
    struct bytes text = vectors_read("manifest_example/decoded.json", arena);
    cJSON *root = vectors_json(text);
    struct bytes object =
        vectors_read(arena_format(arena, "manifest_example/objects/%s",
                                  vectors_text(vectors_member(root, "manifest"), "object")),
                     arena);
    cJSON_Delete(root);
    sqlite3 *db = NULL;
    cr_assert(db_open_memory(&db, err));
    unsigned char *copy = sqlite3_malloc64(object.size);
    memcpy(copy, object.data, object.size);
    cr_assert_eq(sqlite3_deserialize(
                     db, "main", copy, (sqlite3_int64)object.size, (sqlite3_int64)object.size,
                     SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE),
                 SQLITE_OK);
    cr_assert(db_run(db, sql, err), "%s", err->message);
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(db, "main", &size, 0);
    struct manifest manifest;
    bool ok = sqlite_manifest_decode(bytes_of(bytes, (size_t)size), arena, &manifest, err);
    sqlite3_free(bytes);
    db_close(db);
    return ok;
}

Test(sqlite_manifest, what_a_reader_refuses)
{
    static const char *const statements[] = {
        "DELETE FROM build_meta",
        "INSERT INTO build_meta SELECT * FROM build_meta",
        "DROP TABLE shards",
        "UPDATE build_meta SET num_dbs = 'three'",
        "UPDATE build_meta SET num_dbs = 0",
        "UPDATE build_meta SET num_dbs = 1",
        "UPDATE build_meta SET format_version = 3",
        "UPDATE build_meta SET run_id = x'00ff'",
        "UPDATE build_meta SET run_id = CAST(x'610062' AS TEXT)",
        "UPDATE build_meta SET sharding = '{}'",
        "UPDATE build_meta SET key_encoding = 'u16be'",
        "UPDATE shards SET db_id = 7 WHERE db_id = 0",
        "UPDATE shards SET row_count = -1",
        "UPDATE shards SET row_count = 1.5",
        "UPDATE shards SET db_url = x'17'",
    };
    struct err err = {0};
    cr_assert(decodes_after("SELECT 1", &err), "%s", err.message);
    cr_assert(decodes_after("DELETE FROM shards", &err), "%s", err.message);
    for (size_t i = 0; i < LENGTH_OF(statements); i++) {
        cr_assert(!decodes_after(statements[i], &err), "%s", statements[i]);
        cr_assert_eq(err.kind, ERR_INPUT, "%s: %s", statements[i], err.message);
    }
}

Test(sqlite_manifest, bytes_that_are_no_database)
{
    AUTO(arena) struct arena *arena = arena_new(1 << 16);
    uint8_t *bytes = arena_zero(arena, 8192);
    memcpy(bytes, "SQLite format 3", 16);
    struct manifest manifest;
    struct err err = {0};
    static const size_t sizes[] = {0, 16, 99, 100, 4096, 8192};
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        cr_assert(!sqlite_manifest_decode(bytes_of(bytes, sizes[i]), arena, &manifest, &err));
        cr_assert_eq(err.kind, ERR_INPUT);
    }
}
