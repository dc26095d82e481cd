/* Two sorted streams of rows side by side: which keys differ. */
#ifndef TIDEMARK_CHECKPOINT_READING_ROWS_DIFFER_H
#define TIDEMARK_CHECKPOINT_READING_ROWS_DIFFER_H

#include <stdatomic.h>

#include "core/spill/row_stream.h"

/* Keys ascend in both. Of several rows of a key the first counts; a tombstone stands for no row. */

enum rows_difference {
    ROWS_ADDED,   /* on the right alone */
    ROWS_REMOVED, /* on the left alone */
    ROWS_CHANGED, /* on both, with other values */
};

struct rows_differ_counts {
    uint64_t left; /* keys with a value */
    uint64_t right;
    uint64_t equal;
    uint64_t differ[ROWS_CHANGED + 1]; /* by enum rows_difference */
};

/* Called for each key that differs, in order; rows are valid until it returns. `left` is NULL where
 * the left has no row of the key at all, and may be a tombstone; so is `right`. False ends it. */
struct rows_differ_sink {
    bool (*found)(void *to, enum rows_difference difference, const struct row *left,
                  const struct row *right, struct err *err);
    void *to;
};

/* `sink` and `stop` may be NULL. On failure *ret_right says whose stream it was. Errors: those of
 * the streams and of the sink; STOPPED. */
MUST_CHECK bool rows_differ(struct row_stream *left, struct row_stream *right,
                            const struct rows_differ_sink *sink, const atomic_bool *stop,
                            struct rows_differ_counts *ret_counts, bool *ret_right,
                            struct err *err);

#endif
