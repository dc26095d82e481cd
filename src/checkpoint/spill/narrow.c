/* Few streams out of many: what is read at the same time takes memory. */
#include "checkpoint/spill/narrow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/os_random.h"
#include "checkpoint/spill/spill_out.h"
#include "checkpoint/spill/spill_reader.h"
#include "core/spill/merge.h"

enum { STOP_CHECK_ROWS = 4096 };

/* The rows of a file that has no name any more. */
struct file_rows {
    struct row_stream stream;
    struct row_set *set;
    struct row_stream *rows;
};

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    return row_stream_next(((struct file_rows *)stream)->rows, ret_row, ret_more, err);
}

static void free_rows(struct row_stream *stream)
{
    struct file_rows *self = (struct file_rows *)stream;
    row_stream_free(self->rows);
    row_set_free(self->set);
    free(self);
}

static const struct row_stream_ops file_rows_ops = {.next = next_row, .free = free_rows};

static bool copy_rows(const struct narrow_request *request, struct row_stream *from,
                      struct spill_out *out, struct section *section, struct err *err)
{
    for (uint64_t i = 0;; i++) {
        struct row row;
        bool more = false;
        if (i % STOP_CHECK_ROWS == 0 && request->stop != NULL && atomic_load(request->stop)) {
            return err_set(err, ERR_STOPPED, "stopped while merging rows");
        }
        TRY(row_stream_next(from, &row, &more, err));
        if (!more) {
            return true;
        }
        CHECK(row.source < request->sources->count);
        section_count_row(section, &row);
        TRY(spill_out_row(out, &row, err));
    }
}

/* All rows into one section of the file; none: the file is no spill, and goes with `out`. */
static bool write_rows(const struct narrow_request *request, struct row_stream *from,
                       struct spill_out *out, struct section *section, struct err *err)
{
    TRY(copy_rows(request, from, out, section, err));
    if (section->rows == 0) {
        return true;
    }
    section_drop_empty_sources(section);
    struct spill_index index = {.sources = *request->sources,
                                .order = request->order,
                                .sections = section,
                                .section_count = 1,
                                .rows = section->rows};
    struct spill_out_end end;
    return spill_out_section(out, section, err) && spill_out_finish(out, &index, false, &end, err);
}

static bool open_rows(const char *path, struct row_stream **ret_stream, struct err *err)
{
    struct file_rows *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->stream.ops = &file_rows_ops;
    if (!spill_open_file(path, &self->set, err) || !row_set_open(self->set, 0, &self->rows, err)) {
        row_set_free(self->set);
        free(self);
        return false;
    }
    *ret_stream = &self->stream;
    return true;
}

/* *ret_stream is NULL where there are no rows. */
static bool to_file(const struct narrow_request *request, struct row_stream *from, const char *path,
                    struct row_stream **ret_stream, struct err *err)
{
    struct spill_out *out = NULL;
    struct section section = {.sources = section_sources_new(request->sources->count),
                              .source_count = request->sources->count};
    bool done = spill_out_open(path, request->order, &out, err) &&
                write_rows(request, from, out, &section, err);
    spill_out_free(out);
    *ret_stream = NULL;
    if (done && section.rows > 0) {
        done = open_rows(path, ret_stream, err);
        (void)unlink(path);
    }
    free(section.sources);
    return done;
}

/* The first `merged` of them become one, the last. */
static bool merge_first(const struct narrow_request *request, struct row_stream **streams,
                        size_t *count, size_t merged, struct err *err)
{
    char random[17];
    char *path = NULL;
    os_random_hex(random, sizeof random - 1);
    CHECK(asprintf(&path, "%s.merge-%s", request->path, random) > 0);
    struct row_stream *from = merge_new(request->order, streams, merged);
    memmove(streams, streams + merged, (*count - merged) * sizeof *streams);
    *count -= merged;
    struct row_stream *made = NULL;
    bool done = to_file(request, from, path, &made, err);
    row_stream_free(from);
    free(path);
    if (made != NULL) {
        streams[(*count)++] = made;
    }
    return done;
}

bool narrow_streams(const struct narrow_request *request, struct row_stream **streams,
                    size_t *count, struct err *err)
{
    while (*count > NARROW_STREAMS_MAX) {
        size_t too_many = *count - NARROW_STREAMS_MAX + 1; /* as one they are none too many */
        TRY(merge_first(request, streams, count,
                        too_many < NARROW_STREAMS_MAX ? too_many : NARROW_STREAMS_MAX, err));
    }
    return true;
}
