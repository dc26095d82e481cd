/* One row a key: the newest wins, a tombstone deletes. */
#include "core/spill/dedupe.h"

#include <stdlib.h>

#include "core/spill/key_prefix.h"

struct dedupe {
    struct row_stream stream;
    struct row_stream *sorted; /* owned */
    struct dedupe_counts *borrowed_counts;
    struct dedupe_listener listener;
    bool started;
    bool shared;     /* the key in hand is counted in shared_keys */
    bool has_source; /* a row of this build had it … */
    uint32_t source; /* … the newest such row's */
    uint64_t prefix; /* of the key in hand */
    uint8_t *key;    /* a copy of it: the stream's view ends with the next row */
    size_t key_size;
    size_t key_capacity;
};

static void keep_key(struct dedupe *self, struct bytes key, uint64_t prefix)
{
    if (key.size > self->key_capacity) {
        size_t capacity = key.size < 256 ? 256 : key.size * 2;
        uint8_t *grown = realloc(self->key, capacity);
        CHECK(grown != NULL);
        self->key = grown;
        self->key_capacity = capacity;
    }
    if (key.size > 0) {
        memcpy(self->key, key.data, key.size);
    }
    self->key_size = key.size;
    self->prefix = prefix;
}

/* 0: the row is of the key in hand; 1: of a new one; -1: of one that should have come before. */
static int compare_to_last(const struct dedupe *self, const struct row *row, uint64_t prefix)
{
    if (!self->started) {
        return 1;
    }
    return key_prefix_compare(prefix, row->key, self->prefix, bytes_of(self->key, self->key_size));
}

/* Where such rows are counted; NULL: there is no such source. */
static struct dedupe_source *counts_of(struct dedupe *self, const struct row *row)
{
    struct dedupe_counts *counts = self->borrowed_counts;
    if (row->of_base || row->source == ROW_SOURCE_BASE) {
        return &counts->base;
    }
    return row->source < counts->source_count ? &counts->sources[row->source] : NULL;
}

/* A key is shared when rows of this build have it from two sources. */
static void share_key(struct dedupe *self, const struct row *row)
{
    if (!self->has_source) {
        self->has_source = true;
        self->source = row->source;
    } else if (!self->shared && row->source != self->source) {
        self->shared = true;
        self->borrowed_counts->shared_keys++;
    }
}

static void count_older(struct dedupe *self, const struct row *row, struct dedupe_source *counts)
{
    counts->superseded++;
    if (counts != &self->borrowed_counts->base) {
        share_key(self, row);
    }
}

static bool take_newest(struct dedupe *self, const struct row *row, uint64_t prefix,
                        struct err *err)
{
    self->started = true;
    self->shared = false;
    self->has_source = false;
    keep_key(self, row->key, prefix);
    return self->listener.newest == NULL || self->listener.newest(self->listener.context, row, err);
}

static bool next(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err)
{
    struct dedupe *self = (struct dedupe *)stream;
    struct row row;
    bool more;
    for (;;) {
        TRY(row_stream_next(self->sorted, &row, &more, err));
        if (!more) {
            *ret_more = false;
            return true;
        }
        struct dedupe_source *counts = counts_of(self, &row);
        if (counts == NULL) {
            return err_set(err, ERR_CORRUPT, "a row of source %u, of which there are %u",
                           row.source, self->borrowed_counts->source_count);
        }
        uint64_t prefix = key_prefix(row.key);
        int order = compare_to_last(self, &row, prefix);
        if (order == 0) {
            count_older(self, &row, counts);
            continue;
        }
        if (order < 0) {
            return err_set(err, ERR_CORRUPT, "rows are not in the order of their keys");
        }
        TRY(take_newest(self, &row, prefix, err));
        if (counts != &self->borrowed_counts->base) {
            share_key(self, &row);
        }
        if (!row.tombstone) {
            counts->stored++;
            *ret_row = row;
            *ret_more = true;
            return true;
        }
        counts->tombstones++;
    }
}

static void free_dedupe(struct row_stream *stream)
{
    struct dedupe *self = (struct dedupe *)stream;
    row_stream_free(self->sorted);
    free(self->key);
    free(self);
}

static const struct row_stream_ops dedupe_ops = {.next = next, .free = free_dedupe};

struct row_stream *dedupe_new(struct row_stream *take_sorted, struct dedupe_counts *borrowed_counts)
{
    struct dedupe *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->stream.ops = &dedupe_ops;
    self->sorted = take_sorted;
    self->borrowed_counts = borrowed_counts;
    return &self->stream;
}

void dedupe_listen(struct row_stream *dedupe, struct dedupe_listener listener)
{
    CHECK(dedupe->ops == &dedupe_ops);
    ((struct dedupe *)dedupe)->listener = listener;
}
