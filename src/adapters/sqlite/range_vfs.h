/* Shard files that stay in their store, as databases of SQLite: a VFS that only reads. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_RANGE_VFS_H
#define TIDEMARK_ADAPTERS_SQLITE_RANGE_VFS_H

#include "adapters/range_file.h"
#include "adapters/sqlite/db.h"

/* A connection that reads the file's pages as they are needed; each has a read-ahead of its own.
 * Borrows the file until it is closed. Errors: as of db_err(), and those of range_reader_page. */
MUST_CHECK bool range_vfs_open(struct range_file *borrowed_file, sqlite3 **ret_db, struct err *err);

/* After a call on `db` has failed: when a page could not be read, *err becomes what the store said,
 * in place of SQLite's "disk I/O error". Returns false. */
bool range_vfs_err(sqlite3 *db, struct err *err);

#endif
