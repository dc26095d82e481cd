/* The bytes of a spill object: header, sections of blocks, index, footer. */
#ifndef TIDEMARK_CORE_SPILL_SPILL_FORMAT_H
#define TIDEMARK_CORE_SPILL_SPILL_FORMAT_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/spill/spill_index.h"

/* The object, all fixed-width integers little-endian:
 * - header, SPILL_HEADER_BYTES: magic "TMSPILL" and a NUL, version u32, order u32
 * - the blocks of the first section, of the second, … with nothing between (core/spill/block.h)
 * - index: sources, sections and their statistics, as LEB128 varints
 * - footer, SPILL_FOOTER_BYTES: place of the index, its bytes, rows, XXH3-64 of the index, XXH3-64
 *   of the 32 bytes before (u64 each), magic "TMSPEND" and a NUL
 *
 * The table of sources is in the index, not the header: whoever reads it needs the index too, and a
 * store is asked twice (footer, index) and not three times. */
enum {
    SPILL_VERSION = 1,
    SPILL_HEADER_BYTES = 16,
    SPILL_FOOTER_BYTES = 48,
    SPILL_INDEX_MAX = 1 << 30, /* bytes; a larger one is refused when read */
};

struct spill_footer {
    uint64_t index_place;
    uint64_t index_bytes;
    uint64_t rows;
    uint64_t index_checksum; /* the digest of the object: it covers the digests of all blocks */
};

void spill_header_encode(enum row_order order, uint8_t to[SPILL_HEADER_BYTES]);
MUST_CHECK bool spill_header_decode(const uint8_t data[SPILL_HEADER_BYTES],
                                    enum row_order *ret_order, struct err *err);

void spill_index_encode(const struct spill_index *index, struct buf *to);
/* `ret_index` is filled on success and ended with spill_index_done. Errors: CORRUPT; the sections
 * lie one behind the other from SPILL_HEADER_BYTES up to `index_place`. */
MUST_CHECK bool spill_index_decode(struct bytes data, enum row_order order, uint64_t index_place,
                                   struct spill_index *ret_index, struct err *err);

void spill_footer_encode(const struct spill_footer *footer, uint8_t to[SPILL_FOOTER_BYTES]);
/* `object_bytes` is the size of the whole object. CORRUPT: not a footer, or not of this object. */
MUST_CHECK bool spill_footer_decode(const uint8_t data[SPILL_FOOTER_BYTES], uint64_t object_bytes,
                                    struct spill_footer *ret_footer, struct err *err);

uint64_t spill_checksum(struct bytes data); /* XXH3-64, seed 0 */

/* A section's digest: 0, and this for the checksum of every block of it. XXH3-64 of both numbers,
 * little-endian. */
uint64_t spill_digest_add(uint64_t digest, uint64_t block_checksum);

#endif
