/* Partitions that the source group gives to nobody, for longer than a rebalance takes. */
#ifndef TIDEMARK_CHECKPOINT_LEADER_UNOWNED_H
#define TIDEMARK_CHECKPOINT_LEADER_UNOWNED_H

#include "core/coord/coord.h"
#include "core/coord/fold.h"

/* What happens: a topic grows while the member that shares out the partitions (the consumer group's
 * leader) is being restarted. A static member that is back within its session gets its old share
 * without a rebalance (KIP-345), knows the new number of partitions from the start, and so nothing
 * ever looks new to it; what other members notice makes no rebalance either (KIP-814 mends that in
 * the Java client). Nobody reads the new partition, and every build waits for it. The cure is a
 * rebalance, and a member causes one when it leaves and joins.
 *
 * One thread's own, the leader's: one member of the group looks, and it is there. */
struct unowned {
    int64_t limit_us; /* unowned for so long before anything is done; doubled each time it is */
    struct arena *arena;
    struct partition_id *ids; /* every partition there is, as of the last answer */
    int64_t *since_us;        /* of each: nobody has owned it since; 0: somebody does */
    size_t count;
};

/* `limit_us` must be longer than a rebalance, and than a member may be silent. */
void unowned_init(struct unowned *unowned, int64_t limit_us);
void unowned_done(struct unowned *unowned);

/* The partitions there are now, as the broker says; copied. */
void unowned_hear(struct unowned *unowned, const struct coord_ends *ends, size_t count);

/* A partition that no member says it owns, by any settings, for the limit; NULL: none. Then the
 * limit begins anew, twice as long. `now_us` is of a steady clock. */
const struct partition_id *unowned_look(struct unowned *unowned, const struct fold *fold,
                                        int64_t now_us);

/* This process does not lead (any more): what it knew is forgotten. */
void unowned_forget(struct unowned *unowned);

#endif
