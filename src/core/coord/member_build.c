/* The member works for a PLAN: its part for others, its shards, an ATTEMPT for each. */
#include <stdio.h>
#include <stdlib.h>

#include "core/coord/member_state.h"

static void drop_run(struct member *member)
{
    struct my_run *run = &member->run;
    if (run->run_id[0] == '\0') {
        return;
    }
    struct member_command *command = member_command(member, MEMBER_DROP_BUILD);
    command->drop.build = run->build;
    command->drop.run_id = arena_text(member->out->arena, bytes_of_text(run->run_id));
    member_trace(member, "drop %s", run->run_id);
    free(run->attempts);
    *run = (struct my_run){0};
}

static void take_run(struct member *member, const struct message_plan *plan)
{
    struct my_run *run = &member->run;
    if (strcmp(run->run_id, plan->run_id) == 0) {
        return;
    }
    drop_run(member);
    memcpy(run->run_id, plan->run_id, strlen(plan->run_id) + 1);
    run->build = plan->build;
    run->shard_count = plan->shard_count;
    run->attempts = calloc(plan->shard_count, sizeof *run->attempts);
    CHECK(run->attempts != NULL);
}

static bool is_me(const struct member *member, const struct plan_contribution *contribution)
{
    return strcmp(contribution->member, member->name) == 0 &&
           contribution->incarnation == member->incarnation;
}

/* Our rows of this build are sealed and here. */
static bool have_seal(const struct member *member, const struct message_plan *plan)
{
    return member->seal.done && !member->seal.asked && member->seal.build == plan->build;
}

static const struct plan_contribution *my_contribution(const struct member *member,
                                                       const struct message_plan *plan)
{
    for (size_t i = 0; i < plan->contribution_count; i++) {
        if (is_me(member, &plan->contributions[i])) {
            return &plan->contributions[i];
        }
    }
    return NULL;
}

static bool others_need_my_part(const struct member *member, const struct message_plan *plan)
{
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
        size_t count = message_plan_carries(plan, i) ? 0
                                                     : message_plan_attempts(plan, i, 0, attempts);
        for (size_t k = 0; k < count; k++) {
            if (strcmp(plan->members[attempts[k].builder], member->name) != 0) {
                return true;
            }
        }
    }
    return false;
}

static void store_part(struct member *member, const struct message_plan *plan)
{
    const struct plan_contribution *mine = my_contribution(member, plan);
    if (mine == NULL || !have_seal(member, plan) || !others_need_my_part(member, plan) ||
        member->part_seal == member->seal.number || member->now_us < member->part_retry_us ||
        fold_part(member->fold, plan->build, member->name, member->incarnation, mine->ranges,
                  mine->range_count) != NULL) {
        return;
    }
    member->part_seal = member->seal.number;
    struct member_command *command = member_command(member, MEMBER_STORE_PART);
    command->store_part.build = plan->build;
    command->store_part.run_id = arena_text(member->out->arena, bytes_of_text(plan->run_id));
    member_trace(member, "store part of build %llu", (unsigned long long)plan->build);
}

void member_part_stored(struct member *member, const struct member_event *event)
{
    if (member->seal.build != event->part.build || member->part_seal != member->seal.number) {
        return; /* sealed again since: its ranges are not known any more */
    }
    if (!event->part.ok) {
        member_alert(member, "the part of build %llu cannot be stored: %s",
                     (unsigned long long)event->part.build, event->part.error);
        member_does(member, "cannot store its part of build %llu, and tries again: %s",
                    (unsigned long long)event->part.build, event->part.error);
        member->part_seal = 0;
        member->part_retry_us = member->now_us + member_backoff(member, &member->part_failures);
        return;
    }
    member->part_failures = 0;
    struct plan_range *ranges =
        arena_zero(member->out->arena, (member->seal.partition_count + 1) * sizeof *ranges);
    for (size_t i = 0; i < member->seal.partition_count; i++) {
        const struct ready_partition *sealed = &member->seal.partitions[i];
        ranges[i] = (struct plan_range){.id = sealed->id, .from = sealed->from, .to = sealed->to};
    }
    struct message message = {.kind = MESSAGE_PART,
                              .part = {.ranges = ranges,
                                       .range_count = member->seal.partition_count,
                                       .member = member->name,
                                       .incarnation = member->incarnation,
                                       .build = event->part.build,
                                       .url = event->part.url,
                                       .digest = event->part.digest,
                                       .rows = event->part.rows,
                                       .bytes = event->part.bytes}};
    (void)member_send(member, &message);
}

static const struct plan_base *copy_base(struct member *member, const struct message_plan *plan)
{
    if (!plan->has_base) {
        return NULL;
    }
    struct plan_base *base = arena_zero(member->out->arena, sizeof *base);
    *base = plan->base;
    base->run_id = arena_text(member->out->arena, bytes_of_text(plan->base.run_id));
    base->staged_url = arena_text(member->out->arena, bytes_of_text(plan->base.staged_url));
    return base;
}

/* All contributions, each either our own or with its part in the store. False: one is not there
 * yet. */
static bool gather(struct member *member, const struct message_plan *plan,
                   struct member_contribution *list)
{
    struct arena *arena = member->out->arena;
    for (size_t i = 0; i < plan->contribution_count; i++) {
        const struct plan_contribution *from = &plan->contributions[i];
        bool own = is_me(member, from) && have_seal(member, plan);
        const struct fold_entry *part =
            own ? NULL
                : fold_part(member->fold, plan->build, from->member, from->incarnation,
                            from->ranges, from->range_count);
        if (!own && part == NULL) {
            return false;
        }
        list[i] =
            (struct member_contribution){.member = arena_text(arena, bytes_of_text(from->member)),
                                         .incarnation = from->incarnation,
                                         .own = own,
                                         .url = own ? "" : part->message.part.url,
                                         .digest = own ? "" : part->message.part.digest,
                                         .bytes = own ? 0 : part->message.part.bytes,
                                         .ranges = from->ranges,
                                         .range_count = from->range_count};
    }
    return true;
}

/* `contributions` NULL: the shard is carried over. */
static void begin_shard(struct member *member, const struct message_plan *plan, uint32_t shard,
                        uint32_t attempt, const struct member_contribution *contributions)
{
    struct member_command *command = member_command(member, MEMBER_BUILD);
    command->build.build = plan->build;
    command->build.run_id = arena_text(member->out->arena, bytes_of_text(plan->run_id));
    command->build.shard = shard;
    command->build.attempt = attempt;
    command->build.num_dbs = (uint32_t)plan->shard_count;
    command->build.routing_values = plan->routing_values;
    command->build.routing_value_count = plan->routing_value_count;
    command->build.contributions = contributions;
    command->build.contribution_count = contributions == NULL ? 0 : plan->contribution_count;
    command->build.base = copy_base(member, plan);
    command->build.carry = contributions == NULL;
    member->run.attempts[shard] = attempt;
    member_trace(member, "%s shard %u of %s, attempt %u",
                 command->build.carry ? "carry over" : "build", shard, plan->run_id, attempt);
}

/* The attempt at the shard that is ours to begin; 0: none. It is begun once, and not when it is on
 * record already, or when another is that is good. */
static uint32_t mine_to_build(const struct member *member, const struct message_plan *plan,
                              uint32_t shard)
{
    struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
    size_t count = message_plan_attempts(plan, shard, 0, attempts);
    uint32_t mine = 0;
    for (size_t i = 0; i < count; i++) {
        const struct fold_entry *said =
            fold_attempt(member->fold, plan->run_id, shard, attempts[i].attempt);
        if (said != NULL && said->message.attempt.ok) {
            return 0;
        }
        if (said == NULL && mine == 0 &&
            strcmp(plan->members[attempts[i].builder], member->name) == 0 &&
            member->run.attempts[shard] < attempts[i].attempt) {
            mine = attempts[i].attempt;
        }
    }
    return mine;
}

/* An attempt that is ours is not on record yet, and nobody else's made it needless. */
static bool still_builds(const struct member *member, const struct message_plan *plan,
                         uint32_t shard)
{
    struct plan_attempt attempts[PLAN_ATTEMPTS_MAX];
    size_t count = message_plan_attempts(plan, shard, 0, attempts);
    bool mine = false;
    for (size_t i = 0; i < count; i++) {
        const struct fold_entry *said =
            fold_attempt(member->fold, plan->run_id, shard, attempts[i].attempt);
        if (said != NULL && said->message.attempt.ok) {
            return false;
        }
        mine = mine ||
               (said == NULL && strcmp(plan->members[attempts[i].builder], member->name) == 0);
    }
    return mine;
}

/* With nothing more to build in this run: what it waits for, for people. */
static void say_built(struct member *member, const struct message_plan *plan)
{
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        if (still_builds(member, plan, i)) {
            return;
        }
    }
    char key[4 * MESSAGE_NAME_MAX];
    snprintf(key, sizeof key, "gate/%s", plan->run_id);
    if (fold_find(member->fold, key) != NULL) {
        member_does(member, "waits: a gate keeps %s from being published", plan->run_id);
    } else {
        member_does(member, "waits until %s is published", plan->run_id);
    }
}

void member_build(struct member *member)
{
    const struct fold_entry *entry = fold_open_plan(member->fold);
    if (!member->caught_up || member->stopping) {
        return;
    }
    if (entry == NULL) {
        drop_run(member);
        return;
    }
    const struct message_plan *plan = &entry->message.plan;
    const struct message_condemn *condemned = fold_condemned(member->fold, plan->run_id);
    if (condemned != NULL && condemned->whole_run) {
        drop_run(member);
        return;
    }
    take_run(member, plan);
    for (size_t i = 0; i < plan->carried_count; i++) { /* nobody's rows are needed for these */
        uint32_t attempt = mine_to_build(member, plan, plan->carried[i]);
        if (attempt > 0) {
            begin_shard(member, plan, plan->carried[i], attempt, NULL);
            member_does(member, "builds %s", plan->run_id);
        }
    }
    store_part(member, plan);
    struct member_contribution *contributions =
        arena_zero(member->out->arena, (plan->contribution_count + 1) * sizeof *contributions);
    if (!gather(member, plan, contributions)) {
        member_does(member, "waits for the parts of others for build %llu",
                    (unsigned long long)plan->build);
        return;
    }
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        uint32_t attempt = mine_to_build(member, plan, i);
        if (attempt > 0) {
            begin_shard(member, plan, i, attempt, contributions);
            member_does(member, "builds %s", plan->run_id);
        }
    }
    if (member->part_failures == 0) {
        say_built(member, plan);
    }
}

void member_built(struct member *member, const struct member_event *event)
{
    if (strcmp(event->built.run_id, member->run.run_id) != 0) {
        return; /* of a run that is over */
    }
    struct message message = {.kind = MESSAGE_ATTEMPT, .attempt = event->built};
    message.attempt.member = member->name;
    message.attempt.incarnation = member->incarnation;
    message.attempt.build = member->run.build;
    if (!event->built.ok) {
        member_alert(member, "shard %u of %s, attempt %u: %s", event->built.shard,
                     event->built.run_id, event->built.attempt, event->built.error);
    }
    if (!member_send(member, &message)) {
        message.attempt = (struct message_attempt){.member = member->name,
                                                   .incarnation = member->incarnation,
                                                   .build = member->run.build,
                                                   .run_id = event->built.run_id,
                                                   .shard = event->built.shard,
                                                   .attempt = event->built.attempt,
                                                   .error = "its ATTEMPT is too large to be said",
                                                   .url = ""};
        (void)member_send(member, &message);
    }
}
