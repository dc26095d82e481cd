/* A folder as an object store: for a laptop, for tests, and for a member's own spills. */
#include "adapters/file/file_store.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/file/file_list.h"
#include "adapters/file/file_place.h"
#include "adapters/file/file_put.h"
#include "adapters/file/file_tag.h"
#include "adapters/os/clock.h"
#include "adapters/os/file.h"

enum { CHUNK_BYTES = 256 * 1024 };

static void count(struct store *store, enum store_operation operation, uint64_t sent,
                  uint64_t received)
{
    struct store_operation_counters *counters = &store->counters.of[operation];
    atomic_fetch_add(&counters->requests, 1);
    atomic_fetch_add(&counters->bytes_sent, sent);
    atomic_fetch_add(&counters->bytes_received, received);
}

/* ---- reading ---- */

static int64_t modified_us(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * 1000000 + info->st_mtim.tv_nsec / 1000;
}

static bool info_of(int fd, const char *path, const struct stat *stat, struct store_info *ret_info,
                    struct err *err)
{
    TRY(file_tag(fd, path, stat, &ret_info->etag, err));
    ret_info->size = (uint64_t)stat->st_size;
    ret_info->modified_us = modified_us(stat);
    return true;
}

static bool stream(struct store *store, int fd, const char *path, uint64_t at, uint64_t left,
                   const struct store_sink *sink, struct err *err)
{
    uint8_t *chunk = malloc(CHUNK_BYTES);
    CHECK(chunk != NULL);
    bool ok = true;
    while (ok && left > 0) {
        size_t size = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
        ssize_t got = pread(fd, chunk, size, (off_t)at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            ok = got == 0 ? err_set(err, ERR_CORRUPT, "the file became shorter while it was read")
                          : file_err(err, errno, "read", path);
            break;
        }
        if (atomic_load(&store->stopped)) {
            ok = err_set(err, ERR_STOPPED, "the store was stopped");
            break;
        }
        ok = sink->write(sink->to, bytes_of(chunk, (size_t)got), err);
        at += (uint64_t)got;
        left -= (uint64_t)got;
    }
    free(chunk);
    return ok;
}

static bool is_wanted_version(int fd, const char *path, const struct stat *stat, const char *wanted,
                              struct err *err)
{
    struct store_etag have;
    if (wanted == NULL) {
        return true;
    }
    TRY(file_tag(fd, path, stat, &have, err));
    return strcmp(wanted, have.text) == 0 ||
           err_set(err, ERR_CONFLICT, "the object is another version than %s: %s", wanted,
                   have.text);
}

static bool file_get(struct store *store, const char *key, struct store_range range,
                     const struct store_sink *sink, struct store_info *ret_info, struct err *err)
{
    struct file_place place;
    TRY(file_place_of(store->url.prefix, key, &place, err));
    struct stat info;
    int fd = file_place_open(place.path, &info, err);
    if (fd < 0) {
        return false;
    }
    uint64_t size = (uint64_t)info.st_size;
    uint64_t length = range.length;
    bool ok = is_wanted_version(fd, place.path, &info, range.if_match, err);
    if (length == UINT64_MAX) {
        length = range.offset <= size ? size - range.offset : 0;
    }
    if (ok && (range.offset > size || length > size - range.offset)) {
        ok = err_set(err, ERR_CORRUPT, "the object ends at byte %ju, before the range asked for",
                     (uintmax_t)size);
    }
    ok = ok && (ret_info == NULL || info_of(fd, place.path, &info, ret_info, err)) &&
         stream(store, fd, place.path, range.offset, length, sink, err);
    count(store, STORE_GET, 0, ok ? length : 0);
    close(fd);
    return ok;
}

static bool file_head(struct store *store, const char *key, struct store_info *ret_info,
                      struct err *err)
{
    struct file_place place;
    TRY(file_place_of(store->url.prefix, key, &place, err));
    count(store, STORE_HEAD, 0, 0);
    struct stat info;
    int fd = file_place_open(place.path, &info, err);
    if (fd < 0) {
        return false;
    }
    bool ok = info_of(fd, place.path, &info, ret_info, err);
    close(fd);
    return ok;
}

/* ---- writing ---- */

static bool file_put(struct store *store, const char *key, const struct store_content *content,
                     struct store_condition condition, struct store_etag *ret_etag, struct err *err)
{
    count(store, STORE_PUT, content->bytes.size, 0);
    return file_put_object(store, key, content, condition, ret_etag, err);
}

static bool file_copy(struct store *store, const struct store_url *from, const char *key,
                      struct store_etag *ret_etag, struct err *err)
{
    count(store, STORE_COPY, 0, 0);
    struct stat info;
    int fd = file_place_open(from->prefix, &info, err);
    if (fd < 0) {
        return false;
    }
    close(fd);
    struct store_content content = {.path = from->prefix};
    return file_put_object(store, key, &content, store_always(), ret_etag, err);
}

/* ---- deleting ---- */

/* Removes the folders that the object leaves empty, up to the root; they are nobody's objects. */
static void remove_empty_folders(const struct store *store, struct file_place *place)
{
    size_t root_size = strlen(store->url.prefix);
    while (place->folder_size > root_size) {
        place->path[place->folder_size] = '\0';
        if (rmdir(place->path) != 0) {
            return;
        }
        place->folder_size = (size_t)(strrchr(place->path, '/') - place->path);
    }
}

static bool file_remove_one(struct store *store, const char *key, struct err *err)
{
    struct file_place place;
    TRY(file_place_of(store->url.prefix, key, &place, err));
    if (unlink(place.path) != 0) {
        return errno == ENOENT || errno == ENOTDIR || errno == EISDIR ||
               file_err(err, errno, "remove", place.path);
    }
    remove_empty_folders(store, &place);
    place.path[place.folder_size] = '\0';
    return file_sync_folder(place.path, err) || err->kind == ERR_MISSING;
}

static bool file_remove_all(struct store *store, const char *const *keys, size_t count_of_keys,
                            struct err *err)
{
    count(store, STORE_DELETE, 0, 0);
    if (access(store->url.prefix, F_OK) != 0 && errno == ENOENT) {
        return true;
    }
    int lock = file_place_lock(store->url.prefix, err);
    if (lock < 0) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < count_of_keys && ok; i++) {
        ok = file_remove_one(store, keys[i], err);
    }
    close(lock);
    return ok;
}

/* ---- the rest ---- */

static bool file_list_page(struct store *store, const char *prefix, bool folders, const char *from,
                           size_t entries_max, struct store_page *page, struct err *err)
{
    count(store, STORE_LIST, 0, 0);
    return file_list(store->url.prefix, prefix, folders, from, entries_max, page, err);
}

static void file_free(struct store *store)
{
    store_done(store);
    free(store);
}

static const struct store_ops file_store_ops = {
    .put = file_put,
    .get = file_get,
    .head = file_head,
    .list = file_list_page,
    .remove = file_remove_all,
    .copy = file_copy,
    .free = file_free,
};

bool file_store_new(const char *url, struct store **ret_store, struct err *err)
{
    struct store_url parsed;
    TRY(store_url_parse(url, &parsed, err));
    if (parsed.scheme != STORE_FILE) {
        return err_set(err, ERR_SETTINGS, "%.200s is not a file:// URL", url);
    }
    struct stat info;
    if (stat(parsed.prefix, &info) == 0 && !S_ISDIR(info.st_mode)) {
        return err_set(err, ERR_SETTINGS, "%.300s is not a folder", parsed.prefix);
    }
    struct store *store = calloc(1, sizeof *store);
    CHECK(store != NULL);
    store_init(store, &file_store_ops, &parsed);
    *ret_store = store;
    return true;
}

bool file_store_sweep(struct store *store, int64_t older_than_us, struct err *err)
{
    CHECK(store->ops == &file_store_ops);
    char *const roots[] = {store->url.prefix, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (walk == NULL) {
        return file_err(err, errno, "look through", store->url.prefix);
    }
    int64_t oldest_us = clock_now_us() - older_than_us;
    for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_F && modified_us(entry->fts_statp) < oldest_us &&
            strncmp(entry->fts_name, FILE_PUT_TEMP_NAMES, strlen(FILE_PUT_TEMP_NAMES)) == 0) {
            unlink(entry->fts_accpath);
        }
    }
    fts_close(walk);
    return true;
}
