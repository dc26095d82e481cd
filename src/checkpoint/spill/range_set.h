/* A set of rows, narrowed to ranges of offsets: what PLAN takes of a contribution. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_RANGE_SET_H
#define TIDEMARK_CHECKPOINT_SPILL_RANGE_SET_H

#include "core/coord/message.h"
#include "core/spill/row_set.h"

/* PROTOCOL R8: builders apply the ranges row by row. Partitions without a range give no rows, nor
 * do sources that `map` (may be NULL) has no number for: void ones. The set is borrowed and must
 * outlive the view; its index is the view's, so sizes are upper bounds. */
struct row_set *range_set_new(struct row_set *borrowed_set, const struct plan_range *ranges,
                              size_t count, const uint32_t *map);

#endif
