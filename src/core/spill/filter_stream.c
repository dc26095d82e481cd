/* The rows of one section that belong to a build. */
#include "core/spill/filter_stream.h"

#include <stdlib.h>

struct filter_stream {
    struct row_stream stream;
    struct row_stream *rows; /* owned */
    const struct filter *borrowed_filter;
    const uint32_t *borrowed_map;
    uint64_t *borrowed_counts;
    int64_t window;
    bool takes_all; /* the whole section belongs to the build: only the numbers are to be changed */
};

static bool next(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err)
{
    struct filter_stream *self = (struct filter_stream *)stream;
    struct row row;
    bool more;
    for (;;) {
        TRY(row_stream_next(self->rows, &row, &more, err));
        if (!more) {
            *ret_more = false;
            return true;
        }
        row.source = self->borrowed_map[row.source];
        if (self->takes_all) {
            break;
        }
        enum filter_verdict verdict = FILTER_OUTSIDE;
        if (row.source != SOURCE_NONE) {
            verdict = filter_row(self->borrowed_filter, self->window, row.source, row.offset,
                                 row.event_time_us);
        }
        if (self->borrowed_counts != NULL) {
            self->borrowed_counts[verdict]++;
        }
        if (filter_takes(self->borrowed_filter, verdict)) {
            break;
        }
    }
    *ret_row = row;
    *ret_more = true;
    return true;
}

static void free_stream(struct row_stream *stream)
{
    struct filter_stream *self = (struct filter_stream *)stream;
    row_stream_free(self->rows);
    free(self);
}

static const struct row_stream_ops filter_stream_ops = {.next = next, .free = free_stream};

static bool is_identity(const uint32_t *map, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (map[i] != i) {
            return false;
        }
    }
    return true;
}

bool filter_stream_open(const struct filter *filter, struct row_set *set, size_t section,
                        const uint32_t *map, uint64_t *counts, struct row_stream **ret_stream,
                        struct err *err)
{
    const struct section *of = &set->index->sections[section];
    enum filter_verdict verdict = filter_section(filter, of, map);
    bool takes_all = verdict != FILTER_MIXED && filter_takes(filter, verdict);
    if (verdict != FILTER_MIXED && counts != NULL) {
        counts[verdict] += of->rows;
    }
    if (verdict != FILTER_MIXED && !takes_all) {
        *ret_stream = NULL;
        return true;
    }
    struct row_stream *rows = NULL;
    TRY(row_set_open(set, section, &rows, err));
    if (takes_all && is_identity(map, set->index->sources.count)) {
        *ret_stream = rows;
        return true;
    }
    struct filter_stream *self = malloc(sizeof *self);
    CHECK(self != NULL);
    *self = (struct filter_stream){
        .stream = {.ops = &filter_stream_ops},
        .rows = rows,
        .borrowed_filter = filter,
        .borrowed_map = map,
        .borrowed_counts = counts,
        .window = of->window,
        .takes_all = takes_all,
    };
    *ret_stream = &self->stream;
    return true;
}
