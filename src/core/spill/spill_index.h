/* What a set of sorted rows holds, section by section: the table of contents of a spill. */
#ifndef TIDEMARK_CORE_SPILL_SPILL_INDEX_H
#define TIDEMARK_CORE_SPILL_SPILL_INDEX_H

#include "core/base/arena.h"
#include "core/spill/row.h"
#include "core/spill/source_table.h"

/* The part of a section that came from one source. */
struct section_source {
    uint32_t source; /* ascending in a section */
    uint64_t rows;
    uint64_t tombstones; /* of these rows */
    int64_t offset_min;
    int64_t offset_max; /* inclusive */
};

/* All rows of one event window and one group, in the order of row_compare. `group` is the shard; 0
 * for all rows where the number of shards is known only at the close. */
struct section {
    int64_t window; /* index of the event window; 0 for triggers without event time */
    uint32_t group;
    uint32_t source_count;
    struct section_source *sources;
    uint64_t rows; /* > 0 */
    uint64_t tombstones;
    uint64_t key_bytes; /* sums over all rows */
    uint64_t value_bytes;
    uint64_t key_size_min; /* sizes in bytes, over all rows */
    uint64_t key_size_max;
    uint64_t value_size_min; /* over rows that are no tombstones; 0 and 0 without such */
    uint64_t value_size_max;
    int64_t event_time_min_us;
    int64_t event_time_max_us;
    /* Its place in the object; zeroes for rows in memory. */
    uint64_t place;
    uint64_t stored_bytes;
    uint64_t digest; /* of its blocks: spill_digest_add */
};

/* A place for each of so many sources, numbered, without rows; malloc'ed. */
struct section_source *section_sources_new(uint32_t count);

/* Adds a row to what the section says of its rows; `sources` has a place for every source, by its
 * number. In the end those without rows are left out. */
void section_count_row(struct section *section, const struct row *row);
void section_drop_empty_sources(struct section *section);

struct spill_index {
    struct source_table sources;
    enum row_order order;
    struct section *sections; /* ascending by (window, group), no pair twice */
    size_t section_count;
    uint64_t rows;
    struct arena *arena; /* sections and their sources */
};

/* A zeroed struct is an empty index. */
void spill_index_done(struct spill_index *index);

/* The section of (window, group); NULL when there are no such rows. */
const struct section *spill_index_find(const struct spill_index *index, int64_t window,
                                       uint32_t group);

/* The first section whose (window, group) is not below the pair: sections of a range of windows are
 * neighbours. `section_count` when there is none. */
size_t spill_index_lower_bound(const struct spill_index *index, int64_t window, uint32_t group);

#endif
