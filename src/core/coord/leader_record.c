/* What a COMMIT says, put together from the head, the CLOSE and the accounts. */
#include <stdio.h>

#include "core/coord/leader_commit.h"

/* The CLOSE's partitions, and those of the head that are not in it (their topic is not in the
 * settings any more): these stay as they are, so that nothing is lost when the topic comes back. */
static void merge_partitions(struct leader *leader, const struct message_close *close,
                             const struct commit_partition *mine, struct message_commit *out)
{
    const struct message_commit *head = fold_head(leader->fold);
    size_t head_count = head == NULL ? 0 : head->partition_count;
    struct commit_partition *list =
        arena_zero(leader->out->arena, (close->partition_count + head_count + 1) * sizeof *list);
    size_t i = 0;
    size_t j = 0;
    size_t count = 0;
    while (i < close->partition_count || j < head_count) {
        int order = i == close->partition_count ? 1
                    : j == head_count           ? -1
                                      : partition_id_compare(mine[i].id, head->partitions[j].id);
        if (order <= 0) {
            list[count++] = mine[i++];
            j += order == 0;
        } else {
            const struct commit_partition *kept = &head->partitions[j++];
            list[count++] =
                (struct commit_partition){.id = kept->id,
                                          .tail_from = kept->tail_from,
                                          .cut = kept->cut,
                                          .account = {.carried_in = kept->account.carried_out,
                                                      .carried_out = kept->account.carried_out},
                                          .has_witness = kept->has_witness,
                                          .witness = kept->witness};
        }
    }
    out->partitions = list;
    out->partition_count = count;
}

static size_t find_index(const struct message_commit *commit, struct partition_id id)
{
    size_t low = 0;
    size_t high = commit->partition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partition_id_compare(commit->partitions[middle].id, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    CHECK(low < commit->partition_count);
    return low;
}

/* R24: the builds whose cut is above tail_from, so that a row that is read again is judged as
 * before. */
static void fill_history(struct leader *leader, const struct message_close *close,
                         struct message_commit *out)
{
    const struct message_commit *head = fold_head(leader->fold);
    struct arena *arena = leader->out->arena;
    size_t before = head == NULL ? 0 : head->history_count;
    struct history_step *steps = arena_zero(arena, (before + 1) * sizeof *steps);
    for (size_t i = 0; i < before; i++) {
        const struct history_step *old = &head->history[i];
        struct history_cut *cuts = arena_zero(arena, (old->cut_count + 1) * sizeof *cuts);
        struct history_step step = *old;
        step.cuts = cuts;
        step.cut_count = 0;
        for (size_t j = 0; j < old->cut_count; j++) {
            size_t index = find_index(out, head->partitions[old->cuts[j].partition].id);
            if (old->cuts[j].cut > out->partitions[index].tail_from) {
                cuts[step.cut_count++] = (struct history_cut){.partition = (uint32_t)index,
                                                              .cut = old->cuts[j].cut,
                                                              .joined = old->cuts[j].joined};
            }
        }
        if (step.cut_count > 0 && !RULE_OFF(24)) {
            steps[out->history_count++] = step;
        }
    }
    struct history_cut *cuts = arena_zero(arena, (close->partition_count + 1) * sizeof *cuts);
    struct history_step mine = {.build = close->build,
                                .from_us = close->from_us,
                                .to_us = close->to_us,
                                .future_bound_us = close->future_bound_us,
                                .cuts = cuts};
    for (size_t i = 0; i < close->partition_count; i++) {
        size_t index = find_index(out, close->partitions[i].id);
        if (close->partitions[i].cut > out->partitions[index].tail_from) {
            cuts[mine.cut_count++] = (struct history_cut){.partition = (uint32_t)index,
                                                          .cut = close->partitions[i].cut,
                                                          .joined = close->partitions[i].joined};
        }
    }
    if (mine.cut_count > 0) {
        steps[out->history_count++] = mine;
    }
    out->history = steps;
}

static bool key_exists(const struct leader *leader, const char *prefix, const char *id)
{
    char key[KEY_TEXT_MAX];
    snprintf(key, sizeof key, "%s/%s", prefix, id);
    return fold_find(leader->fold, key) != NULL;
}

/* What this build used up, and what the head did as long as its records are there: a build under
 * HOLD comes before the tombstones of the one below it. */
static void fill_used(struct leader *leader, const struct message_close *close,
                      const struct message_plan *plan, struct message_commit *out)
{
    const struct message_commit *head = fold_head(leader->fold);
    const char **used = arena_zero(leader->out->arena, USED_MAX * sizeof(char *));
    size_t count = 0;
    for (size_t i = 0; i < close->trigger_count && count < USED_MAX; i++) {
        used[count++] = close->triggers[i];
    }
    for (size_t i = 0; plan != NULL && i < plan->skip_count && count < USED_MAX; i++) {
        if (!leader_has_text(used, count, plan->skips[i].id)) {
            used[count++] = plan->skips[i].id;
        }
    }
    const char *accepted = plan == NULL || plan->run_id == NULL ? NULL
                                                                : leader_accepted(leader, plan);
    if (accepted != NULL && count < USED_MAX) {
        used[count++] = accepted;
    }
    for (size_t i = 0; head != NULL && i < head->used_count && count < USED_MAX; i++) {
        const char *id = head->used[i];
        if (key_exists(leader, "trigger", id) || key_exists(leader, "skip", id) ||
            key_exists(leader, "accept", id)) {
            used[count++] = id;
        }
    }
    out->used = used;
    out->used_count = count;
}

void commit_fill(struct leader *leader, const struct message_close *close,
                 const struct message_plan *plan, const struct commit_partition *mine,
                 int64_t time_us, struct message_commit *out)
{
    const struct message_commit *head = fold_head(leader->fold);
    *out = (struct message_commit){
        .term = (uint64_t)leader->term,
        .build = close->build,
        .parent = close->parent,
        .trigger = close->trigger,
        .time_us = time_us,
        .close_us = close->time_us,
        .tick_us = close->tick_us != 0 ? close->tick_us
                   : head == NULL      ? 0
                                       : head->tick_us,
        .closed_to_us = close->closed_to_us,
        .future_bound_us = close->future_bound_us,
        .fingerprint = close->fingerprint,
        .topics = close->topics,
        .topic_count = close->topic_count,
        .resume_offset = head == NULL ? 0 : head->resume_offset,
    };
    if (head != NULL && head->kind == COMMIT_RESUMED) {
        out->given_up = head->given_up;
        out->given_up_count = head->given_up_count;
    }
    merge_partitions(leader, close, mine, out);
    fill_history(leader, close, out);
    fill_used(leader, close, plan, out);
}

void commit_made_of(struct leader *leader, const struct message_close *close,
                    const struct message_plan *plan, struct message_commit *out)
{
    const struct message_commit *head = fold_head(leader->fold);
    struct arena *arena = leader->out->arena;
    size_t before = head == NULL ? 0 : head->history_count;
    struct history_step *steps = arena_zero(arena, (before + 1) * sizeof *steps);
    for (size_t i = 0; i < before; i++) {
        struct history_cut *cuts =
            arena_zero(arena, (head->history[i].cut_count + 1) * sizeof *cuts);
        steps[i] = head->history[i];
        steps[i].cuts = cuts;
        for (size_t j = 0; j < steps[i].cut_count; j++) {
            cuts[j] = head->history[i].cuts[j];
            cuts[j].partition = (uint32_t)find_index(out, head->partitions[cuts[j].partition].id);
        }
    }
    struct plan_range *skipped = arena_zero(arena, (plan->skip_count + 1) * sizeof *skipped);
    for (size_t i = 0; i < plan->skip_count; i++) {
        skipped[i] = plan->skips[i].range;
    }
    out->has_made_of = true;
    out->made_of = (struct commit_made_of){
        .from_us = close->from_us,
        .to_us = close->to_us,
        .partitions = close->partitions,
        .partition_count = close->partition_count,
        .before = steps,
        .before_count = before,
        .skipped = skipped,
        .skipped_count = plan->skip_count,
        .base = plan->has_base ? plan->base.run_id : "",
        .whole = plan->has_base && plan->base.whole,
    };
}

/* A snapshot that is committed and not behind the pointer yet (HOLD) waits in the next COMMIT
 * (R11). */
static void fill_pending(struct leader *leader, const struct message_commit *head,
                         struct message_commit *commit)
{
    struct commit_pending *pending =
        arena_zero(leader->out->arena, (head->pending_count + 1) * sizeof *pending);
    for (size_t i = 0; i < head->pending_count; i++) {
        pending[i] = head->pending[i];
    }
    pending[head->pending_count] =
        (struct commit_pending){.run_id = head->snapshot.run_id,
                                .staged_url = head->snapshot.staged_url,
                                .manifest_ref = head->snapshot.manifest_ref,
                                .sha256 = head->snapshot.sha256};
    commit->pending = pending;
    commit->pending_count = head->pending_count + 1;
}

void commit_chain(struct leader *leader, struct message_commit *commit)
{
    const struct message_commit *head = fold_head(leader->fold);
    bool published = fold_head_published(leader->fold);
    commit->snapshot.base = leader_expected_pointer(head, published);
    if (head == NULL) {
        return;
    }
    struct arena *arena = leader->out->arena;
    const char **ancestors = arena_zero(arena, (ANCESTORS_MAX + 1) * sizeof(char *));
    const char **earlier = arena_zero(arena, (EARLIER_POINTERS_MAX + 1) * sizeof(char *));
    size_t ancestor_count = 0;
    size_t earlier_count = 0;
    if (head->has_snapshot) {
        ancestors[ancestor_count++] = head->snapshot.run_id;
    }
    for (size_t i = 0; i < head->ancestor_count && ancestor_count < ANCESTORS_MAX; i++) {
        ancestors[ancestor_count++] = head->ancestors[i];
    }
    if (head->has_snapshot && !leader->settings->store_cas) {
        earlier[earlier_count++] = head->snapshot.pointer;
        for (size_t i = 0; i < head->earlier_pointer_count && earlier_count < EARLIER_POINTERS_MAX;
             i++) {
            earlier[earlier_count++] = head->earlier_pointers[i];
        }
    }
    commit->ancestors = ancestors;
    commit->ancestor_count = ancestor_count;
    commit->earlier_pointers = earlier;
    commit->earlier_pointer_count = earlier_count;
    if (!published) {
        fill_pending(leader, head, commit);
    }
}
