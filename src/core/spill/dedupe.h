/* One row a key: the newest wins, a tombstone deletes, and every row is counted. */
#ifndef TIDEMARK_CORE_SPILL_DEDUPE_H
#define TIDEMARK_CORE_SPILL_DEDUPE_H

#include "core/spill/row_stream.h"
#include "core/spill/source_table.h"

/* Each row that goes in is counted once (PROTOCOL R1). */
struct dedupe_source {
    uint64_t stored;     /* the newest of its key, with a value */
    uint64_t superseded; /* there is a newer row of its key */
    uint64_t tombstones; /* the newest of its key, a tombstone */
};

struct dedupe_counts {
    struct dedupe_source *sources; /* by source number; the caller's array */
    uint32_t source_count;
    struct dedupe_source base; /* rows of the snapshot before */
    uint64_t shared_keys;      /* keys with rows of two or more sources, base not counted */
};

/* Takes the sorted stream, gives the rows to be stored: keys strictly ascending, no tombstones. A
 * row is valid until the next call. `borrowed_counts` is filled as rows pass, complete at the end.
 * The array of sources must reach over every source number of the stream: CORRUPT otherwise, and
 * when rows are out of order. */
struct row_stream *dedupe_new(struct row_stream *take_sorted,
                              struct dedupe_counts *borrowed_counts);

/* Hears of the newest row of every key, tombstones included, as it passes; a failure of `newest` is
 * that of the stream. Before the first row. */
struct dedupe_listener {
    bool (*newest)(void *context, const struct row *row, struct err *err);
    void *context;
};
void dedupe_listen(struct row_stream *dedupe, struct dedupe_listener listener);

#endif
