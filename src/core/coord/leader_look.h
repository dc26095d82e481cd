/* Whose contribution counts for which range of a CLOSE: a function of the ledger, for the leader
 * and for whoever wants to know what a build waits for (R1, R8). */
#ifndef TIDEMARK_CORE_COORD_LEADER_LOOK_H
#define TIDEMARK_CORE_COORD_LEADER_LOOK_H

#include "core/coord/fold.h"

struct leader_share { /* one contribution's part in the cover of one partition */
    const struct message_ready *ready;
    const struct ready_partition *partition;
    const struct message_skip *skip; /* covers [tail_from, partition->from); NULL: none is needed */
};

/* The ledger, as somebody sees it at one moment. */
struct leader_look {
    const struct fold *fold;
    const char *fingerprint; /* members of another one do not count */
    int64_t now_us;          /* by the broker's clock */
    int64_t quiet_us;        /* a member that was not heard of for so long is gone */
};

/* The member is heard of, in that incarnation; 0: in any. */
bool leader_look_alive(const struct leader_look *look, const char *member, uint64_t incarnation);

/* False: the partition is not covered yet. */
bool leader_look_cover(const struct leader_look *look, const struct message_close *close,
                       const struct close_partition *partition, struct leader_share *out);

/* The SKIP that covers [from, to) of a partition whole; NULL: none. */
const struct message_skip *leader_look_skip(const struct fold *fold, struct partition_id id,
                                            int64_t from, int64_t to);

/* What a READY says of a partition; NULL: nothing. */
const struct ready_partition *leader_look_promise(const struct message_ready *ready,
                                                  struct partition_id id);

#endif
