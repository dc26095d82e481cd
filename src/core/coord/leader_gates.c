/* The gates before a publish: a build that is right, and yet not what anybody wanted.
 *
 * One of them has no setting: what the settings in force made of records that wait is not what
 * those of the head made of them (R1), so a record may be in two snapshots, or in none.
 *
 * They are looked at when all shards are built, from what the attempts say and the present
 * settings: so a restart of the leader with other gates is another look. What they refuse is
 * neither aborted (the same cut would give the same rows) nor committed: the build stays open,
 * GATED says why, and the pointer stays where it is until the settings let it through or an
 * operator writes ACCEPT. */
#include <stdio.h>

#include "core/coord/leader_state.h"

struct reasons {
    const char *list[REASONS_MAX];
    size_t count;
};

static void add(struct reasons *reasons, const char *text)
{
    if (reasons->count < REASONS_MAX) {
        reasons->list[reasons->count++] = text;
    }
}

const char *leader_accepted(const struct leader *leader, const struct message_plan *plan)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_ACCEPT, &at);
         entry != NULL; entry = fold_next(leader->fold, MESSAGE_ACCEPT, &at)) {
        if (strcmp(entry->message.accept.run_id, plan->run_id) == 0) {
            return entry->message.accept.id;
        }
    }
    return NULL;
}

static void check_rows(struct leader *leader, uint64_t rows, struct reasons *reasons)
{
    const struct gate_settings *gates = &leader->settings->gates;
    const struct message_commit *head = fold_head(leader->fold);
    if (rows < gates->min_rows) {
        add(reasons, leader_text(leader, "%llu rows, at least %llu are wanted (gates.min_rows)",
                                 (unsigned long long)rows, (unsigned long long)gates->min_rows));
    }
    /* with nothing to compare to there is no change */
    if (gates->max_row_change <= 0 || head == NULL || !head->has_snapshot ||
        head->snapshot.rows == 0) {
        return;
    }
    uint64_t before = head->snapshot.rows;
    uint64_t change = rows > before ? rows - before : before - rows;
    if ((double)change > gates->max_row_change * (double)before) {
        add(reasons,
            leader_text(
                leader,
                "%llu rows, and snapshot %s has %llu: more than %g of it (gates.max_row_change)",
                (unsigned long long)rows, head->snapshot.run_id, (unsigned long long)before,
                gates->max_row_change));
    }
}

static bool is_found(const struct leader *leader, const struct message_plan *plan,
                     const char *canary)
{
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        const struct message_attempt *winner =
            plan->shards[i].builder < 0 ? NULL : leader_winner(leader, plan, i);
        if (winner != NULL && leader_has_text(winner->canaries, winner->canary_count, canary)) {
            return true;
        }
    }
    return false;
}

static void check_canaries(struct leader *leader, const struct message_plan *plan,
                           struct reasons *reasons)
{
    const struct gate_settings *gates = &leader->settings->gates;
    for (size_t i = 0; i < gates->canary_count; i++) {
        if (!is_found(leader, plan, gates->canaries[i])) {
            add(reasons,
                leader_text(leader, "key %s is not there (gates.canary_keys)", gates->canaries[i]));
        }
    }
}

static void check_all(struct leader *leader, const struct message_plan *plan,
                      struct reasons *reasons)
{
    const struct gate_settings *gates = &leader->settings->gates;
    uint64_t rows = 0;
    size_t empty = 0;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        const struct message_attempt *winner =
            plan->shards[i].builder < 0 ? NULL : leader_winner(leader, plan, i);
        rows += winner == NULL ? 0 : winner->row_count;
        empty += winner == NULL || winner->row_count == 0;
    }
    check_rows(leader, rows, reasons);
    if (gates->limits_empty_shards && empty > gates->max_empty_shards) {
        add(reasons,
            leader_text(leader,
                        "%zu of %zu shards are empty, at most %u may be (gates.max_empty_shards)",
                        empty, plan->shard_count, gates->max_empty_shards));
    }
    check_canaries(leader, plan, reasons);
}

/* What is on record already need not be said again in one term. A new one says it again: it has
 * looked with settings of its own. */
static bool is_said(const struct leader *leader, const struct message_plan *plan,
                    const struct reasons *reasons)
{
    char key[KEY_TEXT_MAX];
    snprintf(key, sizeof key, "gate/%s", plan->run_id);
    const struct fold_entry *entry = fold_find(leader->fold, key);
    if (entry == NULL || (int64_t)entry->message.gated.term != leader->term ||
        entry->message.gated.reason_count != reasons->count) {
        return false;
    }
    for (size_t i = 0; i < reasons->count; i++) {
        if (strcmp(entry->message.gated.reasons[i], reasons->list[i]) != 0) {
            return false;
        }
    }
    return true;
}

bool leader_gates_pass(struct leader *leader, const struct message_plan *plan, const char *changed,
                       bool *out_asked)
{
    *out_asked = false;
    struct reasons reasons = {.count = 0};
    if (changed != NULL) {
        add(&reasons, changed);
    }
    check_all(leader, plan, &reasons);
    if (reasons.count == 0 || leader_accepted(leader, plan) != NULL || RULE_OFF(27)) {
        return true;
    }
    leader_does(leader, leader_text(leader, "waits: build %llu is built and not published: %s",
                                    (unsigned long long)plan->build, reasons.list[0]));
    if (!is_said(leader, plan, &reasons)) {
        leader_alert(leader,
                     "build %llu, run %s is not published: %s%s; %s, or let it through with "
                     "`tidemark accept`",
                     (unsigned long long)plan->build, plan->run_id, reasons.list[0],
                     reasons.count > 1 ? ", and more" : "",
                     changed != NULL ? "put the settings back" : "change the gates");
        struct message message = {.kind = MESSAGE_GATED,
                                  .gated = {.term = (uint64_t)leader->term,
                                            .build = plan->build,
                                            .run_id = plan->run_id,
                                            .reasons = reasons.list,
                                            .reason_count = reasons.count}};
        leader_append_one(leader, &message);
        *out_asked = true;
    }
    return false;
}
