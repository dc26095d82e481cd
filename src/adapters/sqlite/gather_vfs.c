/* A VFS that puts writes together and leaves all the rest to the ordinary one. */
#include "adapters/sqlite/gather_vfs.h"

#include <stdlib.h>

#include "adapters/os/lock.h"

enum { GATHER_BYTES = 64 * 1024 }; /* the ordinary VFS writes less than 128 KiB at once */

struct gather_file {
    sqlite3_file base;
    uint8_t *bytes; /* not written yet … */
    int size;
    sqlite3_int64 place; /* … and where they belong */
    sqlite3_file real[]; /* the ordinary VFS's */
};

/* After an error there is nothing left to write: SQLite gives the file up. */
static int flush(struct gather_file *self)
{
    int size = self->size;
    self->size = 0;
    return size == 0 ? SQLITE_OK
                     : self->real->pMethods->xWrite(self->real, self->bytes, size, self->place);
}

static int file_write(sqlite3_file *base, const void *from, int size, sqlite3_int64 place)
{
    struct gather_file *self = (struct gather_file *)base;
    if (place != self->place + self->size || size > GATHER_BYTES - self->size) {
        int code = flush(self);
        if (code != SQLITE_OK) {
            return code;
        }
        self->place = place;
    }
    if (size > GATHER_BYTES) {
        return self->real->pMethods->xWrite(self->real, from, size, place);
    }
    memcpy(self->bytes + self->size, from, (size_t)size);
    self->size += size;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *to, int size, sqlite3_int64 place)
{
    struct gather_file *self = (struct gather_file *)base;
    int code = flush(self);
    return code != SQLITE_OK ? code : self->real->pMethods->xRead(self->real, to, size, place);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct gather_file *self = (struct gather_file *)base;
    int code = flush(self);
    return code != SQLITE_OK ? code : self->real->pMethods->xTruncate(self->real, size);
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct gather_file *self = (struct gather_file *)base;
    int code = flush(self);
    return code != SQLITE_OK ? code : self->real->pMethods->xSync(self->real, flags);
}

static int file_bytes(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    struct gather_file *self = (struct gather_file *)base;
    int code = flush(self);
    return code != SQLITE_OK ? code : self->real->pMethods->xFileSize(self->real, ret_size);
}

/* Without xSync (PRAGMA synchronous=OFF) SQLITE_FCNTL_SYNC takes its place in a COMMIT. */
static int file_control(sqlite3_file *base, int operation, void *argument)
{
    struct gather_file *self = (struct gather_file *)base;
    int code = flush(self);
    return code != SQLITE_OK ? code
                             : self->real->pMethods->xFileControl(self->real, operation, argument);
}

/* What is left now is of a transaction that failed. */
static int file_close(sqlite3_file *base)
{
    struct gather_file *self = (struct gather_file *)base;
    free(self->bytes);
    return self->real->pMethods->xClose(self->real);
}

static int file_lock(sqlite3_file *base, int level)
{
    struct gather_file *self = (struct gather_file *)base;
    return self->real->pMethods->xLock(self->real, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct gather_file *self = (struct gather_file *)base;
    return self->real->pMethods->xUnlock(self->real, level);
}

static int file_is_reserved(sqlite3_file *base, int *ret_reserved)
{
    struct gather_file *self = (struct gather_file *)base;
    return self->real->pMethods->xCheckReservedLock(self->real, ret_reserved);
}

static int file_sector_size(sqlite3_file *base)
{
    struct gather_file *self = (struct gather_file *)base;
    return self->real->pMethods->xSectorSize(self->real);
}

static int file_is_like(sqlite3_file *base)
{
    struct gather_file *self = (struct gather_file *)base;
    return self->real->pMethods->xDeviceCharacteristics(self->real);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1, /* no shared memory, no mapping */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_bytes,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_is_like,
};

/* ---- the VFS ---- */

static sqlite3_vfs *ordinary_vfs;
static sqlite3_vfs gather_vfs; /* a copy of the ordinary one, but for the way a file is opened */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                    int *ret_flags)
{
    (void)vfs;
    struct gather_file *self = (struct gather_file *)base;
    base->pMethods = NULL;
    int code = ordinary_vfs->xOpen(ordinary_vfs, name, self->real, flags, ret_flags);
    if (code != SQLITE_OK) {
        return code;
    }
    self->bytes = malloc(GATHER_BYTES);
    CHECK(self->bytes != NULL);
    self->size = 0;
    self->place = 0;
    base->pMethods = &file_methods;
    return SQLITE_OK;
}

static void register_vfs(void)
{
    CHECK(sqlite3_initialize() == SQLITE_OK);
    ordinary_vfs = sqlite3_vfs_find(NULL);
    gather_vfs = *ordinary_vfs;
    gather_vfs.pNext = NULL;
    gather_vfs.zName = "tidemark-gather";
    gather_vfs.szOsFile += (int)sizeof(struct gather_file);
    gather_vfs.xOpen = vfs_open;
    CHECK(sqlite3_vfs_register(&gather_vfs, 0) == SQLITE_OK);
}

bool gather_vfs_create(const char *path, sqlite3 **ret_db, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, register_vfs) == 0);
    return db_create_by(path, gather_vfs.zName, ret_db, err);
}
