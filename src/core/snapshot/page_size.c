/* The page size of a shard file (snapshot format, section 6). */
#include "core/snapshot/page_size.h"

#include "core/base/check.h"

enum { VECTOR_EXTRA_BYTES = 16, VECTOR_KEY_BYTES = 9 };

bool page_size_is_valid(uint32_t page_size)
{
    return page_size >= PAGE_SIZE_MIN && page_size <= PAGE_SIZE_MAX &&
           (page_size & (page_size - 1)) == 0;
}

uint32_t page_size_inline_limit(uint32_t page_size)
{
    CHECK(page_size_is_valid(page_size));
    return (page_size - 12) * 64 / 255 - 23;
}

uint32_t page_size_for(uint64_t p95_value_bytes, uint64_t max_key_bytes)
{
    for (uint32_t page_size = PAGE_SIZE_MIN; page_size < PAGE_SIZE_MAX; page_size *= 2) {
        uint64_t limit = page_size_inline_limit(page_size);
        if (p95_value_bytes <= limit && max_key_bytes <= limit &&
            p95_value_bytes + max_key_bytes + PAGE_SIZE_OVERHEAD <= limit) {
            return page_size;
        }
    }
    return PAGE_SIZE_MAX;
}

void page_size_add(struct page_size_stats *stats, size_t key_bytes, size_t value_bytes)
{
    stats->rows++;
    if (key_bytes > stats->max_key_bytes) {
        stats->max_key_bytes = key_bytes;
    }
    stats->by_value_bytes[value_bytes < PAGE_SIZE_HISTOGRAM ? value_bytes
                                                            : PAGE_SIZE_HISTOGRAM - 1]++;
}

/* Nearest rank: the ceil(0.95 n)-th smallest; n > 0. */
static uint64_t p95_value_bytes(const struct page_size_stats *stats)
{
    /* n - floor(n / 20) is ceil(0.95 n), and cannot overflow */
    uint64_t rank = stats->rows - stats->rows / 20;
    uint64_t seen = 0;
    for (uint64_t size = 0; size < PAGE_SIZE_HISTOGRAM; size++) {
        seen += stats->by_value_bytes[size];
        if (seen >= rank) {
            return size;
        }
    }
    CHECK(!"a histogram of all rows");
    return 0;
}

uint32_t page_size_auto(const struct page_size_stats *stats, uint32_t vector_dim)
{
    uint32_t page_size = stats->rows == 0
                             ? PAGE_SIZE_MIN
                             : page_size_for(p95_value_bytes(stats), stats->max_key_bytes);
    uint32_t for_vectors = PAGE_SIZE_MIN;
    if (vector_dim > 0) {
        for_vectors =
            page_size_for((uint64_t)vector_dim * 4 + VECTOR_EXTRA_BYTES, VECTOR_KEY_BYTES);
    }
    return page_size > for_vectors ? page_size : for_vectors;
}
