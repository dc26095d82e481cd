/* From a key to its shard, from a shard to its local file, from the file to the value. */
#include "checkpoint/reading/snapshot_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/route/route.h"
#include "core/spill/merge.h"

enum { VALUE_BYTES_MAX = 1024 * 1024 * 1024 /* SQLite's own limit of a blob is about that */ };

struct snapshot_reader {
    struct snapshot_reader_request request;
    struct arena *arena;
    struct catalog_snapshot snapshot;
    struct router router;
    const struct route_column *columns; /* for all keys */
    size_t column_count;
    struct err cannot_route; /* why keys cannot be looked up; NONE: they can */
    struct shard_files *files;
};

static bool choose_kv(const struct snapshot_reader_request *request,
                      const struct manifest *manifest, struct kv **ret_kv, struct err *err)
{
    *ret_kv = request->kv;
    if (manifest->backend == BACKEND_SQLITE) {
        return true;
    }
    if (request->backend_kv == NULL) {
        return err_set(err, ERR_SETTINGS, "run %s: its shards are of %s, which is not read here",
                       manifest->run_id, backend_name(manifest->backend));
    }
    return request->backend_kv(manifest->backend, ret_kv, err) ||
           err_wrap(err, "run %s", manifest->run_id);
}

bool snapshot_reader_new(const struct snapshot_reader_request *request,
                         struct snapshot_reader **ret_reader, struct err *err)
{
    AUTO(snapshot_reader) struct snapshot_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader != NULL);
    reader->request = *request;
    reader->arena = arena_new(64 * 1024);
    TRY(catalog_open(&request->catalog, &request->choice, reader->arena, &reader->snapshot, err));
    const struct manifest *manifest = &reader->snapshot.manifest;
    struct err fault = {0};
    if (!route_init(&reader->router, &manifest->sharding, manifest->num_dbs, 0, false, &fault)) {
        reader->cannot_route = fault; /* all else can be done with the snapshot */
    }
    struct kv *kv = NULL;
    TRY(choose_kv(request, manifest, &kv, err));
    struct shard_files_request files = {
        .catalog = &reader->request.catalog,
        .manifest = manifest,
        .kv = kv,
        .cache = request->cache,
        .choice = request->reading,
    };
    reader->files = shard_files_new(&files);
    *ret_reader = TAKE(reader);
    return true;
}

struct snapshot_reader *snapshot_reader_free(struct snapshot_reader *reader)
{
    if (reader != NULL) {
        shard_files_free(reader->files);
        route_done(&reader->router);
        arena_free(reader->arena);
        free(reader);
    }
    return NULL;
}

void snapshot_reader_auto(struct snapshot_reader **reader)
{
    *reader = snapshot_reader_free(*reader);
}

const struct catalog_snapshot *snapshot_reader_snapshot(const struct snapshot_reader *reader)
{
    return &reader->snapshot;
}

bool snapshot_reader_open_shard(struct snapshot_reader *reader, uint32_t shard, bool *ret_by_range,
                                struct err *err)
{
    struct shard_file *file = NULL;
    TRY(shard_files_pin(reader->files, shard, &file, err));
    *ret_by_range = file != NULL && shard_file_is_by_range(file);
    shard_files_let_go(reader->files, file);
    return true;
}

/* ---- keys ---- */

static bool can_route(const struct snapshot_reader *reader, struct err *err)
{
    if (reader->cannot_route.kind == ERR_NONE) {
        return true;
    }
    *err = reader->cannot_route;
    return err_wrap(err, "keys of run %s cannot be found", reader->snapshot.manifest.run_id);
}

static bool route_with(const struct snapshot_reader *reader, const struct logical_key *key,
                       const struct route_column *columns, size_t count, uint32_t *ret_shard,
                       struct err *err)
{
    uint64_t token = 0;
    const char *text = NULL;
    AUTO(arena) struct arena *arena = NULL;
    TRY(can_route(reader, err));
    if (count == 0) {
        TRY(route_key(&reader->router, key, &token, err));
    } else {
        arena = arena_new(1024);
        TRY(route_by_columns(&reader->router, key, columns, count, arena, &token, &text, err));
    }
    *ret_shard = route_db_id(&reader->router, token, reader->snapshot.manifest.num_dbs);
    return true;
}

bool snapshot_reader_route(const struct snapshot_reader *reader, const struct logical_key *key,
                           uint32_t *ret_shard, struct err *err)
{
    return route_with(reader, key, reader->columns, reader->column_count, ret_shard, err);
}

bool snapshot_reader_explain(const struct snapshot_reader *reader, const struct logical_key *key,
                             struct arena *arena, const char **ret_value, uint32_t *ret_shard,
                             struct err *err)
{
    uint64_t token = 0;
    TRY(can_route(reader, err));
    TRY(route_by_columns(&reader->router, key, reader->columns, reader->column_count, arena, &token,
                         ret_value, err));
    *ret_shard = route_db_id(&reader->router, token, reader->snapshot.manifest.num_dbs);
    return true;
}

void snapshot_reader_set_columns(struct snapshot_reader *reader,
                                 const struct route_column *borrowed_columns, size_t count)
{
    reader->columns = borrowed_columns;
    reader->column_count = count;
}

static bool stored_key(const struct snapshot_reader *reader, const struct logical_key *key,
                       uint8_t scratch[KEY_INTEGER_BYTES_MAX], struct bytes *ret_stored,
                       struct err *err)
{
    enum key_encoding encoding = reader->snapshot.manifest.key_encoding;
    enum reject_cause cause = key_store(encoding, key, scratch, ret_stored);
    if (cause != REJECT_NONE) {
        return err_set(err, ERR_INPUT, "the key %s of %s",
                       cause == REJECT_KEY_RANGE ? "is out of the range" : "is not of the type",
                       key_encoding_name(encoding));
    }
    return true;
}

static bool get_from(struct snapshot_reader *reader, uint32_t shard, struct bytes stored,
                     struct buf *value, bool *ret_found, struct err *err)
{
    struct shard_file *file = NULL;
    TRY(shard_files_pin(reader->files, shard, &file, err));
    if (file == NULL) {
        *ret_found = false;
        return true;
    }
    bool ok = kv_get(shard_file_kv(file), stored, value, ret_found, err);
    shard_files_let_go(reader->files, file);
    TRY(ok);
    if (value->overflowed) {
        return err_set(err, ERR_LIMIT, "a value of more than %zu bytes", value->limit);
    }
    return true;
}

bool snapshot_reader_get_by_columns(struct snapshot_reader *reader, const struct logical_key *key,
                                    const struct route_column *columns, size_t count,
                                    struct buf *value, bool *ret_found, struct err *err)
{
    uint8_t scratch[KEY_INTEGER_BYTES_MAX];
    struct bytes stored = {0};
    uint32_t shard = 0;
    TRY(stored_key(reader, key, scratch, &stored, err));
    TRY(route_with(reader, key, columns, count, &shard, err));
    return get_from(reader, shard, stored, value, ret_found, err);
}

bool snapshot_reader_get(struct snapshot_reader *reader, const struct logical_key *key,
                         struct buf *value, bool *ret_found, struct err *err)
{
    return snapshot_reader_get_by_columns(reader, key, reader->columns, reader->column_count, value,
                                          ret_found, err);
}

struct wanted {
    uint32_t shard;
    size_t index; /* in the caller's order */
};

static int by_shard(const void *left, const void *right)
{
    const struct wanted *a = left;
    const struct wanted *b = right;
    if (a->shard != b->shard) {
        return a->shard < b->shard ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

bool snapshot_reader_multiget(struct snapshot_reader *reader, const struct logical_key *keys,
                              size_t count, struct arena *arena,
                              struct snapshot_reader_answer *answers, struct err *err)
{
    struct wanted *wanted = arena_alloc(arena, (count + 1) * sizeof *wanted);
    for (size_t i = 0; i < count; i++) {
        wanted[i].index = i;
        TRY(snapshot_reader_route(reader, &keys[i], &wanted[i].shard, err));
    }
    qsort(wanted, count, sizeof *wanted, by_shard);
    AUTO(buf) struct buf value;
    buf_init(&value, VALUE_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        uint8_t scratch[KEY_INTEGER_BYTES_MAX];
        struct bytes stored = {0};
        struct snapshot_reader_answer *answer = &answers[wanted[i].index];
        buf_clear(&value);
        TRY(stored_key(reader, &keys[wanted[i].index], scratch, &stored, err));
        TRY(get_from(reader, wanted[i].shard, stored, &value, &answer->found, err));
        answer->value = answer->found ? arena_copy(arena, buf_bytes(&value)) : bytes_of(NULL, 0);
    }
    return true;
}

/* ---- rows ---- */

/* A stream that keeps its file open. */
struct pinned_rows {
    struct row_stream stream;
    struct snapshot_reader *borrowed_reader;
    struct shard_file *file;
    struct row_stream *rows;
};

static bool next_pinned(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                        struct err *err)
{
    return row_stream_next(((struct pinned_rows *)stream)->rows, ret_row, ret_more, err);
}

static void free_pinned(struct row_stream *stream)
{
    struct pinned_rows *self = (struct pinned_rows *)stream;
    row_stream_free(self->rows);
    shard_files_let_go(self->borrowed_reader->files, self->file);
    free(self);
}

static const struct row_stream_ops pinned_ops = {.next = next_pinned, .free = free_pinned};

bool snapshot_reader_scan_between(struct snapshot_reader *reader, uint32_t shard,
                                  const struct kv_bounds *bounds, struct row_stream **ret_rows,
                                  struct err *err)
{
    CHECK(shard < reader->snapshot.manifest.num_dbs);
    struct shard_file *file = NULL;
    struct row_stream *rows = NULL;
    TRY(shard_files_pin(reader->files, shard, &file, err));
    if (file == NULL) {
        *ret_rows = NULL;
        return true;
    }
    if (!kv_rows_between(shard_file_kv(file), bounds, &rows, err)) {
        shard_files_let_go(reader->files, file);
        return false;
    }
    struct pinned_rows *pinned = malloc(sizeof *pinned);
    CHECK(pinned != NULL);
    *pinned = (struct pinned_rows){
        .stream = {.ops = &pinned_ops}, .borrowed_reader = reader, .file = file, .rows = rows};
    *ret_rows = &pinned->stream;
    return true;
}

bool snapshot_reader_scan(struct snapshot_reader *reader, uint32_t shard,
                          struct row_stream **ret_rows, struct err *err)
{
    struct kv_bounds all = {.has_end = false};
    return snapshot_reader_scan_between(reader, shard, &all, ret_rows, err);
}

bool snapshot_reader_scan_all(struct snapshot_reader *reader, const struct kv_bounds *bounds,
                              struct row_stream **ret_rows, struct err *err)
{
    const struct manifest *manifest = &reader->snapshot.manifest;
    if (manifest->shard_count > SNAPSHOT_SCAN_SHARDS_MAX) {
        return err_set(err, ERR_LIMIT,
                       "%zu shards have rows: at most %d are walked through at the same time",
                       manifest->shard_count, SNAPSHOT_SCAN_SHARDS_MAX);
    }
    struct row_stream *streams[SNAPSHOT_SCAN_SHARDS_MAX];
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < manifest->shard_count; i++) {
        uint32_t shard = (uint32_t)manifest->shards[i].db_id;
        ok = snapshot_reader_scan_between(reader, shard, bounds, &streams[count], err);
        count += ok && streams[count] != NULL;
    }
    if (!ok) {
        while (count > 0) {
            row_stream_free(streams[--count]);
        }
        return false;
    }
    *ret_rows = merge_new(ROW_ORDER_OFFSET, streams, count);
    return true;
}

/* ---- vectors ---- */

static int by_distance(const void *left, const void *right)
{
    const struct kv_neighbour *a = left;
    const struct kv_neighbour *b = right;
    if (a->distance != b->distance) {
        return a->distance < b->distance ? -1 : 1;
    }
    return (a > b) - (a < b); /* as they were found: lower shards first */
}

/* Both are sorted: the nearest `count` of them, into `into`. */
static size_t keep_nearest(struct kv_neighbour *into, size_t have, struct kv_neighbour *more,
                           size_t more_count, size_t count)
{
    memcpy(into + have, more, more_count * sizeof *more);
    qsort(into, have + more_count, sizeof *into, by_distance);
    return have + more_count < count ? have + more_count : count;
}

bool snapshot_reader_search(struct snapshot_reader *reader, struct bytes vector, size_t count,
                            struct arena *arena, struct kv_neighbour **ret_neighbours,
                            size_t *ret_count, struct err *err)
{
    const struct manifest *manifest = &reader->snapshot.manifest;
    if (manifest->vector.dim == 0 || vector.size != (size_t)4 * manifest->vector.dim) {
        return err_set(err, ERR_INPUT, "run %s has vectors of %" PRIu32 " numbers, not of %zu",
                       manifest->run_id, manifest->vector.dim, vector.size / 4);
    }
    struct kv_neighbour *nearest = arena_zero(arena, (2 * count + 1) * sizeof *nearest);
    struct kv_neighbour *more = arena_zero(arena, (count + 1) * sizeof *more);
    size_t have = 0;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        struct shard_file *file = NULL;
        size_t more_count = 0;
        TRY(shard_files_pin(reader->files, (uint32_t)manifest->shards[i].db_id, &file, err));
        bool ok = file == NULL ||
                  kv_search(shard_file_kv(file), vector, count, arena, more, &more_count, err);
        shard_files_let_go(reader->files, file);
        if (!ok) {
            return err_wrap(err, "shard %" PRId64 " of run %s", manifest->shards[i].db_id,
                            manifest->run_id);
        }
        have = keep_nearest(nearest, have, more, more_count, count);
    }
    *ret_neighbours = nearest;
    *ret_count = have;
    return true;
}
