/* What one member can deliver for one build: rows, and which of them count. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_CONTRIBUTION_H
#define TIDEMARK_CHECKPOINT_SPILL_CONTRIBUTION_H

#include "checkpoint/spill/row_share.h"
#include "core/base/arena.h"
#include "core/spill/filter.h"
#include "core/spill/source_table.h"
#include "core/window/cut.h"

/* One partition of a build, as its CLOSE and the head's history have it. */
struct contribution_partition {
    struct partition_id id;
    int64_t tail_from; /* [tail_from, cut) is what the build covers (PROTOCOL R1) */
    int64_t seen_end;
    int64_t cut;
    const struct cut_step *steps; /* in build order, the open CLOSE last */
    size_t step_count;
};

/* Made by the intake when it seals, then unchanging: any thread may read it. */
struct contribution;

/* All arguments are copied; each of `shares` gets one user more. `voided`, by share and by source
 * of its index: rows that do not count at all; NULL, for all or for one: none. One user: the
 * caller. */
struct contribution *contribution_new(uint64_t build, enum row_order order,
                                      struct filter_policy policy,
                                      const struct contribution_partition *partitions, size_t count,
                                      struct row_share *const *shares, size_t share_count,
                                      const bool *const *voided);
/* The same partitions and rules over other rows. One user: the caller. */
struct contribution *contribution_with(const struct contribution *like,
                                       struct row_share *const *shares, size_t share_count);
/* The routing token of each group of rows, by group; copied, before any other thread has it. */
void contribution_set_tokens(struct contribution *contribution, const char *const *tokens,
                             size_t count);
/* NULL: the group has none. */
const char *contribution_token(const struct contribution *contribution, uint32_t group);

struct contribution *contribution_use(struct contribution *contribution);
struct contribution *contribution_drop(struct contribution *contribution); /* NULL; takes NULL */

uint64_t contribution_build(const struct contribution *contribution);
enum row_order contribution_order(const struct contribution *contribution);
const struct source_table *contribution_sources(const struct contribution *contribution);
size_t contribution_share_count(const struct contribution *contribution);
struct row_share *contribution_share(const struct contribution *contribution, size_t index);

/* The numbers of a share's sources in contribution_sources; SOURCE_NONE for a void one, and for one
 * that is not in the build. In the arena. */
const uint32_t *contribution_map(const struct contribution *contribution, size_t share,
                                 struct arena *arena);

/* The partitions in the order of the sources' numbers. */
const struct contribution_partition *contribution_partition(const struct contribution *contribution,
                                                            uint32_t source);

/* The rule of which rows count, over the whole range of every partition. Its array of sources is
 * the arena's, so that a caller can narrow [from, to) to what PLAN gives it (PROTOCOL R8). */
struct filter contribution_filter(const struct contribution *contribution, struct arena *arena);

/* The open CLOSE's step of a partition; the last one. */
const struct cut_step *contribution_step(const struct contribution_partition *partition);

#endif
