/* Does a reader find in the golden snapshots what their own library put there, and nothing else? */
#include "checkpoint/reading/snapshot_reader.h"

#include <criterion/criterion.h>

#include "adapters/crypto/digest.h"
#include "adapters/file/file_store.h"
#include "adapters/sqlite/sqlite_kv.h"
#include "tests/support/folder_store.h"
#include "tests/support/vectors.h"

struct opened {
    struct arena *arena;
    struct store *store;
    struct snapshot_reader *reader;
    cJSON *decoded;
};

static void open_vector_for(const char *name, enum shard_reading reading, struct opened *opened)
{
    struct err err = {0};
    *opened = (struct opened){.arena = arena_new(64 * 1024)};
    const char *url =
        arena_format(opened->arena, "file://%s/vectors/%s/objects", TESTS_FOLDER, name);
    cr_assert(file_store_new(url, &opened->store, &err), "%s", err.message);
    struct snapshot_reader_request request = {
        .catalog = {.borrowed_store = opened->store, .relocated = true},
        .kv = sqlite_kv(),
        .reading = {.reading = reading}};
    cr_assert(snapshot_reader_new(&request, &opened->reader, &err), "%s", err.message);
    const char *decoded = arena_format(opened->arena, "%s/decoded.json", name);
    opened->decoded = vectors_json(vectors_read(decoded, opened->arena));
}

static void open_vector(const char *name, struct opened *opened)
{
    open_vector_for(name, SHARD_READING_AUTO, opened);
}

static void close_vector(struct opened *opened)
{
    snapshot_reader_free(opened->reader);
    store_free(opened->store);
    cJSON_Delete(opened->decoded);
    arena_free(opened->arena);
}

static void check_digest(const cJSON *row, const char *length, const char *digest,
                         struct bytes have)
{
    char text[DIGEST_SHA256_TEXT];
    digest_sha256(have, text);
    cr_assert_eq((int64_t)have.size, vectors_integer(row, length));
    cr_assert_str_eq(text, vectors_text(row, digest));
}

/* Every row of decoded.json by its key; keys too long to be in it are met by the scan. */
static size_t look_up_rows(struct opened *opened, const cJSON *rows)
{
    size_t found_rows = 0;
    const cJSON *row = NULL;
    enum key_encoding encoding = snapshot_reader_snapshot(opened->reader)->manifest.key_encoding;
    cJSON_ArrayForEach(row, rows)
    {
        const cJSON *digits = cJSON_GetObjectItem(row, "k");
        if (digits == NULL) {
            continue;
        }
        struct err err = {0};
        struct logical_key key = {0};
        struct buf value;
        bool found = false;
        struct bytes stored = vectors_hex(bytes_of_text(digits->valuestring), opened->arena);
        cr_assert(key_load(encoding, stored, &key, &err), "%s", err.message);
        buf_init(&value, 1024 * 1024);
        cr_assert(snapshot_reader_get(opened->reader, &key, &value, &found, &err), "%s",
                  err.message);
        cr_assert(found, "%s", digits->valuestring);
        check_digest(row, "v_len", "v_sha256", buf_bytes(&value));
        buf_done(&value);
        found_rows++;
    }
    return found_rows;
}

static size_t scan_rows(struct opened *opened, uint32_t shard, const cJSON *rows)
{
    struct err err = {0};
    struct row_stream *stream = NULL;
    cr_assert(snapshot_reader_scan(opened->reader, shard, &stream, &err), "%s", err.message);
    cr_assert_not_null(stream);
    const cJSON *row = NULL;
    size_t count = 0;
    cJSON_ArrayForEach(row, rows)
    {
        struct row have;
        bool more = false;
        cr_assert(row_stream_next(stream, &have, &more, &err), "%s", err.message);
        cr_assert(more);
        const cJSON *digits = cJSON_GetObjectItem(row, "k");
        if (digits != NULL) {
            struct bytes stored = vectors_hex(bytes_of_text(digits->valuestring), opened->arena);
            cr_assert(bytes_equal(stored, have.key));
        } else {
            check_digest(row, "k_len", "k_sha256", have.key);
        }
        check_digest(row, "v_len", "v_sha256", have.value);
        count++;
    }
    struct row none;
    bool more = true;
    cr_assert(row_stream_next(stream, &none, &more, &err), "%s", err.message);
    cr_assert_not(more);
    row_stream_free(stream);
    return count;
}

static const struct {
    const char *name;
    size_t rows;
} vectors[] = {
    {"manifest_example", 160}, {"manifest_example_sparse", 3}, {"page_auto", 24},
    {"sidecar_64k", 170},      {"sidecar_deep", 210},          {"vector_example", 12},
};

Test(snapshot_reader, golden_rows)
{
    for (size_t n = 0; n < 2 * LENGTH_OF(vectors); n++) {
        size_t i = n / 2;
        struct opened opened;
        open_vector_for(vectors[i].name, n % 2 == 0 ? SHARD_READING_AUTO : SHARD_READING_RANGE,
                        &opened);
        size_t scanned = 0;
        size_t with_key = 0;
        size_t found = 0;
        const cJSON *shard = NULL;
        cJSON_ArrayForEach(shard, vectors_member(opened.decoded, "shards"))
        {
            const cJSON *rows = vectors_member(shard, "rows");
            const cJSON *row = NULL;
            cJSON_ArrayForEach(row, rows)
            {
                with_key += cJSON_GetObjectItem(row, "k") != NULL;
            }
            found += look_up_rows(&opened, rows);
            scanned += scan_rows(&opened, (uint32_t)vectors_integer(shard, "db_id"), rows);
        }
        cr_assert_eq(found, with_key);
        cr_assert_eq(scanned, vectors[i].rows, "%s: %zu", vectors[i].name, scanned);
        close_vector(&opened);
    }
}

/* Keys that are not there, in shards with rows and in empty ones. */
Test(snapshot_reader, absent_keys)
{
    struct opened opened;
    open_vector("manifest_example_sparse", &opened);
    cr_assert_eq(snapshot_reader_snapshot(opened.reader)->manifest.num_dbs, 11);
    size_t found_keys = 0;
    for (uint64_t number = 0; number < 2000; number++) {
        struct logical_key key = key_of_u64(number);
        struct err err = {0};
        struct buf value;
        bool found = true;
        buf_init(&value, 1024);
        cr_assert(snapshot_reader_get(opened.reader, &key, &value, &found, &err), "%s",
                  err.message);
        cr_assert(found || value.size == 0);
        found_keys += found;
        buf_done(&value);
    }
    cr_assert_eq(found_keys, 2); /* the third key is 2^63 - 1 */
    close_vector(&opened);
}

Test(snapshot_reader, multiget_answers_in_order)
{
    struct opened opened;
    open_vector("manifest_example", &opened);
    struct logical_key keys[300];
    struct snapshot_reader_answer answers[LENGTH_OF(keys)] = {0};
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        keys[i] = key_of_u64((i * 37) % 6000);
    }
    struct err err = {0};
    cr_assert(
        snapshot_reader_multiget(opened.reader, keys, LENGTH_OF(keys), opened.arena, answers, &err),
        "%s", err.message);
    size_t found_keys = 0;
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        struct buf value;
        bool found = false;
        buf_init(&value, 1024 * 1024);
        cr_assert(snapshot_reader_get(opened.reader, &keys[i], &value, &found, &err));
        cr_assert_eq(found, answers[i].found);
        cr_assert(bytes_equal(buf_bytes(&value), answers[i].value));
        found_keys += found;
        buf_done(&value);
    }
    cr_assert_gt(found_keys, 100);
    cr_assert_lt(found_keys, LENGTH_OF(keys));
    close_vector(&opened);
}

Test(snapshot_reader, keys_it_cannot_hold)
{
    struct opened opened;
    open_vector("manifest_example", &opened);
    struct err err = {0};
    struct buf value;
    bool found = false;
    buf_init(&value, 1024 * 1024);
    struct logical_key text = key_of_text(bytes_of_text("185"));
    cr_assert_not(snapshot_reader_get(opened.reader, &text, &value, &found, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    struct logical_key large = key_of_u64(UINT64_MAX); /* no routing bytes above 2^63 - 1 */
    cr_assert_not(snapshot_reader_get(opened.reader, &large, &value, &found, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    buf_done(&value);
    struct buf small;
    buf_init(&small, 10);
    struct logical_key key = key_of_u64(185);
    cr_assert_not(snapshot_reader_get(opened.reader, &key, &small, &found, &err));
    cr_assert_eq(err.kind, ERR_LIMIT);
    buf_done(&small);
    close_vector(&opened);
}

/* A column that is missing is told apart from a key that is not there; scanning still works. */
Test(snapshot_reader, routing_by_expression)
{
    struct opened opened;
    open_vector("manifest_example_cel", &opened);
    struct logical_key key = key_of_text(bytes_of_text("u0"));
    struct err err = {0};
    struct buf value;
    bool found = false;
    buf_init(&value, 1024);
    cr_assert_not(snapshot_reader_get(opened.reader, &key, &value, &found, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    cr_assert_not_null(strstr(err.message, "region"), "%s", err.message);
    const struct route_column region = {"region", "eu"};
    snapshot_reader_set_columns(opened.reader, &region, 1);
    cr_assert(snapshot_reader_get(opened.reader, &key, &value, &found, &err), "%s", err.message);
    cr_assert(found);
    buf_done(&value);
    const cJSON *shard = cJSON_GetArrayItem(vectors_member(opened.decoded, "shards"), 0);
    scan_rows(&opened, (uint32_t)vectors_integer(shard, "db_id"), vectors_member(shard, "rows"));
    close_vector(&opened);
}

/* What a manifest names and the store has not is damage, not an absent key. */
Test(snapshot_reader, a_shard_that_is_gone_is_no_missing_key)
{
    struct folder_store at;
    folder_store_open(&at);
    const char *ref = folder_store_publish(&at, "one", "one", 1000000);
    folder_store_point(&at, ref, "one", 1000001);
    struct snapshot_reader_request request = {.catalog = at.catalog, .kv = sqlite_kv()};
    struct snapshot_reader *reader = NULL;
    struct err err = {0};
    cr_assert(snapshot_reader_new(&request, &reader, &err), "%s", err.message);
    const char *name = names_shard_file(names_attempt(&at.names, "one", 0, 1, at.arena), at.arena);
    cr_assert(store_delete(at.store, name, &err));
    struct logical_key key = key_of_u64(1);
    struct buf value;
    bool found = false;
    buf_init(&value, 1024);
    cr_assert_not(snapshot_reader_get(reader, &key, &value, &found, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT, "%s", err.message);
    buf_done(&value);
    snapshot_reader_free(reader);
    folder_store_close(&at);
}

/* As the C library has it: SQLite's driver and no other. */
Test(snapshot_reader, shards_without_a_driver)
{
    struct folder_store at;
    struct err err = {0};
    folder_store_open(&at);
    struct manifest manifest = {
        .run_id = "one",
        .created_at_us = 1000000,
        .num_dbs = 1,
        .s3_prefix = store_url_of(at.store),
        .key_column = "_key",
        .db_path_template = "db={db_id:05d}",
        .shard_prefix = "shards",
        .lineage = bytes_of_text("{\"made_by\":{\"kv_backend\":\"slatedb\"}}"),
    };
    struct buf bytes;
    buf_init(&bytes, 1024 * 1024);
    cr_assert(sqlite_manifest_encode(&manifest, &bytes, &err), "%s", err.message);
    const char *name = names_manifest(1000000, "one", at.arena);
    folder_store_put(&at, name, buf_bytes(&bytes));
    buf_done(&bytes);
    folder_store_point(&at, names_url(&at.names, name, at.arena), "one", 1000001);
    struct snapshot_reader_request request = {.catalog = at.catalog, .kv = sqlite_kv()};
    struct snapshot_reader *reader = NULL;
    cr_assert_not(snapshot_reader_new(&request, &reader, &err));
    cr_assert(err.kind == ERR_SETTINGS && strstr(err.message, "run one") != NULL &&
                  strstr(err.message, "slatedb") != NULL,
              "%s", err.message);
    folder_store_close(&at);
}
