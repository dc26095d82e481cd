/* Some sorted rows as one checked, compressed block of bytes, and back. */
#ifndef TIDEMARK_CORE_SPILL_BLOCK_H
#define TIDEMARK_CORE_SPILL_BLOCK_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/spill/row.h"

/* A block on disk: a header of BLOCK_HEADER_BYTES, then `stored_bytes` of payload. The header, all
 * little-endian: raw_bytes u32, stored_bytes u32, rows u32, codec u32, checksum u64: XXH3-64 of the
 * payload, seeded with that of the 16 bytes before (seed 0). The payload: offset and event time of
 * the first row (the bases, i64 each), then the rows one behind the other, each of them:
 * - key_size, value_size * 2 + tombstone, source: LEB128 varints
 * - offset - base, event_time - base: zigzag LEB128 varints
 * - key, value */
enum {
    BLOCK_HEADER_BYTES = 24,
    BLOCK_TARGET_BYTES = 128 * 1024,     /* a block ends with the row that reaches it */
    BLOCK_RAW_MAX = 1 << 30,             /* more than one huge row: refused when read */
    BLOCK_ROW_MAX = BLOCK_RAW_MAX - 128, /* key and value of one row together */
};

enum block_codec { BLOCK_RAW, BLOCK_ZSTD };

struct block_header {
    uint32_t raw_bytes;
    uint32_t stored_bytes;
    uint32_t rows;
    enum block_codec codec;
    uint64_t checksum;
};

/* ---- writing: one thread, memory kept from block to block ---- */

struct block_writer;

struct block_writer *block_writer_new(void);
struct block_writer *block_writer_free(struct block_writer *writer); /* takes NULL; returns NULL */

/* Adds a row (copied). Rows come in order; the writer does not look. `key.size + value.size` is at
 * most BLOCK_ROW_MAX. Returns true when the block should be taken now. */
bool block_writer_add(struct block_writer *writer, const struct row *row);
bool block_writer_is_empty(const struct block_writer *writer);

/* The block with its header, valid until the next call; the writer is empty again. Not empty
 * before. It is stored raw where zstd (its fastest level) does not gain an eighth. */
struct bytes block_writer_take(struct block_writer *writer, uint64_t *ret_checksum);

/* ---- reading ---- */

/* The right checksum of a header: of its other fields and `stored_bytes` of payload behind it. */
uint64_t block_checksum(const uint8_t *block, size_t stored_bytes);

/* Refuses sizes that no writer makes: CORRUPT. `data` has BLOCK_HEADER_BYTES bytes. */
MUST_CHECK bool block_header_decode(const uint8_t *data, struct block_header *ret_header,
                                    struct err *err);

struct block_reader;

struct block_reader *block_reader_new(void);
struct block_reader *block_reader_free(struct block_reader *reader); /* takes NULL; returns NULL */

/* Starts on a whole block, header included: verifies the checksum, decompresses. The bytes are
 * borrowed until the next start. CORRUPT: what does not fit, also from a hostile writer. */
MUST_CHECK bool block_reader_start(struct block_reader *reader, struct bytes borrowed_block,
                                   struct err *err);

/* The next row: views, valid until the next start. At the end *ret_more is false. CORRUPT. */
MUST_CHECK bool block_reader_next(struct block_reader *reader, struct row *ret_row, bool *ret_more,
                                  struct err *err);

#endif
