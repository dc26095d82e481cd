/* Shard files that stay in their store, as databases of SQLite: a VFS that only reads.
 *
 * The happy path: SQLite reads a page; the range file has it, or asks for it.
 *
 * What can go wrong: the store does not answer, or the object was replaced. SQLite knows a number
 * for that, so the file keeps the error until range_vfs_err asks. */
#include "adapters/sqlite/range_vfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/os/lock.h"

/* The name of a file is its address: nothing but range_vfs_open opens files here. */
enum { NAME_MAX_BYTES = 64 };

static const char name_head[] = "/range/";

struct range_db_file {
    sqlite3_file base;
    struct range_reader reader;
    uint8_t *page; /* for reads that are no whole page */
    bool failed;
    struct err err;
};

static int file_close(sqlite3_file *base)
{
    free(((struct range_db_file *)base)->page);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *to, int size, sqlite3_int64 offset)
{
    struct range_db_file *self = (struct range_db_file *)base;
    struct range_file *file = self->reader.borrowed_file;
    uint32_t page_size = range_file_page_size(file);
    uint64_t at = (uint64_t)offset;
    uint64_t end = at + (uint64_t)size;
    if (end > range_file_size(file)) {
        memset(to, 0, (size_t)size);
        return SQLITE_IOERR_SHORT_READ;
    }
    for (uint8_t *out = to; at < end;) {
        uint32_t pageno = (uint32_t)(at / page_size) + 1;
        uint64_t in_page = at % page_size;
        uint64_t taken = page_size - in_page < end - at ? page_size - in_page : end - at;
        uint8_t *page = taken == page_size ? out : self->page;
        if (!range_reader_page(&self->reader, pageno, page, &self->err)) {
            self->failed = true;
            return SQLITE_IOERR_READ;
        }
        if (page != out) {
            memcpy(out, page + in_page, (size_t)taken);
        }
        out += taken;
        at += taken;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *from, int size, sqlite3_int64 offset)
{
    (void)base;
    (void)from;
    (void)size;
    (void)offset;
    return SQLITE_READONLY;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    (void)base;
    (void)size;
    return SQLITE_READONLY;
}

static int file_sync(sqlite3_file *base, int flags)
{
    (void)base;
    (void)flags;
    return SQLITE_OK;
}

static int file_bytes(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    *ret_size =
        (sqlite3_int64)range_file_size(((struct range_db_file *)base)->reader.borrowed_file);
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *base, int *ret_reserved)
{
    (void)base;
    *ret_reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int file_is_like(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_IMMUTABLE; /* no locks, and no journal is looked for */
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_bytes,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_is_like,
};

/* ---- the VFS ---- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                    int *ret_flags)
{
    (void)vfs;
    base->pMethods = NULL;
    if (name == NULL || strncmp(name, name_head, sizeof name_head - 1) != 0 ||
        (flags & SQLITE_OPEN_MAIN_DB) == 0) {
        return SQLITE_CANTOPEN; /* a temporary file, which a read-only connection has none of */
    }
    struct range_db_file *self = (struct range_db_file *)base;
    uintptr_t address = (uintptr_t)strtoull(name + sizeof name_head - 1, NULL, 16);
    *self = (struct range_db_file){.base = {.pMethods = &file_methods}};
    self->reader.borrowed_file = (struct range_file *)address;
    self->page = malloc(range_file_page_size(self->reader.borrowed_file));
    CHECK(self->page != NULL);
    if (ret_flags != NULL) {
        *ret_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)name;
    (void)sync;
    return SQLITE_READONLY;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_is)
{
    (void)vfs;
    (void)name;
    (void)flags;
    *ret_is = 0; /* there are no journals */
    return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret_name)
{
    (void)vfs;
    int length = snprintf(ret_name, (size_t)size, "%s", name);
    return length < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* Chance, time and sleep are those of the ordinary VFS. */
static int vfs_random(sqlite3_vfs *vfs, int size, char *to)
{
    sqlite3_vfs *base = vfs->pAppData;
    return base->xRandomness(base, size, to);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    sqlite3_vfs *base = vfs->pAppData;
    return base->xSleep(base, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *ret_day)
{
    sqlite3_vfs *base = vfs->pAppData;
    return base->xCurrentTime(base, ret_day);
}

/* Extensions are loaded through the VFS of their connection. */
static void *vfs_dl_open(sqlite3_vfs *vfs, const char *name)
{
    sqlite3_vfs *base = vfs->pAppData;
    return base->xDlOpen(base, name);
}

static void vfs_dl_error(sqlite3_vfs *vfs, int size, char *text)
{
    sqlite3_vfs *base = vfs->pAppData;
    base->xDlError(base, size, text);
}

static void (*vfs_dl_symbol(sqlite3_vfs *vfs, void *library, const char *name))(void)
{
    sqlite3_vfs *base = vfs->pAppData;
    return base->xDlSym(base, library, name);
}

static void vfs_dl_close(sqlite3_vfs *vfs, void *library)
{
    sqlite3_vfs *base = vfs->pAppData;
    base->xDlClose(base, library);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    (void)size;
    (void)text;
    return 0;
}

static sqlite3_vfs range_vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(struct range_db_file),
    .mxPathname = NAME_MAX_BYTES,
    .zName = "tidemark-range",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_name,
    .xDlOpen = vfs_dl_open,
    .xDlError = vfs_dl_error,
    .xDlSym = vfs_dl_symbol,
    .xDlClose = vfs_dl_close,
    .xRandomness = vfs_random,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xGetLastError = vfs_last_error,
};

static void register_vfs(void)
{
    CHECK(sqlite3_initialize() == SQLITE_OK);
    range_vfs.pAppData = sqlite3_vfs_find(NULL);
    CHECK(sqlite3_vfs_register(&range_vfs, 0) == SQLITE_OK);
}

bool range_vfs_open(struct range_file *borrowed_file, sqlite3 **ret_db, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, register_vfs) == 0);
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s%" PRIxPTR, name_head, (uintptr_t)borrowed_file);
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(name, &db, flags, range_vfs.zName);
    if (code != SQLITE_OK) {
        (void)db_err(err, db, code, "open");
        (void)range_vfs_err(db, err);
        sqlite3_close(db);
        return false;
    }
    /* the range file keeps pages, for all connections together */
    if (!db_run(db, "PRAGMA cache_size=-256", err)) {
        (void)range_vfs_err(db, err);
        sqlite3_close(db);
        return false;
    }
    *ret_db = db;
    return true;
}

bool range_vfs_err(sqlite3 *db, struct err *err)
{
    struct range_db_file *file = NULL;
    if (db != NULL &&
        sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
        file != NULL && file->base.pMethods == &file_methods && file->failed) {
        *err = file->err;
        file->failed = false;
    }
    return false;
}
