/* Do the example manifests mean what their decoded form says, and are a reader's rules enforced? */
#include "core/snapshot/manifest.h"
#include "core/base/utc.h"
#include "tests/support/vectors.h"

static const char *const examples[] = {
    "manifest_example",
    "manifest_example_cel",
    "manifest_example_cel_int",
    "manifest_example_sparse",
    "page_auto",
    "sidecar_64k",
    "sidecar_deep",
};

/* The columns as the library stored them. */
static struct manifest_columns columns_of(const cJSON *manifest, struct arena *arena)
{
    const cJSON *meta = vectors_member(manifest, "build_meta");
    const cJSON *shards = vectors_member(manifest, "shards");
    size_t count = (size_t)cJSON_GetArraySize(shards);
    struct manifest_shard_columns *rows = arena_zero(arena, (count + 1) * sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        const cJSON *shard = cJSON_GetArrayItem(shards, (int)i);
        rows[i] = (struct manifest_shard_columns){
            .db_id = vectors_integer(shard, "db_id"),
            .db_url = vectors_text(shard, "db_url"),
            .attempt = vectors_integer(shard, "attempt"),
            .row_count = vectors_integer(shard, "row_count"),
            .db_bytes = vectors_integer(shard, "db_bytes"),
            .min_key = vectors_text(shard, "min_key"),
            .max_key = vectors_text(shard, "max_key"),
            .checkpoint_id = vectors_text(shard, "checkpoint_id"),
            .writer_info = vectors_text(shard, "writer_info"),
        };
    }
    return (struct manifest_columns){
        .meta =
            {
                .run_id = vectors_text(meta, "run_id"),
                .created_at = vectors_text(meta, "created_at"),
                .num_dbs = vectors_integer(meta, "num_dbs"),
                .s3_prefix = vectors_text(meta, "s3_prefix"),
                .key_col = vectors_text(meta, "key_col"),
                .sharding = vectors_text(meta, "sharding"),
                .db_path_template = vectors_text(meta, "db_path_template"),
                .shard_prefix = vectors_text(meta, "shard_prefix"),
                .format_version = vectors_integer(meta, "format_version"),
                .key_encoding = vectors_text(meta, "key_encoding"),
                .custom = vectors_text(meta, "custom"),
            },
        .shards = rows,
        .shard_count = count,
    };
}

static void expect_json(const char *text, const cJSON *expected)
{
    AUTO(json) cJSON *parsed = vectors_json(bytes_of_text(text));
    cr_assert(cJSON_Compare(parsed, expected, true), "%s", text);
}

/* The library's own view of the manifest. */
static void expect_parsed(const struct manifest *manifest, const cJSON *parsed)
{
    const cJSON *required = vectors_member(parsed, "required");
    char created_at[UTC_TEXT_SIZE];
    utc_format_json(manifest->created_at_us, created_at);
    cr_assert_str_eq(created_at, vectors_text(required, "created_at"));
    cr_assert_str_eq(manifest->run_id, vectors_text(required, "run_id"));
    cr_assert_str_eq(manifest->s3_prefix, vectors_text(required, "s3_prefix"));
    cr_assert_str_eq(manifest->key_column, vectors_text(required, "key_col"));
    cr_assert_str_eq(key_encoding_name(manifest->key_encoding),
                     vectors_text(required, "key_encoding"));
    cr_assert_eq(manifest->num_dbs, vectors_integer(required, "num_dbs"));
    AUTO(buf) struct buf sharding;
    buf_init(&sharding, 100000);
    manifest_print_sharding(&manifest->sharding, &sharding);
    expect_json(buf_text(&sharding), vectors_member(required, "sharding"));
    const cJSON *custom = vectors_member(parsed, "custom");
    const cJSON *sidecar = cJSON_GetObjectItem(custom, "sqlite_sidecar");
    cr_assert_eq(manifest->sidecar.on, sidecar != NULL);
    if (sidecar != NULL) {
        const cJSON *page_size = vectors_member(sidecar, "page_size");
        cr_assert_eq(manifest->sidecar.page_size,
                     cJSON_IsString(page_size) ? 0 : (uint32_t)page_size->valuedouble);
    }
    const cJSON *shards = vectors_member(parsed, "shards");
    size_t used = 0; /* the library's view has empty shards, too */
    const cJSON *shard = NULL;
    cJSON_ArrayForEach(shard, shards)
    {
        if (used == manifest->shard_count ||
            manifest->shards[used].db_id != vectors_integer(shard, "db_id")) {
            cr_assert_eq(vectors_integer(shard, "row_count"), 0);
            continue;
        }
        const struct attempt *ours = &manifest->shards[used++];
        cr_assert_str_eq(ours->db_url, vectors_text(shard, "db_url"));
        cr_assert_str_eq(ours->checkpoint_id, vectors_text(shard, "checkpoint_id"));
        cr_assert(attempt_checkpoint_id_is_valid(ours->checkpoint_id));
        cr_assert_eq(ours->row_count, vectors_integer(shard, "row_count"));
        cr_assert_eq(ours->db_bytes, vectors_integer(shard, "db_bytes"));
        expect_json(ours->min_key, vectors_member(shard, "min_key"));
        expect_json(ours->max_key, vectors_member(shard, "max_key"));
        AUTO(buf) struct buf info;
        buf_init(&info, 1000);
        attempt_print_writer_info(ours, &info);
        expect_json(buf_text(&info), vectors_member(shard, "writer_info"));
    }
    cr_assert_eq(used, manifest->shard_count);
}

Test(manifest, examples)
{
    struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < LENGTH_OF(examples); i++) {
        const char *path = arena_format(arena, "%s/decoded.json", examples[i]);
        AUTO(json) cJSON *decoded = vectors_json(vectors_read(path, arena));
        const cJSON *json = vectors_member(decoded, "manifest");
        struct manifest_columns columns = columns_of(json, arena);
        struct manifest manifest;
        struct err err = {0};
        cr_assert(manifest_decode(&columns, arena, &manifest, &err), "%s", err.message);
        cr_assert_eq(manifest.lineage.size, 0);
        expect_parsed(&manifest, vectors_member(json, "parsed"));
        manifest.lineage = bytes_of_text("{\"build\":7}");
        struct manifest_columns ours;
        cr_assert(manifest_encode(&manifest, arena, &ours, &err), "%s", err.message);
        struct manifest again;
        cr_assert(manifest_decode(&ours, arena, &again, &err), "%s", err.message);
        expect_parsed(&again, vectors_member(json, "parsed"));
        cr_assert(bytes_equal(again.lineage, manifest.lineage));
    }
    arena_free(arena);
}

/* ---- rules, one change at a time ---- */

static struct manifest_columns good_columns(struct manifest_shard_columns rows[2])
{
    for (int i = 0; i < 2; i++) {
        rows[i] = (struct manifest_shard_columns){
            .db_id = i,
            .db_url = "s3://b/p/shards/run_id=r/db=00000/attempt=00",
            .row_count = 1,
            .db_bytes = 8192,
            .min_key = "\"a\"",
            .max_key = "17",
            .checkpoint_id = "0123456789abcdef0123456789abcdef",
            .writer_info = "{}",
        };
    }
    return (struct manifest_columns){
        .meta =
            {
                .run_id = "r",
                .created_at = "2026-03-14T10:30:00Z",
                .num_dbs = 2,
                .s3_prefix = "s3://b/p",
                .key_col = "_key",
                .sharding = "{\"strategy\":\"hash\",\"hash_algorithm\":\"xxh3_64\"}",
                .db_path_template = "db={db_id:05d}",
                .shard_prefix = "shards",
                .format_version = 4,
                .key_encoding = "utf8",
                .custom = "{}",
            },
        .shards = rows,
        .shard_count = 2,
    };
}

#define CEL                                                                                        \
    "{\"strategy\":\"cel\",\"hash_algorithm\":\"xxh3_64\",\"cel_expr\":\"k\",\"cel_columns\":{"    \
    "\"k\":\"int\"}"

static const struct {
    const char *sharding;
    int64_t num_dbs;
    const char *problem; /* NULL: good */
} shardings[] = {
    {CEL "}", 2, NULL},
    {CEL ",\"routing_values\":null}", 2, NULL},
    {CEL ",\"routing_values\":[\"a\",\"b\"]}", 2, NULL},
    {CEL ",\"routing_values\":[-1,1]}", 2, NULL},
    {CEL ",\"routing_values\":[1]}", 2, "num_dbs"},
    {CEL ",\"routing_values\":[1,2,3]}", 2, "num_dbs"},
    {CEL ",\"routing_values\":[1,\"a\"]}", 2, "all integers or all texts"},
    {CEL ",\"routing_values\":[1,1]}", 2, "distinct"},
    {CEL ",\"routing_values\":[true,false]}", 2, "neither an integer"},
    {CEL ",\"routing_values\":[1,1.5]}", 2, "not an integer"},
    {CEL ",\"routing_values\":[1,9007199254740993]}", 2, "decimal string"},
    {CEL ",\"more\":1}", 2, "not a member"},
    {"{\"strategy\":\"cel\",\"hash_algorithm\":\"xxh3_64\",\"cel_expr\":\"k\"}", 2, "without"},
    {"{\"strategy\":\"cel\",\"hash_algorithm\":\"xxh3_64\",\"cel_columns\":{}}", 2, "without"},
    {"{\"strategy\":\"cel\",\"hash_algorithm\":\"xxh3_64\",\"cel_expr\":\"k\",\"cel_columns\":{"
     "\"k\":\"INT\"}}",
     2, "name of a type"},
    {"{\"strategy\":\"hash\",\"hash_algorithm\":\"xxh3_64\",\"cel_expr\":\"k\"}", 2,
     "members of cel"},
    {"{\"strategy\":\"hash\",\"hash_algorithm\":\"xxh3_64\",\"routing_values\":[1,2]}", 2,
     "members of cel"},
    {"{\"strategy\":\"hash\"}", 2, "hash_algorithm"},
    {"{\"strategy\":\"hash\",\"hash_algorithm\":\"md5\"}", 2, "hash_algorithm"},
    {"{\"strategy\":\"range\",\"hash_algorithm\":\"xxh3_64\"}", 2, "strategy"},
    {"[]", 2, "not an object"},
    {"", 2, "no valid value"},
};

Test(manifest, sharding_rules)
{
    struct arena *arena = arena_new(1 << 12);
    for (size_t i = 0; i < LENGTH_OF(shardings); i++) {
        struct manifest_shard_columns rows[2];
        struct manifest_columns columns = good_columns(rows);
        columns.meta.sharding = shardings[i].sharding;
        columns.meta.num_dbs = shardings[i].num_dbs;
        struct manifest manifest;
        struct err err = {0};
        bool ok = manifest_decode(&columns, arena, &manifest, &err);
        cr_assert_eq(ok, shardings[i].problem == NULL, "%s: %s", shardings[i].sharding,
                     err.message);
        cr_assert(ok || strstr(err.message, shardings[i].problem) != NULL, "%s: %s",
                  shardings[i].sharding, err.message);
    }
    arena_free(arena);
}

typedef void (*change_function)(struct manifest_columns *columns,
                                struct manifest_shard_columns *rows);

#define CHANGE(name, statement)                                                                    \
    static void name(struct manifest_columns *columns, struct manifest_shard_columns *rows)        \
    {                                                                                              \
        (void)columns;                                                                             \
        (void)rows;                                                                                \
        statement;                                                                                 \
    }

CHANGE(nothing, (void)0)
CHANGE(other_order, rows[0].db_id = 1; rows[1].db_id = 0)
CHANGE(null_url, rows[0].db_url = NULL)
CHANGE(null_keys, rows[0].min_key = rows[0].max_key = NULL)
CHANGE(null_checkpoint, rows[0].checkpoint_id = NULL)
CHANGE(foreign_custom,
       columns->meta.custom = "{\"a\":\"\\u0000\",\"sqlite_sidecar\":{\"format_version\":9}}")
CHANGE(version_3, columns->meta.format_version = 3)
CHANGE(no_dbs, columns->meta.num_dbs = 0)
CHANGE(too_many_dbs, columns->meta.num_dbs = INT64_C(1) << 32)
CHANGE(no_run, columns->meta.run_id = "")
CHANGE(slash_run, columns->meta.run_id = "a/b")
CHANGE(null_run, columns->meta.run_id = NULL)
CHANGE(no_prefix, columns->meta.s3_prefix = "")
CHANGE(bad_text, columns->meta.key_col = "\xff")
CHANGE(bad_encoding, columns->meta.key_encoding = "u16be")
CHANGE(bad_time, columns->meta.created_at = "2026-03-14")
CHANGE(bad_custom, columns->meta.custom = "[]")
CHANGE(bad_lineage, columns->meta.custom = "{\"tidemark\":[]}")
CHANGE(twice, rows[1].db_id = 0)
CHANGE(negative_id, rows[0].db_id = -1)
CHANGE(high_id, rows[1].db_id = 2)
CHANGE(too_many_rows, columns->meta.num_dbs = 1)
CHANGE(negative_rows, rows[0].row_count = -1)
CHANGE(negative_bytes, rows[0].db_bytes = -1)
CHANGE(bad_min, rows[0].min_key = "1.5")
CHANGE(bad_max, rows[0].max_key = "a")
CHANGE(bad_info, rows[0].writer_info = "[]")
CHANGE(null_info, rows[0].writer_info = NULL)
CHANGE(text_info, rows[0].writer_info = "{\"duration_ms\":\"x\"}")

static const struct {
    change_function change;
    const char *problem; /* NULL: good */
} changes[] = {
    {nothing, NULL},
    {other_order, NULL},
    {null_url, NULL},
    {null_keys, NULL},
    {null_checkpoint, NULL},
    {foreign_custom, NULL},
    {version_3, "format_version"},
    {no_dbs, "num_dbs"},
    {too_many_dbs, "num_dbs"},
    {no_run, "run_id"},
    {slash_run, "run_id"},
    {null_run, "run_id"},
    {no_prefix, "s3_prefix"},
    {bad_text, "key_col"},
    {bad_encoding, "key_encoding"},
    {bad_time, "created_at"},
    {bad_custom, "custom"},
    {bad_lineage, "tidemark"},
    {twice, "given twice"},
    {negative_id, "db_id"},
    {high_id, "db_id"},
    {too_many_rows, "more rows than num_dbs"},
    {negative_rows, "row_count"},
    {negative_bytes, "db_bytes"},
    {bad_min, "min_key"},
    {bad_max, "max_key"},
    {bad_info, "writer_info"},
    {null_info, "writer_info"},
    {text_info, "writer_info"},
};

Test(manifest, reader_rules)
{
    struct arena *arena = arena_new(1 << 12);
    for (size_t i = 0; i < LENGTH_OF(changes); i++) {
        struct manifest_shard_columns rows[2];
        struct manifest_columns columns = good_columns(rows);
        changes[i].change(&columns, rows);
        struct manifest manifest;
        struct err err = {0};
        bool ok = manifest_decode(&columns, arena, &manifest, &err);
        cr_assert_eq(ok, changes[i].problem == NULL, "row %zu: %s", i, err.message);
        cr_assert(ok || strstr(err.message, changes[i].problem) != NULL, "row %zu: %s", i,
                  err.message);
        cr_assert(ok ? manifest.shards[0].db_id == 0 : err.kind == ERR_INPUT);
        cr_assert(!ok || !manifest.sidecar.on);
    }
    arena_free(arena);
}

/* What a reader would take, and we would not make. */
Test(manifest, ours_is_stricter)
{
    struct arena *arena = arena_new(1 << 12);
    static const change_function bad[] = {null_url, null_checkpoint};
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        struct manifest_shard_columns rows[2];
        struct manifest_columns columns = good_columns(rows);
        bad[i](&columns, rows);
        struct manifest manifest;
        struct err err = {0};
        cr_assert(manifest_decode(&columns, arena, &manifest, &err));
        cr_assert_not(manifest_encode(&manifest, arena, &columns, &err), "row %zu", i);
        cr_assert_eq(err.kind, ERR_INPUT);
    }
    struct manifest_shard_columns rows[2];
    struct manifest_columns columns = good_columns(rows);
    struct manifest manifest;
    struct err err = {0};
    cr_assert(manifest_decode(&columns, arena, &manifest, &err));
    manifest.lineage = bytes_of_text("[1]");
    cr_assert_not(manifest_encode(&manifest, arena, &columns, &err));
    manifest.lineage = bytes_of_text("{\"a\":1}");
    manifest.sidecar = (struct manifest_sidecar){.on = true, .page_size = 8192};
    cr_assert(manifest_encode(&manifest, arena, &columns, &err), "%s", err.message);
    cr_assert_str_eq(columns.meta.custom,
                     "{\"sqlite_sidecar\":{\"codec\":\"zstd\",\"filename\":\"shard.sidecar\","
                     "\"format_version\":8,\"page_size\":8192},\"tidemark\":{\"a\":1}}");
    cr_assert_str_eq(columns.meta.sharding,
                     "{\"cel_columns\":null,\"cel_expr\":null,\"hash_algorithm\":\"xxh3_64\","
                     "\"routing_values\":null,\"strategy\":\"hash\"}");
    cr_assert_str_eq(
        columns.shards[0].writer_info,
        "{\"attempt\":0,\"duration_ms\":0,\"stage_id\":null,\"task_attempt_id\":null}");
    arena_free(arena);
}

Test(manifest, the_lineage_says_what_shards_are)
{
    static const struct {
        const char *custom;
        enum shard_backend backend;
    } cases[] = {
        {"{}", BACKEND_SQLITE},
        {"{\"tidemark\":{\"made_by\":{\"group\":\"g\"}}}", BACKEND_SQLITE},
        {"{\"tidemark\":{\"made_by\":{\"kv_backend\":null}}}", BACKEND_SQLITE},
        {"{\"tidemark\":{\"made_by\":{\"kv_backend\":\"slatedb\"}}}", BACKEND_SLATEDB},
        {"{\"tidemark\":{\"made_by\":{\"kv_backend\":\"other\"}}}", BACKEND_UNKNOWN},
        {"{\"kv_backend\":\"slatedb\"}", BACKEND_SQLITE}, /* somebody's own */
    };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct manifest_shard_columns rows[2];
        struct manifest_columns columns = good_columns(rows);
        struct manifest manifest;
        struct err err = {0};
        columns.meta.custom = cases[i].custom;
        cr_assert(manifest_decode(&columns, arena, &manifest, &err), "%s", err.message);
        cr_assert_eq(manifest.backend, cases[i].backend, "%s", cases[i].custom);
    }
    arena_free(arena);
}
