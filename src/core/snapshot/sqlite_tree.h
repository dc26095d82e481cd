/* One key looked up in the table of a shard file, page by page. */
#ifndef TIDEMARK_CORE_SNAPSHOT_SQLITE_TREE_H
#define TIDEMARK_CORE_SNAPSHOT_SQLITE_TREE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/snapshot/sqlite_pages.h"

/* SQLite itself reads the whole payload of every cell that it compares with, so that a search among
 * large values asks for the overflow pages of a dozen of them. Here a cell is compared by its key,
 * which is at its begin: a look-up reads the pages from the root to the cell, and the overflow
 * pages of the one that it was looking for.
 *
 * The bytes are foreign. Errors: INPUT: not what SQLite writes, with the page in the message; those
 * of the pages' source. */

/* Where the B-tree of a table begins. MISSING: there is no such table. */
MUST_CHECK bool sqlite_tree_root(const struct sqlite_pages *pages, const char *table,
                                 uint32_t *ret_root, struct err *err);

/* In a table of (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID: adds v of the row with this k to
 * `value`; *ret_found false: there is none. LIMIT: `value` is full. */
MUST_CHECK bool sqlite_tree_get(const struct sqlite_pages *pages, uint32_t root, struct bytes key,
                                struct buf *value, bool *ret_found, struct err *err);

#endif
