/* The operator of the simulated world: holds, rolls back, resumes, triggers; through the ledger as
 * the command line does. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/world.h"

static int64_t append(struct world *world, const struct message *message)
{
    AUTO(buf) struct buf key;
    AUTO(buf) struct buf value;
    buf_init(&key, 4096);
    buf_init(&value, 1 << 20);
    message_key(message, &key);
    message_encode(message, &value);
    world_trace(world, "operator: %s", buf_text(&value));
    return ledger_append(world, buf_text(&key), buf_text(&value));
}

static const char *new_id(struct world *world, char *id)
{
    rng_hex(&world->rng, id, 16);
    return id;
}

void operator_hold(struct world *world, const char *target)
{
    char id[17];
    struct message message = {.kind = MESSAGE_HOLD,
                              .hold = {.id = new_id(world, id),
                                       .who = "operator",
                                       .why = "because",
                                       .target = target,
                                       .may_appear = ""}};
    world->person.hold_offset = append(world, &message);
    world->person.state = OP_HOLDING;
    world->person.waits_until_us = world->now_us + 20000000;
}

void operator_resume(struct world *world, enum resume_mode mode)
{
    char id[17];
    struct message message = {.kind = MESSAGE_RESUME,
                              .resume = {.id = new_id(world, id),
                                         .who = "operator",
                                         .why = "because",
                                         .mode = mode,
                                         .pointer = store_get(&world->store, "_CURRENT")}};
    append(world, &message);
    world->person.state = OP_NONE;
}

void operator_trigger(struct world *world)
{
    char id[17];
    struct message message = {
        .kind = MESSAGE_TRIGGER,
        .trigger = {.id = new_id(world, id), .who = "operator", .why = "now"}};
    append(world, &message);
}

/* Up to an end that can be read, and perhaps nothing of some partition. */
static void trigger_with_cuts(struct world *world)
{
    char id[17];
    struct trigger_cut cuts[SIM_PARTITIONS_MAX];
    struct message message = {
        .kind = MESSAGE_TRIGGER,
        .trigger = {.id = new_id(world, id), .who = "operator", .why = "to here", .cuts = cuts}};
    int order[SIM_PARTITIONS_MAX];
    partitions_sorted(world, order);
    for (int i = 0; i < world->partition_count; i++) {
        const struct sim_partition *partition = &world->partitions[order[i]];
        if (!world_reads(world, order[i])) {
            continue;
        }
        cuts[message.trigger.cut_count++] = (struct trigger_cut){
            .id = partition->id, .cut = world_between(world, 0, partition->lso)};
    }
    coverage_chance(CHANCE_CUTS);
    append(world, &message);
}

void operator_skip(struct world *world, int partition, int64_t from, int64_t to)
{
    char id[17];
    struct message message = {
        .kind = MESSAGE_SKIP,
        .skip = {.id = new_id(world, id),
                 .who = "operator",
                 .why = "retention took it",
                 .range = {.id = world->partitions[partition].id, .from = from, .to = to}}};
    append(world, &message);
}

bool operator_point_to(struct world *world, const char *run_id)
{
    char bytes[300];
    snprintf(bytes, sizeof bytes, "{\"run_id\":\"%s\",\"updated_at\":%lld}", run_id,
             (long long)world->now_us); /* a new updated_at: bytes never used before (R13) */
    store_put(&world->store, "_CURRENT", bytes);
    world->person.moved = true;
    coverage_chance(CHANCE_ROLLBACK);
    world_event(world, "operator points to %.*s", (int)strcspn(run_id, "-"), run_id);
    world_trace(world, "operator: _CURRENT = %s", bytes);
    return true;
}

/* An operator takes his time, but not when the faults have stopped: what is waited for then is the
 * service. */
static void busy(struct world *world, int64_t least_us, int64_t most_us)
{
    int64_t wait_us = world_between(world, least_us, most_us);
    world->person.next_us = world->now_us + (world->calm ? SIM_OPERATOR_US : wait_us);
}

/* Under a hold of whatever cause: perhaps a rollback, then RESUME. */
static void held(struct world *world)
{
    const char *older = audit_older_run(world);
    if (world->person.rollback && older != NULL) {
        operator_point_to(world, older);
        world->person.rollback = false;
        busy(world, 500000, 3000000);
        return;
    }
    bool here = rng_below(&world->rng, 2) == 0 && store_get(&world->store, "_CURRENT") != NULL;
    operator_resume(world, here ? RESUME_FROM_HERE : RESUME_ADOPT);
    busy(world, 2000000, 6000000);
}

/* What a rollback may ask for: at times a run that is about to go (R15); "": none. */
static const char *hold_target(const struct world *world)
{
    size_t at = 0;
    const struct fold_entry *entry = fold_next(audit_fold(world), MESSAGE_CONDEMN, &at);
    while (entry != NULL && !entry->message.condemn.whole_run) {
        entry = fold_next(audit_fold(world), MESSAGE_CONDEMN, &at);
    }
    return entry == NULL ? "" : entry->message.condemn.run_id;
}

/* The open run is wanted all the same (R27). */
static bool accept_gated(struct world *world)
{
    const struct fold *fold = audit_fold(world);
    const struct fold_entry *plan = fold_open_plan(fold);
    char key[300];
    if (plan == NULL) {
        return false;
    }
    const char *run_id = plan->message.plan.run_id;
    snprintf(key, sizeof key, "gate/%s", run_id);
    if (fold_find(fold, key) == NULL) {
        return false;
    }
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_ACCEPT, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_ACCEPT, &at)) {
        if (strcmp(entry->message.accept.run_id, run_id) == 0) {
            return false;
        }
    }
    char id[17];
    struct message message = {.kind = MESSAGE_ACCEPT,
                              .accept = {.id = new_id(world, id),
                                         .who = "operator",
                                         .why = "it was looked at",
                                         .build = plan->message.plan.build,
                                         .run_id = run_id}};
    append(world, &message);
    return true;
}

void operator_step(struct world *world)
{
    struct sim_operator *person = &world->person;
    if (world->now_us < person->next_us || (!world->calm && rng_below(&world->rng, 8) != 0)) {
        return;
    }
    if (accept_gated(world)) {
        return;
    }
    const struct fold_entry *hold = fold_hold(audit_fold(world));
    if (hold != NULL && hold->message.kind == MESSAGE_HELD) {
        held(world);
    } else if (person->state == OP_HOLDING && world->now_us < person->waits_until_us) {
        return; /* HELD will come, or no leader is there */
    } else if (world_chance(world, world->faults.operators)) {
        uint64_t what = rng_below(&world->rng, 5);
        person->rollback = what == 0;
        if (what <= 1) {
            operator_hold(world, what == 0 ? hold_target(world) : "");
        } else if (what == 2 && audit_older_run(world) != NULL) {
            operator_point_to(world, audit_older_run(world)); /* by a foreign tool, without HOLD */
            person->next_us = world->now_us + 1000000;
        } else if (what == 3) {
            trigger_with_cuts(world);
        } else {
            operator_trigger(world);
        }
    }
}
