/* A new SQLite database file of one table, made of rows that come in the order of their keys. */
#ifndef TIDEMARK_CORE_SNAPSHOT_SQLITE_WRITER_H
#define TIDEMARK_CORE_SNAPSHOT_SQLITE_WRITER_H

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* The table is kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID (snapshot format, section 6).
 *
 * SQLite inserts row by row, into a tree that is right after each. Rows in order need less: a page
 * is filled to its end, written, and not looked at again. So it takes a small part of the time,
 * pages are full, where SQLite leaves room in each, and the bytes depend on the rows and the page
 * size alone, not on the version of a library. Leaves and overflow pages lie in the order of a
 * scan: a leaf, what its rows have on overflow pages, the next leaf. */

/* Of the way rows are laid out. The lineage has it (made_by.kv_version): who changes a byte of what
 * is written here, counts on. */
#define SQLITE_WRITER_VERSION "2"

/* SQLite's own bound of a row. */
enum { SQLITE_WRITER_ROW_MAX = 1000000000 };

/* Where pages go: each one once, mostly in order, page 1 last. A number that is left out is a page
 * of zeros. `page` is valid during the call. Errors are passed on. */
struct sqlite_page_sink {
    bool (*write)(void *context, uint32_t pageno, const uint8_t *page, struct err *err);
    void *context;
};

struct sqlite_writer;

/* `page_size` is 4096 … 65536, a power of two (CHECK). One thread at a time. */
struct sqlite_writer *sqlite_writer_new(uint32_t page_size, struct sqlite_page_sink sink);

/* One row more. CORRUPT: its key is not above the one before; INPUT: longer than a row may be;
 * LIMIT: no page is left. After an error only free is allowed. */
MUST_CHECK bool sqlite_writer_add(struct sqlite_writer *writer, struct bytes key,
                                  struct bytes value, struct err *err);

/* Writes what is left. *ret_page_count: the file's pages, from 1. */
MUST_CHECK bool sqlite_writer_finish(struct sqlite_writer *writer, uint32_t *ret_page_count,
                                     struct err *err);
/* The last key that was added; empty before. Valid until the next call. */
struct bytes sqlite_writer_last_key(const struct sqlite_writer *writer);
/* No row so far has overflow pages. */
bool sqlite_writer_has_whole_rows(const struct sqlite_writer *writer);

struct sqlite_writer *sqlite_writer_free(struct sqlite_writer *writer); /* takes NULL; returns NULL
                                                                         */

#endif
