/* Rows for tests: made from a seed, sorted plainly, given as a stream that catches stale views. */
#ifndef TIDEMARK_TESTS_SUPPORT_TEST_ROWS_H
#define TIDEMARK_TESTS_SUPPORT_TEST_ROWS_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/spill/row_stream.h"
#include "core/spill/source_table.h"

struct test_rows {
    struct arena *arena;
    struct row *rows;
    size_t count;
};

/* How to make rows: few keys give many rows a key. */
struct test_rows_plan {
    size_t count;
    size_t keys; /* different ones, at most */
    uint32_t sources;
    size_t key_bytes_max; /* 0: eight bytes, big-endian */
    size_t value_bytes_max;
    uint32_t tombstones_per_million;
};

static inline struct bytes test_rows_key(struct rng *rng, const struct test_rows_plan *plan,
                                         struct arena *arena)
{
    uint64_t number = rng_below(rng, plan->keys);
    if (plan->key_bytes_max == 0) {
        uint8_t *key = arena_alloc(arena, 8);
        put_u64be(key, number * UINT64_C(0x9e3779b97f4a7c15));
        return bytes_of(key, 8);
    }
    /* Few different bytes, NULs among them, and long common beginnings: what prefixes get wrong. */
    struct rng of_key;
    rng_init(&of_key, number);
    size_t size = rng_below(&of_key, plan->key_bytes_max + 1);
    uint8_t *key = arena_alloc(arena, size + 1);
    size_t common = rng_below(&of_key, size + 1);
    for (size_t i = 0; i < size; i++) {
        key[i] = i < common ? 'a' : (uint8_t)("\0ab\xff"[rng_below(&of_key, 4)]);
    }
    return bytes_of(key, size);
}

/* Offsets ascend from 0 in each source, as a partition has them; event times jump about. */
static inline struct test_rows test_rows_make(uint64_t seed, const struct test_rows_plan *plan)
{
    struct rng rng;
    rng_init(&rng, seed);
    struct test_rows made = {.arena = arena_new(1 << 16), .count = plan->count};
    made.rows = arena_zero(made.arena, (plan->count + 1) * sizeof *made.rows);
    int64_t *next = arena_zero(made.arena, plan->sources * sizeof *next);
    for (size_t i = 0; i < plan->count; i++) {
        struct row *row = &made.rows[i];
        row->source = (uint32_t)rng_below(&rng, plan->sources);
        row->offset = next[row->source]++;
        row->event_time_us = (int64_t)rng_below(&rng, 1000) - 500;
        row->key = test_rows_key(&rng, plan, made.arena);
        row->tombstone = rng_chance(&rng, plan->tombstones_per_million);
        if (!row->tombstone) {
            size_t size = rng_below(&rng, plan->value_bytes_max + 1);
            uint8_t *value = arena_alloc(made.arena, size + 1);
            for (size_t at = 0; at < size; at++) {
                value[at] = (uint8_t)rng_next(&rng);
            }
            row->value = bytes_of(value, size);
        }
    }
    return made;
}

static inline void test_rows_done(struct test_rows *rows)
{
    rows->arena = arena_free(rows->arena);
}

/* The order of row_compare by the plainest means there is. */
static inline int test_rows_compare_offset(const void *a, const void *b)
{
    return row_compare(ROW_ORDER_OFFSET, a, b);
}

static inline int test_rows_compare_event_time(const void *a, const void *b)
{
    return row_compare(ROW_ORDER_EVENT_TIME, a, b);
}

static inline void test_rows_sort(struct row *rows, size_t count, enum row_order order)
{
    if (count > 1) {
        qsort(rows, count, sizeof *rows,
              order == ROW_ORDER_OFFSET ? test_rows_compare_offset : test_rows_compare_event_time);
    }
}

static inline bool test_rows_equal(const struct row *a, const struct row *b)
{
    return bytes_equal(a->key, b->key) && bytes_equal(a->value, b->value) &&
           a->event_time_us == b->event_time_us && a->offset == b->offset &&
           a->source == b->source && a->tombstone == b->tombstone;
}

/* The stream must give exactly these rows. */
static inline void test_rows_expect(struct row_stream *stream, const struct row *rows, size_t count)
{
    struct err err = {0};
    struct row row;
    bool more;
    for (size_t i = 0; i < count; i++) {
        cr_assert(row_stream_next(stream, &row, &more, &err), "row %zu: %s", i, err.message);
        cr_assert(more, "the stream ends before row %zu of %zu", i, count);
        cr_assert(test_rows_equal(&row, &rows[i]), "row %zu differs: offset %lld, wanted %lld", i,
                  (long long)row.offset, (long long)rows[i].offset);
    }
    cr_assert(row_stream_next(stream, &row, &more, &err), "%s", err.message);
    cr_assert(!more);
}

/* A stream of borrowed rows whose views end with the next call: each row is a copy of its own,
 * freed then: the address sanitizer sees whoever looks at an old one. Fails at row `fail_at`. */
struct test_stream {
    struct row_stream stream;
    const struct row *rows;
    size_t count;
    size_t at;
    size_t fail_at;
    uint8_t *copy;
};

static inline bool test_stream_next(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                                    struct err *err)
{
    struct test_stream *self = (struct test_stream *)stream;
    free(self->copy);
    self->copy = NULL;
    if (self->at == self->fail_at) {
        return err_set(err, ERR_TRANSIENT, "the test's stream fails at row %zu", self->at);
    }
    *ret_more = self->at < self->count;
    if (!*ret_more) {
        return true;
    }
    *ret_row = self->rows[self->at++];
    self->copy = malloc(ret_row->key.size + ret_row->value.size + 1);
    cr_assert_not_null(self->copy);
    if (ret_row->key.size > 0) {
        memcpy(self->copy, ret_row->key.data, ret_row->key.size);
    }
    if (ret_row->value.size > 0) {
        memcpy(self->copy + ret_row->key.size, ret_row->value.data, ret_row->value.size);
    }
    ret_row->key.data = self->copy;
    ret_row->value.data = self->copy + ret_row->key.size;
    return true;
}

static inline void test_stream_free(struct row_stream *stream)
{
    free(((struct test_stream *)stream)->copy);
    free(stream);
}

static const struct row_stream_ops test_stream_ops = {.next = test_stream_next,
                                                      .free = test_stream_free};

static inline struct row_stream *test_stream_new_failing(const struct row *rows, size_t count,
                                                         size_t fail_at)
{
    struct test_stream *self = calloc(1, sizeof *self);
    cr_assert_not_null(self);
    *self = (struct test_stream){
        .stream = {.ops = &test_stream_ops}, .rows = rows, .count = count, .fail_at = fail_at};
    return &self->stream;
}

static inline struct row_stream *test_stream_new(const struct row *rows, size_t count)
{
    return test_stream_new_failing(rows, count, SIZE_MAX);
}

#endif
