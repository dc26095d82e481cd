/* The shard files of one snapshot, opened when they are needed and shared by threads.
 *
 * The happy path: the file is open already, and gets one user more.
 *
 * What can go wrong: opening fails; then the next one who asks tries again. More files are in use
 * than should stay open: then more are open. */
#include "checkpoint/reading/shard_files.h"

#include <inttypes.h>
#include <stdlib.h>

#include "adapters/os/lock.h"
#include "core/snapshot/names.h"

enum {
    OPEN_FILES_MAX = 64, /* that nobody uses just now */
    PATH_BYTES_MAX = 8 * 1024,
};

struct shard_file {
    uint32_t shard;
    unsigned users;
    uint64_t last_use;
    bool opening; /* by one of the users; the others wait */
    bool by_range;
    struct kv_file *kv;
};

struct shard_files {
    struct shard_files_request request;
    uint64_t sum_bytes;
    struct page_cache *pages;
    struct lock lock;
    struct {
        struct shard_file **files;
        size_t count;
        size_t capacity;
        uint64_t uses;
    } locked;
};

bool shard_reading_parse(const char *word, enum shard_reading *ret_reading, struct err *err)
{
    static const char *const words[] = {[SHARD_READING_AUTO] = "auto",
                                        [SHARD_READING_RANGE] = "range",
                                        [SHARD_READING_DOWNLOAD] = "download"};
    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret_reading = (enum shard_reading)i;
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "\"%.40s\" is none of auto, range, download", word);
}

struct shard_files *shard_files_new(const struct shard_files_request *request)
{
    struct shard_files *files = calloc(1, sizeof *files);
    CHECK(files != NULL);
    files->request = *request;
    struct shard_reading_choice *choice = &files->request.choice;
    if (choice->range_from_bytes == 0) {
        choice->range_from_bytes = SHARD_RANGE_FROM_BYTES;
    }
    if (choice->page_bytes_max == 0) {
        choice->page_bytes_max = SHARD_PAGE_BYTES_MAX;
    }
    for (size_t i = 0; i < request->manifest->shard_count; i++) {
        files->sum_bytes += (uint64_t)request->manifest->shards[i].db_bytes;
    }
    files->pages = page_cache_new(choice->page_bytes_max);
    lock_init(&files->lock);
    return files;
}

static void close_one(struct shard_file *file)
{
    kv_close(file->kv);
    free(file);
}

struct shard_files *shard_files_free(struct shard_files *files)
{
    if (files != NULL) {
        for (size_t i = 0; i < files->locked.count; i++) {
            CHECK(files->locked.files[i]->users == 0);
            close_one(files->locked.files[i]);
        }
        free(files->locked.files);
        page_cache_free(files->pages);
        lock_done(&files->lock);
        free(files);
    }
    return NULL;
}

struct kv_file *shard_file_kv(const struct shard_file *file)
{
    return file->kv;
}

bool shard_file_is_by_range(const struct shard_file *file)
{
    return file->by_range;
}

/* ---- opening, without the lock ---- */

/* The manifest's row of a shard; NULL: it is empty (section 3). */
static const struct attempt *find_shard(const struct manifest *manifest, uint32_t shard)
{
    const struct attempt *row = manifest_shard(manifest, shard);
    return row != NULL && row->db_url != NULL ? row : NULL;
}

static bool wants_range(const struct shard_files *files, const struct attempt *shard)
{
    const struct shard_files_request *request = &files->request;
    if (request->choice.reading != SHARD_READING_AUTO || !request->kv->ops->features.range_read) {
        return request->choice.reading == SHARD_READING_RANGE;
    }
    if (request->catalog->borrowed_store->url.scheme == STORE_FILE) {
        return false;
    }
    bool large = (uint64_t)shard->db_bytes >= request->choice.range_from_bytes ||
                 files->sum_bytes >= SHARD_RANGE_FROM_SUM || request->cache == NULL;
    return large && (request->cache == NULL || !shard_cache_has(request->cache, shard));
}

static bool open_by_range(struct shard_files *files, const struct attempt *shard, const char *name,
                          struct arena *arena, struct shard_file *file, struct err *err)
{
    const struct shard_files_request *request = &files->request;
    if (!request->kv->ops->features.range_read) {
        return err_set(err, ERR_SETTINGS, "shard files of %s cannot be read by range",
                       request->kv->ops->name);
    }
    struct range_file_request range = {
        .store = request->catalog->borrowed_store,
        .cache = files->pages,
        .name = name,
        .sidecar_name = request->manifest->sidecar.on ? names_sidecar_beside(name, arena) : NULL,
        .check_sidecar = request->catalog->relocated,
        .size = (uint64_t)shard->db_bytes,
    };
    struct range_file *pages = NULL;
    TRY(range_file_open(&range, &pages, err));
    file->by_range = true;
    return kv_open_range(request->kv, pages, &file->kv, err);
}

/* A local file with the shard's bytes: in the store itself, where that is a folder, else
 * downloaded. */
static bool open_whole(struct shard_files *files, const struct attempt *shard, const char *name,
                       struct shard_file *file, struct err *err)
{
    struct store *store = files->request.catalog->borrowed_store;
    AUTO(buf) struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    if (store->url.scheme == STORE_FILE) {
        buf_add_format(&path, "%s/%s", store->url.prefix, name);
    } else if (files->request.cache == NULL) {
        return err_set(err, ERR_SETTINGS, "no folder to download shard files to");
    } else if (files->request.kv->ops->features.folder) {
        TRY(shard_cache_fetch_folder(files->request.cache, store, name, shard, &path, err));
    } else {
        TRY(shard_cache_fetch(files->request.cache, store, name, shard, &path, err));
    }
    return kv_open(files->request.kv, buf_text(&path), &file->kv, err);
}

static bool open_file(struct shard_files *files, const struct attempt *shard,
                      struct shard_file *file, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    const struct manifest *manifest = files->request.manifest;
    const char *name = NULL;
    if (catalog_shard_name(files->request.catalog, manifest, shard, arena, &name, err) &&
        (wants_range(files, shard) ? open_by_range(files, shard, name, arena, file, err)
                                   : open_whole(files, shard, name, file, err))) {
        return true;
    }
    if (err->kind == ERR_MISSING) {
        err->kind = ERR_CORRUPT; /* the manifest names it: not the caller's key is missing */
    }
    return err_wrap(err, "shard %" PRIu32 " of run %s", file->shard, manifest->run_id);
}

/* ---- the open ones, with the lock held ---- */

static struct shard_file *find_open(struct shard_files *files, uint32_t shard)
{
    for (size_t i = 0; i < files->locked.count; i++) {
        if (files->locked.files[i]->shard == shard) {
            return files->locked.files[i];
        }
    }
    return NULL;
}

static void forget(struct shard_files *files, const struct shard_file *file)
{
    for (size_t i = 0; i < files->locked.count; i++) {
        if (files->locked.files[i] == file) {
            files->locked.files[i] = files->locked.files[--files->locked.count];
            return;
        }
    }
}

/* The one that nobody has used for longest, taken out; NULL while there is room, or all are used.
 */
static struct shard_file *take_idle(struct shard_files *files)
{
    struct shard_file *best = NULL;
    for (size_t i = 0; files->locked.count > OPEN_FILES_MAX && i < files->locked.count; i++) {
        struct shard_file *file = files->locked.files[i];
        if (file->users == 0 && (best == NULL || file->last_use < best->last_use)) {
            best = file;
        }
    }
    if (best != NULL) {
        forget(files, best);
    }
    return best;
}

static struct shard_file *add(struct shard_files *files, uint32_t shard)
{
    if (files->locked.count == files->locked.capacity) {
        files->locked.capacity = files->locked.capacity == 0 ? 16 : 2 * files->locked.capacity;
        size_t bytes = files->locked.capacity * sizeof(struct shard_file *);
        files->locked.files = realloc(files->locked.files, bytes);
        CHECK(files->locked.files != NULL);
    }
    struct shard_file *file = calloc(1, sizeof *file);
    CHECK(file != NULL);
    *file = (struct shard_file){.shard = shard, .users = 1, .opening = true};
    files->locked.files[files->locked.count++] = file;
    return file;
}

/* ---- pins ---- */

/* One user more of the file, once it is open; NULL: none is open, and the caller opens *ret_new. */
static struct shard_file *join(struct shard_files *files, uint32_t shard,
                               struct shard_file **ret_new, struct shard_file **ret_idle)
{
    lock_take(&files->lock);
    struct shard_file *file = find_open(files, shard);
    while (file != NULL && file->opening) {
        lock_wait(&files->lock, -1);
        file = find_open(files, shard); /* gone, when opening it failed */
    }
    if (file != NULL) {
        file->users++;
    } else {
        *ret_new = add(files, shard);
        *ret_idle = take_idle(files);
    }
    lock_give(&files->lock);
    return file;
}

bool shard_files_pin(struct shard_files *files, uint32_t shard, struct shard_file **ret_file,
                     struct err *err)
{
    const struct attempt *row = find_shard(files->request.manifest, shard);
    if (row == NULL) {
        *ret_file = NULL;
        return true;
    }
    struct shard_file *made = NULL;
    struct shard_file *idle = NULL;
    struct shard_file *file = join(files, shard, &made, &idle);
    if (file != NULL) {
        *ret_file = file;
        return true;
    }
    if (idle != NULL) {
        close_one(idle);
    }
    bool ok = open_file(files, row, made, err);
    lock_take(&files->lock);
    made->opening = false;
    if (!ok) {
        forget(files, made);
    }
    lock_wake(&files->lock);
    lock_give(&files->lock);
    if (!ok) {
        close_one(made);
        return false;
    }
    *ret_file = made;
    return true;
}

void shard_files_let_go(struct shard_files *files, struct shard_file *file)
{
    if (file == NULL) {
        return;
    }
    lock_take(&files->lock);
    CHECK(file->users > 0);
    file->users--;
    file->last_use = ++files->locked.uses;
    struct shard_file *idle = take_idle(files);
    lock_give(&files->lock);
    if (idle != NULL) {
        close_one(idle);
    }
}
