/* The snapshot that a state is made on: what its manifest says, and files of its shards on this
 * disk.
 *
 * A file is there under its checkpoint_id whole or not at all: it is written and synced under
 * another name first. Users get a name of their own for it (a hard link), so that it can go at any
 * time. */
#include "checkpoint/shards/state_base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/os/lock.h"
#include "adapters/os/log.h"
#include "checkpoint/reading/catalog.h"

#define FILE_SUFFIX "db"
#define ORDER_SUFFIX "order"

enum { PATH_ROOM = 4096 };

struct state_manifest {
    char *run_id;
    struct manifest manifest;
    bool has_orders;
    const struct commit_order *orders; /* of shards without rows */
    size_t order_count;
    struct arena *arena;
    atomic_uint users;
};

struct state_base {
    const struct state_base_settings *settings;
    struct {
        struct lock lock;
        struct state_manifest *newest; /* builds ask for the same one many times */
    } locked;
};

bool state_base_new(const struct state_base_settings *settings, struct state_base **ret_base,
                    struct err *err)
{
    TRY(file_make_folders(settings->folder, err));
    struct state_base *base = calloc(1, sizeof *base);
    CHECK(base != NULL);
    base->settings = settings;
    lock_init(&base->locked.lock);
    *ret_base = base;
    return true;
}

struct state_base *state_base_free(struct state_base *base)
{
    if (base != NULL) {
        state_manifest_drop(base->locked.newest);
        lock_done(&base->locked.lock);
        free(base);
    }
    return NULL;
}

/* ---- manifests ---- */

static struct state_manifest *use(struct state_manifest *manifest)
{
    atomic_fetch_add(&manifest->users, 1);
    return manifest;
}

struct state_manifest *state_manifest_drop(struct state_manifest *manifest)
{
    if (manifest != NULL && atomic_fetch_sub(&manifest->users, 1) == 1) {
        arena_free(manifest->arena);
        free(manifest->run_id);
        free(manifest);
    }
    return NULL;
}

/* Shards without rows are not in the manifest's table: the lineage says where their orders are. */
static bool find_orders(struct state_manifest *manifest, struct err *err)
{
    struct message_commit commit;
    const char *ledger = NULL;
    if (!message_lineage_decode(manifest->manifest.lineage, manifest->arena, &commit, &ledger,
                                err)) {
        return err_wrap(err, "the lineage of run %s", manifest->manifest.run_id);
    }
    manifest->has_orders = commit.snapshot.is_state && commit.snapshot.state.order[0] != '\0';
    manifest->orders = commit.made_of.orders;
    manifest->order_count = manifest->has_orders ? commit.made_of.order_count : 0;
    return true;
}

/* The staged object has the same bytes, and is there also while the manifest is not listed yet. */
static bool load(struct state_base *base, const struct plan_base *plan,
                 struct state_manifest *manifest, struct err *err)
{
    const char *name = names_manifest(plan->time_us, plan->run_id, manifest->arena);
    if (plan->staged_url[0] != '\0') {
        TRY(store_key_of_url(base->settings->store, plan->staged_url, &name, err));
    }
    struct catalog catalog = {.borrowed_store = base->settings->store};
    TRY(catalog_load(&catalog, name, manifest->arena, &manifest->manifest, err));
    if (strcmp(manifest->manifest.run_id, plan->run_id) != 0 ||
        manifest->manifest.num_dbs != plan->num_dbs) {
        return err_set(err, ERR_CORRUPT, "manifest %s is of run %s with %u shards, not of %s", name,
                       manifest->manifest.run_id, manifest->manifest.num_dbs, plan->run_id);
    }
    return manifest->manifest.lineage.size == 0 || find_orders(manifest, err);
}

static bool find_or_load(struct state_base *base, const struct plan_base *plan,
                         struct state_manifest **ret_manifest, struct err *err)
{
    struct state_manifest *newest = base->locked.newest;
    if (newest != NULL && strcmp(newest->run_id, plan->run_id) == 0) {
        *ret_manifest = use(newest);
        return true;
    }
    struct state_manifest *manifest = calloc(1, sizeof *manifest);
    CHECK(manifest != NULL);
    manifest->arena = arena_new(64 * 1024);
    manifest->run_id = strdup(plan->run_id);
    CHECK(manifest->run_id != NULL);
    atomic_init(&manifest->users, 1);
    if (!load(base, plan, manifest, err)) {
        state_manifest_drop(manifest);
        return err_wrap(err, "base %s", plan->run_id);
    }
    state_manifest_drop(newest);
    base->locked.newest = manifest;
    *ret_manifest = use(manifest);
    return true;
}

bool state_base_manifest(struct state_base *base, const struct plan_base *plan,
                         struct state_manifest **ret_manifest, struct err *err)
{
    lock_take(&base->locked.lock);
    bool done = find_or_load(base, plan, ret_manifest, err);
    lock_give(&base->locked.lock);
    return done;
}

const struct manifest *state_manifest_of(const struct state_manifest *manifest)
{
    return &manifest->manifest;
}

const struct attempt *state_manifest_shard(const struct state_manifest *manifest, uint32_t shard)
{
    size_t low = 0;
    size_t high = manifest->manifest.shard_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (manifest->manifest.shards[middle].db_id < (int64_t)shard) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct attempt *found = &manifest->manifest.shards[low];
    return low < manifest->manifest.shard_count && found->db_id == (int64_t)shard &&
                   found->db_url != NULL
               ? found
               : NULL;
}

const char *state_manifest_order(const struct state_manifest *manifest, uint32_t shard)
{
    const struct attempt *row = state_manifest_shard(manifest, shard);
    if (!manifest->has_orders || row != NULL) {
        return manifest->has_orders ? row->db_url : NULL;
    }
    for (size_t i = 0; i < manifest->order_count; i++) {
        if (manifest->orders[i].shard == shard) {
            return manifest->orders[i].url;
        }
    }
    return NULL;
}

/* ---- files ---- */

/* One object of a shard: its file, or its order object. */
struct wanted {
    const char *url;
    const char *id; /* under which it is kept, with `suffix`; NULL: it is not */
    const char *suffix;
    int64_t bytes; /* -1: not known */
};

static void path_of(const struct state_base *base, const char *id, const char *suffix,
                    char path[PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/%s.%s", base->settings->folder, id, suffix);
}

static bool link_file(const char *from, const char *to, struct err *err)
{
    (void)unlink(to); /* of an attempt before */
    return link(from, to) == 0 || file_err(err, errno, "link", to);
}

static bool check_size(const struct wanted *wanted, const char *path, struct err *err)
{
    uint64_t bytes = 0;
    TRY(file_size(path, &bytes, err));
    if (wanted->bytes >= 0 && bytes != (uint64_t)wanted->bytes) {
        return err_set(err, ERR_CORRUPT,
                       "%s has %" PRIu64 " bytes, its manifest says %" PRId64 ": %s", wanted->url,
                       bytes, wanted->bytes, path);
    }
    return true;
}

static bool download(struct state_base *base, const struct wanted *wanted, const char *path,
                     struct err *err)
{
    const char *key = NULL;
    TRY(store_key_of_url(base->settings->store, wanted->url, &key, err));
    TRY(store_get_to_file(base->settings->store, key, path, NULL, err));
    if (!check_size(wanted, path, err)) {
        (void)unlink(path);
        return false;
    }
    return true;
}

/* An object of a folder is a file already: it is read where it is, and never linked to. A link's
 * times are the object's, and the tag of a large object is made of them. */
static bool is_folder(const struct state_base *base)
{
    return base->settings->store->url.scheme == STORE_FILE;
}

static bool point_to_object(struct state_base *base, const struct wanted *wanted, const char *path,
                            struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    const char *key = NULL;
    TRY(store_key_of_url(base->settings->store, wanted->url, &key, err));
    const char *object = arena_format(arena, "%s/%s", base->settings->store->url.prefix, key);
    (void)unlink(path);
    return (symlink(object, path) == 0 || file_err(err, errno, "point to", path)) &&
           check_size(wanted, path, err);
}

struct kept_file {
    char name[64];
    int64_t used_us;
    uint64_t bytes;
};

static int longest_ago_first(const void *left, const void *right)
{
    const struct kept_file *a = left;
    const struct kept_file *b = right;
    return (a->used_us > b->used_us) - (a->used_us < b->used_us);
}

static size_t list_kept(const struct state_base *base, struct kept_file **ret_files,
                        uint64_t *ret_bytes)
{
    DIR *folder = opendir(base->settings->folder);
    struct kept_file *files = NULL;
    size_t count = 0;
    *ret_bytes = 0;
    for (struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
        struct stat status;
        size_t length = strlen(entry->d_name);
        if (length >= sizeof files->name ||
            fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode)) {
            continue;
        }
        if ((count & (count + 1)) == 0) {
            files = realloc(files, (2 * count + 2) * sizeof *files);
            CHECK(files != NULL);
        }
        memcpy(files[count].name, entry->d_name, length + 1);
        files[count].used_us =
            (int64_t)status.st_mtim.tv_sec * 1000000 + status.st_mtim.tv_nsec / 1000;
        files[count].bytes = (uint64_t)status.st_size;
        *ret_bytes += files[count++].bytes;
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    *ret_files = files;
    return count;
}

static void trim(struct state_base *base)
{
    if (base->settings->bytes_max == 0) {
        return;
    }
    struct kept_file *files = NULL;
    uint64_t bytes = 0;
    lock_take(&base->locked.lock);
    size_t count = list_kept(base, &files, &bytes);
    if (count > 1) {
        qsort(files, count, sizeof *files, longest_ago_first);
    }
    for (size_t i = 0; i < count && bytes > base->settings->bytes_max; i++) {
        char path[PATH_ROOM];
        snprintf(path, sizeof path, "%s/%s", base->settings->folder, files[i].name);
        if (unlink(path) == 0) {
            bytes -= files[i].bytes;
        }
    }
    lock_give(&base->locked.lock);
    free(files);
}

/* What is linked under its final name is on the disk: a machine that fails must not leave a file
 * with the right size and other bytes. */
static bool sync_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open", path);
    }
    bool done = fsync(fd) == 0 || file_err(err, errno, "sync", path);
    (void)close(fd);
    return done;
}

static bool keep(struct state_base *base, const char *path, const char *id, const char *suffix,
                 struct err *err)
{
    char kept[PATH_ROOM];
    path_of(base, id, suffix, kept);
    TRY(sync_file(path, err) && link_file(path, kept, err));
    (void)utimensat(AT_FDCWD, kept, NULL, 0);
    return true;
}

static bool fetch(struct state_base *base, const struct wanted *wanted, const char *path,
                  struct err *err)
{
    struct err unusable = {0};
    if (is_folder(base)) {
        return point_to_object(base, wanted, path, err);
    }
    if (wanted->id == NULL) {
        return download(base, wanted, path, err);
    }
    char kept[PATH_ROOM];
    path_of(base, wanted->id, wanted->suffix, kept);
    if (link_file(kept, path, &unusable)) {
        if (check_size(wanted, path, &unusable)) {
            (void)utimensat(AT_FDCWD, kept, NULL, 0); /* used now: others go before it */
            return true;
        }
        log_failure(LOG_WARN, "build", &unusable, "a kept shard file is downloaded again");
        (void)unlink(path);
        (void)unlink(kept);
    }
    TRY(download(base, wanted, path, err));
    if (!keep(base, path, wanted->id, wanted->suffix, &unusable)) {
        log_failure(LOG_INFO, "build", &unusable, "%s is not kept for the next build", wanted->url);
    }
    trim(base);
    return true;
}

bool state_base_fetch(struct state_base *base, const struct attempt *shard, const char *path,
                      struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct wanted wanted = {.url = names_shard_file(shard->db_url, arena),
                            .id = shard->checkpoint_id,
                            .suffix = FILE_SUFFIX,
                            .bytes = shard->db_bytes};
    return fetch(base, &wanted, path, err);
}

/* Its last lines check its size and all of its index. */
bool state_base_fetch_order(struct state_base *base, const struct state_manifest *manifest,
                            uint32_t shard, const char *path, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    const struct attempt *row = state_manifest_shard(manifest, shard);
    struct wanted wanted = {.url = names_order_file(state_manifest_order(manifest, shard), arena),
                            .id = row == NULL ? NULL : row->checkpoint_id,
                            .suffix = ORDER_SUFFIX,
                            .bytes = -1};
    return fetch(base, &wanted, path, err);
}

void state_base_keep(struct state_base *base, const char *path, const char *order_path,
                     const char *checkpoint_id)
{
    struct err err = {0};
    if (is_folder(base)) {
        return;
    }
    if (!keep(base, path, checkpoint_id, FILE_SUFFIX, &err) ||
        (order_path != NULL && !keep(base, order_path, checkpoint_id, ORDER_SUFFIX, &err))) {
        log_failure(LOG_INFO, "build", &err, "shard file %s is not kept for the next build",
                    checkpoint_id);
    }
    trim(base);
}
