/* An SQLite record: the header that tells where each column's bytes are. */
#ifndef TIDEMARK_CORE_SNAPSHOT_SQLITE_RECORD_H
#define TIDEMARK_CORE_SNAPSHOT_SQLITE_RECORD_H

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* Columns of the schema table (https://www.sqlite.org/fileformat2.html, section 2.6). */
enum sqlite_schema_column {
    SQLITE_SCHEMA_TYPE = 0,
    SQLITE_SCHEMA_NAME = 1,
    SQLITE_SCHEMA_ROOT_PAGE = 3,
};

/* Where a column's bytes lie in the payload, which may be longer than what is at hand. */
struct sqlite_column {
    uint64_t place;
    uint64_t size;
    uint64_t serial_type; /* section 2.1: even from 12 on: bytes; odd from 13 on: text */
};

static inline bool sqlite_column_is_bytes(const struct sqlite_column *column)
{
    return column->serial_type >= 12; /* bytes or text */
}

/* `local`: the begin of the payload, with the whole header. ERR_INPUT: it is not, or has no such
 * column. */
MUST_CHECK bool sqlite_record_column(struct bytes local, unsigned column,
                                     struct sqlite_column *ret_column, struct err *err);

/* A small number, 0 for SQL NULL; all of it is in `local`. ERR_INPUT. */
MUST_CHECK bool sqlite_record_u32(struct bytes local, unsigned column, uint32_t *ret_value,
                                  struct err *err);

#endif
