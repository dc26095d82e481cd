/* A row_set of rows that a test has at hand, with true statistics. */
#ifndef TIDEMARK_TESTS_SUPPORT_TEST_SET_H
#define TIDEMARK_TESTS_SUPPORT_TEST_SET_H

#include "core/spill/row_set.h"
#include "tests/support/test_rows.h"

enum { TEST_SET_SECTIONS_MAX = 16 };

struct test_set {
    struct row_set set;
    struct spill_index index;
    struct row *rows[TEST_SET_SECTIONS_MAX]; /* borrowed, sorted */
    size_t fail_at;                          /* rows into each stream; SIZE_MAX: never */
    size_t opened;                           /* streams, since the start */
};

static inline bool test_set_open(struct row_set *set, size_t section,
                                 struct row_stream **ret_stream, struct err *err)
{
    (void)err;
    struct test_set *self = (struct test_set *)set;
    self->opened++;
    *ret_stream = test_stream_new_failing(
        self->rows[section], (size_t)self->index.sections[section].rows, self->fail_at);
    return true;
}

static inline void test_set_free(struct row_set *set)
{
    spill_index_done(&((struct test_set *)set)->index);
    free(set);
}

static const struct row_set_ops test_set_ops = {.open = test_set_open, .free = test_set_free};

/* The sources are the partitions 0 … sources - 1 of "topic". */
static inline struct test_set *test_set_new(enum row_order order, uint32_t sources)
{
    struct test_set *self = calloc(1, sizeof *self);
    cr_assert_not_null(self);
    self->set = (struct row_set){.ops = &test_set_ops, .index = &self->index};
    self->fail_at = SIZE_MAX;
    self->index.order = order;
    self->index.arena = arena_new(4096);
    self->index.sections =
        arena_zero(self->index.arena, TEST_SET_SECTIONS_MAX * sizeof *self->index.sections);
    for (uint32_t i = 0; i < sources; i++) {
        source_table_add(&self->index.sources, "topic", (int32_t)i);
    }
    return self;
}

static inline void test_set_widen(uint64_t *min, uint64_t *max, uint64_t value)
{
    *min = value < *min ? value : *min;
    *max = value > *max ? value : *max;
}

/* Sections come in the order of (window, group). Sorts the rows where they are. */
static inline void test_set_add(struct test_set *self, int64_t window, uint32_t group,
                                struct row *rows, size_t count)
{
    cr_assert(self->index.section_count < TEST_SET_SECTIONS_MAX && count > 0);
    test_rows_sort(rows, count, self->index.order);
    uint32_t sources = self->index.sources.count;
    struct section_source *parts = arena_zero(self->index.arena, sources * sizeof *parts);
    struct section section = {.window = window,
                              .group = group,
                              .sources = parts,
                              .rows = count,
                              .key_size_min = UINT64_MAX,
                              .value_size_min = UINT64_MAX,
                              .event_time_min_us = INT64_MAX,
                              .event_time_max_us = INT64_MIN};
    for (uint32_t s = 0; s < sources; s++) {
        struct section_source part = {.source = s, .offset_min = INT64_MAX};
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
            parts[section.source_count++] = part;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        section.tombstones += row->tombstone;
        test_set_widen(&section.key_size_min, &section.key_size_max, row->key.size);
        if (!row->tombstone) {
            test_set_widen(&section.value_size_min, &section.value_size_max, row->value.size);
        }
        section.event_time_min_us = row->event_time_us < section.event_time_min_us
                                        ? row->event_time_us
                                        : section.event_time_min_us;
        section.event_time_max_us = row->event_time_us > section.event_time_max_us
                                        ? row->event_time_us
                                        : section.event_time_max_us;
    }
    section.value_size_min = section.value_size_min == UINT64_MAX ? 0 : section.value_size_min;
    self->rows[self->index.section_count] = rows;
    self->index.sections[self->index.section_count++] = section;
    self->index.rows += count;
}

#endif
