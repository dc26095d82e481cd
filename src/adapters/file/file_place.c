/* Where an object lies on the disk, and the folders and the lock around it. */
#include "adapters/file/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "adapters/file/file_list.h"
#include "adapters/os/file.h"

bool file_place_of(const char *root, const char *key, struct file_place *place, struct err *err)
{
    if (strncmp(key, FILE_LIST_OWN_NAMES, strlen(FILE_LIST_OWN_NAMES)) == 0 ||
        strstr(key, "/" FILE_LIST_OWN_NAMES) != NULL) {
        return err_set(err, ERR_INPUT, "names beginning with \"%s\" are the store's own",
                       FILE_LIST_OWN_NAMES);
    }
    int length = snprintf(place->path, sizeof place->path, "%s/%s", root, key);
    CHECK(length > 0 && (size_t)length < sizeof place->path);
    place->folder_size = (size_t)(strrchr(place->path, '/') - place->path);
    return true;
}

/* One folder, durable in the one above it; one that exists is fine. */
static bool make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0777) != 0) {
        struct stat info;
        if (errno != EEXIST) {
            return file_err(err, errno, "make the folder", path);
        }
        if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
            return err_set(err, ERR_INPUT, "%.300s is an object and cannot be a folder, too", path);
        }
        return true;
    }
    return file_sync_parent(path, err);
}

/* All folders from `root` down to the object's, once. MISSING below the root: a delete took one
 * away. */
static bool make_path(size_t root_size, const struct file_place *place, struct err *err)
{
    char folder[PATH_MAX];
    memcpy(folder, place->path, place->folder_size);
    folder[place->folder_size] = '\0';
    for (size_t end = root_size; end <= place->folder_size; end++) {
        if (folder[end] == '/' || folder[end] == '\0') {
            char kept = folder[end];
            folder[end] = '\0';
            if (!make_folder(folder, err)) {
                return err->kind == ERR_MISSING && end == root_size
                           ? err_set(err, ERR_SETTINGS,
                                     "the folder above %.300s does not exist: make it first, or "
                                     "mount its disk",
                                     folder)
                           : false;
            }
            folder[end] = kept;
        }
    }
    return true;
}

/* The store's root and all folders between it and the object. A delete of a folder's last object
 * may remove it while we are on the way down: then again from the root. */
bool file_place_make_folders(const char *root, const struct file_place *place, struct err *err)
{
    for (int i = 0; i < FILE_PLACE_TRIES; i++) {
        if (make_path(strlen(root), place, err)) {
            return true;
        }
        if (err->kind != ERR_MISSING) {
            return false;
        }
    }
    return false;
}

/* The lock that writers of all processes share. Below 0: *err is filled. */
int file_place_lock(const char *root, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, FILE_LIST_OWN_NAMES "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        file_err(err, errno, "open the lock", path);
        return -1;
    }
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            file_err(err, errno, "take the lock", path);
            close(fd);
            return -1;
        }
    }
    return fd;
}

/* The object's file, open. Below 0: *err is filled. */
int file_place_open(const char *path, struct stat *info, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        err_set_code(err, ERR_MISSING, errno, "there is no such object");
        return -1;
    }
    if (fd < 0 || fstat(fd, info) != 0) {
        file_err(err, errno, "open", path);
    } else if (!S_ISREG(info->st_mode)) {
        err_set(err, ERR_MISSING, "there is no such object");
    } else {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}
