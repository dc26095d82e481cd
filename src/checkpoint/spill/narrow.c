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

/* Rows in a file that has no name any more. */
struct narrowed_file {
    struct row_set *set;
    size_t users; /* streams, and who keeps it for more of them */
};

struct file_rows {
    struct row_stream stream;
    struct narrowed_file *file;
    struct row_stream *rows;
};

static void let_go(struct narrowed_file *file)
{
    if (--file->users == 0) {
        row_set_free(file->set);
        free(file);
    }
}

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    return row_stream_next(((struct file_rows *)stream)->rows, ret_row, ret_more, err);
}

static void free_rows(struct row_stream *stream)
{
    struct file_rows *self = (struct file_rows *)stream;
    row_stream_free(self->rows);
    let_go(self->file);
    free(self);
}

static bool open_file(struct narrowed_file *file, struct row_stream **ret_stream, struct err *err)
{
    static const struct row_stream_ops ops = {.next = next_row, .free = free_rows};
    struct row_stream *rows = NULL;
    TRY(row_set_open(file->set, 0, &rows, err));
    struct file_rows *self = malloc(sizeof *self);
    CHECK(self != NULL);
    *self = (struct file_rows){.stream = {.ops = &ops}, .file = file, .rows = rows};
    file->users++;
    *ret_stream = &self->stream;
    return true;
}

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

/* *ret_set is NULL where there are no rows; its file has no name any more. */
static bool to_file(const struct narrow_request *request, struct row_stream *from, const char *path,
                    struct row_set **ret_set, struct err *err)
{
    struct spill_out *out = NULL;
    struct section section = {.sources = section_sources_new(request->sources->count),
                              .source_count = request->sources->count};
    bool done = spill_out_open(path, request->order, &out, err) &&
                write_rows(request, from, out, &section, err);
    spill_out_free(out);
    *ret_set = NULL;
    if (done && section.rows > 0) {
        done = spill_open_file(path, ret_set, err);
        (void)unlink(path);
    }
    free(section.sources);
    return done;
}

static void keep(struct narrowed *narrowed, struct narrowed_file *file)
{
    if (narrowed->count == narrowed->capacity) {
        narrowed->capacity = narrowed->capacity * 2 + 8;
        narrowed->files = realloc(narrowed->files, narrowed->capacity * sizeof *narrowed->files);
        CHECK(narrowed->files != NULL);
    }
    narrowed->files[narrowed->count++] = file;
    file->users++;
}

/* Of the first `merged` of so many streams, some may be of files that were made before: these stand
 * behind the others. */
static void note_merged(struct narrowed *narrowed, size_t streams, size_t merged)
{
    size_t others = streams - narrowed->count;
    size_t gone = merged > others ? merged - others : 0;
    narrowed->merged += merged - gone;
    if (gone == 0) {
        return;
    }
    for (size_t i = 0; i < gone; i++) {
        let_go(narrowed->files[i]);
    }
    narrowed->count -= gone;
    memmove(narrowed->files, narrowed->files + gone, narrowed->count * sizeof *narrowed->files);
}

/* The first `merged` of them become one, the last. */
static bool merge_first(const struct narrow_request *request, struct row_stream **streams,
                        size_t *count, size_t merged, struct narrowed *narrowed, struct err *err)
{
    char random[17];
    char *path = NULL;
    os_random_hex(random, sizeof random - 1);
    CHECK(asprintf(&path, "%s.merge-%s", request->path, random) > 0);
    struct row_stream *from = merge_new(request->order, streams, merged);
    note_merged(narrowed, *count, merged);
    memmove(streams, streams + merged, (*count - merged) * sizeof *streams);
    *count -= merged;
    struct row_set *set = NULL;
    bool done = to_file(request, from, path, &set, err);
    row_stream_free(from);
    free(path);
    if (set != NULL) {
        struct narrowed_file *file = calloc(1, sizeof *file);
        CHECK(file != NULL);
        file->set = set;
        keep(narrowed, file);
        TRY(open_file(file, &streams[*count], err));
        (*count)++;
    }
    return done;
}

bool narrow_streams(const struct narrow_request *request, struct row_stream **streams,
                    size_t *count, struct narrowed *narrowed, struct err *err)
{
    CHECK(narrowed->count == 0 && narrowed->merged == 0);
    while (*count > NARROW_STREAMS_MAX) {
        size_t too_many = *count - NARROW_STREAMS_MAX + 1; /* as one they are none too many */
        TRY(merge_first(request, streams, count,
                        too_many < NARROW_STREAMS_MAX ? too_many : NARROW_STREAMS_MAX, narrowed,
                        err));
    }
    return true;
}

bool narrowed_open(const struct narrowed *narrowed, size_t at, struct row_stream **ret_stream,
                   struct err *err)
{
    CHECK(at < narrowed->count);
    return open_file(narrowed->files[at], ret_stream, err);
}

void narrowed_done(struct narrowed *narrowed)
{
    for (size_t i = 0; i < narrowed->count; i++) {
        let_go(narrowed->files[i]);
    }
    free(narrowed->files);
    *narrowed = (struct narrowed){0};
}
