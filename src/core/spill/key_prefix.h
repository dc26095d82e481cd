/* The first eight bytes of a key as a number: most comparisons need no more. */
#ifndef TIDEMARK_CORE_SPILL_KEY_PREFIX_H
#define TIDEMARK_CORE_SPILL_KEY_PREFIX_H

#include "core/base/bytes.h"

/* The bytes from `depth` on, big-endian, zeroes behind the end: different prefixes compare as the
 * keys do; equal ones say nothing where one of the keys ends within them. */
static inline uint64_t key_prefix_at(struct bytes key, size_t depth)
{
    if (key.size >= depth + 8) {
        uint64_t word;
        memcpy(&word, key.data + depth, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        return word;
    }
    uint64_t prefix = 0;
    for (size_t i = depth; i < key.size; i++) {
        prefix |= (uint64_t)key.data[i] << (56 - 8 * (i - depth));
    }
    return prefix;
}

static inline uint64_t key_prefix(struct bytes key)
{
    return key_prefix_at(key, 0);
}

/* bytes_compare() for keys whose prefixes are at hand. */
static inline int key_prefix_compare(uint64_t prefix_a, struct bytes a, uint64_t prefix_b,
                                     struct bytes b)
{
    if (prefix_a != prefix_b) {
        return prefix_a < prefix_b ? -1 : 1;
    }
    if (a.size == 8 && b.size == 8) {
        return 0;
    }
    return bytes_compare(a, b);
}

#endif
