/* The rows of one section that belong to a build, with the source numbers of the build. */
#ifndef TIDEMARK_CORE_SPILL_FILTER_STREAM_H
#define TIDEMARK_CORE_SPILL_FILTER_STREAM_H

#include "core/spill/filter.h"
#include "core/spill/row_set.h"

/* Opens section `section` of the set under the filter. *ret_stream is NULL when no row of it can
 * belong to the build; it is the bare stream where all do and the numbers fit. `map` is borrowed
 * while the stream lives, as is the filter. `counts` (by verdict, may be NULL) is borrowed too and
 * counts the rows that pass through the filter row by row. Errors: as row_set_open. */
MUST_CHECK bool filter_stream_open(const struct filter *filter, struct row_set *set, size_t section,
                                   const uint32_t *map, uint64_t *counts,
                                   struct row_stream **ret_stream, struct err *err);

#endif
