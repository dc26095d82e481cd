/* A new database file that is written in large pieces, in the same order as page by page. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_GATHER_VFS_H
#define TIDEMARK_ADAPTERS_SQLITE_GATHER_VFS_H

#include "adapters/sqlite/db.h"

/* As db_create. SQLite writes page by page, and a system call a page takes longer than the bytes
 * do: pages that lie one behind the other wait for each other here, up to the end of the
 * transaction. What fails is told by the write, or the COMMIT, that finds out. For files that one
 * connection fills and nobody reads meanwhile. */
MUST_CHECK bool gather_vfs_create(const char *path, sqlite3 **ret_db, struct err *err);

#endif
