/* Few streams out of many: what is read at the same time takes memory. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_NARROW_H
#define TIDEMARK_CHECKPOINT_SPILL_NARROW_H

#include <stdatomic.h>

#include "core/spill/row_stream.h"
#include "core/spill/source_table.h"

/* A stream of a spill holds a block, and what it is made of: about 300 KiB, so that these fit into
 * what the memory budget keeps for a build thread. A window of a day has many small spills, because
 * each local checkpoint writes one, and a build merges all of them. */
enum { NARROW_STREAMS_MAX = 48 };

struct narrow_request {
    enum row_order order;               /* of all streams */
    const struct source_table *sources; /* `row.source` is a number of it */
    const char *path; /* of files in the making, which begin so; each is gone from its folder as
                         soon as it is open */
    const atomic_bool *stop; /* may be NULL */
};

/* What was merged, for who reads the same streams once more. Zeroed: nothing. */
struct narrowed {
    struct narrowed_file **files;
    size_t count;
    size_t merged; /* so many of the streams, the first ones, are in the files */
    size_t capacity;
};

/* Leaves at most NARROW_STREAMS_MAX of them, which together have the same rows: others were merged
 * into a file, no more than that many at a time, and no more of them than must be. None may have
 * rows of a base. *narrowed holds nothing before; narrowed_done may come before the streams end.
 * Also when it fails, the streams that are left, and *narrowed, are the caller's. Blocks: build
 * threads only. Errors: as the streams', LIMIT (the disk), STOPPED. */
MUST_CHECK bool narrow_streams(const struct narrow_request *request, struct row_stream **streams,
                               size_t *count, struct narrowed *narrowed, struct err *err);

/* File `at`, once more. Errors: as of spills. */
MUST_CHECK bool narrowed_open(const struct narrowed *narrowed, size_t at,
                              struct row_stream **ret_stream, struct err *err);

/* The files are gone with the last of their streams. */
void narrowed_done(struct narrowed *narrowed);

#endif
