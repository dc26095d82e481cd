/* Rows in memory, sorted, that nobody changes any more: a row_set. */
#ifndef TIDEMARK_CONSUMER_ROWS_SORTED_ROWS_H
#define TIDEMARK_CONSUMER_ROWS_SORTED_ROWS_H

#include "core/spill/row_set.h"

/* Made by shard_buffer_sort(). `set` is its first member, so that row_set_free(&rows->set) ends it,
 * gives its memory back to the kernel and its bytes to the budget. May be read from several
 * threads. Rows of its streams stay valid as long as it does. */
struct sorted_rows {
    struct row_set set;
    struct sorted_memory *memory;
};

uint64_t sorted_rows_bytes(const struct sorted_rows *rows); /* as charged to the budget */

#endif
