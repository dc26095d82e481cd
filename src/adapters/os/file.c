/* Whole files and folders: read, replace, make, remove. */
#include "adapters/os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "adapters/os/os_random.h"

static enum err_kind kind_of(int number)
{
    switch (number) {
    case ENOENT:
        return ERR_MISSING;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
        return ERR_SETTINGS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_LIMIT;
    case EEXIST:
    case ENOTEMPTY:
        return ERR_CONFLICT;
    case ENAMETOOLONG:
    case EINVAL:
        return ERR_INPUT;
    default:
        return ERR_TRANSIENT;
    }
}

bool file_err(struct err *err, int number, const char *action, const char *path)
{
    char reason[128];
    return err_set_code(err, kind_of(number), number, "cannot %s %.300s: %s", action, path,
                        strerror_r(number, reason, sizeof reason));
}

static bool read_all(int fd, const char *path, struct buf *to, struct err *err)
{
    for (;;) {
        uint8_t chunk[16384];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return file_err(err, errno, "read", path);
        }
        if (got == 0) {
            return true;
        }
        buf_add(to, chunk, (size_t)got);
        if (to->overflowed) {
            return err_set(err, ERR_LIMIT, "%.300s is larger than the %zu bytes allowed", path,
                           to->limit);
        }
    }
}

bool file_read(const char *path, struct buf *to, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open", path);
    }
    bool ok = read_all(fd, path, to, err);
    close(fd);
    return ok;
}

bool file_read_at(int fd, uint64_t place, uint8_t *to, size_t size, const char *path,
                  struct err *err)
{
    while (size > 0) {
        ssize_t got = pread(fd, to, size, (off_t)place);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return file_err(err, errno, "read", path);
        }
        if (got == 0) {
            return err_set(err, ERR_CORRUPT, "%s ends %zu bytes too early", path, size);
        }
        to += got;
        place += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

/* Where the file stands. */
enum { NO_PLACE = -1 };

static bool write_pieces(int fd, int64_t place, struct bytes content, const char *path,
                         struct err *err)
{
    while (content.size > 0) {
        ssize_t written = place == NO_PLACE ? write(fd, content.data, content.size)
                                            : pwrite(fd, content.data, content.size, (off_t)place);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return file_err(err, errno, "write", path);
        }
        place += place == NO_PLACE ? 0 : written;
        content = bytes_of(content.data + written, content.size - (size_t)written);
    }
    return true;
}

bool file_write_all(int fd, struct bytes content, const char *path, struct err *err)
{
    return write_pieces(fd, NO_PLACE, content, path, err);
}

bool file_write_at(int fd, uint64_t place, struct bytes content, const char *path, struct err *err)
{
    return write_pieces(fd, (int64_t)place, content, path, err);
}

bool file_sync_folder(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open the folder", path);
    }
    int result = fsync(fd);
    int number = errno;
    close(fd);
    return result == 0 || file_err(err, number, "sync the folder", path);
}

bool file_sync_parent(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".")
                                 : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    CHECK(folder != NULL);
    bool ok = file_sync_folder(folder, err);
    free(folder);
    return ok;
}

bool file_write(const char *path, struct bytes content, unsigned mode, struct err *err)
{
    char temp[PATH_MAX];
    char random[17];
    os_random_hex(random, 16);
    if (snprintf(temp, sizeof temp, "%s.tmp-%s", path, random) >= (int)sizeof temp) {
        return file_err(err, ENAMETOOLONG, "write", path);
    }
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) {
        return file_err(err, errno, "create", temp);
    }
    bool ok = file_write_all(fd, content, path, err);
    if (ok && fsync(fd) != 0) {
        ok = file_err(err, errno, "sync", path);
    }
    if (close(fd) != 0 && ok) {
        ok = file_err(err, errno, "close", path);
    }
    if (ok && rename(temp, path) != 0) {
        ok = file_err(err, errno, "replace", path);
    }
    if (!ok) {
        unlink(temp);
        return false;
    }
    return file_sync_parent(path, err);
}

bool file_size(const char *path, uint64_t *ret_bytes, struct err *err)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return file_err(err, errno, "look at", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return file_err(err, EISDIR, "take the size of", path);
    }
    *ret_bytes = (uint64_t)info.st_size;
    return true;
}

bool file_remove(const char *path, struct err *err)
{
    return unlink(path) == 0 || file_err(err, errno, "remove", path);
}

static bool make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0777) == 0) {
        return true;
    }
    int number = errno;
    struct stat info;
    if (stat(path, &info) == 0) {
        return S_ISDIR(info.st_mode) || file_err(err, ENOTDIR, "make the folder", path);
    }
    return file_err(err, number, "make the folder", path);
}

bool file_make_folders(const char *path, struct err *err)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part) {
        return file_err(err, length == 0 ? EINVAL : ENAMETOOLONG, "make the folder", path);
    }
    memcpy(part, path, length + 1);
    for (size_t i = 1; i < length; i++) {
        if (part[i] == '/' && part[i - 1] != '/') {
            part[i] = '\0';
            TRY(make_folder(part, err));
            part[i] = '/';
        }
    }
    return make_folder(part, err);
}

bool file_temp_folder(const char *parent, const char *stem, char **ret_path, struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s-XXXXXX", parent, stem) >= (int)sizeof path) {
        return file_err(err, ENAMETOOLONG, "make a folder in", parent);
    }
    if (mkdtemp(path) == NULL) {
        return file_err(err, errno, "make a folder in", parent);
    }
    *ret_path = strdup(path);
    CHECK(*ret_path != NULL);
    return true;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

bool file_remove_tree(const char *path, struct err *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) {
        return true;
    }
    return file_err(err, errno, "remove the folder", path);
}

void file_discard(const char *path)
{
    struct err ignored = {0};
    bool removed = file_remove_tree(path, &ignored);
    (void)removed;
}

static bool is_kept(const char *name, const char *const *keep, size_t keep_count)
{
    bool kept = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    for (size_t i = 0; !kept && i < keep_count; i++) {
        kept = strcmp(name, keep[i]) == 0;
    }
    return kept;
}

static bool sweep_entry(const char *folder, const char *name, struct err *err)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    CHECK(path != NULL);
    snprintf(path, size, "%s/%s", folder, name);
    bool ok = file_remove_tree(path, err);
    free(path);
    return ok;
}

bool file_sweep_folder(const char *path, const char *const *keep, size_t keep_count,
                       struct err *err)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return file_err(err, errno, "open the folder", path);
    }
    bool ok = true;
    const struct dirent *entry;
    while (ok && (entry = readdir(folder)) != NULL) {
        ok = is_kept(entry->d_name, keep, keep_count) || sweep_entry(path, entry->d_name, err);
    }
    (void)closedir(folder);
    return ok;
}

bool file_free_bytes(const char *path, uint64_t *ret_bytes, struct err *err)
{
    struct statvfs info;
    if (statvfs(path, &info) != 0) {
        return file_err(err, errno, "look at the file system of", path);
    }
    *ret_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    return true;
}
