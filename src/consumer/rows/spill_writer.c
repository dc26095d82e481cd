/* Sorted rows -> one spill object in a local file.
 *
 * The happy path: header, the blocks of each section, index, footer, fsync. What can go wrong: the
 * disk is full, the set cannot be read, somebody wants us to stop: the file is removed. */
#include "consumer/rows/spill_writer.h"

#include <stdlib.h>

#include "checkpoint/spill/spill_out.h"

enum { STOP_CHECK_ROWS = 4096 };

void spill_ref_done(struct spill_ref *ref)
{
    free(ref->path);
    *ref = (struct spill_ref){0};
}

static bool is_stopped(const atomic_bool *stop)
{
    return stop != NULL && atomic_load_explicit(stop, memory_order_relaxed);
}

static bool put_rows(struct spill_out *out, struct row_stream *rows, uint64_t row_count,
                     const atomic_bool *stop, struct err *err)
{
    struct row row;
    bool more;
    for (uint64_t i = 0;; i++) {
        if (i % STOP_CHECK_ROWS == 0 && is_stopped(stop)) {
            return err_set(err, ERR_STOPPED, "stopped while writing a spill");
        }
        TRY(row_stream_next(rows, &row, &more, err));
        if (!more) {
            CHECK(i == row_count);
            return true;
        }
        TRY(spill_out_row(out, &row, err));
    }
}

static bool put_section(struct spill_out *out, struct row_set *set, size_t number,
                        struct section *section, const atomic_bool *stop, struct err *err)
{
    struct row_stream *rows = NULL;
    TRY(row_set_open(set, number, &rows, err));
    bool ok = put_rows(out, rows, section->rows, stop, err);
    row_stream_free(rows);
    return ok && spill_out_section(out, section, err);
}

/* The set's own index belongs to it: the places go into a copy that borrows all the rest. */
static bool put_all(struct spill_out *out, struct row_set *set, bool sync, const atomic_bool *stop,
                    struct spill_out_end *end, struct err *err)
{
    struct spill_index index = *set->index;
    size_t size = index.section_count * sizeof *index.sections;
    index.sections = malloc(size + 1);
    CHECK(index.sections != NULL);
    memcpy(index.sections, set->index->sections, size);
    bool ok = true;
    for (size_t i = 0; i < index.section_count && ok; i++) {
        ok = put_section(out, set, i, &index.sections[i], stop, err);
    }
    ok = ok && spill_out_finish(out, &index, sync, end, err);
    free(index.sections);
    return ok;
}

bool spill_write(struct row_set *set, const char *path, bool sync, const atomic_bool *stop,
                 struct spill_ref *ret_ref, struct err *err)
{
    struct spill_out *out = NULL;
    struct spill_out_end end;
    TRY(spill_out_open(path, set->index->order, &out, err));
    bool ok = put_all(out, set, sync, stop, &end, err);
    spill_out_free(out);
    TRY(ok);
    *ret_ref = (struct spill_ref){
        .path = strdup(path), .rows = set->index->rows, .bytes = end.bytes, .digest = end.digest};
    CHECK(ret_ref->path != NULL);
    return true;
}
