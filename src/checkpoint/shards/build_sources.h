/* Which source is which in one build: the sources of its records, and, where the order of older
 * rows is kept, theirs. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_BUILD_SOURCES_H
#define TIDEMARK_CHECKPOINT_SHARDS_BUILD_SOURCES_H

#include "checkpoint/shards/base_rows.h"
#include "core/spill/dedupe.h"
#include "core/spill/filter.h"

struct build_request;

/* `table` and `filter` are the build's own where nothing is added to them. */
struct build_sources {
    const struct source_table *table;
    const struct filter *filter; /* by numbers of `table` */
    bool some_unknown;           /* of older rows, the order is not known */
    const uint32_t *numbers;     /* of the build's sources in `table`; NULL: the same */
    struct {
        struct source_table table;
        struct filter filter;
        struct filter_source *sources;
        int64_t *no_cuts;
        uint32_t *numbers;
    } owned;
};

void build_sources_init(struct build_sources *sources, const struct build_request *request);
void build_sources_done(struct build_sources *sources);

/* Counts by number of `table` become counts by number of the build's sources, in place. */
void build_sources_fold(const struct build_sources *sources, uint32_t count,
                        struct dedupe_counts *counts);

/* The build's number of a source of `table`; SOURCE_NONE: it has none. */
uint32_t build_sources_back(const struct build_sources *sources, uint32_t count, uint32_t source);

#endif
