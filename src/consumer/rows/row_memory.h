/* Rows in chunks from the kernel, and what the sort moves around instead of them. */
#ifndef TIDEMARK_CONSUMER_ROWS_ROW_MEMORY_H
#define TIDEMARK_CONSUMER_ROWS_ROW_MEMORY_H

#include "consumer/rows/budget.h"
#include "core/spill/key_prefix.h"
#include "core/spill/row.h"

/* Inside the data plane only: shard_buffer fills it, row_sort orders it, sorted_rows reads it. */

enum { STORED_ROW_ALIGN = 16 };

struct stored_row {
    int64_t offset;
    int64_t event_time_us;
    uint32_t key_size;
    uint32_t value_size;
    uint32_t slot; /* the buffer's number of the source */
    uint32_t tombstone;
    uint8_t data[]; /* key, then value */
};

/* 16 bytes that stand for a row: what it is compared by at the moment, and where it is. An address
 * has 48 bits on the machines we run on, the low 4 are 0; the 20 bits left are the row's group. */
struct row_entry {
    uint64_t word;
    uint64_t place; /* group << ROW_ENTRY_GROUP_SHIFT | address / STORED_ROW_ALIGN */
};

enum { ROW_ENTRY_GROUP_SHIFT = 44 };

static inline struct stored_row *row_entry_row(const struct row_entry *entry)
{
    uint64_t address =
        (entry->place & ((UINT64_C(1) << ROW_ENTRY_GROUP_SHIFT) - 1)) * STORED_ROW_ALIGN;
    return (struct stored_row *)(uintptr_t)address;
}

static inline uint32_t row_entry_group(const struct row_entry *entry)
{
    return (uint32_t)(entry->place >> ROW_ENTRY_GROUP_SHIFT);
}

static inline struct bytes stored_row_key(const struct stored_row *row)
{
    return bytes_of(row->data, row->key_size);
}

/* Chunks that rows are put into, one behind the other. A zeroed struct with a budget is empty. */
struct row_chunk;

struct row_chunks {
    struct row_chunk *last;
    struct budget *borrowed_budget; /* may be NULL */
    uint64_t bytes;                 /* held and charged */
};

/* Room for a row of that many bytes of key and value; aligned, not cleared. */
struct stored_row *row_chunks_room(struct row_chunks *chunks, size_t data_bytes);
void row_chunks_done(struct row_chunks *chunks); /* given back */

#endif
