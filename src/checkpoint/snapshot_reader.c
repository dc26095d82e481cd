/* From a key to its shard, from a shard to its local file, from the file to the value. */
#include "checkpoint/snapshot_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/route/route.h"

enum {
    OPEN_FILES_MAX = 64, /* shard files open at once */
    PATH_BYTES_MAX = 8 * 1024,
    VALUE_BYTES_MAX = 1024 * 1024 * 1024, /* SQLite's own limit of a blob is about that */
};

struct open_file {
    uint32_t shard;
    struct kv_file *file; /* NULL: the place is free */
    uint64_t last_use;
};

struct snapshot_reader {
    struct snapshot_reader_request request;
    struct arena *arena;
    struct catalog_snapshot snapshot;
    struct router router; /* of hash routing only */
    bool routes_by_hash;
    struct open_file files[OPEN_FILES_MAX];
    uint64_t uses;
};

bool snapshot_reader_new(const struct snapshot_reader_request *request,
                         struct snapshot_reader **ret_reader, struct err *err)
{
    AUTO(snapshot_reader) struct snapshot_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader != NULL);
    reader->request = *request;
    reader->arena = arena_new(64 * 1024);
    TRY(catalog_open(&request->catalog, &request->choice, reader->arena, &reader->snapshot, err));
    const struct manifest *manifest = &reader->snapshot.manifest;
    reader->routes_by_hash = manifest->sharding.strategy == SHARDING_HASH;
    if (reader->routes_by_hash) {
        TRY(route_init(&reader->router, &manifest->sharding, manifest->num_dbs, 0, err));
    }
    *ret_reader = TAKE(reader);
    return true;
}

struct snapshot_reader *snapshot_reader_free(struct snapshot_reader *reader)
{
    if (reader != NULL) {
        for (size_t i = 0; i < OPEN_FILES_MAX; i++) {
            kv_close(reader->files[i].file);
        }
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

/* ---- shard files ---- */

/* The manifest's row of a shard; NULL: it is empty (section 3). Rows are by ascending db_id. */
static const struct attempt *find_shard(const struct snapshot_reader *reader, uint32_t shard)
{
    const struct manifest *manifest = &reader->snapshot.manifest;
    size_t low = 0;
    size_t high = manifest->shard_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (manifest->shards[middle].db_id < (int64_t)shard) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool there = low < manifest->shard_count && manifest->shards[low].db_id == (int64_t)shard &&
                 manifest->shards[low].db_url != NULL;
    return there ? &manifest->shards[low] : NULL;
}

/* A local file with the shard's bytes: in the store itself, where that is a folder, else
 * downloaded. This is the place where reading by range comes in: a file of the kv that asks the
 * store for pages. */
static bool local_file(struct snapshot_reader *reader, const struct attempt *shard,
                       struct buf *path, struct err *err)
{
    const struct catalog *catalog = &reader->request.catalog;
    struct store *store = catalog->borrowed_store;
    const char *name = NULL;
    TRY(catalog_shard_name(catalog, &reader->snapshot.manifest, shard, reader->arena, &name, err));
    if (store->url.scheme == STORE_FILE) {
        buf_add_format(path, "%s/%s", store->url.prefix, name);
        return true;
    }
    CHECK(reader->request.cache != NULL);
    return shard_cache_fetch(reader->request.cache, store, name, shard, path, err);
}

static struct open_file *place_for(struct snapshot_reader *reader)
{
    struct open_file *best = &reader->files[0];
    for (size_t i = 0; i < OPEN_FILES_MAX; i++) {
        struct open_file *place = &reader->files[i];
        if (place->file == NULL) {
            return place;
        }
        if (place->last_use < best->last_use) {
            best = place;
        }
    }
    best->file = kv_close(best->file);
    return best;
}

/* *ret_file NULL: the shard is empty. Valid until other shards are opened. */
static bool open_shard(struct snapshot_reader *reader, uint32_t shard, struct kv_file **ret_file,
                       struct err *err)
{
    reader->uses++;
    for (size_t i = 0; i < OPEN_FILES_MAX; i++) {
        struct open_file *place = &reader->files[i];
        if (place->file != NULL && place->shard == shard) {
            place->last_use = reader->uses;
            *ret_file = place->file;
            return true;
        }
    }
    const struct attempt *row = find_shard(reader, shard);
    if (row == NULL) {
        *ret_file = NULL;
        return true;
    }
    AUTO(buf) struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    struct kv_file *file = NULL;
    if (!local_file(reader, row, &path, err) ||
        !kv_open(reader->request.kv, buf_text(&path), &file, err)) {
        if (err->kind == ERR_MISSING) {
            err->kind = ERR_CORRUPT; /* the manifest names it: not the caller's key is missing */
        }
        return err_wrap(err, "shard %" PRIu32 " of run %s", shard,
                        reader->snapshot.manifest.run_id);
    }
    struct open_file *place = place_for(reader);
    *place = (struct open_file){.shard = shard, .file = file, .last_use = reader->uses};
    *ret_file = file;
    return true;
}

/* ---- keys ---- */

bool snapshot_reader_route(const struct snapshot_reader *reader, const struct logical_key *key,
                           uint32_t *ret_shard, struct err *err)
{
    const struct manifest *manifest = &reader->snapshot.manifest;
    if (!reader->routes_by_hash) {
        return err_set(err, ERR_SETTINGS,
                       "keys of run %s are divided among its shards by the CEL expression `%s`, "
                       "which this program cannot evaluate: it finds keys by hash routing only",
                       manifest->run_id, manifest->sharding.cel_expr);
    }
    uint64_t token = 0;
    TRY(route_key(&reader->router, key, &token, err));
    *ret_shard = route_db_id(&reader->router, token, manifest->num_dbs);
    return true;
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
    struct kv_file *file = NULL;
    TRY(open_shard(reader, shard, &file, err));
    if (file == NULL) {
        *ret_found = false;
        return true;
    }
    TRY(kv_get(file, stored, value, ret_found, err));
    if (value->overflowed) {
        return err_set(err, ERR_LIMIT, "a value of more than %zu bytes", value->limit);
    }
    return true;
}

bool snapshot_reader_get(struct snapshot_reader *reader, const struct logical_key *key,
                         struct buf *value, bool *ret_found, struct err *err)
{
    uint8_t scratch[KEY_INTEGER_BYTES_MAX];
    struct bytes stored = {0};
    uint32_t shard = 0;
    TRY(stored_key(reader, key, scratch, &stored, err));
    TRY(snapshot_reader_route(reader, key, &shard, err));
    return get_from(reader, shard, stored, value, ret_found, err);
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

bool snapshot_reader_scan(struct snapshot_reader *reader, uint32_t shard,
                          struct row_stream **ret_rows, struct err *err)
{
    CHECK(shard < reader->snapshot.manifest.num_dbs);
    struct kv_file *file = NULL;
    TRY(open_shard(reader, shard, &file, err));
    if (file == NULL) {
        *ret_rows = NULL;
        return true;
    }
    return kv_rows(file, ret_rows, err);
}
