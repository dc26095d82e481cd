/* What sorted rows in memory are made of: handed from the buffer that sorted them. */
#ifndef TIDEMARK_CONSUMER_ROWS_SORTED_MEMORY_H
#define TIDEMARK_CONSUMER_ROWS_SORTED_MEMORY_H

#include "consumer/rows/row_memory.h"
#include "consumer/rows/sorted_rows.h"

/* Inside the data plane only, as row_memory.h. */
struct sorted_memory {
    struct row_chunks chunks;
    struct row_entry *entries; /* pages */
    size_t entry_bytes;        /* of the pages, charged */
    size_t *starts;            /* of the sections in `entries`, and the end: section_count + 1 */
    uint32_t *numbers;         /* source number by slot */
    struct spill_index index;
};

struct sorted_rows *sorted_rows_new(struct sorted_memory *take_memory);

#endif
