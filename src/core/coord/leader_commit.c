/* The leader decides: the staged manifest, then COMMIT (R11), once and for all (R16). */
#include "core/coord/leader_commit.h"

#include <stdio.h>

enum { LINEAGE_BYTES_MAX = 64 << 20 };

/* What the READY says of a planned range. NULL: it was said again since, and covers another range.
 */
static const struct ready_partition *promised(const struct message_ready *ready,
                                              const struct plan_range *range)
{
    for (size_t i = 0; i < ready->partition_count; i++) {
        const struct ready_partition *said = &ready->partitions[i];
        if (partition_id_compare(said->id, range->id) == 0) {
            bool same = said->from == range->from && said->to == range->to;
            return same || RULE_OFF(82) ? said : NULL;
        }
    }
    return NULL;
}

/* The shares that the PLAN names, not those that would be chosen now. */
static bool planned_shares(struct leader *leader, const struct message_close *close,
                           const struct message_plan *plan, struct leader_share *shares)
{
    for (size_t i = 0; i < plan->contribution_count; i++) {
        const struct plan_contribution *contribution = &plan->contributions[i];
        char key[KEY_TEXT_MAX];
        snprintf(key, sizeof key, "ready/%llu/%s/%llu", (unsigned long long)close->build,
                 contribution->member, (unsigned long long)contribution->incarnation);
        const struct fold_entry *entry = fold_find(leader->fold, key);
        if (entry == NULL || entry->message.kind != MESSAGE_READY) {
            return false;
        }
        const struct message_ready *ready = &entry->message.ready;
        for (size_t j = 0; j < contribution->range_count; j++) {
            const struct plan_range *range = &contribution->ranges[j];
            const struct ready_partition *said = promised(ready, range);
            if (said == NULL) {
                return false;
            }
            for (size_t k = 0; k < close->partition_count; k++) {
                if (partition_id_compare(close->partitions[k].id, range->id) == 0) {
                    shares[k].ready = ready;
                    shares[k].partition = said;
                }
            }
        }
    }
    for (size_t k = 0; k < close->partition_count; k++) {
        for (size_t i = 0; i < plan->skip_count; i++) {
            char key[KEY_TEXT_MAX];
            snprintf(key, sizeof key, "skip/%s", plan->skips[i].id);
            const struct fold_entry *entry = fold_find(leader->fold, key);
            if (entry != NULL &&
                partition_id_compare(plan->skips[i].range.id, close->partitions[k].id) == 0) {
                shares[k].skip = &entry->message.skip;
            }
        }
    }
    return true;
}

/* Later than the head's time and than that of the pointer's manifest (R26). */
static int64_t next_time(const struct leader *leader)
{
    const struct message_commit *head = fold_head(leader->fold);
    int64_t last = head == NULL || !head->has_snapshot ? 0 : head->snapshot.time_us;
    if (leader->pointer.value.manifest_time_us > last && leader->pointer.known) {
        last = leader->pointer.value.manifest_time_us;
    }
    return leader->now_us > last ? leader->now_us : last + 1;
}

bool leader_commit_empty(struct leader *leader, const struct message_close *close,
                         const struct leader_share *shares)
{
    struct commit_partition *mine =
        arena_zero(leader->out->arena, (close->partition_count + 1) * sizeof *mine);
    struct leader_accounting said;
    if (!leader_accounts(leader, close, shares, NULL, mine, &said)) {
        const char *text =
            leader_text(leader, "build %llu stops: %s", (unsigned long long)close->build, said.why);
        leader_alert(leader, "%s", text);
        leader_does(leader, text);
        leader_retry_later(leader);
        return true;
    }
    if (said.changed != NULL) {
        return false;
    }
    const struct message_commit *head = fold_head(leader->fold);
    struct message message = {.kind = MESSAGE_COMMIT};
    struct message_commit *commit = &message.commit;
    struct message_plan skips = {0};
    struct plan_skip *list =
        arena_zero(leader->out->arena, (close->partition_count + 1) * sizeof *list);
    for (size_t i = 0; i < close->partition_count; i++) {
        if (shares[i].skip != NULL) {
            list[skips.skip_count++].id = shares[i].skip->id;
        }
    }
    skips.skips = list;
    commit_fill(leader, close, &skips, mine, leader->now_us, commit);
    commit->kind = COMMIT_EMPTY;
    commit->run_id = leader_new_run_id(leader, close->build);
    if (head != NULL) {
        commit->has_snapshot = head->has_snapshot;
        commit->snapshot = head->snapshot;
        commit->pending = head->pending;
        commit->pending_count = head->pending_count;
        commit->pointer_now = head->pointer_now;
        commit->ancestors = head->ancestors;
        commit->ancestor_count = head->ancestor_count;
        commit->earlier_pointers = head->earlier_pointers;
        commit->earlier_pointer_count = head->earlier_pointer_count;
    }
    leader_append(leader, FOR_COMMIT, &message, 1, NULL, 0);
    return true;
}

/* Everything of the COMMIT but where its manifest is. */
static void fill_snapshot_commit(struct leader *leader, const struct message_close *close,
                                 const struct message_plan *plan,
                                 const struct commit_partition *mine, int64_t time_us,
                                 struct message_commit *commit)
{
    commit_fill(leader, close, plan, mine, time_us, commit);
    commit->kind = COMMIT_BUILD;
    commit->run_id = plan->run_id;
    commit->has_snapshot = true;
    commit->snapshot = (struct commit_snapshot){.run_id = plan->run_id,
                                                .build = close->build,
                                                .time_us = time_us,
                                                .num_dbs = (uint32_t)plan->shard_count,
                                                .rows = leader->staged_rows,
                                                .is_state = close->contents == CONTENTS_STATE,
                                                .state = leader->settings->shape,
                                                .staged_url = "",
                                                .manifest_ref = "",
                                                .sha256 = "",
                                                .pointer = ""};
    commit_chain(leader, commit);
}

static void choose_winners(struct leader *leader, const struct message_plan *plan,
                           struct leader_stage *stage)
{
    const struct message_attempt **winners =
        arena_zero(leader->out->arena, plan->shard_count * sizeof *winners);
    const struct message_attempt **deleted =
        arena_zero(leader->out->arena, plan->shard_count * sizeof *deleted);
    leader->staged_arena = arena_free(leader->staged_arena);
    leader->staged_arena = arena_new(4096);
    leader->staged_winners =
        arena_zero(leader->staged_arena, plan->shard_count * sizeof *leader->staged_winners);
    leader->staged_winner_count = plan->shard_count;
    leader->staged_rows = 0;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        const struct message_attempt *winner =
            plan->shards[i].builder < 0 ? NULL : leader_winner(leader, plan, i);
        if (winner != NULL) {
            leader->staged_winners[i] = winner->attempt;
            leader->staged_rows += winner->row_count;
        }
        if (winner != NULL && message_attempt_has_rows(winner)) {
            winners[stage->winner_count++] = winner;
        } else if (winner != NULL && winner->url[0] != '\0') {
            deleted[stage->deleted_count++] = winner;
        }
    }
    stage->winners = winners;
    stage->deleted = deleted;
}

/* Where the shards' order objects lie that no row of the manifest names (R6). */
static void name_orders(struct leader *leader, const struct leader_stage *stage,
                        struct commit_made_of *made_of)
{
    struct commit_order *orders =
        arena_zero(leader->out->arena, (stage->deleted_count + 1) * sizeof *orders);
    for (size_t i = 0; i < stage->deleted_count; i++) {
        orders[i] =
            (struct commit_order){.shard = stage->deleted[i]->shard, .url = stage->deleted[i]->url};
    }
    made_of->orders = orders;
    made_of->order_count = stage->deleted_count;
}

static void stage(struct leader *leader, const struct message_close *close,
                  const struct message_plan *plan, const struct commit_partition *mine)
{
    int64_t time_us = next_time(leader);
    struct message_commit commit;
    struct leader_stage chosen = {0};
    choose_winners(leader, plan, &chosen);
    fill_snapshot_commit(leader, close, plan, mine, time_us, &commit);
    commit_made_of(leader, close, plan, &commit);
    name_orders(leader, &chosen, &commit.made_of);
    AUTO(buf) struct buf lineage;
    buf_init(&lineage, LINEAGE_BYTES_MAX);
    message_lineage_encode(&commit, leader->settings->ledger_id, &lineage);
    CHECK(!lineage.overflowed);
    struct leader_command *command = leader_ask(leader, LEADER_STAGE_MANIFEST, FOR_STAGE);
    command->stage.close = close;
    command->stage.plan = plan;
    command->stage.created_at_us = time_us;
    command->stage.name =
        RULE_OFF(110) ? "manifest.staged"
                      : leader_text(leader, "manifest.staged-t%lld-%llu", (long long)leader->term,
                                    (unsigned long long)command->id);
    command->stage.lineage = arena_copy(leader->out->arena, buf_bytes(&lineage));
    command->stage.winners = chosen.winners;
    command->stage.winner_count = chosen.winner_count;
    command->stage.deleted = chosen.deleted;
    command->stage.deleted_count = chosen.deleted_count;
    leader->staged = false;
    leader_set_name(leader->staged_run, plan->run_id);
    leader->staged_snapshot = (struct commit_snapshot){.time_us = time_us};
    leader_trace(leader, "stage %s", plan->run_id);
}

void leader_staged(struct leader *leader, const struct leader_event *event)
{
    const struct fold_entry *plan = fold_open_plan(leader->fold);
    if (plan == NULL || strcmp(plan->message.plan.run_id, leader->staged_run) != 0) {
        return;
    }
    if (event->result.outcome == ERR_MISSING) {
        leader_abort(leader, &plan->message.plan,
                     leader_text(leader, "the winner of shard %u is not in the store",
                                 event->result.staged.missing_shard));
        return;
    }
    if (event->result.outcome != ERR_NONE) {
        const char *text = leader_text(leader, "the manifest of %s cannot be stored: %s",
                                       leader->staged_run, event->result.message);
        leader_alert(leader, "%s", text);
        leader_does(leader, text);
        leader_retry_later(leader);
        return;
    }
    struct arena *arena = leader->staged_arena;
    struct commit_snapshot *snapshot = &leader->staged_snapshot;
    snapshot->staged_url = arena_text(arena, bytes_of_text(event->result.staged.staged_url));
    snapshot->manifest_ref = arena_text(arena, bytes_of_text(event->result.staged.manifest_ref));
    snapshot->sha256 = arena_text(arena, bytes_of_text(event->result.staged.sha256));
    snapshot->pointer = arena_text(arena, event->result.staged.pointer);
    leader->staged = true;
    leader->failures = 0;
}

static void append_commit(struct leader *leader, const struct message_close *close,
                          const struct message_plan *plan, const struct commit_partition *mine)
{
    struct message message = {.kind = MESSAGE_COMMIT};
    struct message_commit *commit = &message.commit;
    fill_snapshot_commit(leader, close, plan, mine, leader->staged_snapshot.time_us, commit);
    commit->snapshot.staged_url = leader->staged_snapshot.staged_url;
    commit->snapshot.manifest_ref = leader->staged_snapshot.manifest_ref;
    commit->snapshot.sha256 = leader->staged_snapshot.sha256;
    commit->snapshot.pointer = leader->staged_snapshot.pointer;
    commit->winners = leader->staged_winners;
    commit->winner_count = leader->staged_winner_count;
    leader->staged = false;
    leader_append(leader, FOR_COMMIT, &message, 1, NULL, 0);
}

bool leader_duty_commit(struct leader *leader)
{
    const struct fold_entry *close_entry = fold_open_close(leader->fold);
    const struct fold_entry *plan_entry = fold_open_plan(leader->fold);
    if (plan_entry == NULL || fold_resume(leader->fold) != NULL ||
        !leader_all_built(leader, &plan_entry->message.plan)) {
        return false;
    }
    const struct message_close *close = &close_entry->message.close;
    const struct message_plan *plan = &plan_entry->message.plan;
    leader_does(leader, "stages and commits");
    struct leader_share *shares =
        arena_zero(leader->out->arena, (close->partition_count + 1) * sizeof *shares);
    struct commit_partition *mine =
        arena_zero(leader->out->arena, (close->partition_count + 1) * sizeof *mine);
    struct leader_accounting said = {
        .why = "what a READY promised, and the PLAN names, is not promised any more"};
    if (!planned_shares(leader, close, plan, shares) ||
        !leader_accounts(leader, close, shares, plan, mine, &said)) {
        leader_abort(leader, plan,
                     leader_text(leader, "the account does not balance: %s", said.why));
        return true;
    }
    bool asked = false;
    if (!leader_gates_pass(leader, plan, said.changed, &asked)) {
        return asked;
    }
    if (leader->staged && strcmp(leader->staged_run, plan->run_id) == 0) {
        append_commit(leader, close, plan, mine);
    } else {
        stage(leader, close, plan, mine);
    }
    return true;
}
