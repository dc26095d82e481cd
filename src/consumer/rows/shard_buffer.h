/* Rows of all windows and shards on their way in: appended in any order, sorted once. */
#ifndef TIDEMARK_CONSUMER_ROWS_SHARD_BUFFER_H
#define TIDEMARK_CONSUMER_ROWS_SHARD_BUFFER_H

#include "consumer/rows/budget.h"
#include "consumer/rows/sorted_rows.h"
#include "core/spill/row.h"

/* One owner, one thread at a time. Its memory depends on the rows, not on how many windows and
 * shards they are of: one arena of chunks from the kernel, and 16 bytes of sort index a row (32
 * while it sorts; 32 are charged from the start). */
struct shard_buffer;

/* `borrowed_budget` is charged with what is held, NULL: not counted; it must outlive the rows. */
struct shard_buffer *shard_buffer_new(struct budget *borrowed_budget);
struct shard_buffer *shard_buffer_free(struct shard_buffer *buffer); /* takes NULL; returns NULL */

/* The number to put into row.source for rows of this partition. Stays the same for the life of the
 * buffer, whatever is added later; it is a number of this buffer, and not of a source_table. */
uint32_t shard_buffer_source(struct shard_buffer *buffer, const char *topic, int32_t partition);

enum {
    SHARD_BUFFER_GROUPS_MAX = 1 << 20,       /* pairs of (window, group) at a time */
    SHARD_BUFFER_ROW_MAX = (1 << 30) - 4096, /* bytes of key and value together */
};

/* Copies the row in. False: it is full (too many pairs of window and group): sort first. */
MUST_CHECK bool shard_buffer_append(struct shard_buffer *buffer, int64_t window, uint32_t group,
                                    const struct row *row);

uint64_t shard_buffer_rows(const struct shard_buffer *buffer);
uint64_t shard_buffer_bytes(const struct shard_buffer *buffer); /* as charged */

/* Sorts what is there and hands it on, with its memory; the buffer is empty and goes on. NULL when
 * there are no rows. `order` is the settings'. Takes about 0.1 us a row. */
struct sorted_rows *shard_buffer_sort(struct shard_buffer *buffer, enum row_order order);

#endif
