/* What a COMMIT says, put together from the head, the CLOSE and the accounts. */
#ifndef TIDEMARK_CORE_COORD_LEADER_COMMIT_H
#define TIDEMARK_CORE_COORD_LEADER_COMMIT_H

#include "core/coord/leader_state.h"

/* All but run_id, kind, snapshot, winners. `mine` are the accounts of the CLOSE's partitions. */
void commit_fill(struct leader *leader, const struct message_close *close,
                 const struct message_plan *plan, const struct commit_partition *mine,
                 int64_t time_us, struct message_commit *out);
/* For the lineage: what the build is made of. After commit_fill. */
void commit_made_of(struct leader *leader, const struct message_close *close,
                    const struct message_plan *plan, struct message_commit *out);
/* The chain below a new snapshot: ancestors, pending, base, earlier pointers. */
void commit_chain(struct leader *leader, struct message_commit *commit);

#endif
