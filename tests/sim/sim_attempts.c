/* What must be true of attempts: how many there may be, that whoever gets a second one beside a
 * slow one can have the rows, and that the winner of a COMMIT is one that ended well. */
#include <stdlib.h>

#include "tests/sim/world.h"

uint32_t attempts_planned(const struct fold *fold, int64_t shard)
{
    const struct fold_entry *entry = fold_open_plan(fold);
    uint32_t most = 0;
    for (uint32_t i = 0; entry != NULL && i < entry->message.plan.shard_count; i++) {
        uint32_t planned = entry->message.plan.shards[i].attempt;
        most = (shard < 0 || shard == i) && planned > most ? planned : most;
    }
    return most;
}

/* shards/<run>/<shard>/<attempt>; a staged manifest has no digit behind its last slash. */
size_t attempts_stored(const struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < SIM_BUCKETS; i++) {
        for (const struct sim_object *object = world->store.buckets[i]; object != NULL;
             object = object->next) {
            const char *last = strrchr(object->name, '/');
            count += strncmp(object->name, "shards/", 7) == 0 && last[1] >= '0' && last[1] <= '9';
        }
    }
    return count;
}

static bool delivers(const struct message_plan *plan, const char *member)
{
    for (size_t i = 0; i < plan->contribution_count; i++) {
        if (strcmp(plan->contributions[i].member, member) == 0) {
            return true;
        }
    }
    return false;
}

static void check_parts(struct world *world, const struct message_plan *plan, uint32_t shard,
                        const char *builder)
{
    const struct fold *fold = audit_fold(world);
    for (size_t i = 0; i < plan->contribution_count && !message_plan_carries(plan, shard); i++) {
        const struct plan_contribution *from = &plan->contributions[i];
        if (strcmp(from->member, builder) != 0 &&
            fold_part(fold, plan->build, from->member, from->incarnation, from->ranges,
                      from->range_count) == NULL) {
            world_fail(world, "%s shall build shard %u of %s, too, and the rows of %s are nowhere",
                       builder, shard, plan->run_id, from->member);
        }
    }
}

/* R28: each attempt keeps its own time. */
static void check_kept(struct world *world, const struct fold_entry *before,
                       const struct message_plan *plan, uint32_t shard)
{
    struct plan_attempt were[PLAN_ATTEMPTS_MAX];
    struct plan_attempt are[PLAN_ATTEMPTS_MAX];
    const struct message_plan *old = &before->message.plan;
    size_t were_count = message_plan_attempts(old, shard, before->timestamp_us, were);
    size_t are_count = message_plan_attempts(plan, shard, INT64_MAX, are);
    for (size_t i = 0; i < were_count; i++) {
        const struct plan_attempt *same = NULL;
        for (size_t k = 0; k < are_count; k++) {
            same = are[k].attempt == were[i].attempt ? &are[k] : same;
        }
        if (same != NULL && same->since_us != were[i].since_us) {
            world_fail(world, "attempt %u at shard %u of %s gets its time again", same->attempt,
                       shard, plan->run_id);
        }
    }
}

static void check_plan(struct world *world, const struct message_plan *plan)
{
    char key[200];
    snprintf(key, sizeof key, "plan/%s", plan->run_id);
    const struct fold_entry *entry = fold_find(audit_fold(world), key);
    const struct message_plan *before = entry == NULL ? NULL : &entry->message.plan;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        const struct plan_shard *shard = &plan->shards[i];
        uint32_t was = before == NULL ? 0 : before->shards[i].attempt;
        if (before != NULL && shard->builder >= 0) {
            check_kept(world, entry, plan, i);
        }
        if (shard->builder < 0 || shard->attempt == was) {
            continue;
        }
        if (shard->attempt != was + 1 || shard->attempt > world->settings.max_attempts) {
            world_fail(world, "attempt %u at shard %u of %s after %u", shard->attempt, i,
                       plan->run_id, was);
        }
        struct plan_attempt open[PLAN_ATTEMPTS_MAX];
        size_t count = message_plan_attempts(plan, i, 1, open);
        const char *builder = plan->members[shard->builder];
        if (count > 1) {
            coverage_chance(CHANCE_BESIDE);
            check_parts(world, plan, i, builder);
        }
        if (count > 1 && open[0].builder == shard->builder) {
            world_fail(world, "%s shall build shard %u of %s twice at a time", builder, i,
                       plan->run_id);
        }
        if (!delivers(plan, builder)) {
            coverage_chance(CHANCE_STANDBY_BUILDS);
        }
    }
}

/* Of a shard that two attempts were open at, in the end. */
static void check_winners(struct world *world, const struct message_commit *commit)
{
    char key[200];
    const struct fold *fold = audit_fold(world);
    snprintf(key, sizeof key, "plan/%s", commit->run_id);
    const struct fold_entry *entry = fold_find(fold, key);
    for (uint32_t i = 0; entry != NULL && i < commit->winner_count; i++) {
        const struct fold_entry *won = fold_attempt(fold, commit->run_id, i, commit->winners[i]);
        struct plan_attempt open[PLAN_ATTEMPTS_MAX];
        if (entry->message.plan.shards[i].builder < 0) {
            continue;
        }
        if (won == NULL || !won->message.attempt.ok) {
            world_fail(world, "attempt %u at shard %u of %s wins, and did not end well",
                       commit->winners[i], i, commit->run_id);
        } else if (message_plan_attempts(&entry->message.plan, i, 1, open) > 1) {
            const struct fold_entry *second =
                fold_attempt(fold, commit->run_id, i, open[1].attempt);
            if (commit->winners[i] == open[1].attempt) {
                coverage_chance(CHANCE_BESIDE_WINS);
            } else if (second != NULL && second->message.attempt.ok) {
                coverage_chance(CHANCE_BESIDE_LOSES);
            }
        }
    }
}

void attempts_step(struct world *world, const struct message *message)
{
    if (message->kind == MESSAGE_PLAN) {
        check_plan(world, &message->plan);
    } else if (message->kind == MESSAGE_COMMIT && message->commit.kind == COMMIT_BUILD) {
        check_winners(world, &message->commit);
    }
}
