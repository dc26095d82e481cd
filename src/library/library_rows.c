/* Keys looked up and walked through, for C programs. */
#include <inttypes.h>
#include <stdlib.h>

#include "library/library.h"

enum { VALUE_BYTES_MAX = 1024 * 1024 * 1024 };

/* ---- keys ---- */

static enum key_encoding encoding_of(const struct tidemark_snapshot *snapshot)
{
    return snapshot_reader_snapshot(snapshot->reader)->manifest.key_encoding;
}

static bool has_integers(const struct tidemark_snapshot *snapshot)
{
    enum key_encoding encoding = encoding_of(snapshot);
    return encoding == KEY_ENCODING_U64BE || encoding == KEY_ENCODING_U32BE;
}

bool library_key(const struct tidemark_snapshot *snapshot, const struct tidemark_key *key,
                 struct logical_key *ret_key, struct err *err)
{
    if ((key->data == NULL) != has_integers(snapshot)) {
        return err_set(err, ERR_INPUT, "the snapshot's keys are %s, not %s",
                       key_encoding_name(encoding_of(snapshot)),
                       key->data == NULL ? "integers" : "bytes");
    }
    struct bytes bytes = bytes_of(key->data, key->size);
    *ret_key = key->data == NULL                            ? key_of_u64(key->integer)
               : encoding_of(snapshot) == KEY_ENCODING_UTF8 ? key_of_text(bytes)
                                                            : key_of_bytes(bytes);
    return true;
}

/* ---- values ---- */

void tidemark_value_free(struct tidemark_value *value)
{
    if (value != NULL) {
        free(value->data);
        *value = (struct tidemark_value){0};
    }
}

static struct tidemark_value value_of(struct bytes bytes)
{
    struct tidemark_value value = {.data = malloc(bytes.size + 1), .size = bytes.size};
    CHECK(value.data != NULL);
    if (bytes.size > 0) {
        memcpy(value.data, bytes.data, bytes.size);
    }
    ((char *)value.data)[bytes.size] = '\0';
    return value;
}

enum tidemark_code tidemark_get(struct tidemark_snapshot *snapshot, struct tidemark_key key,
                                struct tidemark_value *ret_value, struct tidemark_error *error)
{
    return tidemark_get_by_columns(snapshot, key, NULL, 0, ret_value, error);
}

enum tidemark_code tidemark_get_by_columns(struct tidemark_snapshot *snapshot,
                                           struct tidemark_key key,
                                           const struct tidemark_column *columns, size_t count,
                                           struct tidemark_value *ret_value,
                                           struct tidemark_error *error)
{
    *ret_value = (struct tidemark_value){0};
    struct err err = {0};
    struct logical_key logical = {0};
    AUTO(arena) struct arena *arena = arena_new(1024);
    AUTO(buf) struct buf value;
    buf_init(&value, VALUE_BYTES_MAX);
    struct route_column *of_key = arena_zero(arena, (count + 1) * sizeof *of_key);
    for (size_t i = 0; i < count; i++) {
        of_key[i] = (struct route_column){.name = columns[i].name, .text = columns[i].value};
    }
    bool found = false;
    if (!library_key(snapshot, &key, &logical, &err) ||
        !snapshot_reader_get_by_columns(snapshot->reader, &logical, of_key, count, &value, &found,
                                        &err)) {
        return library_fail(&err, error);
    }
    (void)library_ok(error);
    if (!found) {
        return TIDEMARK_NOT_FOUND;
    }
    *ret_value = value_of(buf_bytes(&value));
    return TIDEMARK_OK;
}

enum tidemark_code tidemark_multiget(struct tidemark_snapshot *snapshot,
                                     const struct tidemark_key *keys, size_t count,
                                     struct tidemark_value *ret_values,
                                     struct tidemark_error *error)
{
    struct err err = {0};
    AUTO(arena) struct arena *arena = arena_new(64 * 1024);
    struct logical_key *logical = arena_alloc(arena, (count + 1) * sizeof *logical);
    struct snapshot_reader_answer *answers = arena_zero(arena, (count + 1) * sizeof *answers);
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = (struct tidemark_value){0};
        ok = ok && library_key(snapshot, &keys[i], &logical[i], &err);
    }
    if (!ok || !snapshot_reader_multiget(snapshot->reader, logical, count, arena, answers, &err)) {
        return library_fail(&err, error);
    }
    for (size_t i = 0; i < count; i++) {
        if (answers[i].found) {
            ret_values[i] = value_of(answers[i].value);
        }
    }
    return library_ok(error);
}

/* ---- scans ---- */

struct tidemark_scan {
    enum key_encoding encoding;
    struct row_stream *rows; /* NULL: an empty shard */
};

static bool stored_bound(const struct tidemark_snapshot *snapshot, const struct tidemark_key *key,
                         uint8_t scratch[KEY_INTEGER_BYTES_MAX], struct bytes *ret_stored,
                         struct err *err)
{
    struct logical_key logical = {0};
    if (key == NULL) {
        return true;
    }
    TRY(library_key(snapshot, key, &logical, err));
    return key_store(encoding_of(snapshot), &logical, scratch, ret_stored) == REJECT_NONE ||
           err_set(err, ERR_INPUT, "the key %" PRIu64 " is out of the range of %s", key->integer,
                   key_encoding_name(encoding_of(snapshot)));
}

static enum tidemark_code start_scan(struct tidemark_snapshot *snapshot,
                                     const struct kv_bounds *bounds,
                                     struct tidemark_scan **ret_scan, struct tidemark_error *error)
{
    struct err err = {0};
    struct row_stream *rows = NULL;
    if (!snapshot_reader_scan_all(snapshot->reader, bounds, &rows, &err)) {
        return library_fail(&err, error);
    }
    struct tidemark_scan *scan = calloc(1, sizeof *scan);
    CHECK(scan != NULL);
    *scan = (struct tidemark_scan){.encoding = encoding_of(snapshot), .rows = rows};
    *ret_scan = scan;
    return library_ok(error);
}

enum tidemark_code tidemark_scan_range(struct tidemark_snapshot *snapshot,
                                       const struct tidemark_key *from,
                                       const struct tidemark_key *to,
                                       struct tidemark_scan **ret_scan,
                                       struct tidemark_error *error)
{
    struct err err = {0};
    uint8_t scratch[2][KEY_INTEGER_BYTES_MAX];
    struct kv_bounds bounds = {.has_end = to != NULL};
    if (!stored_bound(snapshot, from, scratch[0], &bounds.from, &err) ||
        !stored_bound(snapshot, to, scratch[1], &bounds.to, &err)) {
        return library_fail(&err, error);
    }
    return start_scan(snapshot, &bounds, ret_scan, error);
}

enum tidemark_code tidemark_scan_prefix(struct tidemark_snapshot *snapshot, const void *prefix,
                                        size_t size, struct tidemark_scan **ret_scan,
                                        struct tidemark_error *error)
{
    struct err err = {0};
    if (has_integers(snapshot)) {
        err_set(&err, ERR_INPUT, "the snapshot's keys are %s, which have no prefix",
                key_encoding_name(encoding_of(snapshot)));
        return library_fail(&err, error);
    }
    /* what is below the prefix with its last byte that is not ff made one more */
    AUTO(buf) struct buf end;
    buf_init(&end, SIZE_MAX);
    buf_add(&end, prefix, size);
    while (end.size > 0 && end.data[end.size - 1] == 0xff) {
        end.size--;
    }
    if (end.size > 0) {
        end.data[end.size - 1]++;
    }
    struct kv_bounds bounds = {
        .from = bytes_of(prefix, size), .to = buf_bytes(&end), .has_end = end.size > 0};
    return start_scan(snapshot, &bounds, ret_scan, error);
}

enum tidemark_code tidemark_scan_shard(struct tidemark_snapshot *snapshot, uint32_t shard,
                                       struct tidemark_scan **ret_scan,
                                       struct tidemark_error *error)
{
    struct err err = {0};
    struct row_stream *rows = NULL;
    if (shard >= tidemark_shard_count(snapshot)) {
        err_set(&err, ERR_INPUT, "there are %" PRIu32 " shards, from 0 on, not %" PRIu32,
                tidemark_shard_count(snapshot), shard);
        return library_fail(&err, error);
    }
    if (!snapshot_reader_scan(snapshot->reader, shard, &rows, &err)) {
        return library_fail(&err, error);
    }
    struct tidemark_scan *scan = calloc(1, sizeof *scan);
    CHECK(scan != NULL);
    *scan = (struct tidemark_scan){.encoding = encoding_of(snapshot), .rows = rows};
    *ret_scan = scan;
    return library_ok(error);
}

enum tidemark_code tidemark_scan_next(struct tidemark_scan *scan, struct tidemark_row *ret_row,
                                      struct tidemark_error *error)
{
    struct err err = {0};
    struct row row = {0};
    struct logical_key key = {0};
    bool more = false;
    if (scan->rows != NULL && !row_stream_next(scan->rows, &row, &more, &err)) {
        return library_fail(&err, error);
    }
    (void)library_ok(error);
    if (!more) {
        return TIDEMARK_NOT_FOUND;
    }
    if (!key_load(scan->encoding, row.key, &key, &err)) {
        return library_fail(&err, error);
    }
    *ret_row = (struct tidemark_row){
        .key = key.type == KEY_INTEGER ? tidemark_integer_key(key.magnitude)
                                       : tidemark_bytes_key(row.key.data, row.key.size),
        .value = row.value.data == NULL ? "" : (const void *)row.value.data,
        .value_size = row.value.size,
    };
    return TIDEMARK_OK;
}

void tidemark_scan_close(struct tidemark_scan *scan)
{
    if (scan != NULL) {
        row_stream_free(scan->rows);
        free(scan);
    }
}
