/* Rows in the order of row_compare, one at a time: of a spill section, a buffer, a shard file. */
#ifndef TIDEMARK_CORE_SPILL_ROW_STREAM_H
#define TIDEMARK_CORE_SPILL_ROW_STREAM_H

#include "core/base/err.h"
#include "core/spill/row.h"

struct row_stream;

struct row_stream_ops {
    /* The next row, valid until the next call; *ret_more false at the end (then *ret_row is not
     * written). Errors: CORRUPT (bytes that do not check), TRANSIENT (the store), STOPPED. */
    bool (*next)(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err);
    void (*free)(struct row_stream *stream);
};

/* First member of every implementation. One thread at a time. */
struct row_stream {
    const struct row_stream_ops *ops;
};

MUST_CHECK static inline bool row_stream_next(struct row_stream *stream, struct row *ret_row,
                                              bool *ret_more, struct err *err)
{
    return stream->ops->next(stream, ret_row, ret_more, err);
}

static inline struct row_stream *row_stream_free(struct row_stream *stream)
{
    if (stream != NULL) {
        stream->ops->free(stream);
    }
    return NULL;
}

#endif
