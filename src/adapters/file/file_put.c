/* Writing an object into a folder: whole, durable, and only when the condition holds.
 *
 * The happy path: a temporary file beside the target, written, synced; then one rename or link
 * makes it the object; then the folder is synced.
 *
 * What can go wrong: a crash before the rename leaves a temporary file that no listing shows
 * (file_store_sweep); a folder that a delete removes while we write into it is made again; a failed
 * sync after the rename is AMBIGUOUS, because the object is there but a power cut may undo it. */
#include "adapters/file/file_put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/file/file_place.h"
#include "adapters/file/file_tag.h"
#include "adapters/os/file.h"
#include "adapters/os/os_random.h"

static bool refuse_folder(const struct file_place *place, struct err *err)
{
    return err_set(err, ERR_INPUT, "%.300s is the folder of other objects", place->path);
}

/* Under the lock: is the object the one the caller saw? */
static bool check_match(const struct file_place *place, const char *etag, struct err *err)
{
    struct stat info;
    int fd = file_place_open(place->path, &info, err);
    if (fd < 0) {
        return err->kind == ERR_MISSING
                   ? err_set(err, ERR_CONFLICT, "there is no object to match %s", etag)
                   : false;
    }
    struct store_etag now;
    bool ok = file_tag(fd, place->path, &info, &now, err);
    close(fd);
    if (ok && strcmp(now.text, etag) != 0) {
        return err_set(err, ERR_CONFLICT, "the object is %s, not %s", now.text, etag);
    }
    return ok;
}

static bool link_as(const char *staged, const struct file_place *place, struct err *err)
{
    if (link(staged, place->path) != 0) {
        /* Not every file system has links, and not every user may link every file. */
        if ((errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK) &&
            renameat2(AT_FDCWD, staged, AT_FDCWD, place->path, RENAME_NOREPLACE) == 0) {
            return true;
        }
        struct stat info;
        if (errno == EEXIST && stat(place->path, &info) == 0 && S_ISDIR(info.st_mode)) {
            return refuse_folder(place, err);
        }
        return errno == EEXIST ? err_set(err, ERR_CONFLICT, "the object exists already")
                               : file_err(err, errno, "create", place->path);
    }
    unlink(staged);
    return true;
}

static bool rename_to(const char *staged, const struct file_place *place, struct err *err)
{
    if (rename(staged, place->path) != 0) {
        return errno == EISDIR ? refuse_folder(place, err)
                               : file_err(err, errno, "replace", place->path);
    }
    return true;
}

/* The one moment in which the object changes. */
static bool commit(struct store *store, const char *staged, const struct file_place *place,
                   struct store_condition condition, struct err *err)
{
    bool ok;
    if (condition.when == STORE_IF_ABSENT) {
        ok = link_as(staged, place, err);
    } else {
        int lock = file_place_lock(store->url.prefix, err);
        if (lock < 0) {
            return false;
        }
        ok = (condition.when == STORE_ALWAYS || check_match(place, condition.etag, err)) &&
             rename_to(staged, place, err);
        close(lock);
    }
    TRY(ok);
    if (!file_sync_parent(place->path, err)) {
        err->kind = ERR_AMBIGUOUS;
        return false;
    }
    return true;
}

/* Copies a file's bytes; the kernel shares the blocks where the file system can. */
static bool copy_bytes(struct store *store, int from, int to, const char *path, struct err *err)
{
    for (;;) {
        if (atomic_load(&store->stopped)) {
            return err_set(err, ERR_STOPPED, "the store was stopped");
        }
        ssize_t got = copy_file_range(from, NULL, to, NULL, 64 * 1024 * 1024, 0);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
                return file_err(err, errno, "copy to", path);
            }
            break; /* the file systems cannot: by hand, from where it stopped */
        }
    }
    uint8_t chunk[65536];
    for (;;) {
        ssize_t got = read(from, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 || file_err(err, errno, "read for a copy to", path);
        }
        TRY(file_write_all(to, bytes_of(chunk, (size_t)got), path, err));
    }
}

static bool fill(struct store *store, int fd, const struct store_content *content,
                 const struct file_place *place, struct err *err)
{
    if (content->path == NULL) {
        return file_write_all(fd, content->bytes, place->path, err);
    }
    int from = open(content->path, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return file_err(err, errno, "open", content->path);
    }
    bool ok = copy_bytes(store, from, fd, place->path, err);
    close(from);
    return ok;
}

/* A new temporary file in the object's folder, open. Below 0: *err is filled. */
static int open_temp(const char *root, const struct file_place *place, char temp[PATH_MAX],
                     struct err *err)
{
    char random[17];
    os_random_hex(random, 16);
    int length = snprintf(temp, PATH_MAX, "%.*s/%s%s", (int)place->folder_size, place->path,
                          FILE_PUT_TEMP_NAMES, random);
    CHECK(length > 0 && length < PATH_MAX);
    for (int i = 0;; i++) {
        if (!file_place_make_folders(root, place, err)) {
            return -1;
        }
        int fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            return fd;
        }
        /* A delete of the folder's last object may have removed it in between. */
        if (errno != ENOENT || i == FILE_PLACE_TRIES) {
            file_err(err, errno, "create a file for", place->path);
            return -1;
        }
    }
}

static bool tag_of(int fd, const char *path, struct store_etag *ret_etag, struct err *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return file_err(err, errno, "look at", path);
    }
    return file_tag(fd, path, &info, ret_etag, err);
}

static bool put_copy(struct store *store, const struct file_place *place,
                     const struct store_content *content, struct store_condition condition,
                     struct store_etag *ret_etag, struct err *err)
{
    char temp[PATH_MAX];
    int fd = open_temp(store->url.prefix, place, temp, err);
    if (fd < 0) {
        return false;
    }
    bool ok = fill(store, fd, content, place, err);
    if (ok && fsync(fd) != 0) {
        ok = file_err(err, errno, "sync", place->path);
    }
    ok = ok && tag_of(fd, temp, ret_etag, err);
    if (close(fd) != 0 && ok) {
        ok = file_err(err, errno, "close", place->path);
    }
    ok = ok && commit(store, temp, place, condition, err);
    if (!ok) {
        unlink(temp);
    }
    return ok;
}

/* Moves the caller's file into the store. *ret_moved is false when the two are on different file
 * systems (or it may not be linked): then nothing was done. */
static bool put_moved(struct store *store, const struct file_place *place,
                      const struct store_content *content, struct store_condition condition,
                      bool *ret_moved, struct store_etag *ret_etag, struct err *err)
{
    int fd = open(content->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open", content->path);
    }
    bool ok = fsync(fd) == 0 || file_err(err, errno, "sync", content->path);
    ok = ok && tag_of(fd, content->path, ret_etag, err);
    close(fd);
    for (int i = 0; ok; i++) {
        ok = file_place_make_folders(store->url.prefix, place, err);
        if (!ok || commit(store, content->path, place, condition, err)) {
            *ret_moved = ok;
            return ok;
        }
        if (err->code == EXDEV || err->code == EPERM) {
            *ret_moved = false;
            return true;
        }
        ok = err->code == ENOENT && err->kind == ERR_MISSING && i < FILE_PLACE_TRIES;
    }
    return false;
}

bool file_put_object(struct store *store, const char *key, const struct store_content *content,
                     struct store_condition condition, struct store_etag *ret_etag, struct err *err)
{
    struct file_place place;
    TRY(file_place_of(store->url.prefix, key, &place, err));
    bool moved = false;
    if (content->take_file) {
        TRY(put_moved(store, &place, content, condition, &moved, ret_etag, err));
    }
    return moved || put_copy(store, &place, content, condition, ret_etag, err);
}
