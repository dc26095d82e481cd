/* Which of two attempts at a shard the manifest names (snapshot format, section 10). */
#ifndef TIDEMARK_CORE_SNAPSHOT_WINNER_H
#define TIDEMARK_CORE_SNAPSHOT_WINNER_H

#include "core/snapshot/attempt.h"

/* < 0: `a` wins over `b`. By (attempt, task_attempt_id, db_url); no id counts as the highest, no
 * URL as "". Both are of one shard. */
int winner_compare(const struct attempt *a, const struct attempt *b);

#endif
