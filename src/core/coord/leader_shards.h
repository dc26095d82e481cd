/* How many shards a build has, and who builds each. */
#ifndef TIDEMARK_CORE_COORD_LEADER_SHARDS_H
#define TIDEMARK_CORE_COORD_LEADER_SHARDS_H

#include "core/coord/leader_state.h"

/* Fills members, shards and routing_values of the plan, whose contributions are there. A shard goes
 * to the member that holds most of its bytes. False: `out_why`. */
bool shards_assign(struct leader *leader, const struct message_close *close,
                   const struct leader_share *shares, struct message_plan *plan,
                   const char **out_why);

/* Routing tokens in shard order: integers by value, then texts by code point. */
int shards_compare_tokens(const char *a, const char *b);

#endif
