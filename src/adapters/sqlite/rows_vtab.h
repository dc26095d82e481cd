/* A row_stream as a table that SQLite reads: INSERT … SELECT over merged rows, without a bind a
 * row. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_ROWS_VTAB_H
#define TIDEMARK_ADAPTERS_SQLITE_ROWS_VTAB_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "core/base/buf.h"
#include "core/spill/row_stream.h"

/* What passes through, and what went wrong on the way: SQLite itself can carry a text only. */
struct rows_vtab {
    struct row_stream *borrowed_rows;
    const atomic_bool *borrowed_stop; /* may be NULL */
    struct buf *borrowed_key_min;     /* the first key that passed … */
    struct buf *borrowed_key_max;     /* … and the last, complete at the end */
    uint64_t rows;
    uint64_t key_bytes;
    uint64_t value_bytes;
    uint64_t row_bytes_max; /* of key and value */
    bool failed;            /* then `err` says why, and it is the error to report */
    struct err err;
};

/* Adds the table-valued name `rows_in(k, v)` to the connection; it can be read once.
 * `borrowed_state` lives as long as the connection. Returns SQLite's code. */
int rows_vtab_add(sqlite3 *db, struct rows_vtab *borrowed_state);

#endif
