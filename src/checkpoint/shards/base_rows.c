/* The rows of a state before this build, as one of the sorted streams of a merge. */
#include "checkpoint/shards/base_rows.h"

#include <stdlib.h>

struct base_rows {
    struct row_stream stream;
    struct row_stream *rows;
    struct base_rule rule;
    uint8_t scratch[KEY_INTEGER_BYTES_MAX];
};

/* An expression of today may have no shard for a key that was there before it. */
static bool tell_key(const struct base_rule *rule, struct bytes stored, struct err *err)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    key_print(rule->from, stored, &text);
    return err_wrap(err, "the key %.80s of the base", buf_text(&text));
}

/* A vector of zeros has a distance, and no direction. */
static bool check_vector(const struct base_rule *rule, const struct row *row, struct err *err)
{
    struct vector_row packed;
    const char *problem = NULL;
    size_t index = 0;
    TRY(vector_row_unpack(row->value, rule->vector_dim, &packed, err));
    if (packed.vector.size == 0 ||
        vector_check(packed.vector, rule->vector_dim, rule->metric, &problem, &index)) {
        return true;
    }
    err_set(err, ERR_INPUT, "its vector does not do for %s: %s", vector_metric_name(rule->metric),
            problem);
    return tell_key(rule, row->key, err);
}

/* Integers keep their order from one width to another; other keys stay the bytes they are. A
 * deleted key that has no place today can never come back: nobody needs to remember it. */
static bool look_at(struct base_rows *self, struct row *row, bool *ret_mine, struct err *err)
{
    const struct base_rule *rule = &self->rule;
    struct logical_key key;
    uint32_t shard = 0;
    TRY(key_load(rule->from, row->key, &key, err));
    *ret_mine = false;
    if (!route_shard(rule->router, &key, rule->num_dbs, &shard, err)) {
        return row->tombstone || tell_key(rule, row->key, err);
    }
    if (shard != rule->shard) {
        return true;
    }
    TRY(rule->vector_dim == 0 || row->tombstone || check_vector(rule, row, err));
    enum reject_cause cause =
        rule->from == rule->to ? REJECT_NONE : key_store(rule->to, &key, self->scratch, &row->key);
    *ret_mine = cause == REJECT_NONE;
    return *ret_mine || row->tombstone ||
           err_set(err, ERR_INPUT, "a key of the base does not fit into %s",
                   key_encoding_name(rule->to));
}

static bool next(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err)
{
    struct base_rows *self = (struct base_rows *)stream;
    for (;;) {
        struct row row;
        bool more = false;
        TRY(row_stream_next(self->rows, &row, &more, err));
        bool mine = false;
        if (more) {
            TRY(look_at(self, &row, &mine, err));
        }
        if (!more || mine) {
            *ret_more = more;
            if (more) {
                *ret_row = row;
            }
            return true;
        }
    }
}

static void free_rows(struct row_stream *stream)
{
    struct base_rows *self = (struct base_rows *)stream;
    row_stream_free(self->rows);
    free(self);
}

static const struct row_stream_ops base_rows_ops = {.next = next, .free = free_rows};

/* ---- rows with their order ---- */

struct ordered_rows {
    struct row_stream stream;
    struct row_stream *rows; /* NULL: deleted keys alone */
    struct row_stream *orders;
    const uint32_t *borrowed_map;
};

static bool do_not_belong(struct err *err, const char *why)
{
    return err_set(err, ERR_CORRUPT, "a shard of the base and its order object differ: %s", why);
}

/* Every row that is in the order object and not deleted is in the file, and no other. */
static bool take_value(struct ordered_rows *self, struct row *row, struct err *err)
{
    struct row stored;
    bool more = false;
    TRY(self->rows == NULL || row_stream_next(self->rows, &stored, &more, err));
    if (!more || !bytes_equal(stored.key, row->key)) {
        return do_not_belong(err, "a key is not in the shard");
    }
    row->value = stored.value;
    return true;
}

static bool check_ended(struct ordered_rows *self, struct err *err)
{
    struct row stored;
    bool more = false;
    TRY(self->rows == NULL || row_stream_next(self->rows, &stored, &more, err));
    return !more || do_not_belong(err, "the shard has more keys");
}

static bool next_ordered(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                         struct err *err)
{
    struct ordered_rows *self = (struct ordered_rows *)stream;
    struct row row;
    bool more = false;
    TRY(row_stream_next(self->orders, &row, &more, err));
    if (!more) {
        *ret_more = false;
        return check_ended(self, err);
    }
    row.source = self->borrowed_map[row.source];
    row.of_base = true;
    TRY(row.tombstone || take_value(self, &row, err));
    *ret_row = row;
    *ret_more = true;
    return true;
}

static void free_ordered(struct row_stream *stream)
{
    struct ordered_rows *self = (struct ordered_rows *)stream;
    row_stream_free(self->rows);
    row_stream_free(self->orders);
    free(self);
}

static const struct row_stream_ops ordered_rows_ops = {.next = next_ordered, .free = free_ordered};

static bool open_rows(const struct base_file *file, const uint32_t *borrowed_map,
                      struct row_stream **ret_rows, struct err *err)
{
    if (file->order == NULL) {
        return kv_rows(file->rows, ret_rows, err);
    }
    struct ordered_rows *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    *self = (struct ordered_rows){.stream.ops = &ordered_rows_ops, .borrowed_map = borrowed_map};
    if ((file->rows != NULL && !kv_rows(file->rows, &self->rows, err)) ||
        !row_set_open(file->order, 0, &self->orders, err)) {
        free_ordered(&self->stream);
        return false;
    }
    *ret_rows = &self->stream;
    return true;
}

bool base_rows_open(const struct base_file *file, const uint32_t *borrowed_map,
                    const struct base_rule *borrowed_rule, struct row_stream **ret_rows,
                    struct err *err)
{
    struct row_stream *rows = NULL;
    TRY(open_rows(file, borrowed_map, &rows, err));
    if (borrowed_rule == NULL) {
        *ret_rows = rows;
        return true;
    }
    struct base_rows *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    *self = (struct base_rows){.stream.ops = &base_rows_ops, .rows = rows, .rule = *borrowed_rule};
    *ret_rows = &self->stream;
    return true;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

bool base_rows_may_share(uint32_t shard, uint32_t num_dbs, uint32_t old_shard, uint32_t old_num_dbs)
{
    uint32_t divisor = common_divisor(num_dbs, old_num_dbs);
    return shard % divisor == old_shard % divisor;
}
