/* Do rows come out of the buffer by window and shard, sorted and counted, and all memory back? */
#include "consumer/rows/shard_buffer.h"

#include "tests/support/test_rows.h"

enum { PARTITIONS_MAX = 16 };

struct place {
    int64_t window;
    uint32_t group;
};

/* Where a row goes: a function of its source and offset, so that it can be asked again. */
static struct place place_of(const struct row *row, int64_t windows, uint32_t groups)
{
    uint64_t hash = ((uint64_t)row->offset * 31 + row->source) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
    return (struct place){.window = (int64_t)(hash % (uint64_t)windows) - windows / 2,
                          .group = (uint32_t)(hash / 7 % groups)};
}

/* Partitions are named backwards: the buffer's slots and the numbers of the table differ. */
static uint32_t slot_of(struct shard_buffer *buffer, uint32_t source)
{
    return shard_buffer_source(buffer, "topic", (int32_t)source);
}

static void fill(struct shard_buffer *buffer, const struct test_rows *rows, uint32_t sources,
                 int64_t windows, uint32_t groups)
{
    for (uint32_t i = sources; i > 0; i--) {
        (void)slot_of(buffer, i - 1);
    }
    for (size_t i = 0; i < rows->count; i++) {
        struct row row = rows->rows[i];
        struct place place = place_of(&row, windows, groups);
        row.source = slot_of(buffer, row.source);
        cr_assert(shard_buffer_append(buffer, place.window, place.group, &row));
    }
}

static void check_statistics(const struct section *section, const struct row *rows, size_t count)
{
    uint64_t tombstones = 0;
    uint64_t key_bytes = 0;
    uint64_t value_bytes = 0;
    size_t parts = 0;
    for (uint32_t s = 0; s < PARTITIONS_MAX; s++) {
        struct section_source part = {.source = s, .offset_min = INT64_MAX, .offset_max = -1};
        for (size_t i = 0; i < count; i++) {
            if (rows[i].source == s) {
                part.rows++;
                part.tombstones += rows[i].tombstone;
                part.offset_min = rows[i].offset < part.offset_min ? rows[i].offset
                                                                   : part.offset_min;
                part.offset_max = rows[i].offset > part.offset_max ? rows[i].offset
                                                                   : part.offset_max;
            }
        }
        if (part.rows > 0) {
            const struct section_source *got = &section->sources[parts++];
            cr_assert_eq(got->source, s);
            cr_assert_eq(got->rows, part.rows);
            cr_assert_eq(got->tombstones, part.tombstones);
            cr_assert_eq(got->offset_min, part.offset_min);
            cr_assert_eq(got->offset_max, part.offset_max);
        }
    }
    for (size_t i = 0; i < count; i++) {
        tombstones += rows[i].tombstone;
        key_bytes += rows[i].key.size;
        value_bytes += rows[i].value.size;
        cr_assert(rows[i].key.size >= section->key_size_min &&
                  rows[i].key.size <= section->key_size_max);
        cr_assert(rows[i].event_time_us >= section->event_time_min_us &&
                  rows[i].event_time_us <= section->event_time_max_us);
        cr_assert(rows[i].tombstone || (rows[i].value.size >= section->value_size_min &&
                                        rows[i].value.size <= section->value_size_max));
    }
    cr_assert_eq(section->source_count, parts);
    cr_assert_eq(section->rows, count);
    cr_assert_eq(section->tombstones, tombstones);
    cr_assert_eq(section->key_bytes, key_bytes);
    cr_assert_eq(section->value_bytes, value_bytes);
}

static void check_sorted(struct row_set *set, const struct test_rows *rows, enum row_order order,
                         int64_t windows, uint32_t groups)
{
    const struct spill_index *index = set->index;
    cr_assert_eq(index->order, order);
    cr_assert_eq(index->rows, rows->count);
    struct row *wanted = arena_alloc(rows->arena, (rows->count + 1) * sizeof *wanted);
    size_t seen = 0;
    for (size_t i = 0; i < index->section_count; i++) {
        const struct section *section = &index->sections[i];
        cr_assert(i == 0 || section[-1].window < section->window ||
                  (section[-1].window == section->window && section[-1].group < section->group));
        size_t count = 0;
        for (size_t k = 0; k < rows->count; k++) {
            struct place place = place_of(&rows->rows[k], windows, groups);
            if (place.window == section->window && place.group == section->group) {
                wanted[count++] = rows->rows[k];
            }
        }
        check_statistics(section, wanted, count);
        test_rows_sort(wanted, count, order);
        for (int again = 0; again < 2; again++) {
            struct row_stream *stream = NULL;
            struct err err = {0};
            cr_assert(row_set_open(set, i, &stream, &err));
            test_rows_expect(stream, wanted, count);
            row_stream_free(stream);
        }
        seen += count;
    }
    cr_assert_eq(seen, rows->count);
}

static const struct {
    const char *what;
    struct test_rows_plan plan;
    int64_t windows;
    uint32_t groups;
} cases[] = {
    {"one section", {.count = 5000, .keys = 100000, .sources = 1, .value_bytes_max = 20}, 1, 1},
    {"many sections", {.count = 6000, .keys = 1000, .sources = 7, .value_bytes_max = 9}, 5, 8},
    {"hardly a row a section", {.count = 2000, .keys = 9, .sources = 3}, 40, 50},
    {"one hot key", {.count = 4000, .keys = 1, .sources = 5, .value_bytes_max = 3}, 2, 1},
    {"few keys", {.count = 4000, .keys = 5, .sources = 16, .tombstones_per_million = 500000}, 1, 2},
    {"keys of all sizes",
     {.count = 6000, .keys = 3000, .sources = 2, .key_bytes_max = 40, .value_bytes_max = 5},
     2,
     2},
    {"long common beginnings",
     {.count = 1500, .keys = 600, .sources = 2, .key_bytes_max = 9000},
     1,
     1},
    {"only tombstones",
     {.count = 300, .keys = 50, .sources = 2, .tombstones_per_million = 1000000},
     2,
     2},
    {"one row", {.count = 1, .keys = 1, .sources = 1, .value_bytes_max = 8}, 1, 1},
};

Test(shard_buffer, sections_are_sorted_and_counted)
{
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        for (int order = ROW_ORDER_OFFSET; order <= ROW_ORDER_EVENT_TIME; order++) {
            struct test_rows rows = test_rows_make(i + 1, &cases[i].plan);
            struct budget budget;
            budget_init(&budget, UINT64_MAX);
            struct shard_buffer *buffer = shard_buffer_new(&budget);
            fill(buffer, &rows, cases[i].plan.sources, cases[i].windows, cases[i].groups);
            cr_assert_eq(shard_buffer_rows(buffer), rows.count);
            cr_assert_eq(shard_buffer_bytes(buffer), budget_used(&budget));
            struct sorted_rows *sorted = shard_buffer_sort(buffer, (enum row_order)order);
            cr_assert_eq(shard_buffer_rows(buffer), 0);
            cr_assert_eq(sorted_rows_bytes(sorted), budget_used(&budget));
            check_sorted(&sorted->set, &rows, (enum row_order)order, cases[i].windows,
                         cases[i].groups);
            row_set_free(&sorted->set);
            cr_assert_eq(budget_used(&budget), 0, "%s: %llu bytes are left", cases[i].what,
                         (unsigned long long)budget_used(&budget));
            shard_buffer_free(buffer);
            budget_done(&budget);
            test_rows_done(&rows);
        }
    }
}

Test(shard_buffer, goes_on_after_a_sort_and_with_new_sources)
{
    struct budget budget;
    budget_init(&budget, UINT64_MAX);
    struct shard_buffer *buffer = shard_buffer_new(&budget);
    cr_assert_null(shard_buffer_sort(buffer, ROW_ORDER_OFFSET));
    uint32_t later = shard_buffer_source(buffer, "b", 0);
    struct row row = {.key = bytes_of_text("key"), .value = bytes_of_text("1"), .source = later};
    cr_assert(shard_buffer_append(buffer, 3, 0, &row));
    struct sorted_rows *first = shard_buffer_sort(buffer, ROW_ORDER_OFFSET);
    uint32_t earlier = shard_buffer_source(buffer, "a", 0);
    cr_assert_eq(shard_buffer_source(buffer, "b", 0), later, "a number stays");
    cr_assert(shard_buffer_append(buffer, 3, 0, &row));
    struct row other = row;
    other.source = earlier;
    cr_assert(shard_buffer_append(buffer, 3, 0, &other));
    struct sorted_rows *second = shard_buffer_sort(buffer, ROW_ORDER_OFFSET);
    cr_assert_eq(first->set.index->sources.count, 1);
    cr_assert_eq(second->set.index->sources.count, 2);
    struct row wanted[] = {row, other};
    wanted[0].source = 1; /* b */
    wanted[1].source = 0; /* a: older, as its number is lower */
    struct row_stream *stream = NULL;
    struct err err = {0};
    cr_assert(row_set_open(&second->set, 0, &stream, &err));
    test_rows_expect(stream, wanted, 2);
    row_stream_free(stream);
    row_set_free(&first->set);
    row_set_free(&second->set);
    cr_assert(shard_buffer_append(buffer, 3, 0, &row));
    shard_buffer_free(buffer);
    cr_assert_eq(budget_used(&budget), 0);
    budget_done(&budget);
}

Test(shard_buffer, huge_rows)
{
    static uint8_t data[5 << 20];
    struct budget budget;
    budget_init(&budget, UINT64_MAX);
    struct shard_buffer *buffer = shard_buffer_new(&budget);
    uint32_t source = shard_buffer_source(buffer, "t", 0);
    struct row rows[] = {
        {.key = bytes_of(data, 70000),
         .value = bytes_of(data, sizeof data),
         .offset = 2,
         .source = source},
        {.key = bytes_of(data, 70001), .offset = 1, .source = source, .tombstone = true},
        {.key = bytes_of(data, 70001), .value = bytes_of(NULL, 0), .source = source},
    };
    for (size_t i = 3; i > 0; i--) {
        cr_assert(shard_buffer_append(buffer, 0, 0, &rows[i - 1]));
    }
    cr_assert_geq(budget_used(&budget), sizeof data);
    struct sorted_rows *sorted = shard_buffer_sort(buffer, ROW_ORDER_OFFSET);
    struct row_stream *stream = NULL;
    struct err err = {0};
    cr_assert(row_set_open(&sorted->set, 0, &stream, &err));
    test_rows_expect(stream, rows, 3);
    row_stream_free(stream);
    row_set_free(&sorted->set);
    shard_buffer_free(buffer);
    cr_assert_eq(budget_used(&budget), 0);
    budget_done(&budget);
}
