/* Is the manifest of a base the one that PLAN names, and are shard files read where they are? What
 * is kept of an S3 store's files has its tests with a real one (tests/integration/test_state.py).
 */
#include "checkpoint/shards/state_base.h"

#include <unistd.h>

#include "tests/support/folder_store.h"

enum { TIME_US = 1700000000 };

static struct state_base *open_base(struct folder_store *at, struct state_base_settings *settings)
{
    struct err err = {0};
    struct state_base *base = NULL;
    *settings =
        (struct state_base_settings){.store = at->store,
                                     .names = &at->names,
                                     .folder = arena_format(at->arena, "%s/base", at->folder)};
    cr_assert(state_base_new(settings, &base, &err), "%s", err.message);
    return base;
}

/* A manifest with one shard, number 2 of 4, whose file has five bytes. */
static void put_manifest(struct folder_store *at, const char *run_id, const char *name)
{
    struct err err = {0};
    struct attempt shard;
    attempt_init(&shard, 2, 1);
    const char *folder = names_attempt(&at->names, run_id, 2, 1, at->arena);
    shard.db_url = names_url(&at->names, folder, at->arena);
    shard.row_count = 1;
    shard.db_bytes = 5;
    shard.min_key = "\"a\"";
    shard.max_key = "\"a\"";
    shard.checkpoint_id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct manifest manifest = {.run_id = run_id,
                                .created_at_us = TIME_US,
                                .num_dbs = 4,
                                .s3_prefix = at->names.prefix,
                                .key_column = "_key",
                                .key_encoding = KEY_ENCODING_UTF8,
                                .sharding = {.strategy = SHARDING_HASH},
                                .db_path_template = at->names.db_path_template,
                                .shard_prefix = at->names.shard_prefix,
                                .shards = &shard,
                                .shard_count = 1};
    struct buf bytes;
    buf_init(&bytes, 1 << 20);
    cr_assert(sqlite_manifest_encode(&manifest, &bytes, &err), "%s", err.message);
    folder_store_put(at, name, buf_bytes(&bytes));
    folder_store_put(at, names_shard_file(folder, at->arena), bytes_of_text("bytes"));
    buf_done(&bytes);
}

Test(state_base, manifest_listed_or_staged)
{
    struct folder_store at;
    struct state_base_settings settings;
    struct err err = {0};
    folder_store_open(&at);
    struct state_base *base = open_base(&at, &settings);
    struct plan_base plan = {.run_id = "r1", .time_us = TIME_US, .staged_url = "", .num_dbs = 4};
    struct state_manifest *manifest = NULL;
    cr_assert_not(state_base_manifest(base, &plan, &manifest, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    put_manifest(&at, "r1", names_manifest(TIME_US, "r1", at.arena));
    cr_assert(state_base_manifest(base, &plan, &manifest, &err), "%s", err.message);
    cr_assert_null(state_manifest_shard(manifest, 0));
    cr_assert_null(state_manifest_shard(manifest, 3));
    cr_assert_eq(state_manifest_shard(manifest, 2)->db_bytes, 5);

    const char *path = arena_format(at.arena, "%s/mine.db", at.folder);
    struct buf content;
    buf_init(&content, 100);
    cr_assert(state_base_fetch(base, state_manifest_shard(manifest, 2), path, &err), "%s",
              err.message);
    cr_assert(file_read(path, &content, &err));
    cr_assert_str_eq(buf_text(&content), "bytes");
    cr_assert_eq(unlink(path), 0);
    struct attempt other = *state_manifest_shard(manifest, 2);
    other.db_bytes = 6;
    cr_assert_not(state_base_fetch(base, &other, path, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);

    /* one that is not listed yet; and one that is not what the PLAN says */
    put_manifest(&at, "r2", "shards/run_id=r2/manifest.staged-t1-1");
    struct plan_base held = {
        .run_id = "r2",
        .time_us = TIME_US,
        .staged_url = names_url(&at.names, "shards/run_id=r2/manifest.staged-t1-1", at.arena),
        .num_dbs = 4};
    struct state_manifest *second = NULL;
    cr_assert(state_base_manifest(base, &held, &second, &err), "%s", err.message);
    cr_assert_str_eq(state_manifest_of(second)->run_id, "r2");
    cr_assert_str_eq(state_manifest_of(manifest)->run_id, "r1"); /* still in use */
    held.run_id = "r3";
    struct state_manifest *none = NULL;
    cr_assert_not(state_base_manifest(base, &held, &none, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);

    state_manifest_drop(manifest);
    state_manifest_drop(second);
    buf_done(&content);
    state_base_free(base);
    folder_store_close(&at);
}

/* What cannot be kept is said, and nothing else: the folder may be empty. */
Test(state_base, a_file_that_is_not_there_is_not_kept)
{
    struct folder_store at;
    struct state_base_settings settings;
    folder_store_open(&at);
    struct state_base *base = open_base(&at, &settings);
    at.store->url.scheme = STORE_S3; /* files of a folder are never kept */
    settings.bytes_max = 1;
    state_base_keep(base, "/tmp/tidemark-no-such-file", NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    at.store->url.scheme = STORE_FILE;
    state_base_free(base);
    folder_store_close(&at);
}
