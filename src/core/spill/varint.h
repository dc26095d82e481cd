/* Unsigned numbers in one to ten bytes, seven bits each, low ones first (LEB128). */
#ifndef TIDEMARK_CORE_SPILL_VARINT_H
#define TIDEMARK_CORE_SPILL_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VARINT_MAX = 10 }; /* bytes of the longest one */

/* `to` has room for VARINT_MAX bytes. Returns what comes behind the number. */
static inline uint8_t *varint_put(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

/* What comes behind the number at `from`, or NULL: it does not end before `end`, or does not fit 64
 * bits. Longer forms than needed are taken: only our own checksummed bytes come here. */
static inline const uint8_t *varint_get(const uint8_t *from, const uint8_t *end,
                                        uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && from < end; shift += 7) {
        uint64_t byte = *from++;
        if (shift == 63 && byte > 1) {
            return NULL;
        }
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return from;
        }
    }
    return NULL;
}

/* Signed numbers, small ones of either sign short. Wraps, so that any difference of two fits. */
static inline uint64_t varint_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t varint_unzigzag(uint64_t value)
{
    return (int64_t)((value >> 1) ^ (~(value & 1) + 1));
}

#endif
