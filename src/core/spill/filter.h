/* Which build a row belongs to: a pure function of its window, its offset and the recorded cuts. */
#ifndef TIDEMARK_CORE_SPILL_FILTER_H
#define TIDEMARK_CORE_SPILL_FILTER_H

#include "core/spill/spill_index.h"

/* PROTOCOL R1, R2, R24. Builds are counted 1, 2, …; build n closes the event windows up to and
 * including `window`, takes what lies below its cuts, and has one bound for event times.
 *  - n = the first build whose cut for the row's source is above the row's offset
 *  - the row is *future* if its event time is above the bound of build n: it belongs to n for good
 *  - else it belongs to m = the first build from n on that closes its window; it is *late* if an
 *    earlier build closed that window already
 * Nothing here depends on who reads the row, how often, or when. */

struct filter_build {
    int64_t window;          /* the last event window it closes; ascends from build to build */
    int64_t future_bound_us; /* event times above it are future; INT64_MAX: no bound */
};

struct filter_source {
    int64_t tail_from; /* the contribution's range is [tail_from, cut) … */
    int64_t from;      /* … and PLAN may give a sub-range of it [from, to) (PROTOCOL R8) */
    int64_t to;
    const int64_t *cuts; /* of each build of `builds`; ascend. Not in a build: 0 */
    bool first_build;    /* not in any build before: its rows are never late (PROTOCOL R7) */
};

/* What to do with the rows that need a policy. */
struct filter_policy {
    bool take_late;   /* `next`; else they are dropped or dead-lettered */
    bool take_future; /* `keep`; else dead-lettered */
};

/* One build as a rule. All borrowed; by value where it is used. */
struct filter {
    /* Oldest first; the last one is the build itself. It needs every build whose cut for some
     * source is above that source's tail_from (the lineage keeps these, R24), and nothing older. */
    const struct filter_build *builds;
    size_t build_count;                  /* > 0 */
    int64_t closed_before;               /* last window of the build before; INT64_MIN: none */
    const struct filter_source *sources; /* by source number of the build's table */
    uint32_t source_count;
    struct filter_policy policy;
};

enum filter_verdict {
    FILTER_TAKE,      /* belongs to this build, in time */
    FILTER_LATE,      /* belongs to this build, late: policy `late` */
    FILTER_FUTURE,    /* belongs to this build, dated too far ahead: policy `future` */
    FILTER_PUBLISHED, /* belongs to an earlier build */
    FILTER_LATER,     /* below the cut, of a window that is still open: carried out */
    FILTER_OUTSIDE,   /* not in [tail_from, cut), or not in [from, to) */
    FILTER_VERDICTS,
    FILTER_MIXED = FILTER_VERDICTS, /* filter_section only: it depends on the row */
};

/* `source` is a number of the build's table, below source_count. */
enum filter_verdict filter_row(const struct filter *filter, int64_t window, uint32_t source,
                               int64_t offset, int64_t event_time_us);

/* The one verdict on all rows of a section, or FILTER_MIXED. `map` as source_table_map made it, of
 * the section's table to the build's; a source that is not in the build's table is OUTSIDE. */
enum filter_verdict filter_section(const struct filter *filter, const struct section *section,
                                   const uint32_t *map);

/* Does a row with this verdict go into the build's shard file? */
static inline bool filter_takes(const struct filter *filter, enum filter_verdict verdict)
{
    return verdict == FILTER_TAKE || (verdict == FILTER_LATE && filter->policy.take_late) ||
           (verdict == FILTER_FUTURE && filter->policy.take_future);
}

#endif
