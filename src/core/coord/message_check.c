/* What the fields of a record must be to each other. */
#include "core/coord/message_check.h"

static bool refuse(struct err *err, const char *list, size_t index, const char *what)
{
    return err_set(err, ERR_INPUT, "%s[%zu]: %s", list, index, what);
}

static bool check_progress(const struct message_progress *progress, struct err *err)
{
    for (size_t i = 0; i < progress->partition_count; i++) {
        if (progress->partitions[i].position < progress->partitions[i].from) {
            return refuse(err, "partitions", i, "position below from");
        }
    }
    return true;
}

static bool check_ready(const struct message_ready *ready, struct err *err)
{
    for (size_t i = 0; i < ready->partition_count; i++) {
        const struct ready_partition *partition = &ready->partitions[i];
        if (partition->to < partition->from || partition->carried_from < partition->from ||
            partition->carried_from > partition->to) {
            return refuse(err, "partitions", i, "not from <= carried_from <= to");
        }
    }
    for (size_t i = 1; i < ready->shard_count; i++) {
        if (ready->shards[i].shard <= ready->shards[i - 1].shard) {
            return refuse(err, "shards", i, "not in order, or twice");
        }
    }
    for (size_t i = 0; i < ready->token_count; i++) {
        const char *token = ready->tokens[i].token;
        if ((token[0] != 'i' && token[0] != 's') || token[1] != ':') {
            return refuse(err, "tokens", i, "neither i:<integer> nor s:<text>");
        }
    }
    return true;
}

static bool check_cuts(const char *list, const struct close_partition *partitions, size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (partitions[i].seen_end < partitions[i].tail_from ||
            partitions[i].cut < partitions[i].seen_end) {
            return refuse(err, list, i, "not tail_from <= seen_end <= cut");
        }
    }
    return true;
}

static bool check_close(const struct message_close *close, struct err *err)
{
    if (close->build == 0) {
        return err_set(err, ERR_INPUT, "build: 0");
    }
    if (close->to_us < close->from_us) {
        return err_set(err, ERR_INPUT, "to_us: below from_us");
    }
    return check_cuts("partitions", close->partitions, close->partition_count, err);
}

static bool check_carried(const struct message_plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->carried_count; i++) {
        uint32_t shard = plan->carried[i];
        if (i > 0 && shard <= plan->carried[i - 1]) {
            return refuse(err, "carried", i, "not in order, or twice");
        }
        if (shard >= plan->shard_count || plan->shards[shard].builder < 0) {
            return refuse(err, "carried", i, "a shard that nobody makes");
        }
    }
    if (plan->carried_count > 0 && (!plan->has_base || plan->base.whole)) {
        return err_set(err, ERR_INPUT, "carried: without a base to copy from");
    }
    return true;
}

static bool check_attempts(const struct message_plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->attempt_count; i++) {
        const struct plan_attempt *attempt = &plan->attempts[i];
        const struct plan_attempt *last = i == 0 ? NULL : &plan->attempts[i - 1];
        if (attempt->shard >= plan->shard_count || plan->shards[attempt->shard].builder < 0) {
            return refuse(err, "attempts", i, "a shard that nobody makes");
        }
        if (attempt->builder >= (int64_t)plan->member_count) {
            return refuse(err, "attempts", i, "builder: not in members");
        }
        const struct plan_shard *shard = &plan->shards[attempt->shard];
        if (attempt->attempt == shard->attempt && attempt->builder != shard->builder) {
            return refuse(err, "attempts", i, "builder: not that of the shard");
        }
        if (attempt->attempt > shard->attempt) {
            return refuse(err, "attempts", i, "newer than the shard's newest");
        }
        bool again = last != NULL && last->shard == attempt->shard;
        if (last != NULL &&
            (attempt->shard < last->shard || (again && attempt->attempt <= last->attempt))) {
            return refuse(err, "attempts", i, "not in order, or twice");
        }
        if (again && attempt->attempt != shard->attempt) {
            return refuse(err, "attempts", i, "two beside the newest");
        }
    }
    return true;
}

static bool check_plan(const struct message_plan *plan, struct err *err)
{
    if (plan->shard_count == 0) {
        return err_set(err, ERR_INPUT, "shards: none");
    }
    for (size_t i = 0; i < plan->shard_count; i++) {
        const struct plan_shard *shard = &plan->shards[i];
        if (shard->builder >= (int64_t)plan->member_count) {
            return refuse(err, "shards", i, "builder: not in members");
        }
        if ((shard->builder >= 0) != (shard->attempt >= 1)) {
            return refuse(err, "shards", i, "a builder and an attempt, or neither");
        }
    }
    for (size_t i = 0; i < plan->contribution_count; i++) {
        for (size_t j = 0; j < plan->contributions[i].range_count; j++) {
            const struct plan_range *range = &plan->contributions[i].ranges[j];
            if (range->to < range->from) {
                return refuse(err, "contributions", i, "a range that ends before it begins");
            }
        }
    }
    for (size_t i = 0; i < plan->skip_count; i++) {
        if (plan->skips[i].range.to < plan->skips[i].range.from) {
            return refuse(err, "skips", i, "a range that ends before it begins");
        }
    }
    if (plan->routing_value_count != 0 && plan->routing_value_count != plan->shard_count) {
        return err_set(err, ERR_INPUT, "routing_values: not one a shard");
    }
    TRY(check_attempts(plan, err));
    return check_carried(plan, err);
}

static bool check_history(const char *list, const struct history_step *history, size_t count,
                          size_t partition_count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct history_step *step = &history[i];
        if (i > 0 && step->build <= history[i - 1].build) {
            return refuse(err, list, i, "not in order, or twice");
        }
        for (size_t j = 0; j < step->cut_count; j++) {
            if (step->cuts[j].partition >= partition_count) {
                return refuse(err, list, i, "a partition that is not in partitions");
            }
        }
    }
    return true;
}

/* What was skipped begins where its partition does: the rest can be read. */
static bool check_made_of(const struct message_commit *commit, struct err *err)
{
    const struct commit_made_of *made_of = &commit->made_of;
    TRY(check_cuts("made_of.partitions", made_of->partitions, made_of->partition_count, err));
    TRY(check_history("made_of.before", made_of->before, made_of->before_count,
                      commit->partition_count, err));
    for (size_t i = 0; i < made_of->skipped_count; i++) {
        if (made_of->skipped[i].to < made_of->skipped[i].from) {
            return refuse(err, "made_of.skipped", i, "a range that ends before it begins");
        }
    }
    for (size_t i = 0; i < made_of->order_count; i++) {
        const struct commit_order *order = &made_of->orders[i];
        if (order->shard >= commit->snapshot.num_dbs ||
            (i > 0 && order->shard <= made_of->orders[i - 1].shard)) {
            return refuse(err, "made_of.orders", i, "no such shard, not in order, or twice");
        }
    }
    return true;
}

static bool check_commit(const struct message_commit *commit, struct err *err)
{
    if (commit->build == 0) {
        return err_set(err, ERR_INPUT, "build: 0");
    }
    for (size_t i = 0; i < commit->partition_count; i++) {
        if (commit->partitions[i].cut < commit->partitions[i].tail_from) {
            return refuse(err, "partitions", i, "cut below tail_from");
        }
    }
    TRY(check_history("history", commit->history, commit->history_count, commit->partition_count,
                      err));
    TRY(check_made_of(commit, err));
    if (commit->winner_count != 0 &&
        (!commit->has_snapshot || commit->winner_count != commit->snapshot.num_dbs)) {
        return err_set(err, ERR_INPUT, "winners: not one a shard");
    }
    if (commit->kind == COMMIT_BUILD && !commit->has_snapshot) {
        return err_set(err, ERR_INPUT, "snapshot: missing");
    }
    return true;
}

bool message_check(const struct message *message, struct err *err)
{
    switch (message->kind) {
    case MESSAGE_PROGRESS:
        return check_progress(&message->progress, err);
    case MESSAGE_READY:
        return check_ready(&message->ready, err);
    case MESSAGE_CLOSE:
        return check_close(&message->close, err);
    case MESSAGE_PLAN:
        return check_plan(&message->plan, err);
    case MESSAGE_COMMIT:
        return check_commit(&message->commit, err);
    case MESSAGE_SKIP:
        if (message->skip.range.to <= message->skip.range.from) {
            return err_set(err, ERR_INPUT, "range: it ends before it begins");
        }
        return true;
    case MESSAGE_CONDEMN:
    case MESSAGE_SPARE:
        if (message->condemn.whole_run && message->condemn.object_count > 0) {
            return err_set(err, ERR_INPUT, "objects: named beside the whole run");
        }
        return true;
    case MESSAGE_HANDOVER:
        if (message->handover.from > message->handover.to) {
            return err_set(err, ERR_INPUT, "to: it ends before it begins");
        }
        return true;
    case MESSAGE_LEADER:
    case MESSAGE_REFUSED:
    case MESSAGE_PART:
    case MESSAGE_ATTEMPT:
    case MESSAGE_PUBLISHED:
    case MESSAGE_ABORTED:
    case MESSAGE_HOLD:
    case MESSAGE_HELD:
    case MESSAGE_RESUME:
    case MESSAGE_TRIGGER:
    case MESSAGE_GATED:
    case MESSAGE_ACCEPT:
        return true;
    case MESSAGE_KINDS:
        break;
    }
    return err_set(err, ERR_INPUT, "unknown kind");
}
