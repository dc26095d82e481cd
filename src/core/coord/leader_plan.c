/* The leader plans: which contributions, how many shards, who builds which. */
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

void leader_append_plan(struct leader *leader, const struct message_plan *plan)
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
    if (total_rows(close, shares) == 0 && leader->settings->empty == EMPTY_SKIP &&
        leader_commit_empty(leader, close, shares)) {
        return true;
    }
    struct message_plan plan = {.term = (uint64_t)leader->term,
                                .build = close->build,
                                .time_us = leader->now_us,
                                .run_id = leader_new_run_id(leader, close->build)};
    fill_contributions(leader, close, shares, &plan);
    const char *why = NULL;
    if (!leader_base_fits(leader, &why) || !shards_assign(leader, close, shares, &plan, &why)) {
        const char *text = leader_text(leader, "build %llu cannot be planned: %s",
                                       (unsigned long long)close->build, why);
        leader_alert(leader, "%s", text);
        leader_does(leader, text);
        return false;
    }
    leader_tell_base(leader, &plan);
    leader_append_plan(leader, &plan);
    return true;
}
