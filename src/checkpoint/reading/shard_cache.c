/* A folder of downloaded shard files, named by what their bytes are known to be. */
#include "checkpoint/reading/shard_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "checkpoint/reading/shard_object.h"
#include "core/route/hash.h"

enum { CACHE_NAME_MAX = 64, CACHE_ENTRIES_MAX = 1000 * 1000 };

/* 16 digits of (db_url, what tells the bytes), and the checkpoint_id itself for people to see. The
 * store is asked where there is no checkpoint_id. */
static bool name_in_cache(struct store *store, const char *name, const struct attempt *shard,
                          char ret_name[CACHE_NAME_MAX], struct err *err)
{
    AUTO(buf) struct buf identity;
    buf_init(&identity, 4 * STORE_KEY_MAX);
    buf_add_format(&identity, "%s\n", shard->db_url);
    const char *shown = "";
    if (shard->checkpoint_id != NULL) {
        buf_add_format(&identity, "%s", shard->checkpoint_id);
        shown = shard->checkpoint_id;
    } else {
        struct store_info info = {0};
        TRY(store_head(store, name, &info, err));
        buf_add_format(&identity, "%s %" PRId64, info.etag.text, info.modified_us);
    }
    snprintf(ret_name, CACHE_NAME_MAX, "%016" PRIx64 "%s%.32s.db",
             hash_routing(buf_bytes(&identity)), *shown == '\0' ? "" : "-", shown);
    return true;
}

/* As the manifest has it: a file that was cut off, in the store or on this disk, is never opened.
 */
static bool check_size(const char *path, const struct attempt *shard, struct err *err)
{
    uint64_t bytes = 0;
    TRY(file_size(path, &bytes, err));
    if (shard->db_bytes >= 0 && bytes != (uint64_t)shard->db_bytes) {
        return err_set(err, ERR_CORRUPT,
                       "shard %" PRId64 " has %" PRIu64 " bytes, its manifest says %" PRId64 ": %s",
                       shard->db_id, bytes, shard->db_bytes, path);
    }
    return true;
}

bool shard_cache_has(const struct shard_cache *cache, const struct attempt *shard)
{
    struct err ignored = {0};
    char file[CACHE_NAME_MAX];
    AUTO(buf) struct buf path;
    buf_init(&path, SIZE_MAX);
    if (shard->checkpoint_id == NULL || !name_in_cache(NULL, NULL, shard, file, &ignored)) {
        return false;
    }
    buf_add_format(&path, "%s/%s", cache->borrowed_files->url.prefix, file);
    return check_size(buf_text(&path), shard, &ignored);
}

bool shard_cache_fetch(const struct shard_cache *cache, struct store *store, const char *name,
                       const struct attempt *shard, struct buf *path, struct err *err)
{
    CHECK(cache->borrowed_files->url.scheme == STORE_FILE);
    char file[CACHE_NAME_MAX];
    TRY(name_in_cache(store, name, shard, file, err));
    const char *folder = cache->borrowed_files->url.prefix;
    size_t start = path->size;
    buf_add_format(path, "%s/%s", folder, file);
    const char *local = buf_text(path) + start;
    struct err unusable = {0};
    if (check_size(local, shard, &unusable)) {
        return true;
    }
    TRY(file_make_folders(folder, err));
    TRY(store_get_to_file(store, name, local, NULL, err));
    if (!check_size(local, shard, err)) {
        struct err ignored = {0};
        bool removed = file_remove(local, &ignored);
        (void)removed;
        return false;
    }
    if (cache->bytes_max > 0) {
        TRY(shard_cache_trim(cache, err));
    }
    return true;
}

bool shard_cache_fetch_folder(const struct shard_cache *cache, struct store *store,
                              const char *name, const struct attempt *shard, struct buf *path,
                              struct err *err)
{
    CHECK(cache->borrowed_files->url.scheme == STORE_FILE);
    if (shard->checkpoint_id == NULL) {
        return err_set(err, ERR_CORRUPT, "shard %" PRId64 " has no checkpoint_id", shard->db_id);
    }
    char file[CACHE_NAME_MAX];
    TRY(name_in_cache(store, name, shard, file, err));
    const char *folder = cache->borrowed_files->url.prefix;
    size_t start = path->size;
    buf_add_format(path, "%s/%s", folder, file);
    if (access(buf_text(path) + start, F_OK) == 0) { /* whole, or not there */
        return true;
    }
    TRY(file_make_folders(folder, err));
    TRY(shard_object_fetch_folder(store, name, buf_text(path) + start, err));
    return cache->bytes_max == 0 || shard_cache_trim(cache, err);
}

static int oldest_first(const void *left, const void *right)
{
    const struct store_entry *a = left;
    const struct store_entry *b = right;
    return (a->modified_us > b->modified_us) - (a->modified_us < b->modified_us);
}

/* Size and age of a shard that is a folder; what a download leaves that was killed is none. */
static bool measure_folder(const struct shard_cache *cache, struct store_entry *entry,
                           struct err *err)
{
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list_all(cache->borrowed_files, entry->key, false, CACHE_ENTRIES_MAX, &page, err));
    for (size_t i = 0; i < page.count; i++) {
        const struct store_entry *file = &page.entries[i];
        entry->size += file->size;
        entry->modified_us = file->modified_us > entry->modified_us ? file->modified_us
                                                                    : entry->modified_us;
    }
    return true;
}

static bool delete_entry(const struct shard_cache *cache, const struct store_entry *entry,
                         struct err *err)
{
    return entry->folder ? store_delete_prefix(cache->borrowed_files, entry->key, NULL, err)
                         : store_delete(cache->borrowed_files, entry->key, err);
}

bool shard_cache_trim(const struct shard_cache *cache, struct err *err)
{
    AUTO(store_page) struct store_page page = {0};
    TRY(store_list_all(cache->borrowed_files, "", true, CACHE_ENTRIES_MAX, &page, err));
    uint64_t bytes = 0;
    for (size_t i = 0; i < page.count; i++) {
        if (page.entries[i].folder) {
            TRY(measure_folder(cache, &page.entries[i], err));
        }
        bytes += page.entries[i].size;
    }
    qsort(page.entries, page.count, sizeof *page.entries, oldest_first);
    /* the newest stays whatever its size: it is the one that is about to be read */
    for (size_t i = 0; i + 1 < page.count && bytes > cache->bytes_max; i++) {
        TRY(delete_entry(cache, &page.entries[i], err));
        bytes -= page.entries[i].size;
    }
    return true;
}
