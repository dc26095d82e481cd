/* Do rows survive a block, and is every wrong byte of one noticed? */
#include "core/spill/block.h"
#include "core/spill/varint.h"
#include "tests/support/test_rows.h"

static void expect_rows(struct bytes block, const struct row *rows, size_t count)
{
    struct block_reader *reader = block_reader_new();
    struct err err = {0};
    struct row row;
    bool more;
    cr_assert(block_reader_start(reader, block, &err), "%s", err.message);
    for (size_t i = 0; i < count; i++) {
        cr_assert(block_reader_next(reader, &row, &more, &err), "%s", err.message);
        cr_assert(more && test_rows_equal(&row, &rows[i]), "row %zu", i);
    }
    cr_assert(block_reader_next(reader, &row, &more, &err), "%s", err.message);
    cr_assert(!more);
    block_reader_free(reader);
}

/* Rows through blocks cut where the writer says so. Returns the bytes of all blocks. */
static size_t round_trip(const struct row *rows, size_t count)
{
    struct block_writer *writer = block_writer_new();
    size_t stored = 0;
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        if (block_writer_add(writer, &rows[i]) || i + 1 == count) {
            uint64_t checksum;
            struct bytes block = block_writer_take(writer, &checksum);
            cr_assert_eq(get_u64le(block.data + 16), checksum);
            expect_rows(block, rows + first, i + 1 - first);
            stored += block.size;
            first = i + 1;
        }
    }
    cr_assert(block_writer_is_empty(writer));
    block_writer_free(writer);
    return stored;
}

Test(block, random_rows)
{
    struct test_rows_plan plan = {.count = 20000,
                                  .keys = 3000,
                                  .sources = 300,
                                  .key_bytes_max = 70,
                                  .value_bytes_max = 90,
                                  .tombstones_per_million = 100000};
    struct test_rows rows = test_rows_make(1, &plan);
    round_trip(rows.rows, rows.count);
    test_rows_done(&rows);
}

Test(block, extreme_numbers)
{
    static const int64_t numbers[] = {INT64_MIN, -1, 0, 1, INT64_MAX, 1700000000000000};
    struct row rows[LENGTH_OF(numbers) * LENGTH_OF(numbers)] = {0};
    size_t count = 0;
    for (size_t i = 0; i < LENGTH_OF(numbers); i++) {
        for (size_t k = 0; k < LENGTH_OF(numbers); k++) {
            rows[count++] = (struct row){.key = bytes_of_text("k"),
                                         .offset = numbers[i],
                                         .event_time_us = numbers[k],
                                         .source = i == 0 ? UINT32_MAX : (uint32_t)k,
                                         .tombstone = k % 2 == 0};
        }
    }
    round_trip(rows, count);
}

Test(block, huge_and_empty_rows)
{
    static uint8_t data[3 * BLOCK_TARGET_BYTES];
    struct row rows[] = {
        {.key = bytes_of(NULL, 0)},
        {.key = bytes_of(data, sizeof data), .value = bytes_of(data, sizeof data)},
        {.key = bytes_of(data, 1), .value = bytes_of(NULL, 0), .tombstone = true},
    };
    size_t stored = round_trip(rows, LENGTH_OF(rows));
    cr_assert_lt(stored, 64 * 1024, "zeroes compress: %zu", stored);
}

Test(block, what_does_not_compress_is_stored_raw)
{
    struct test_rows_plan plan = {
        .count = 4000, .keys = 4000, .sources = 1, .value_bytes_max = 1000};
    struct test_rows rows = test_rows_make(2, &plan);
    size_t raw = 0;
    for (size_t i = 0; i < rows.count; i++) {
        raw += rows.rows[i].key.size + rows.rows[i].value.size;
    }
    size_t stored = round_trip(rows.rows, rows.count);
    cr_assert_lt(stored, raw + rows.count * 16);
    test_rows_done(&rows);
}

static struct buf one_block(bool compressible)
{
    struct test_rows_plan plan = {
        .count = 50, .keys = 50, .sources = 3, .value_bytes_max = compressible ? 0 : 60};
    struct test_rows rows = test_rows_make(3, &plan);
    struct block_writer *writer = block_writer_new();
    for (size_t i = 0; i < rows.count; i++) {
        rows.rows[i].key = compressible ? bytes_of_text("a key that comes again and again")
                                        : rows.rows[i].key;
        cr_assert(!block_writer_add(writer, &rows.rows[i]));
    }
    uint64_t checksum;
    struct buf block;
    buf_init(&block, 1 << 20);
    buf_add_bytes(&block, block_writer_take(writer, &checksum));
    block_writer_free(writer);
    test_rows_done(&rows);
    return block;
}

/* True when all rows come out. */
static bool reads(struct bytes block, struct err *err)
{
    struct block_reader *reader = block_reader_new();
    struct row row;
    bool more = true;
    bool ok = block_reader_start(reader, block, err);
    while (ok && more) {
        ok = block_reader_next(reader, &row, &more, err);
    }
    block_reader_free(reader);
    return ok;
}

Test(block, every_flipped_bit_and_every_cut_is_noticed)
{
    for (int kind = 0; kind < 2; kind++) {
        struct buf block = one_block(kind == 1);
        cr_assert_eq(get_u32le(block.data + 12), kind == 1 ? BLOCK_ZSTD : BLOCK_RAW);
        struct err err = {0};
        for (size_t bit = 0; bit < 8 * block.size; bit++) {
            block.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert(!reads(buf_bytes(&block), &err), "bit %zu", bit);
            cr_assert_eq(err.kind, ERR_CORRUPT);
            block.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t size = 0; size < block.size; size++) {
            cr_assert(!reads(bytes_of(block.data, size), &err), "%zu bytes", size);
            cr_assert_eq(err.kind, ERR_CORRUPT);
        }
        cr_assert(reads(buf_bytes(&block), &err), "%s", err.message);
        buf_done(&block);
    }
}

Test(block, varints)
{
    uint8_t bytes[VARINT_MAX];
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int64_t near = -1; near <= 1; near++) {
            uint64_t value = (UINT64_C(1) << shift) + (uint64_t)near;
            uint8_t *end = varint_put(bytes, value);
            uint64_t got;
            cr_assert_eq(varint_get(bytes, end, &got), end);
            cr_assert_eq(got, value);
            cr_assert_null(varint_get(bytes, end - 1, &got));
            cr_assert_eq(varint_unzigzag(varint_zigzag((int64_t)value)), (int64_t)value);
        }
    }
    static const uint8_t too_long[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    uint64_t got;
    cr_assert_null(varint_get(too_long, too_long + sizeof too_long, &got));
}
