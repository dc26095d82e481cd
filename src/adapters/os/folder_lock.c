/* flock(2) on a file in the folder: the kernel gives it back when the process is gone. */
#include "adapters/os/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"

enum { HOLDER_MAX = 128, LOOK_AGAIN_US = 50 * 1000 };

struct folder_lock {
    int fd;
};

/* For the error of whoever comes second. In containers every process may be number 1: so the host
 * is named too. The lock is good without it: a disk that is full must not keep the process from its
 * folder, where it can make room. */
static void write_holder(int fd, const char *path)
{
    char host[64] = "";
    char text[HOLDER_MAX];
    struct err ignored;
    if (gethostname(host, sizeof host - 1) != 0) {
        host[0] = '\0';
    }
    int size = snprintf(text, sizeof text, "process %ld on host %s\n", (long)getpid(), host);
    bool written = ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
                   file_write_all(fd, bytes_of(text, (size_t)size), path, &ignored);
    (void)written;
}

static bool refuse(int fd, const char *folder, struct err *err)
{
    char text[HOLDER_MAX];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return err_set(err, ERR_CONFLICT, "%.300s is in use by %s", folder,
                   text[0] == '\0' ? "another process" : text);
}

/* False also where it is still taken when the time is over. */
static bool wait_for(int fd, const char *path, const char *folder, int64_t wait_us, struct err *err)
{
    int64_t until = clock_mono_us() + wait_us;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EWOULDBLOCK) {
            return file_err(err, errno, "lock", path);
        }
        if (clock_mono_us() >= until) {
            return refuse(fd, folder, err);
        }
        clock_sleep_us(LOOK_AGAIN_US);
    }
    write_holder(fd, path);
    return true;
}

bool folder_lock_take(const char *folder, int64_t wait_us, struct folder_lock **ret_lock,
                      struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/lock", folder) >= (int)sizeof path) {
        return file_err(err, ENAMETOOLONG, "open", folder);
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return file_err(err, errno, "open", path);
    }
    if (!wait_for(fd, path, folder, wait_us, err)) {
        close(fd);
        return false;
    }
    struct folder_lock *lock = calloc(1, sizeof *lock);
    CHECK(lock != NULL);
    lock->fd = fd;
    *ret_lock = lock;
    return true;
}

struct folder_lock *folder_lock_give(struct folder_lock *lock)
{
    if (lock != NULL) {
        close(lock->fd);
        free(lock);
    }
    return NULL;
}
