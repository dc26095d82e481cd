/* Many sorted streams to one. */
#ifndef TIDEMARK_CORE_SPILL_MERGE_H
#define TIDEMARK_CORE_SPILL_MERGE_H

#include "core/spill/row_stream.h"
#include "core/spill/source_table.h"

/* A stream in the order of row_compare over all rows of `streams`. Rows of ROW_SOURCE_BASE are
 * older than all others of their key (PROTOCOL R6). A tree of losers: log2(n) comparisons a row, on
 * eight bytes of the key where these differ. The array is copied; the streams are freed with the
 * merge. Of one stream it is that stream itself; of none, one without rows. */
struct row_stream *merge_new(enum row_order order, struct row_stream *const *take_streams,
                             size_t count);

#endif
