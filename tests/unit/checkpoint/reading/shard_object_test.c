/* A shard that is a folder of files: uploaded in the right order, checked, fetched, cached, and
 * gone as a whole. */
#include "checkpoint/reading/shard_object.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file_tree.h"
#include "checkpoint/reading/cleanup.h"
#include "checkpoint/reading/shard_cache.h"
#include "checkpoint/shards/upload.h"
#include "tests/support/folder_store.h"

static const struct kv_features folder_kv = {.folder = true, .named_last = "manifest/"};
static const char *const names_in_it[] = {"compacted/1.sst", "compacted/2.sst", "manifest/1",
                                          "wal/1.sst"};

static void put_local(struct folder_store *at, const char *path, const char *name)
{
    struct err err = {0};
    char *file = arena_format(at->arena, "%s/%s", path, name);
    char *parent = arena_text(at->arena, bytes_of_text(file));
    *strrchr(parent, '/') = '\0';
    cr_assert(file_make_folders(parent, &err), "%s", err.message);
    cr_assert(file_write(file, bytes_of_text(name), 0600, &err), "%s", err.message);
}

/* A local folder with four files. */
static const char *make_folder(struct folder_store *at, const char *name)
{
    const char *path = arena_format(at->arena, "%s/%s", at->folder, name);
    for (size_t i = 0; i < LENGTH_OF(names_in_it); i++) {
        put_local(at, path, names_in_it[i]);
    }
    return path;
}

static uint64_t bytes_in_it(void)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < LENGTH_OF(names_in_it); i++) {
        bytes += strlen(names_in_it[i]);
    }
    return bytes;
}

static const char *upload(struct folder_store *at, const char *run_id, int64_t number)
{
    struct err err = {0};
    const char *attempt = names_attempt(&at->names, run_id, 0, number, at->arena);
    struct upload_request request = {
        .store = at->store, .folder = attempt, .path = make_folder(at, "made"), .kv = &folder_kv};
    cr_assert(upload_shard(&request, &err), "%s", err.message);
    cr_assert(access(request.path, F_OK) != 0, "the local folder is still there");
    return attempt;
}

static void expect_whole(struct folder_store *at, const char *path)
{
    struct err err = {0};
    struct tree_file *files = NULL;
    size_t count = 0;
    cr_assert(file_tree_list(path, at->arena, &files, &count, &err), "%s", err.message);
    cr_assert_eq(count, LENGTH_OF(names_in_it));
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(files[i].name, names_in_it[i]);
        cr_assert_eq(files[i].bytes, strlen(names_in_it[i]));
    }
}

Test(shard_object, up_and_down_again)
{
    struct folder_store at;
    struct err err = {0};
    folder_store_open(&at);
    const char *attempt = upload(&at, "r1", 1);
    cr_assert_str_eq(shard_object_name(attempt, BACKEND_SLATEDB, at.arena), attempt);
    cr_assert_str_eq(shard_object_name(attempt, BACKEND_SQLITE, at.arena),
                     arena_format(at.arena, "%s/shard.db", attempt));
    cr_assert(shard_object_check(at.store, attempt, BACKEND_SLATEDB, bytes_in_it(), &err), "%s",
              err.message);
    /* a reader's note */
    folder_store_put(&at, arena_format(at.arena, "%s/manifest/2", attempt), bytes_of_text("more"));
    cr_assert(shard_object_check(at.store, attempt, BACKEND_SLATEDB, bytes_in_it(), &err));
    cr_assert(store_delete(at.store, arena_format(at.arena, "%s/manifest/2", attempt), &err));

    const char *path = arena_format(at.arena, "%s/fetched", at.folder);
    cr_assert(shard_object_fetch_folder(at.store, attempt, path, &err), "%s", err.message);
    expect_whole(&at, path);
    /* another one was faster: what is there stays */
    cr_assert(shard_object_fetch_folder(at.store, attempt, path, &err), "%s", err.message);
    expect_whole(&at, path);
    folder_store_close(&at);
}

Test(shard_object, what_is_not_whole)
{
    struct folder_store at;
    struct err err = {0};
    folder_store_open(&at);
    const char *attempt = upload(&at, "r1", 1);
    cr_assert(store_delete(at.store, arena_format(at.arena, "%s/wal/1.sst", attempt), &err));
    cr_assert_not(shard_object_check(at.store, attempt, BACKEND_SLATEDB, bytes_in_it(), &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);
    const char *none = names_attempt(&at.names, "r1", 0, 2, at.arena);
    cr_assert_not(shard_object_check(at.store, none, BACKEND_SLATEDB, 1, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    cr_assert_not(shard_object_check(at.store, attempt, BACKEND_SQLITE, 1, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    const char *path = arena_format(at.arena, "%s/fetched", at.folder);
    cr_assert_not(shard_object_fetch_folder(at.store, none, path, &err));
    cr_assert(err.kind == ERR_MISSING && access(path, F_OK) != 0);
    folder_store_close(&at);
}

/* The upload stops in the middle: what names the others is not there yet. */
Test(shard_object, what_names_the_others_goes_last)
{
    struct folder_store at;
    struct err err = {0};
    folder_store_open(&at);
    const char *attempt = names_attempt(&at.names, "r1", 0, 1, at.arena);
    struct upload_request request = {
        .store = at.store, .folder = attempt, .path = make_folder(&at, "made"), .kv = &folder_kv};
    /* an object where the last of the others should have its folder */
    folder_store_put(&at, arena_format(at.arena, "%s/wal", attempt), bytes_of_text("in the way"));
    cr_assert_not(upload_shard(&request, &err));
    cr_assert(folder_store_has(&at, arena_format(at.arena, "%s/compacted/2.sst", attempt)));
    cr_assert_not(folder_store_has(&at, arena_format(at.arena, "%s/manifest/1", attempt)));
    folder_store_close(&at);
}

Test(shard_object, the_cache_keeps_folders_too)
{
    struct folder_store at;
    struct err err = {0};
    folder_store_open(&at);
    struct store *files = NULL;
    cr_assert(file_store_new(arena_format(at.arena, "file://%s/cache", at.folder), &files, &err));
    struct shard_cache cache = {.borrowed_files = files};
    const char *attempts[2] = {upload(&at, "r1", 1), upload(&at, "r2", 1)};
    AUTO(buf) struct buf first;
    for (int i = 0; i < 3; i++) { /* the last one is the second again */
        struct attempt shard;
        attempt_init(&shard, 0, 1);
        shard.db_url = names_url(&at.names, attempts[i > 0], at.arena);
        shard.checkpoint_id = "0123456789abcdef0123456789abcdef";
        AUTO(buf) struct buf path;
        buf_init(&path, 4096);
        cr_assert(shard_cache_fetch_folder(&cache, at.store, attempts[i > 0], &shard, &path, &err),
                  "%s", err.message);
        expect_whole(&at, buf_text(&path));
        if (i == 0) {
            buf_init(&first, 4096);
            buf_add_bytes(&first, buf_bytes(&path));
        } else if (i == 1) { /* from here on it must come out of the cache */
            cr_assert(store_delete_prefix(at.store, arena_format(at.arena, "%s/", attempts[1]),
                                          NULL, &err));
            /* the first one is older */
            struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
            for (size_t k = 0; k < LENGTH_OF(names_in_it); k++) {
                const char *file =
                    arena_format(at.arena, "%s/%s", buf_text(&first), names_in_it[k]);
                cr_assert(utimensat(AT_FDCWD, file, times, 0) == 0);
            }
        }
    }
    cache.bytes_max = bytes_in_it();
    cr_assert(shard_cache_trim(&cache, &err), "%s", err.message);
    cr_assert(access(arena_format(at.arena, "%s/manifest/1", buf_text(&first)), F_OK) != 0);
    store_free(files);
    folder_store_close(&at);
}

/* An attempt that lost is one item of the plan, whatever lies below it, and goes as a whole. */
Test(shard_object, cleanup_takes_the_whole_folder)
{
    struct folder_store at;
    struct err err = {0};
    folder_store_open(&at);
    int64_t now_us = clock_now_us();
    const char *ref = folder_store_publish(&at, "r1", "r1", now_us);
    folder_store_point(&at, ref, "r1", now_us);
    const char *lost = upload(&at, "r1", 77);
    struct cleanup_request request = {
        .catalog = at.catalog,
        .names = &at.names,
        .policy = {.keep_last = 1, .now_us = now_us + INT64_C(86400) * 1000000},
        .grace_us = 1,
    };
    struct cleanup_plan plan = {0};
    cr_assert(cleanup_make_plan(&request, at.arena, &plan, &err), "%s", err.message);
    size_t items = 0;
    for (size_t i = 0; i < plan.count; i++) {
        const struct cleanup_item *item = &plan.items[i];
        if (item->kind == CLEANUP_ATTEMPT) {
            items++;
            cr_assert_eq(item->objects, LENGTH_OF(names_in_it));
            cr_assert_eq(item->bytes, bytes_in_it());
            cr_assert(cleanup_delete(&request, &plan, item, &err), "%s", err.message);
        }
    }
    cr_assert_eq(items, 1);
    for (size_t i = 0; i < LENGTH_OF(names_in_it); i++) {
        cr_assert_not(folder_store_has(&at, arena_format(at.arena, "%s/%s", lost, names_in_it[i])));
    }
    folder_store_close(&at);
}
