/* A published snapshot of one shard with many rows that are made by a rule, in any store. For
 * tests; failures end the test: one of Criterion, or, with RULED_MUST defined before, a plain
 * program. */
#ifndef TIDEMARK_TESTS_SUPPORT_RULED_SNAPSHOT_H
#define TIDEMARK_TESTS_SUPPORT_RULED_SNAPSHOT_H

#ifndef RULED_MUST
#include <criterion/criterion.h>
#define RULED_MUST(condition) cr_assert(condition, "%s", err.message)
#endif

#include "adapters/sqlite/sqlite_kv.h"
#include "adapters/sqlite/sqlite_manifest.h"
#include "checkpoint/shards/upload.h"
#include "core/snapshot/names.h"
#include "core/snapshot/pointer.h"

enum { RULED_TIME_S = 1700000000, RULED_VALUE_MAX = 3 * 1024 * 1024 };

/* Keys 0, 3, 6, … */
struct ruled {
    size_t count;
    size_t value_bytes;
    size_t some_bytes; /* of every 16th value */
    uint32_t page_size;
};

static inline size_t ruled_value_size(const struct ruled *rule, uint64_t number)
{
    return number % 16 == 7 ? rule->some_bytes : rule->value_bytes + number % 5;
}

static inline void ruled_value(const struct ruled *rule, uint64_t number, struct buf *to)
{
    size_t size = ruled_value_size(rule, number);
    uint8_t *at = buf_grow(to, size);
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(number * 31 + i * 7 + i / 251);
    }
}

struct ruled_rows {
    struct row_stream stream;
    const struct ruled *rule;
    uint64_t next;
    uint8_t key[8];
    struct buf value;
};

static inline bool ruled_next(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                              struct err *err)
{
    (void)err;
    struct ruled_rows *self = (struct ruled_rows *)stream;
    *ret_more = self->next < self->rule->count;
    if (*ret_more) {
        put_u64be(self->key, 3 * self->next);
        buf_clear(&self->value);
        ruled_value(self->rule, self->next, &self->value);
        self->next++;
        *ret_row = (struct row){.key = bytes_of(self->key, 8), .value = buf_bytes(&self->value)};
    }
    return true;
}

static inline void ruled_free(struct row_stream *stream)
{
    (void)stream;
}

struct ruled_snapshot {
    struct arena *arena; /* of the names */
    struct store *store; /* borrowed */
    const struct ruled *rule;
    const char *name; /* of the shard file */
    uint64_t bytes;
};

static inline struct attempt ruled_put_shard(struct ruled_snapshot *snapshot,
                                             const struct names *names, const char *folder,
                                             bool sidecar)
{
    static const struct row_stream_ops ops = {.next = ruled_next, .free = ruled_free};
    struct err err = {0};
    struct ruled_rows rows = {.stream = {.ops = &ops}, .rule = snapshot->rule};
    struct kv_written written;
    struct buf low;
    struct buf high;
    buf_init(&rows.value, RULED_VALUE_MAX);
    buf_init(&low, 100);
    buf_init(&high, 100);
    const char *path = arena_format(snapshot->arena, "%s/made.db", folder);
    struct kv_write_request request = {.path = path, .page_size = snapshot->rule->page_size};
    RULED_MUST(kv_write(sqlite_kv(), &request, &rows.stream, &written, &low, &high, &err));
    const char *attempt = names_attempt(names, "r1", 0, 0, snapshot->arena);
    struct upload_request upload = {.store = snapshot->store,
                                    .folder = attempt,
                                    .path = path,
                                    .sidecar = sidecar,
                                    .kv = &sqlite_kv()->ops->features};
    RULED_MUST(upload_shard(&upload, &err));
    struct attempt shard;
    attempt_init(&shard, 0, 0);
    shard.db_url = names_url(names, attempt, snapshot->arena);
    shard.row_count = (int64_t)written.rows;
    shard.db_bytes = (int64_t)written.file_bytes;
    shard.checkpoint_id = "0123456789abcdef0123456789abcdef";
    snapshot->name = names_shard_file(attempt, snapshot->arena);
    snapshot->bytes = written.file_bytes;
    buf_done(&rows.value);
    buf_done(&low);
    buf_done(&high);
    return shard;
}

static inline void ruled_put(struct ruled_snapshot *snapshot, const char *name, struct bytes bytes)
{
    struct err err = {0};
    struct store_content content = {.bytes = bytes};
    RULED_MUST(store_put(snapshot->store, name, &content, store_always(), NULL, &err));
}

/* `folder`: a local one, for the file in the making. */
static inline void ruled_publish(struct ruled_snapshot *snapshot, struct store *store,
                                 const char *folder, const struct ruled *rule, bool sidecar)
{
    struct err err = {0};
    struct names names;
    *snapshot = (struct ruled_snapshot){.arena = arena_new(4096), .store = store, .rule = rule};
    RULED_MUST(names_init(&names, store_url_of(store), "shards", "runs", "db={db_id:05d}", &err));
    struct attempt shard = ruled_put_shard(snapshot, &names, folder, sidecar);
    int64_t time_us = INT64_C(1000000) * RULED_TIME_S;
    struct manifest manifest = {.run_id = "r1",
                                .created_at_us = time_us,
                                .num_dbs = 1,
                                .s3_prefix = store_url_of(store),
                                .key_column = "_key",
                                .key_encoding = KEY_ENCODING_U64BE,
                                .db_path_template = "db={db_id:05d}",
                                .shard_prefix = "shards",
                                .sidecar = {.on = true, .page_size = rule->page_size},
                                .shards = &shard,
                                .shard_count = 1};
    struct buf bytes;
    buf_init(&bytes, 1024 * 1024);
    RULED_MUST(sqlite_manifest_encode(&manifest, &bytes, &err));
    const char *name = names_manifest(time_us, "r1", snapshot->arena);
    ruled_put(snapshot, name, buf_bytes(&bytes));
    struct pointer pointer = {.manifest_ref = names_url(&names, name, snapshot->arena),
                              .run_id = "r1",
                              .updated_at_us = time_us};
    buf_clear(&bytes);
    pointer_encode(&pointer, &bytes);
    ruled_put(snapshot, NAMES_POINTER, buf_bytes(&bytes));
    buf_done(&bytes);
}

static inline void ruled_done(struct ruled_snapshot *snapshot)
{
    arena_free(snapshot->arena);
}

#endif
