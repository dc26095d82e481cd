/* The run of a PLAN: its name, which attempt wins a shard, whether all are built, how it is given
 * up. */
#include "core/coord/leader_state.h"
#include "core/snapshot/names.h"
#include "core/snapshot/winner.h"

const char *leader_new_run_id(struct leader *leader, uint64_t build)
{
    char random[9];
    rng_hex(&leader->rng, random, 8);
    return names_run_id(build, leader->term, random, leader->out->arena);
}

static bool wins(const struct message_attempt *a, const struct message_attempt *b)
{
    struct attempt left;
    struct attempt right;
    attempt_init(&left, a->shard, a->attempt);
    attempt_init(&right, b->shard, b->attempt);
    left.db_url = a->url;
    right.db_url = b->url;
    return winner_compare(&left, &right) < 0;
}

/* Of the attempts on record that are good (R16: asked before COMMIT, and never after it). */
const struct message_attempt *leader_winner(const struct leader *leader,
                                            const struct message_plan *plan, uint32_t shard)
{
    const struct message_attempt *winner = NULL;
    for (uint32_t attempt = 1; attempt <= plan->shards[shard].attempt; attempt++) {
        const struct fold_entry *entry = fold_attempt(leader->fold, plan->run_id, shard, attempt);
        if (entry != NULL && entry->message.attempt.ok &&
            (winner == NULL || wins(&entry->message.attempt, winner))) {
            winner = &entry->message.attempt;
        }
    }
    return winner;
}

bool leader_all_built(const struct leader *leader, const struct message_plan *plan)
{
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        if (plan->shards[i].builder >= 0 && leader_winner(leader, plan, i) == NULL) {
            return false;
        }
    }
    return true;
}

void leader_abort(struct leader *leader, const struct message_plan *plan, const char *reason)
{
    leader->aborts = leader->aborts_of == plan->build ? leader->aborts + 1 : 1;
    leader->aborts_of = plan->build;
    leader->build_retry_us =
        leader->now_us + coord_backoff(leader->settings, leader->aborts, &leader->rng);
    leader->staged = false;
    leader_alert(leader, "run %s is given up and built again: %s", plan->run_id, reason);
    struct message message = {.kind = MESSAGE_ABORTED,
                              .aborted = {.term = (uint64_t)leader->term,
                                          .build = plan->build,
                                          .run_id = plan->run_id,
                                          .reason = reason}};
    leader_append_one(leader, &message);
    leader_run_record(leader, plan->run_id, RUN_FAILED, "", reason);
}
