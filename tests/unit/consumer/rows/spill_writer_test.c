/* Do rows survive a spill file, and is every wrong byte of it noticed and named? */
#include "consumer/rows/spill_writer.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/rows/shard_buffer.h"
#include "tests/support/test_rows.h"

static char folder[] = "/tmp/tidemark-spill-XXXXXX";

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    struct err err;
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
}

static const char *path_of(const char *name)
{
    static char path[4][200];
    static unsigned next;
    char *at = path[next++ % 4];
    snprintf(at, 200, "%s/%s", folder, name);
    return at;
}

TestSuite(spill_writer, .init = make_folder, .fini = remove_folder);

/* Rows of three windows and two groups, sorted. */
static struct sorted_rows *sorted_of(const struct test_rows *rows)
{
    struct shard_buffer *buffer = shard_buffer_new(NULL);
    for (int32_t i = 0; i < 4; i++) {
        cr_assert_eq(shard_buffer_source(buffer, "topic", i), (uint32_t)i);
    }
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->rows[i];
        cr_assert(shard_buffer_append(buffer, row->offset % 3 - 1, (uint32_t)row->offset % 2, row));
    }
    struct sorted_rows *sorted = shard_buffer_sort(buffer, ROW_ORDER_OFFSET);
    shard_buffer_free(buffer);
    return sorted;
}

static void expect_same(struct row_set *a, struct row_set *b)
{
    cr_assert_eq(a->index->section_count, b->index->section_count);
    for (size_t i = 0; i < a->index->section_count; i++) {
        struct row_stream *left = NULL;
        struct row_stream *right = NULL;
        struct err err = {0};
        cr_assert_eq(a->index->sections[i].window, b->index->sections[i].window);
        cr_assert_eq(a->index->sections[i].group, b->index->sections[i].group);
        cr_assert_eq(a->index->sections[i].rows, b->index->sections[i].rows);
        cr_assert(row_set_open(a, i, &left, &err), "%s", err.message);
        cr_assert(row_set_open(b, i, &right, &err), "%s", err.message);
        bool more = true;
        while (more) {
            struct row row = {0};
            struct row other = {0};
            bool other_more;
            cr_assert(row_stream_next(left, &row, &more, &err), "%s", err.message);
            cr_assert(row_stream_next(right, &other, &other_more, &err), "%s", err.message);
            cr_assert_eq(more, other_more);
            cr_assert(!more || test_rows_equal(&row, &other));
        }
        row_stream_free(left);
        row_stream_free(right);
    }
}

static const struct test_rows_plan plans[] = {
    {.count = 1, .keys = 1, .sources = 1, .value_bytes_max = 5},
    {.count = 40, .keys = 9, .sources = 4, .tombstones_per_million = 300000},
    {.count = 9000, .keys = 4000, .sources = 4, .key_bytes_max = 30, .value_bytes_max = 300},
    {.count = 40, .keys = 20, .sources = 2, .key_bytes_max = 200000, .value_bytes_max = 900000},
};

Test(spill_writer, rows_come_back)
{
    for (size_t i = 0; i < LENGTH_OF(plans); i++) {
        struct test_rows rows = test_rows_make(i, &plans[i]);
        struct sorted_rows *sorted = sorted_of(&rows);
        struct spill_ref ref;
        struct row_set *spill = NULL;
        struct err err = {0};
        uint64_t size;
        cr_assert(spill_write(&sorted->set, path_of("a"), i % 2 == 0, NULL, &ref, &err), "%s",
                  err.message);
        cr_assert(spill_open_file(ref.path, &spill, &err), "%s", err.message);
        cr_assert_eq(ref.rows, rows.count);
        cr_assert_eq(ref.digest, spill_digest(spill));
        cr_assert(file_size(ref.path, &size, &err));
        cr_assert_eq(ref.bytes, size);
        expect_same(&sorted->set, spill);
        /* a spill of the spill is the same file */
        struct spill_ref again;
        cr_assert(spill_write(spill, path_of("b"), false, NULL, &again, &err), "%s", err.message);
        cr_assert_eq(again.digest, ref.digest);
        cr_assert_eq(again.bytes, ref.bytes);
        cr_assert_eq(unlink(again.path), 0);
        cr_assert_eq(unlink(ref.path), 0);
        expect_same(&sorted->set, spill); /* an open spill outlives its name */
        spill_ref_done(&again);
        spill_ref_done(&ref);
        row_set_free(spill);
        row_set_free(&sorted->set);
        test_rows_done(&rows);
    }
}

Test(spill_writer, never_over_a_file_and_nothing_left_when_stopped)
{
    struct test_rows rows = test_rows_make(1, &plans[1]);
    struct sorted_rows *sorted = sorted_of(&rows);
    struct spill_ref ref;
    struct err err = {0};
    atomic_bool stop = true;
    cr_assert(!spill_write(&sorted->set, path_of("s"), false, &stop, &ref, &err));
    cr_assert_eq(err.kind, ERR_STOPPED);
    cr_assert_neq(access(path_of("s"), F_OK), 0);
    cr_assert(spill_write(&sorted->set, path_of("s"), false, NULL, &ref, &err));
    struct spill_ref other;
    cr_assert(!spill_write(&sorted->set, path_of("s"), false, NULL, &other, &err));
    cr_assert_eq(err.kind, ERR_CONFLICT);
    cr_assert_eq(access(path_of("s"), F_OK), 0, "the one that was there stays");
    cr_assert(!spill_write(&sorted->set, path_of("no/folder"), false, NULL, &other, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    spill_ref_done(&ref);
    row_set_free(&sorted->set);
    test_rows_done(&rows);
}

/* All rows of all sections. */
static bool reads(const char *path, struct err *err)
{
    struct row_set *spill = NULL;
    TRY(spill_open_file(path, &spill, err));
    bool ok = true;
    for (size_t i = 0; i < spill->index->section_count && ok; i++) {
        struct row_stream *stream = NULL;
        struct row row;
        bool more = true;
        ok = row_set_open(spill, i, &stream, err);
        while (ok && more) {
            ok = row_stream_next(stream, &row, &more, err);
        }
        row_stream_free(stream);
    }
    row_set_free(spill);
    return ok;
}

Test(spill_writer, every_flipped_byte_and_every_cut_is_noticed)
{
    struct test_rows rows = test_rows_make(1, &plans[1]);
    struct sorted_rows *sorted = sorted_of(&rows);
    struct spill_ref ref;
    struct err err = {0};
    struct buf content;
    buf_init(&content, 1 << 20);
    cr_assert(spill_write(&sorted->set, path_of("c"), false, NULL, &ref, &err));
    cr_assert(reads(ref.path, &err), "%s", err.message);
    cr_assert(file_read(ref.path, &content, &err));
    const char *spoiled = path_of("spoiled");
    for (size_t i = 0; i < content.size; i++) {
        content.data[i] ^= 4;
        FILE *file = fopen(spoiled, "wb");
        cr_assert_eq(fwrite(content.data, 1, content.size, file), content.size);
        fclose(file);
        content.data[i] ^= 4;
        cr_assert(!reads(spoiled, &err), "byte %zu", i);
        cr_assert_eq(err.kind, ERR_CORRUPT);
        cr_assert_not_null(strstr(err.message, spoiled), "%s", err.message);
    }
    for (size_t size = 0; size < content.size; size += 7) {
        FILE *file = fopen(spoiled, "wb");
        cr_assert_eq(fwrite(content.data, 1, size, file), size);
        fclose(file);
        cr_assert(!reads(spoiled, &err), "%zu bytes", size);
        cr_assert_eq(err.kind, ERR_CORRUPT);
    }
    cr_assert(!reads(path_of("none"), &err));
    cr_assert_eq(err.kind, ERR_MISSING);
    buf_done(&content);
    spill_ref_done(&ref);
    row_set_free(&sorted->set);
    test_rows_done(&rows);
}

/* One section of 200 rows with random values of one size: every such spill is laid out alike. */
static struct buf spill_of(uint64_t seed, const char *name)
{
    struct rng rng;
    rng_init(&rng, seed);
    struct shard_buffer *buffer = shard_buffer_new(NULL);
    uint32_t source = shard_buffer_source(buffer, "t", 0);
    for (int64_t i = 0; i < 200; i++) {
        uint8_t key[8];
        uint8_t value[64];
        put_u64be(key, (uint64_t)i);
        for (size_t at = 0; at < sizeof value; at += 8) {
            put_u64be(value + at, rng_next(&rng));
        }
        struct row row = {.key = bytes_of(key, sizeof key),
                          .value = bytes_of(value, sizeof value),
                          .offset = i,
                          .source = source};
        cr_assert(shard_buffer_append(buffer, 0, 0, &row));
    }
    struct sorted_rows *sorted = shard_buffer_sort(buffer, ROW_ORDER_OFFSET);
    shard_buffer_free(buffer);
    struct spill_ref ref;
    struct err err = {0};
    struct buf content;
    buf_init(&content, 1 << 20);
    cr_assert(spill_write(&sorted->set, path_of(name), false, NULL, &ref, &err), "%s", err.message);
    cr_assert(file_read(ref.path, &content, &err));
    spill_ref_done(&ref);
    row_set_free(&sorted->set);
    return content;
}

Test(spill_writer, a_good_block_of_another_spill_is_noticed)
{
    struct buf one = spill_of(1, "one");
    struct buf other = spill_of(2, "other");
    cr_assert_eq(one.size, other.size);
    struct err err = {0};
    cr_assert(reads(path_of("one"), &err), "%s", err.message);
    struct row_set *spill = NULL;
    cr_assert(spill_open_file(path_of("one"), &spill, &err), "%s", err.message);
    const struct section *section = &spill->index->sections[0];
    memcpy(one.data + section->place, other.data + section->place, section->stored_bytes);
    row_set_free(spill);
    FILE *file = fopen(path_of("mixed"), "wb");
    cr_assert_eq(fwrite(one.data, 1, one.size, file), one.size);
    fclose(file);
    cr_assert(!reads(path_of("mixed"), &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);
    cr_assert_not_null(strstr(err.message, "digest"), "%s", err.message);
    buf_done(&one);
    buf_done(&other);
}
