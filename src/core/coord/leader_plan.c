/* The leader plans: which contributions, how many shards, who builds which, and again when that
 * fails. */
#include <stdio.h>
#include <stdlib.h>

#include "core/coord/leader_state.h"
#include "core/coord/leader_shards.h"

static struct leader_share *new_shares(struct leader *leader, const struct message_close *close)
{
    return arena_zero(leader->out->arena,
                      (close->partition_count + 1) * sizeof(struct leader_share));
}

/* One contribution a READY, with the ranges that it was chosen for. */
static void fill_contributions(struct leader *leader, const struct message_close *close,
                               const struct leader_share *shares, struct message_plan *plan)
{
    struct arena *arena = leader->out->arena;
    struct plan_contribution *list = arena_zero(arena, (close->partition_count + 1) * sizeof *list);
    struct plan_skip *skips = arena_zero(arena, (close->partition_count + 1) * sizeof *skips);
    for (size_t i = 0; i < close->partition_count; i++) {
        const struct message_ready *ready = shares[i].ready;
        bool seen = ready == NULL;
        for (size_t j = 0; j < i && !seen; j++) {
            seen = shares[j].ready == ready;
        }
        if (shares[i].skip != NULL) {
            skips[plan->skip_count++] =
                (struct plan_skip){.id = shares[i].skip->id,
                                   .range = {.id = close->partitions[i].id,
                                             .from = close->partitions[i].tail_from,
                                             .to = shares[i].partition->from}};
        }
        if (seen) {
            continue;
        }
        struct plan_range *ranges = arena_zero(arena, close->partition_count * sizeof *ranges);
        struct plan_contribution *contribution = &list[plan->contribution_count++];
        for (size_t j = i; j < close->partition_count; j++) {
            if (shares[j].ready == ready) {
                ranges[contribution->range_count++] =
                    (struct plan_range){.id = close->partitions[j].id,
                                        .from = shares[j].partition->from,
                                        .to = shares[j].partition->to};
            }
        }
        contribution->member = ready->member;
        contribution->incarnation = ready->incarnation;
        contribution->ranges = ranges;
    }
    plan->contributions = list;
    plan->skips = skips;
}

static uint64_t total_rows(const struct message_close *close, const struct leader_share *shares)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < close->partition_count; i++) {
        rows += shares[i].partition == NULL ? 0 : shares[i].partition->rows;
    }
    return rows;
}

static void append_plan(struct leader *leader, const struct message_plan *plan)
{
    struct message message = {.kind = MESSAGE_PLAN, .plan = *plan};
    leader_append_one(leader, &message);
    leader_run_record(leader, plan->run_id, RUN_RUNNING, "", "");
}

/* All contributions are promised: PLAN, or, when there are no rows, COMMIT at once. */
bool leader_duty_plan(struct leader *leader)
{
    const struct fold_entry *entry = fold_open_close(leader->fold);
    if (entry == NULL || fold_resume(leader->fold) != NULL ||
        fold_open_plan(leader->fold) != NULL || leader->now_us < leader->build_retry_us) {
        return false;
    }
    const struct message_close *close = &entry->message.close;
    struct leader_share *shares = new_shares(leader, close);
    const char *missing = "";
    if (!leader_cover(leader, close, shares, &missing)) {
        leader_does(leader, missing);
        return false;
    }
    if (total_rows(close, shares) == 0 && leader->settings->empty == EMPTY_SKIP) {
        leader_commit_empty(leader, close, shares);
        return true;
    }
    char suffix[9];
    rng_hex(&leader->rng, suffix, 8);
    struct message_plan plan = {.term = (uint64_t)leader->term,
                                .build = close->build,
                                .time_us = leader->now_us,
                                .run_id = leader_text(leader, "b%llu-t%lld-%s",
                                                      (unsigned long long)close->build,
                                                      (long long)leader->term, suffix)};
    fill_contributions(leader, close, shares, &plan);
    const char *why = NULL;
    if (!leader_base_fits(leader, &why) || !shards_assign(leader, close, shares, &plan, &why)) {
        leader_alert(leader, "build %llu cannot be planned: %s", (unsigned long long)close->build,
                     why);
        return false;
    }
    leader_tell_base(leader, &plan);
    append_plan(leader, &plan);
    return true;
}

/* The contribution that nobody can deliver any more: its member is gone, and its part is not
 * stored. */
static const struct plan_contribution *lost_contribution(const struct leader *leader,
                                                         const struct message_plan *plan)
{
    for (size_t i = 0; i < plan->contribution_count; i++) {
        const struct plan_contribution *contribution = &plan->contributions[i];
        if (!leader_is_alive(leader, contribution->member, contribution->incarnation) &&
            fold_part(leader->fold, plan->build, contribution->member, contribution->incarnation,
                      contribution->ranges, contribution->range_count) == NULL) {
            return contribution;
        }
    }
    return NULL;
}

/* An overdue attempt is only worth another one elsewhere: the same member would do the same work
 * twice. */
static bool somebody_else_could(const struct leader *leader, const struct message_plan *plan,
                                int32_t builder)
{
    for (size_t i = 0; i < plan->member_count; i++) {
        if ((int32_t)i != builder && leader_is_alive(leader, plan->members[i], 0)) {
            return true;
        }
    }
    return !leader_is_alive(leader, plan->members[builder], 0);
}

/* Another attempt is due: the last one failed, is overdue, or its builder is gone. */
static bool attempt_is_over(const struct leader *leader, const struct fold_entry *entry,
                            uint32_t shard, const char **out_why)
{
    const struct message_plan *plan = &entry->message.plan;
    const struct plan_shard *planned = &plan->shards[shard];
    const struct fold_entry *last =
        fold_attempt(leader->fold, plan->run_id, shard, planned->attempt);
    if (last != NULL && !last->message.attempt.ok) {
        *out_why = last->message.attempt.error;
        return true;
    }
    if (leader_broker_now(leader) - entry->timestamp_us > leader->settings->attempt_deadline_us &&
        somebody_else_could(leader, plan, planned->builder)) {
        *out_why = "overdue";
        return true;
    }
    *out_why = "its builder is gone";
    return !leader_is_alive(leader, plan->members[planned->builder], 0);
}

/* Other builders for what is over; false: max_attempts is used up. */
static bool plan_again(struct leader *leader, const struct fold_entry *entry,
                       struct plan_shard *shards, bool *out_changed, const char **out_why)
{
    const struct message_plan *plan = &entry->message.plan;
    *out_changed = false;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        const char *why = "";
        if (shards[i].builder < 0 || leader_winner(leader, plan, i) != NULL ||
            !attempt_is_over(leader, entry, i, &why)) {
            continue;
        }
        if (shards[i].attempt >= leader->settings->max_attempts) {
            *out_why = leader_text(leader, "shard %u, attempt %u: %s", i, shards[i].attempt, why);
            return false;
        }
        leader_trace(leader, "shard %u of %s again: %s", i, plan->run_id, why);
        for (size_t k = 0; k < plan->member_count; k++) {
            shards[i].builder = (shards[i].builder + 1) % (int32_t)plan->member_count;
            if (leader_is_alive(leader, plan->members[shards[i].builder], 0)) {
                break;
            }
        }
        shards[i].attempt++;
        *out_changed = true;
    }
    return true;
}

bool leader_duty_attempts(struct leader *leader)
{
    const struct fold_entry *entry = fold_open_plan(leader->fold);
    if (entry == NULL || fold_resume(leader->fold) != NULL) {
        return false;
    }
    const struct message_plan *plan = &entry->message.plan;
    const struct message_condemn *condemned = fold_condemned(leader->fold, plan->run_id);
    if (RULE_OFF(10) && (int64_t)plan->term != leader->term) {
        leader_delete_unasked(leader, plan->run_id); /* planted: sweeps what an older term left */
        return true;
    }
    if (condemned != NULL && condemned->whole_run) {
        leader_abort(leader, plan, "the run is condemned");
        return true;
    }
    if (leader_all_built(leader, plan)) {
        return false; /* to be committed */
    }
    leader_does(leader, "waits for the attempts");
    const struct plan_contribution *lost = lost_contribution(leader, plan);
    if (lost != NULL) {
        leader_abort(leader, plan,
                     leader_text(leader, "the rows of member %s are gone", lost->member));
        return true;
    }
    struct plan_shard *shards = arena_zero(leader->out->arena, plan->shard_count * sizeof *shards);
    memcpy(shards, plan->shards, plan->shard_count * sizeof *shards);
    bool changed = false;
    const char *why = NULL;
    if (!plan_again(leader, entry, shards, &changed, &why)) {
        leader_abort(leader, plan, why);
        return true;
    }
    if (changed) {
        struct message_plan next = *plan;
        next.term = (uint64_t)leader->term;
        next.shards = shards;
        append_plan(leader, &next);
        return true;
    }
    return false;
}
