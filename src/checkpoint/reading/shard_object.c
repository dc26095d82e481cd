/* A shard as it lies in the store: one object, or all below a folder. */
#include "checkpoint/reading/shard_object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/file.h"
#include "core/snapshot/names.h"

enum { FILES_MAX = 1000 * 1000 };

const char *shard_object_name(const char *attempt, enum shard_backend backend, struct arena *arena)
{
    return backend == BACKEND_SLATEDB ? arena_text(arena, bytes_of_text(attempt))
                                      : names_shard_file(attempt, arena);
}

static bool list_folder(struct store *store, const char *attempt, struct store_page *page,
                        struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    TRY(store_list_all(store, arena_format(arena, "%s/", attempt), false, FILES_MAX, page, err));
    return page->count > 0 || err_set(err, ERR_MISSING, "there is nothing below %s/", attempt);
}

static bool bytes_of_shard(struct store *store, const char *attempt, enum shard_backend backend,
                           uint64_t *ret_bytes, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    AUTO(store_page) struct store_page page = {0};
    if (backend != BACKEND_SLATEDB) {
        struct store_info info;
        TRY(store_head(store, names_shard_file(attempt, arena), &info, err));
        *ret_bytes = info.size;
        return true;
    }
    TRY(list_folder(store, attempt, &page, err));
    *ret_bytes = 0;
    for (size_t i = 0; i < page.count; i++) {
        *ret_bytes += page.entries[i].size;
    }
    return true;
}

bool shard_object_check(struct store *store, const char *attempt, enum shard_backend backend,
                        uint64_t bytes, struct err *err)
{
    uint64_t found = 0;
    TRY(bytes_of_shard(store, attempt, backend, &found, err));
    bool right = backend == BACKEND_SLATEDB ? found >= bytes : found == bytes;
    return right || err_set(err, ERR_CORRUPT, "%s has %llu bytes, and should have %llu", attempt,
                            (unsigned long long)found, (unsigned long long)bytes);
}

static bool fetch_one(struct store *store, const char *key, const char *local, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    char *folder = arena_text(arena, bytes_of_text(local));
    *strrchr(folder, '/') = '\0';
    return file_make_folders(folder, err) && store_get_to_file(store, key, local, NULL, err);
}

static bool fetch_all(struct store *store, const char *attempt, const char *path, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    AUTO(store_page) struct store_page page = {0};
    TRY(list_folder(store, attempt, &page, err));
    for (size_t i = 0; i < page.count; i++) {
        const char *name = page.entries[i].key + strlen(attempt) + 1;
        TRY(fetch_one(store, page.entries[i].key, arena_format(arena, "%s/%s", path, name), err));
    }
    return true;
}

bool shard_object_fetch_folder(struct store *store, const char *attempt, const char *path,
                               struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    char *part = NULL;
    char *parent = arena_text(arena, bytes_of_text(path));
    *strrchr(parent, '/') = '\0';
    TRY(file_temp_folder(parent, "part", &part, err));
    bool done = fetch_all(store, attempt, part, err);
    if (done && rename(part, path) != 0) {
        /* another reader of the same folder was faster */
        done = errno == EEXIST || errno == ENOTEMPTY || file_err(err, errno, "rename", part);
    }
    file_discard(part);
    free(part);
    return done;
}
