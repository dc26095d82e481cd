/* Blocks of a spill from a hostile writer: refused, or rows that lie inside them. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/spill/block.h"

static void read_block(const uint8_t *data, size_t size)
{
    struct block_reader *reader = block_reader_new();
    struct err err;
    struct row row;
    bool more = true;
    if (block_reader_start(reader, bytes_of(data, size), &err)) {
        uint64_t sum = 0;
        while (more && block_reader_next(reader, &row, &more, &err)) {
            for (size_t i = 0; more && i < row.key.size; i++) {
                sum += row.key.data[i];
            }
            for (size_t i = 0; more && i < row.value.size; i++) {
                sum += row.value.data[i];
            }
        }
        /* so that the reads cannot be left out */
        __asm__ volatile("" : : "r"(sum));
    }
    block_reader_free(reader);
}

/* Rows made of the input must come out of a block as they went in. */
static void write_block(const uint8_t *data, size_t size)
{
    struct block_writer *writer = block_writer_new();
    struct block_reader *reader = block_reader_new();
    size_t at = 0;
    size_t rows = 0;
    while (at + 4 <= size && rows < 1000) {
        size_t key_size = data[at];
        size_t value_size = data[at + 1];
        size_t left = size - at - 4;
        key_size = key_size > left ? left : key_size;
        value_size = value_size > left - key_size ? left - key_size : value_size;
        struct row row = {
            .key = bytes_of(data + at + 4, key_size),
            .value = bytes_of(data + at + 4 + key_size, value_size),
            .event_time_us = (int64_t)((uint64_t)data[at + 2] << 56),
            .offset = (int8_t)data[at + 3],
            .source = data[at + 2],
            .tombstone = data[at + 3] % 2 == 1,
        };
        (void)block_writer_add(writer, &row);
        at += 4 + key_size + value_size;
        rows++;
    }
    if (rows > 0) {
        uint64_t checksum;
        struct bytes block = block_writer_take(writer, &checksum);
        struct err err;
        struct row row;
        bool more = true;
        size_t got = 0;
        CHECK(block_reader_start(reader, block, &err));
        for (;;) {
            CHECK(block_reader_next(reader, &row, &more, &err));
            if (!more) {
                break;
            }
            got++;
        }
        CHECK(got == rows);
    }
    block_reader_free(reader);
    block_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once as it is, once with size and checksum made right: or no changed byte would ever get behind
 * them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_block(data, size);
    if (size >= BLOCK_HEADER_BYTES) {
        uint8_t *right = malloc(size);
        CHECK(right != NULL);
        memcpy(right, data, size);
        put_u32le(right + 4, (uint32_t)(size - BLOCK_HEADER_BYTES));
        put_u64le(right + 16, block_checksum(right, size - BLOCK_HEADER_BYTES));
        read_block(right, size);
        free(right);
    }
    write_block(data, size);
    return 0;
}
