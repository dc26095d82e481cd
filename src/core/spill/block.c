/* Some sorted rows as one checked, compressed block of bytes, and back. */
#include "core/spill/block.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

#include "core/spill/varint.h"

enum {
    BASES_BYTES = 16,
    ROW_HEAD_MAX = 5 * VARINT_MAX,
    CHECKED_BYTES = 16, /* of the header: what the checksum covers of it */
    /* zstd's negative levels trade size for speed: at this one it costs about what the writing of
     * the bytes saved would. Measured in docs/performance.md. */
    ZSTD_LEVEL = -3,
    SKIP_MAX = 16, /* blocks stored without a try, at most, while compression gains nothing */
};

struct block_writer {
    uint8_t *raw; /* room for the header, then the payload */
    size_t raw_capacity;
    size_t raw_end; /* behind the payload so far; BLOCK_HEADER_BYTES when empty */
    uint8_t *packed;
    size_t packed_capacity;
    ZSTD_CCtx *zstd;
    uint32_t rows;
    uint32_t skip;      /* blocks still to be stored without a try */
    uint32_t skip_next; /* how many, after the next try that gains nothing */
    int64_t offset_base;
    int64_t event_time_base_us;
};

static void reserve(uint8_t **memory, size_t *capacity, size_t size)
{
    if (size <= *capacity) {
        return;
    }
    size_t grown = *capacity * 2 > size ? *capacity * 2 : size;
    uint8_t *moved = realloc(*memory, grown);
    CHECK(moved != NULL);
    *memory = moved;
    *capacity = grown;
}

static int64_t wrapping_difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t wrapping_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

struct block_writer *block_writer_new(void)
{
    struct block_writer *writer = calloc(1, sizeof *writer);
    CHECK(writer != NULL);
    reserve(&writer->raw, &writer->raw_capacity, BLOCK_TARGET_BYTES + 4096);
    writer->raw_end = BLOCK_HEADER_BYTES;
    writer->skip_next = 1;
    writer->zstd = ZSTD_createCCtx();
    CHECK(writer->zstd != NULL);
    size_t set = ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    CHECK(!ZSTD_isError(set));
    return writer;
}

struct block_writer *block_writer_free(struct block_writer *writer)
{
    if (writer != NULL) {
        ZSTD_freeCCtx(writer->zstd);
        free(writer->raw);
        free(writer->packed);
        free(writer);
    }
    return NULL;
}

bool block_writer_is_empty(const struct block_writer *writer)
{
    return writer->rows == 0;
}

bool block_writer_add(struct block_writer *writer, const struct row *row)
{
    CHECK(row->key.size <= BLOCK_ROW_MAX && row->value.size <= BLOCK_ROW_MAX - row->key.size);
    size_t needed = writer->raw_end + BASES_BYTES + ROW_HEAD_MAX + row->key.size + row->value.size;
    reserve(&writer->raw, &writer->raw_capacity, needed);
    uint8_t *at = writer->raw + writer->raw_end;
    if (writer->rows == 0) {
        writer->offset_base = row->offset;
        writer->event_time_base_us = row->event_time_us;
        put_u64le(at, (uint64_t)row->offset);
        put_u64le(at + 8, (uint64_t)row->event_time_us);
        at += BASES_BYTES;
    }
    at = varint_put(at, row->key.size);
    at = varint_put(at, (uint64_t)row->value.size << 1 | (row->tombstone ? 1 : 0));
    at = varint_put(at, row->source);
    at = varint_put(at, varint_zigzag(wrapping_difference(row->offset, writer->offset_base)));
    at = varint_put(
        at, varint_zigzag(wrapping_difference(row->event_time_us, writer->event_time_base_us)));
    if (row->key.size > 0) {
        memcpy(at, row->key.data, row->key.size);
        at += row->key.size;
    }
    if (row->value.size > 0) {
        memcpy(at, row->value.data, row->value.size);
        at += row->value.size;
    }
    writer->raw_end = (size_t)(at - writer->raw);
    writer->rows++;
    return writer->raw_end >= BLOCK_TARGET_BYTES;
}

/* The payload compressed into `packed`, behind room for a header; 0: it is not worth it. */
static size_t compress(struct block_writer *writer, size_t raw_bytes)
{
    if (writer->skip > 0) {
        writer->skip--;
        return 0;
    }
    reserve(&writer->packed, &writer->packed_capacity,
            BLOCK_HEADER_BYTES + ZSTD_compressBound(raw_bytes));
    size_t packed = ZSTD_compress2(writer->zstd, writer->packed + BLOCK_HEADER_BYTES,
                                   writer->packed_capacity - BLOCK_HEADER_BYTES,
                                   writer->raw + BLOCK_HEADER_BYTES, raw_bytes);
    CHECK(!ZSTD_isError(packed));
    if (packed > raw_bytes - raw_bytes / 8) {
        writer->skip = writer->skip_next;
        writer->skip_next = writer->skip_next >= SKIP_MAX ? SKIP_MAX : writer->skip_next * 2;
        return 0;
    }
    writer->skip_next = 1;
    return packed;
}

/* The header goes in as the seed of the payload's hash: one pass, nothing copied. */
uint64_t block_checksum(const uint8_t *block, size_t stored_bytes)
{
    XXH64_hash_t head = XXH3_64bits(block, CHECKED_BYTES);
    return XXH3_64bits_withSeed(block + BLOCK_HEADER_BYTES, stored_bytes, head);
}

struct bytes block_writer_take(struct block_writer *writer, uint64_t *ret_checksum)
{
    CHECK(writer->rows > 0);
    size_t raw_bytes = writer->raw_end - BLOCK_HEADER_BYTES;
    CHECK(raw_bytes <= BLOCK_RAW_MAX);
    size_t packed = compress(writer, raw_bytes);
    uint8_t *block = packed > 0 ? writer->packed : writer->raw;
    size_t stored = packed > 0 ? packed : raw_bytes;
    put_u32le(block, (uint32_t)raw_bytes);
    put_u32le(block + 4, (uint32_t)stored);
    put_u32le(block + 8, writer->rows);
    put_u32le(block + 12, packed > 0 ? BLOCK_ZSTD : BLOCK_RAW);
    *ret_checksum = block_checksum(block, stored);
    put_u64le(block + 16, *ret_checksum);
    writer->rows = 0;
    writer->raw_end = BLOCK_HEADER_BYTES;
    return bytes_of(block, BLOCK_HEADER_BYTES + stored);
}

bool block_header_decode(const uint8_t *data, struct block_header *ret_header, struct err *err)
{
    uint32_t raw_bytes = get_u32le(data);
    uint32_t stored_bytes = get_u32le(data + 4);
    uint32_t rows = get_u32le(data + 8);
    uint32_t codec = get_u32le(data + 12);
    bool fits = codec == BLOCK_RAW    ? stored_bytes == raw_bytes
                : codec == BLOCK_ZSTD ? stored_bytes < raw_bytes
                                      : false;
    if (!fits || raw_bytes < BASES_BYTES || raw_bytes > BLOCK_RAW_MAX || rows == 0) {
        return err_set(err, ERR_CORRUPT,
                       "not the header of a block: %u bytes raw, %u stored, %u rows, codec %u",
                       raw_bytes, stored_bytes, rows, codec);
    }
    *ret_header = (struct block_header){
        .raw_bytes = raw_bytes,
        .stored_bytes = stored_bytes,
        .rows = rows,
        .codec = codec == BLOCK_RAW ? BLOCK_RAW : BLOCK_ZSTD,
        .checksum = get_u64le(data + 16),
    };
    return true;
}

struct block_reader {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t rows_left;
    int64_t offset_base;
    int64_t event_time_base_us;
    uint8_t *raw; /* decompressed payload */
    size_t raw_capacity;
};

struct block_reader *block_reader_new(void)
{
    struct block_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader != NULL);
    return reader;
}

struct block_reader *block_reader_free(struct block_reader *reader)
{
    if (reader != NULL) {
        free(reader->raw);
        free(reader);
    }
    return NULL;
}

static bool decompress(struct block_reader *reader, const struct block_header *header,
                       const uint8_t *payload, struct err *err)
{
    /* Before memory of the claimed size is taken: the frame claims the same, and could keep it
     * (zstd makes at most 128 KiB of 3 bytes). */
    unsigned long long framed = ZSTD_getFrameContentSize(payload, header->stored_bytes);
    if (framed != header->raw_bytes || header->raw_bytes / (64 * 1024) > header->stored_bytes) {
        return err_set(err, ERR_CORRUPT, "a block of %u bytes says it has %llu", header->raw_bytes,
                       framed);
    }
    /* with room for one more row than fits: else the second block doubles it */
    size_t room = BLOCK_TARGET_BYTES + 4096;
    reserve(&reader->raw, &reader->raw_capacity,
            header->raw_bytes > room ? header->raw_bytes : room);
    /* With a context of its own for each block, which costs a hundredth of the time: kept, it would
     * be more than half of what an open stream takes. */
    size_t got = ZSTD_decompress(reader->raw, header->raw_bytes, payload, header->stored_bytes);
    if (ZSTD_isError(got) || got != header->raw_bytes) {
        return err_set(err, ERR_CORRUPT, "a block does not decompress: %s",
                       ZSTD_isError(got) ? ZSTD_getErrorName(got) : "wrong size");
    }
    return true;
}

bool block_reader_start(struct block_reader *reader, struct bytes borrowed_block, struct err *err)
{
    reader->rows_left = 0;
    reader->at = NULL;
    reader->end = NULL;
    struct block_header header;
    if (borrowed_block.size < BLOCK_HEADER_BYTES) {
        return err_set(err, ERR_CORRUPT, "a block of %zu bytes", borrowed_block.size);
    }
    TRY(block_header_decode(borrowed_block.data, &header, err));
    if (borrowed_block.size != (size_t)BLOCK_HEADER_BYTES + header.stored_bytes) {
        return err_set(err, ERR_CORRUPT, "a block of %zu bytes, %u by its header",
                       borrowed_block.size, header.stored_bytes);
    }
    if (block_checksum(borrowed_block.data, header.stored_bytes) != header.checksum) {
        return err_set(err, ERR_CORRUPT, "a block's checksum does not match");
    }
    const uint8_t *payload = borrowed_block.data + BLOCK_HEADER_BYTES;
    if (header.codec == BLOCK_ZSTD) {
        TRY(decompress(reader, &header, payload, err));
        payload = reader->raw;
    }
    reader->offset_base = (int64_t)get_u64le(payload);
    reader->event_time_base_us = (int64_t)get_u64le(payload + 8);
    reader->at = payload + BASES_BYTES;
    reader->end = payload + header.raw_bytes;
    reader->rows_left = header.rows;
    return true;
}

bool block_reader_next(struct block_reader *reader, struct row *ret_row, bool *ret_more,
                       struct err *err)
{
    if (reader->rows_left == 0) {
        if (reader->at != reader->end) {
            return err_set(err, ERR_CORRUPT, "a block has bytes behind its last row");
        }
        *ret_more = false;
        return true;
    }
    uint64_t head[5];
    const uint8_t *at = reader->at;
    for (size_t i = 0; i < LENGTH_OF(head); i++) {
        at = varint_get(at, reader->end, &head[i]);
        if (at == NULL) {
            return err_set(err, ERR_CORRUPT, "a block ends within a row");
        }
    }
    uint64_t left = (uint64_t)(reader->end - at);
    uint64_t key_size = head[0];
    uint64_t value_size = head[1] >> 1;
    if (key_size > left || value_size > left - key_size || head[2] > UINT32_MAX) {
        return err_set(err, ERR_CORRUPT, "a row of a block does not fit into it");
    }
    reader->at = at + key_size + value_size;
    reader->rows_left--;
    *ret_row = (struct row){
        .key = bytes_of(at, key_size),
        .value = bytes_of(at + key_size, value_size),
        .event_time_us = wrapping_sum(reader->event_time_base_us, varint_unzigzag(head[4])),
        .offset = wrapping_sum(reader->offset_base, varint_unzigzag(head[3])),
        .source = (uint32_t)head[2],
        .tombstone = (head[1] & 1) != 0,
    };
    *ret_more = true;
    return true;
}
