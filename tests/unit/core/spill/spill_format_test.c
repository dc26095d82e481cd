/* Does a spill's table of contents survive its bytes, and is every wrong one refused? */
#include "core/spill/spill_format.h"

#include <criterion/criterion.h>

#include "core/spill/block.h"

/* Three sections of two windows, of up to three sources. */
static void make_index(struct spill_index *index)
{
    *index = (struct spill_index){.order = ROW_ORDER_EVENT_TIME, .arena = arena_new(4096)};
    source_table_add(&index->sources, "orders", 0);
    source_table_add(&index->sources, "orders", 7);
    source_table_add(&index->sources, "a.topic_with-all.kinds", INT32_MAX);
    index->section_count = 3;
    index->sections = arena_zero(index->arena, 3 * sizeof *index->sections);
    uint64_t place = SPILL_HEADER_BYTES;
    for (uint32_t i = 0; i < 3; i++) {
        struct section_source *parts = arena_zero(index->arena, 3 * sizeof *parts);
        struct section *section = &index->sections[i];
        *section = (struct section){
            .window = i == 0 ? INT64_MIN : INT64_MAX,
            .group = i,
            .source_count = i + 1,
            .sources = parts,
            .key_bytes = 100 + i,
            .value_bytes = UINT64_MAX,
            .key_size_min = 1,
            .key_size_max = 65536,
            .value_size_min = i,
            .value_size_max = 1 << 20,
            .event_time_min_us = INT64_MIN,
            .event_time_max_us = -1 + (int64_t)i,
            .place = place,
            .stored_bytes = BLOCK_HEADER_BYTES + 1000 * i,
            .digest = UINT64_C(0x0123456789abcdef) << i,
        };
        for (uint32_t k = 0; k <= i; k++) {
            parts[k] = (struct section_source){.source = k,
                                               .rows = 5 + k,
                                               .tombstones = k,
                                               .offset_min = -3,
                                               .offset_max = INT64_MAX - k};
            section->rows += parts[k].rows;
            section->tombstones += parts[k].tombstones;
        }
        index->rows += section->rows;
        place += section->stored_bytes;
    }
}

static uint64_t end_of(const struct spill_index *index)
{
    const struct section *last = &index->sections[index->section_count - 1];
    return last->place + last->stored_bytes;
}

static bool parts_equal(const struct section_source *a, const struct section_source *b)
{
    return a->source == b->source && a->rows == b->rows && a->tombstones == b->tombstones &&
           a->offset_min == b->offset_min && a->offset_max == b->offset_max;
}

Test(spill_format, index_round_trip)
{
    struct spill_index index;
    make_index(&index);
    struct buf bytes;
    buf_init(&bytes, 1 << 20);
    spill_index_encode(&index, &bytes);
    struct spill_index got;
    struct err err = {0};
    cr_assert(spill_index_decode(buf_bytes(&bytes), index.order, end_of(&index), &got, &err), "%s",
              err.message);
    cr_assert_eq(got.rows, index.rows);
    cr_assert_eq(got.order, index.order);
    cr_assert_eq(got.section_count, index.section_count);
    uint32_t map[3];
    cr_assert_eq(got.sources.count, 3);
    cr_assert(source_table_map(&got.sources, &index.sources, map));
    for (size_t i = 0; i < index.section_count; i++) {
        struct section a = index.sections[i];
        struct section b = got.sections[i];
        for (uint32_t k = 0; k < a.source_count; k++) {
            cr_assert(parts_equal(&a.sources[k], &b.sources[k]));
        }
        a.sources = b.sources = NULL;
        cr_assert_eq(memcmp(&a, &b, sizeof a), 0, "section %zu", i);
    }
    spill_index_done(&got);
    spill_index_done(&index);
    buf_done(&bytes);
}

Test(spill_format, index_cut_short_or_of_another_object)
{
    struct spill_index index;
    make_index(&index);
    struct buf bytes;
    buf_init(&bytes, 1 << 20);
    spill_index_encode(&index, &bytes);
    struct spill_index got;
    struct err err = {0};
    for (size_t size = 0; size < bytes.size; size++) {
        cr_assert(!spill_index_decode(bytes_of(bytes.data, size), index.order, end_of(&index), &got,
                                      &err));
        cr_assert_eq(err.kind, ERR_CORRUPT);
    }
    cr_assert(!spill_index_decode(buf_bytes(&bytes), index.order, end_of(&index) + 1, &got, &err));
    cr_assert(!spill_index_decode(buf_bytes(&bytes), index.order, end_of(&index) - 1, &got, &err));
    cr_assert(!spill_index_decode(buf_bytes(&bytes), index.order, 0, &got, &err));
    buf_add_byte(&bytes, 0);
    cr_assert(!spill_index_decode(buf_bytes(&bytes), index.order, end_of(&index), &got, &err));
    spill_index_done(&index);
    buf_done(&bytes);
}

/* Each makes an index that no writer makes. */
static void swap_sections(struct spill_index *index)
{
    index->sections[1].group = 2;
}

static void no_rows(struct spill_index *index)
{
    index->sections[0].sources[0].rows = 0;
}

static void foreign_source(struct spill_index *index)
{
    index->sections[0].sources[0].source = 3;
}

static void offsets_upside_down(struct spill_index *index)
{
    index->sections[0].sources[0].offset_max = -4;
}

static void times_upside_down(struct spill_index *index)
{
    index->sections[2].event_time_min_us = 2;
}

static void wrong_tombstones(struct spill_index *index)
{
    index->sections[2].tombstones++;
}

static void no_block(struct spill_index *index)
{
    index->sections[0].stored_bytes = BLOCK_HEADER_BYTES - 1;
    index->sections[1].stored_bytes++;
}

static void same_source_twice(struct spill_index *index)
{
    index->sections[2].sources[1].source = 0;
}

Test(spill_format, an_index_that_contradicts_itself)
{
    static void (*const spoil[])(struct spill_index *) = {
        swap_sections,     no_rows,          foreign_source, offsets_upside_down,
        times_upside_down, wrong_tombstones, no_block,       same_source_twice,
    };
    for (size_t i = 0; i < LENGTH_OF(spoil); i++) {
        struct spill_index index;
        make_index(&index);
        uint64_t end = end_of(&index);
        spoil[i](&index);
        struct buf bytes;
        buf_init(&bytes, 1 << 20);
        spill_index_encode(&index, &bytes);
        struct spill_index got;
        struct err err = {0};
        cr_assert(!spill_index_decode(buf_bytes(&bytes), index.order, end, &got, &err), "%zu", i);
        cr_assert_eq(err.kind, ERR_CORRUPT);
        spill_index_done(&index);
        buf_done(&bytes);
    }
}

Test(spill_format, header_and_footer)
{
    uint8_t header[SPILL_HEADER_BYTES];
    enum row_order order;
    struct err err = {0};
    spill_header_encode(ROW_ORDER_EVENT_TIME, header);
    cr_assert(spill_header_decode(header, &order, &err));
    cr_assert_eq(order, ROW_ORDER_EVENT_TIME);
    for (size_t i = 0; i < sizeof header; i++) {
        header[i] ^= 0x40;
        cr_assert(!spill_header_decode(header, &order, &err), "byte %zu", i);
        cr_assert_eq(err.kind, ERR_CORRUPT);
        header[i] ^= 0x40;
    }
    struct spill_footer footer = {
        .index_place = 1000, .index_bytes = 77, .rows = 5, .index_checksum = 99};
    uint8_t end[SPILL_FOOTER_BYTES];
    spill_footer_encode(&footer, end);
    struct spill_footer got;
    uint64_t size = 1000 + 77 + SPILL_FOOTER_BYTES;
    cr_assert(spill_footer_decode(end, size, &got, &err), "%s", err.message);
    cr_assert_eq(memcmp(&got, &footer, sizeof got), 0);
    cr_assert(!spill_footer_decode(end, size + 1, &got, &err));
    cr_assert(!spill_footer_decode(end, size - 1, &got, &err));
    for (size_t i = 0; i < sizeof end; i++) {
        end[i] ^= 1;
        cr_assert(!spill_footer_decode(end, size, &got, &err), "byte %zu", i);
        end[i] ^= 1;
    }
}

Test(spill_format, sections_are_found)
{
    struct section sections[] = {{.window = -5, .group = 1},
                                 {.window = -5, .group = 4},
                                 {.window = 0, .group = 0},
                                 {.window = 7, .group = 4}};
    struct spill_index index = {.sections = sections, .section_count = LENGTH_OF(sections)};
    for (size_t i = 0; i < LENGTH_OF(sections); i++) {
        cr_assert_eq(spill_index_find(&index, sections[i].window, sections[i].group), &sections[i]);
    }
    cr_assert_null(spill_index_find(&index, -5, 2));
    cr_assert_null(spill_index_find(&index, 7, 5));
    cr_assert_eq(spill_index_lower_bound(&index, INT64_MIN, 0), 0);
    cr_assert_eq(spill_index_lower_bound(&index, -5, 2), 1);
    cr_assert_eq(spill_index_lower_bound(&index, 1, 0), 3);
    cr_assert_eq(spill_index_lower_bound(&index, 8, 0), 4);
}
