/* The leader and the attempts of a run: another one elsewhere for what failed, is overdue or has
 * lost its builder, and a second one beside one that is slow (R28). */
#include <stdio.h>
#include <stdlib.h>

#include "core/coord/leader_state.h"

/* A PLAN that is being written again. */
struct replan {
    const struct fold_entry *entry; /* the one in force */
    const struct message_plan *plan;
    struct leader_builder *builders;
    size_t builder_count;
    uint32_t *load; /* by builder: shards it has still to do */
    const char **members;
    size_t member_count;
    const bool *built; /* by shard: it has a winner, or nobody makes it */
    struct plan_shard *shards;
    struct plan_attempt *attempts;
    size_t attempt_count;
    bool changed;
};

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

static size_t open_attempts(const struct replan *replan, uint32_t shard,
                            struct plan_attempt attempts[PLAN_ATTEMPTS_MAX])
{
    int64_t stamp_us = replan->entry->timestamp_us;
    size_t count = message_plan_attempts(replan->plan, shard, stamp_us, attempts);
    for (size_t i = 0; i < count && RULE_OFF(281); i++) {
        attempts[i].since_us = stamp_us; /* planted: every PLAN gives all of them time again */
    }
    return count;
}

/* Index into the builders; -1: it is gone. */
static int32_t find_builder(const struct replan *replan, const char *name)
{
    for (size_t i = 0; i < replan->builder_count; i++) {
        if (strcmp(replan->builders[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* Those that the record has room for, and how many shards each has still to do. */
static void find_builders(struct replan *replan, const struct leader *leader,
                          const char *fingerprint)
{
    const struct message_plan *plan = replan->plan;
    size_t count = leader_builders(leader, fingerprint, replan->builders);
    size_t room = MEMBERS_MAX - plan->member_count;
    for (size_t i = 0; i < count; i++) {
        const char *name = replan->builders[i].name;
        bool named = leader_has_text(plan->members, plan->member_count, name);
        if (named || room > 0) {
            room -= named ? 0 : 1;
            replan->builders[replan->builder_count++] = replan->builders[i];
        }
    }
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        struct plan_attempt open[PLAN_ATTEMPTS_MAX];
        size_t open_count = replan->built[i] ? 0 : open_attempts(replan, i, open);
        for (size_t k = 0; k < open_count; k++) {
            int32_t builder = find_builder(replan, plan->members[open[k].builder]);
            if (builder >= 0) {
                replan->load[builder]++;
            }
        }
    }
}

static void replan_init(struct replan *replan, struct leader *leader,
                        const struct fold_entry *entry, const char *fingerprint)
{
    struct arena *arena = leader->out->arena;
    const struct message_plan *plan = &entry->message.plan;
    bool *built = arena_zero(arena, plan->shard_count * sizeof *built);
    *replan = (struct replan){
        .entry = entry,
        .plan = plan,
        .builders = arena_zero(arena, MEMBERS_MAX * sizeof *replan->builders),
        .load = arena_zero(arena, MEMBERS_MAX * sizeof *replan->load),
        .members = arena_zero(arena, MEMBERS_MAX * sizeof(char *)),
        .member_count = plan->member_count,
        .built = built,
        .shards = arena_zero(arena, plan->shard_count * sizeof *replan->shards),
        .attempts =
            arena_zero(arena, PLAN_ATTEMPTS_MAX * plan->shard_count * sizeof *replan->attempts),
    };
    memcpy(replan->members, plan->members, plan->member_count * sizeof(char *));
    memcpy(replan->shards, plan->shards, plan->shard_count * sizeof *replan->shards);
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        built[i] = plan->shards[i].builder < 0 || leader_winner(leader, plan, i) != NULL;
    }
    find_builders(replan, leader, fingerprint);
}

/* One attempt will not end any more, or is not waited for. */
static bool is_over(const struct leader *leader, const struct replan *replan,
                    const struct plan_attempt *attempt, const char **out_why)
{
    const struct message_plan *plan = replan->plan;
    const struct fold_entry *said =
        fold_attempt(leader->fold, plan->run_id, attempt->shard, attempt->attempt);
    if (said != NULL && !said->message.attempt.ok) {
        *out_why = said->message.attempt.error;
        return true;
    }
    if (find_builder(replan, plan->members[attempt->builder]) < 0) {
        *out_why = "its builder is gone";
        return true;
    }
    /* the same member would do the same work twice: overdue is only what another could do */
    *out_why = "overdue";
    return leader_broker_now(leader) - attempt->since_us > leader->settings->attempt_deadline_us &&
           replan->builder_count > 1;
}

/* The attempts that are still waited for; 0: another one is due, because of `out_why`. */
static size_t running(const struct leader *leader, const struct replan *replan, uint32_t shard,
                      struct plan_attempt attempts[PLAN_ATTEMPTS_MAX], const char **out_why)
{
    size_t count = open_attempts(replan, shard, attempts);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_over(leader, replan, &attempts[i], out_why)) {
            attempts[kept++] = attempts[i];
        }
    }
    return kept;
}

/* It had an attempt at this shard before. */
static bool has_tried(const struct leader *leader, const struct replan *replan, uint32_t shard,
                      const char *name)
{
    const struct message_plan *plan = replan->plan;
    struct plan_attempt open[PLAN_ATTEMPTS_MAX];
    size_t count = open_attempts(replan, shard, open);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(plan->members[open[i].builder], name) == 0) {
            return true;
        }
    }
    for (uint32_t k = 1; k <= plan->shards[shard].attempt; k++) {
        const struct fold_entry *said = fold_attempt(leader->fold, plan->run_id, shard, k);
        if (said != NULL && strcmp(said->message.attempt.member, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Another attempt for whom has least to do, rather one that did not try yet; first by name. */
static int32_t choose_other(const struct leader *leader, const struct replan *replan,
                            uint32_t shard)
{
    const char *last = replan->plan->members[replan->plan->shards[shard].builder];
    int32_t best = -1;
    uint64_t best_rank = UINT64_MAX;
    for (size_t i = 0; i < replan->builder_count; i++) {
        const char *name = replan->builders[i].name;
        uint64_t tried = has_tried(leader, replan, shard, name);
        uint64_t again = strcmp(name, last) == 0;
        uint64_t rank = (tried + again) << 32 | replan->load[i];
        if (rank < best_rank) {
            best_rank = rank;
            best = (int32_t)i;
        }
    }
    return best;
}

/* Whoever has nothing to do for this build and can get at all of its rows. */
static int32_t choose_idle(const struct leader *leader, const struct replan *replan, uint32_t shard)
{
    bool carried = message_plan_carries(replan->plan, shard);
    for (size_t i = 0; i < replan->builder_count; i++) {
        if (replan->load[i] == 0 && !has_tried(leader, replan, shard, replan->builders[i].name) &&
            (carried || leader_can_gather(leader, replan->plan, &replan->builders[i]) ||
             RULE_OFF(28))) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* The next attempt is that builder's. */
static void give(struct replan *replan, uint32_t shard, int32_t builder)
{
    const char *name = replan->builders[builder].name;
    size_t index = 0;
    while (index < replan->member_count && strcmp(replan->members[index], name) != 0) {
        index++;
    }
    if (index == replan->member_count) {
        replan->members[replan->member_count++] = name;
    }
    replan->shards[shard].builder = (int32_t)index;
    replan->shards[shard].attempt++;
    replan->load[builder]++;
    replan->changed = true;
}

/* The pause after an attempt that failed: it doubles, and no member pauses for all of it. Half of
 * it is not chance, and one number for all shards of a run: what failed together, because the store
 * did, is tried again in one PLAN. */
static int64_t pause_us(const struct leader *leader, const struct message_plan *plan,
                        uint32_t attempt, bool whole)
{
    const struct coord_settings *settings = leader->settings;
    int64_t pause = RULE_OFF(284) ? 0 : settings->attempt_backoff_us;
    for (uint32_t k = 1; k < attempt && pause < settings->attempt_backoff_max_us; k++) {
        pause *= 2;
    }
    pause = pause < settings->attempt_backoff_max_us ? pause : settings->attempt_backoff_max_us;
    struct rng rng;
    rng_init(&rng, (uint64_t)plan->time_us + plan->build + attempt);
    int64_t chance = (int64_t)rng_below(&rng, (uint64_t)pause / 2 + 1);
    return pause / 2 + (whole ? chance : 0);
}

/* How long ago the newest attempt at the shard said that it failed; INT64_MAX: it did not. */
static int64_t failed_for_us(const struct leader *leader, const struct message_plan *plan,
                             uint32_t shard)
{
    const struct fold_entry *said =
        fold_attempt(leader->fold, plan->run_id, shard, plan->shards[shard].attempt);
    return said == NULL || said->message.attempt.ok
               ? INT64_MAX
               : leader_broker_now(leader) - said->timestamp_us;
}

/* True: some shard is due for another attempt. Those that failed at about the same time are, then,
 * too. */
static bool some_due(const struct leader *leader, const struct replan *replan)
{
    const struct message_plan *plan = replan->plan;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
        const char *why = "";
        if (!replan->built[i] && running(leader, replan, i, attempts, &why) == 0 &&
            failed_for_us(leader, plan, i) >=
                pause_us(leader, plan, plan->shards[i].attempt, true)) {
            return true;
        }
    }
    return false;
}

/* Other builders for what is over; false: max_attempts is used up. */
static bool plan_again(struct leader *leader, struct replan *replan, const char **out_why)
{
    const struct message_plan *plan = replan->plan;
    bool due = some_due(leader, replan);
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
        const char *why = "";
        if (replan->built[i] || running(leader, replan, i, attempts, &why) > 0) {
            continue;
        }
        if (plan->shards[i].attempt >= leader->settings->max_attempts) {
            *out_why =
                leader_text(leader, "shard %u, attempt %u: %s", i, plan->shards[i].attempt, why);
            return false;
        }
        if (!due || failed_for_us(leader, plan, i) <
                        pause_us(leader, plan, plan->shards[i].attempt, false)) {
            leader_does(leader, "pauses before another attempt at a shard that failed");
            continue;
        }
        int32_t builder = choose_other(leader, replan, i);
        if (builder < 0) {
            leader_does(leader, "waits for a member that can build");
            continue;
        }
        leader_trace(leader, "shard %u of %s again: %s", i, plan->run_id, why);
        give(replan, i, builder);
    }
    return true;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* How long the winner of a shard took from its PLAN on; -1: not known. */
static int64_t took_us(const struct leader *leader, const struct replan *replan,
                       const struct message_attempt *winner)
{
    const struct message_plan *plan = replan->plan;
    struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
    size_t count = open_attempts(replan, winner->shard, attempts);
    int64_t since_us = winner->attempt == 1 ? plan->began_us : 0;
    for (size_t i = 0; i < count; i++) {
        since_us = attempts[i].attempt == winner->attempt ? attempts[i].since_us : since_us;
    }
    const struct fold_entry *said =
        fold_attempt(leader->fold, plan->run_id, winner->shard, winner->attempt);
    return since_us == 0 || said == NULL ? -1 : said->timestamp_us - since_us;
}

/* An attempt that runs longer is slow; INT64_MAX: too few have ended to say. */
static int64_t slow_us(struct leader *leader, const struct replan *replan)
{
    const struct coord_settings *settings = leader->settings;
    const struct message_plan *plan = replan->plan;
    int64_t *times = arena_zero(leader->out->arena, plan->shard_count * sizeof *times);
    size_t count = 0;
    size_t built = 0;
    size_t all = 0;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        if (plan->shards[i].builder < 0) {
            continue;
        }
        all++;
        const struct message_attempt *winner = leader_winner(leader, plan, i);
        int64_t took = winner == NULL ? -1 : took_us(leader, replan, winner);
        built += winner != NULL;
        if (took >= 0) {
            times[count++] = took;
        }
    }
    if (count == 0 || (double)built < settings->speculative_share * (double)all) {
        return INT64_MAX;
    }
    qsort(times, count, sizeof *times, compare_times);
    int64_t median = times[count / 2];
    int64_t factor = settings->speculative_factor;
    int64_t slow = median > INT64_MAX / factor ? INT64_MAX : median * factor;
    return slow > settings->speculative_after_us ? slow : settings->speculative_after_us;
}

/* R28: a second attempt beside the first one, by who is idle. */
static void plan_beside(struct leader *leader, struct replan *replan)
{
    const struct coord_settings *settings = leader->settings;
    const struct message_plan *plan = replan->plan;
    int64_t now_us = leader_broker_now(leader);
    int64_t slow = 0; /* not known yet */
    for (uint32_t i = 0; settings->speculative && i < plan->shard_count; i++) {
        struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
        const char *why = "";
        if (replan->built[i] || plan->shards[i].attempt >= settings->max_attempts ||
            open_attempts(replan, i, attempts) == 0 ||
            now_us - attempts[0].since_us <= settings->speculative_after_us ||
            running(leader, replan, i, attempts, &why) != 1) {
            continue;
        }
        slow = slow == 0 ? slow_us(leader, replan) : slow;
        int32_t builder = -1;
        if (now_us - attempts[0].since_us > slow) {
            builder = choose_idle(leader, replan, i);
        }
        if (builder >= 0) {
            leader_trace(leader, "shard %u of %s is slow at %s: %s tries it, too", i, plan->run_id,
                         plan->members[attempts[0].builder], replan->builders[builder].name);
            give(replan, i, builder);
        }
    }
}

/* What the new PLAN's own stamp does not say of the attempts that go on. */
static void keep_attempts(const struct leader *leader, struct replan *replan)
{
    const struct message_plan *plan = replan->plan;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
        const char *why = "";
        bool newer = replan->shards[i].attempt != plan->shards[i].attempt;
        size_t count = 0;
        if (newer && !RULE_OFF(282)) { /* planted: whoever gets company is given up */
            count = running(leader, replan, i, attempts, &why);
        } else if (!newer && plan->shards[i].builder >= 0) {
            count = open_attempts(replan, i, attempts);
        }
        for (size_t k = 0; k < count; k++) {
            if (newer || attempts[k].attempt > 1 || count > 1) {
                replan->attempts[replan->attempt_count++] = attempts[k];
            }
        }
    }
}

static void append_again(struct leader *leader, struct replan *replan)
{
    keep_attempts(leader, replan);
    struct message_plan next = *replan->plan;
    next.term = (uint64_t)leader->term;
    next.began_us = next.began_us != 0 ? next.began_us : replan->entry->timestamp_us;
    next.members = replan->members;
    next.member_count = replan->member_count;
    next.shards = replan->shards;
    next.attempts = replan->attempts;
    next.attempt_count = replan->attempt_count;
    leader_append_plan(leader, &next);
}

bool leader_duty_attempts(struct leader *leader)
{
    const struct fold_entry *entry = fold_open_plan(leader->fold);
    const struct fold_entry *close = fold_open_close(leader->fold);
    if (entry == NULL || close == NULL || fold_resume(leader->fold) != NULL) {
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
    struct replan replan;
    replan_init(&replan, leader, entry, close->message.close.fingerprint);
    const char *why = NULL;
    if (!plan_again(leader, &replan, &why)) {
        leader_abort(leader, plan, why);
        return true;
    }
    plan_beside(leader, &replan);
    if (!replan.changed) {
        return false;
    }
    append_again(leader, &replan);
    return true;
}
