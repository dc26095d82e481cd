/* The order object of a shard: of every key the record that it has its row from, or was deleted by
 * (PROTOCOL R6, state_order "exact"). */
#ifndef TIDEMARK_CHECKPOINT_SPILL_ORDER_FILE_H
#define TIDEMARK_CHECKPOINT_SPILL_ORDER_FILE_H

#include "core/spill/row_set.h"

/* A spill of one section: window 0, group = the shard. One row a key, without its value; a key that
 * was deleted is a tombstone. The table of sources has those that occur, and no others, so that the
 * bytes are a function of the rows. A row that was there before orders were kept has the source
 * ("", 0): it is older than any other. */
#define ORDER_UNKNOWN_TOPIC ""

struct order_writer;

/* A new file at `path`. Rows have numbers of `borrowed_sources`; `some_unknown`: or, some of them,
 * ROW_SOURCE_BASE. Errors here and below: as file.h. */
MUST_CHECK bool order_writer_new(const char *path, enum row_order order, uint32_t shard,
                                 const struct source_table *borrowed_sources, bool some_unknown,
                                 struct order_writer **ret_writer, struct err *err);

/* The newest row of the next key; keys ascend. */
MUST_CHECK bool order_writer_add(struct order_writer *writer, const struct row *row,
                                 struct err *err);

/* Without rows there is no file, and both numbers are 0. */
MUST_CHECK bool order_writer_finish(struct order_writer *writer, uint64_t *ret_rows,
                                    uint64_t *ret_bytes, struct err *err);

/* Removes a file that was not finished. Takes NULL; returns NULL. */
struct order_writer *order_writer_free(struct order_writer *writer);

/* Its rows are those of section 0. Errors: as spill_open_file; CORRUPT also: a spill that is no
 * order object. */
MUST_CHECK bool order_file_open(const char *path, struct row_set **ret_set, struct err *err);

#endif
