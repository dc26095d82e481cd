/* A store in a temporary folder, and snapshots put into it. For tests; failures end the test: one
 * of Criterion, or, with FOLDER_STORE_MUST defined before, a plain program. */
#ifndef TIDEMARK_TESTS_SUPPORT_FOLDER_STORE_H
#define TIDEMARK_TESTS_SUPPORT_FOLDER_STORE_H

#include <stdlib.h>

#ifndef FOLDER_STORE_MUST
#include <criterion/criterion.h>
#define FOLDER_STORE_MUST(condition) cr_assert(condition, "%s", err.message)
#endif

#include "adapters/file/file_store.h"
#include "adapters/os/file.h"
#include "adapters/sqlite/sqlite_manifest.h"
#include "checkpoint/reading/catalog.h"
#include "core/snapshot/names.h"

struct folder_store {
    char *folder;
    struct arena *arena;
    struct store *store;
    struct catalog catalog;
    struct names names;
};

static inline void folder_store_open(struct folder_store *at)
{
    struct err err = {0};
    *at = (struct folder_store){.arena = arena_new(4096)};
    FOLDER_STORE_MUST(file_temp_folder("/tmp", "tidemark-test", &at->folder, &err));
    const char *url = arena_format(at->arena, "file://%s/snapshots", at->folder);
    FOLDER_STORE_MUST(file_store_new(url, &at->store, &err));
    at->catalog = (struct catalog){.borrowed_store = at->store};
    FOLDER_STORE_MUST(
        names_init(&at->names, store_url_of(at->store), "shards", "runs", "db={db_id:05d}", &err));
}

static inline void folder_store_close(struct folder_store *at)
{
    struct err err = {0};
    store_free(at->store);
    FOLDER_STORE_MUST(file_remove_tree(at->folder, &err));
    free(at->folder);
    arena_free(at->arena);
}

static inline void folder_store_put(struct folder_store *at, const char *name, struct bytes bytes)
{
    struct err err = {0};
    struct store_content content = {.bytes = bytes};
    FOLDER_STORE_MUST(store_put(at->store, name, &content, store_always(), NULL, &err));
}

static inline bool folder_store_has(struct folder_store *at, const char *name)
{
    struct err err = {0};
    struct store_info info = {0};
    bool there = store_head(at->store, name, &info, &err);
    FOLDER_STORE_MUST(there || err.kind == ERR_MISSING);
    return there;
}

/* The manifest of a run with one shard, of 4 bytes, that is in the run `shard_run`. Returns its
 * URL. */
static inline const char *folder_store_publish(struct folder_store *at, const char *run_id,
                                               const char *shard_run, int64_t time_us)
{
    struct err err = {0};
    struct attempt shard;
    attempt_init(&shard, 0, 1);
    const char *attempt = names_attempt(&at->names, shard_run, 0, 1, at->arena);
    shard.db_url = names_url(&at->names, attempt, at->arena);
    shard.row_count = 1;
    shard.db_bytes = 4;
    shard.checkpoint_id = "0123456789abcdef0123456789abcdef";
    struct manifest manifest = {.run_id = run_id,
                                .created_at_us = time_us,
                                .num_dbs = 1,
                                .s3_prefix = store_url_of(at->store),
                                .key_column = "_key",
                                .key_encoding = KEY_ENCODING_U64BE,
                                .db_path_template = "db={db_id:05d}",
                                .shard_prefix = "shards",
                                .shards = &shard,
                                .shard_count = 1};
    struct buf bytes;
    buf_init(&bytes, 1024 * 1024);
    FOLDER_STORE_MUST(sqlite_manifest_encode(&manifest, &bytes, &err));
    const char *name = names_manifest(time_us, run_id, at->arena);
    folder_store_put(at, name, buf_bytes(&bytes));
    buf_done(&bytes);
    folder_store_put(at, names_shard_file(attempt, at->arena), bytes_of_text("rows"));
    return names_url(&at->names, name, at->arena);
}

static inline void folder_store_point(struct folder_store *at, const char *manifest_ref,
                                      const char *run_id, int64_t time_us)
{
    struct pointer pointer = {
        .manifest_ref = manifest_ref, .run_id = run_id, .updated_at_us = time_us};
    struct buf bytes;
    buf_init(&bytes, POINTER_BYTES_MAX);
    pointer_encode(&pointer, &bytes);
    folder_store_put(at, NAMES_POINTER, buf_bytes(&bytes));
    buf_done(&bytes);
}

#endif
