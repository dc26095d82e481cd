/* Which attempt of each shard the manifest names (snapshot format, section 10). */
#ifndef TIDEMARK_CORE_SNAPSHOT_WINNER_H
#define TIDEMARK_CORE_SNAPSHOT_WINNER_H

#include "core/snapshot/attempt.h"

/* < 0: `a` wins over `b`. By (attempt, task_attempt_id, db_url). */
int winner_compare(const struct attempt *a, const struct attempt *b);

/* The winners by ascending db_id, without empty ones, in `ret_winners` (room for `count`).
 * ERR_INPUT: a db_id outside [0, num_dbs), the format's shard coverage error; nothing is written
 * then. */
MUST_CHECK bool winner_choose(const struct attempt *attempts, size_t count, uint32_t num_dbs,
                              struct attempt *ret_winners, size_t *ret_count, struct err *err);

/* Of `urls` (all attempts' URLs ever used), those that no winner has, each once, in the order
 * given; room for `url_count` in ret_losers. Returns how many. Decide once, before COMMIT (R16). */
size_t winner_losers(const struct attempt *winners, size_t winner_count, const char *const *urls,
                     size_t url_count, const char **ret_losers);

#endif
