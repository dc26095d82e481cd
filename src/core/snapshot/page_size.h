/* The page size of a shard file (snapshot format, section 6). */
#ifndef TIDEMARK_CORE_SNAPSHOT_PAGE_SIZE_H
#define TIDEMARK_CORE_SNAPSHOT_PAGE_SIZE_H

#include "core/base/bytes.h"

enum { PAGE_SIZE_MIN = 4096, PAGE_SIZE_MAX = 65536, PAGE_SIZE_OVERHEAD = 12 };

/* 4096, 8192, 16384, 32768 or 65536. */
bool page_size_is_valid(uint32_t page_size);

/* The largest cell, in bytes, that stays on its page. `page_size` must be valid (CHECK). */
uint32_t page_size_inline_limit(uint32_t page_size);

/* The smallest page size whose inline limit is at least p95 + key + 12; else the largest. */
uint32_t page_size_for(uint64_t p95_value_bytes, uint64_t max_key_bytes);

/* Sizes of the rows stored, for `auto`. Exact: a histogram up to the largest size that matters
 * (about 128 KiB of memory; put it on the heap). */
enum { PAGE_SIZE_HISTOGRAM = 16424 }; /* the inline limit of 65536 is 16422 */

struct page_size_stats {
    uint64_t rows;
    uint64_t max_key_bytes;
    uint64_t by_value_bytes[PAGE_SIZE_HISTOGRAM]; /* the last: that size and above */
};

/* A zeroed struct is empty. */
void page_size_add(struct page_size_stats *stats, size_t key_bytes, size_t value_bytes);

/* No rows: the smallest. `vector_dim` > 0: the file holds vectors, too, whose cell counts when it
 * is the larger one. */
uint32_t page_size_auto(const struct page_size_stats *stats, uint32_t vector_dim);

#endif
