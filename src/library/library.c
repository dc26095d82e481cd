/* Snapshots for C programs: opened, asked about, closed. */
#include "library/library.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/os/log.h"
#include "consumer/wiring/wiring.h"

const char *tidemark_version(void)
{
    return TIDEMARK_VERSION;
}

/* ---- errors ---- */

static enum tidemark_code code_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return TIDEMARK_OK;
    case ERR_TRANSIENT:
    case ERR_AMBIGUOUS:
        return TIDEMARK_UNAVAILABLE;
    case ERR_MISSING:
        return TIDEMARK_MISSING;
    case ERR_INPUT:
        return TIDEMARK_INVALID;
    case ERR_LIMIT:
        return TIDEMARK_LIMIT;
    case ERR_SETTINGS:
        return TIDEMARK_SETTINGS;
    case ERR_STOPPED:
        return TIDEMARK_STOPPED;
    case ERR_CONFLICT:
    case ERR_FENCED:
    case ERR_CORRUPT:
        return TIDEMARK_CORRUPT;
    }
    return TIDEMARK_CORRUPT;
}

enum tidemark_code library_fail(const struct err *err, struct tidemark_error *error)
{
    enum tidemark_code code = code_of(err->kind);
    if (error != NULL) {
        error->code = code;
        snprintf(error->message, sizeof error->message, "%s", err->message);
    }
    return code;
}

enum tidemark_code library_ok(struct tidemark_error *error)
{
    if (error != NULL) {
        *error = (struct tidemark_error){.code = TIDEMARK_OK};
    }
    return TIDEMARK_OK;
}

enum tidemark_code tidemark_options_set(struct tidemark_options *options, const char *name,
                                        const char *value, struct tidemark_error *error)
{
    struct err err = {0};
    return library_options_set(options, name, value, &err) ? library_ok(error)
                                                           : library_fail(&err, error);
}

/* ---- opening ---- */

/* The XDG base directory for caches, as the desktop specification has it. */
static bool cache_url(const struct tidemark_options *options, struct arena *arena,
                      const char **ret_url, struct err *err)
{
    const char *folder = options->cache_folder;
    const char *base = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (folder != NULL && folder[0] != '/') {
        return err_set(err, ERR_SETTINGS, "option cache_folder: \"%.200s\" does not begin with /",
                       folder);
    }
    if (folder != NULL) {
        *ret_url = arena_format(arena, "file://%s", folder);
    } else if (base != NULL && base[0] == '/') {
        *ret_url = arena_format(arena, "file://%s/tidemark/shards", base);
    } else if (home != NULL && home[0] == '/') {
        *ret_url = arena_format(arena, "file://%s/.cache/tidemark/shards", home);
    } else {
        return err_set(err, ERR_SETTINGS,
                       "no folder to download shards to: HOME is not set; set cache_folder, or "
                       "reading to range");
    }
    return true;
}

static bool open_cache(struct tidemark_snapshot *snapshot, struct err *err)
{
    const struct tidemark_options *options = snapshot->options;
    if (snapshot->store->url.scheme == STORE_FILE ||
        options->reading.reading == SHARD_READING_RANGE) {
        return true;
    }
    const char *url = NULL;
    TRY(cache_url(options, snapshot->arena, &url, err));
    TRY(wiring_open_store(url, NULL, &snapshot->cache_files, err));
    snapshot->cache = (struct shard_cache){.borrowed_files = snapshot->cache_files,
                                           .bytes_max = options->cache_bytes_max};
    return true;
}

/* With its vectors; what is read else does not go through the extension. */
static bool open_searcher(struct tidemark_snapshot *snapshot,
                          const struct snapshot_reader_request *plain, struct err *err)
{
    const struct catalog_snapshot *found = snapshot_reader_snapshot(snapshot->reader);
    struct vector_settings vectors = {.dim = found->manifest.vector.dim,
                                      .metric = found->manifest.vector.metric,
                                      .extension = snapshot->options->extension};
    if (vectors.dim == 0 || vectors.extension == NULL) {
        return true;
    }
    TRY(wiring_vector_kv(&vectors, &snapshot->vector_kv, err));
    struct snapshot_reader_request request = *plain;
    request.kv = snapshot->vector_kv;
    request.choice = (struct catalog_choice){.manifest_ref = found->url};
    return snapshot_reader_new(&request, &snapshot->searcher, err);
}

static bool open_snapshot(const char *url, struct tidemark_snapshot *snapshot, struct err *err)
{
    const struct tidemark_options *options = snapshot->options;
    TRY(wiring_open_store(url, &options->s3, &snapshot->store, err));
    TRY(open_cache(snapshot, err));
    struct snapshot_reader_request request = {
        .catalog = {.borrowed_store = snapshot->store, .relocated = options->relocated},
        .choice = options->choice,
        .kv = wiring_kv(),
        .cache = snapshot->cache_files == NULL ? NULL : &snapshot->cache,
        .reading = options->reading,
    };
    TRY(snapshot_reader_new(&request, &snapshot->reader, err));
    TRY(open_searcher(snapshot, &request, err));
    struct bytes lineage = snapshot_reader_snapshot(snapshot->reader)->manifest.lineage;
    snapshot->lineage = arena_text(snapshot->arena, lineage);
    return true;
}

enum tidemark_code tidemark_open(const char *url, const struct tidemark_options *options,
                                 struct tidemark_snapshot **ret_snapshot,
                                 struct tidemark_error *error)
{
    log_silence();
    struct err err = {0};
    struct tidemark_snapshot *snapshot = calloc(1, sizeof *snapshot);
    CHECK(snapshot != NULL);
    snapshot->options = library_options_copy(options);
    snapshot->arena = arena_new(4096);
    if (!open_snapshot(url, snapshot, &err)) {
        tidemark_close(snapshot);
        return library_fail(&err, error);
    }
    *ret_snapshot = snapshot;
    return library_ok(error);
}

void tidemark_close(struct tidemark_snapshot *snapshot)
{
    if (snapshot != NULL) {
        snapshot_reader_free(snapshot->searcher);
        snapshot_reader_free(snapshot->reader);
        kv_free(snapshot->vector_kv);
        store_free(snapshot->cache_files);
        store_free(snapshot->store);
        arena_free(snapshot->arena);
        tidemark_options_free(snapshot->options);
        free(snapshot);
    }
}

void tidemark_stop(struct tidemark_snapshot *snapshot)
{
    store_stop(snapshot->store);
}

/* ---- what it is ---- */

static const struct manifest *manifest_of(const struct tidemark_snapshot *snapshot)
{
    return &snapshot_reader_snapshot(snapshot->reader)->manifest;
}

const char *tidemark_run_id(const struct tidemark_snapshot *snapshot)
{
    return manifest_of(snapshot)->run_id;
}

int64_t tidemark_created_at_us(const struct tidemark_snapshot *snapshot)
{
    return manifest_of(snapshot)->created_at_us;
}

uint32_t tidemark_shard_count(const struct tidemark_snapshot *snapshot)
{
    return manifest_of(snapshot)->num_dbs;
}

uint64_t tidemark_row_count(const struct tidemark_snapshot *snapshot)
{
    const struct manifest *manifest = manifest_of(snapshot);
    uint64_t rows = 0;
    for (size_t i = 0; i < manifest->shard_count; i++) {
        rows += (uint64_t)manifest->shards[i].row_count;
    }
    return rows;
}

enum tidemark_key_encoding tidemark_key_encoding_of(const struct tidemark_snapshot *snapshot)
{
    static const enum tidemark_key_encoding encodings[] = {
        [KEY_ENCODING_U64BE] = TIDEMARK_U64BE,
        [KEY_ENCODING_U32BE] = TIDEMARK_U32BE,
        [KEY_ENCODING_UTF8] = TIDEMARK_UTF8,
        [KEY_ENCODING_RAW] = TIDEMARK_RAW,
    };
    return encodings[manifest_of(snapshot)->key_encoding];
}

const char *tidemark_lineage(const struct tidemark_snapshot *snapshot)
{
    return snapshot->lineage;
}

struct tidemark_traffic tidemark_traffic_of(const struct tidemark_snapshot *snapshot)
{
    struct store_traffic sum = store_traffic_of(snapshot->store);
    return (struct tidemark_traffic){.requests = sum.requests, .bytes = sum.bytes_received};
}

enum tidemark_code tidemark_is_current(struct tidemark_snapshot *snapshot, int *ret_current,
                                       struct tidemark_error *error)
{
    struct err err = {0};
    struct catalog catalog = {.borrowed_store = snapshot->store,
                              .relocated = snapshot->options->relocated};
    struct catalog_pointer pointer = {0};
    AUTO(arena) struct arena *arena = arena_new(4096);
    if (!catalog_read_pointer(&catalog, arena, &pointer, &err)) {
        return library_fail(&err, error);
    }
    *ret_current = !pointer.missing && pointer.valid &&
                   strcmp(pointer.pointer.run_id, manifest_of(snapshot)->run_id) == 0;
    return library_ok(error);
}
