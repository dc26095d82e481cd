/* The simulated world: how it is made from a seed, and one step of it. */
#include <stdarg.h>
#include <stdlib.h>

#include "tests/sim/world.h"

void world_trace(struct world *world, const char *format, ...)
{
    if (world->trace == NULL) {
        return;
    }
    fprintf(world->trace, "%9.3f ", (double)(world->now_us - SIM_EPOCH_US) / 1e6);
    va_list args;
    va_start(args, format);
    vfprintf(world->trace, format, args);
    va_end(args);
    fputc('\n', world->trace);
}

void world_trace_lines(struct world *world, const char *who, const char *lines)
{
    while (world->trace != NULL && *lines != '\0') {
        int length = (int)strcspn(lines, "\n");
        world_trace(world, "%s %.*s", who, length, lines);
        lines += length + (lines[length] == '\n');
    }
}

void world_fail(struct world *world, const char *format, ...)
{
    if (world->failed) {
        return;
    }
    world->failed = true;
    va_list args;
    va_start(args, format);
    vsnprintf(world->failure, sizeof world->failure, format, args);
    va_end(args);
    world_trace(world, "FAILED: %s", world->failure);
    for (int i = 0; i < world->process_count; i++) {
        const struct sim_process *process = &world->processes[i];
        if (process->alive) {
            world_trace(world, "%s: leader is %s: %s; member %s", process->name,
                        leader_phase_name(leader_phase(process->leader)),
                        leader_doing(process->leader), member_doing(process->member));
        }
        for (int p = 0; process->alive && p < world->partition_count; p++) {
            const struct sim_reading *reading = &process->readings[p];
            world_trace(world, "  partition %d: %s%s from %lld, at %lld of %lld, highest %lld", p,
                        reading->started ? "" : "stopped ", reading->paused ? "paused" : "",
                        (long long)reading->from, (long long)reading->position,
                        (long long)world->partitions[p].lso,
                        (long long)(reading->highest_us - SIM_EPOCH_US));
        }
    }
}

void world_event(struct world *world, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    world_trace(world, "event: %s", text);
    if (world->story.on) {
        buf_add_format(&world->story.events, "%s\n", text);
    }
}

bool world_chance(struct world *world, uint32_t per_million)
{
    return per_million > 0 && rng_chance(&world->rng, per_million);
}

int64_t world_between(struct world *world, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(&world->rng, (uint64_t)(high - low + 1));
}

/* The same in every world; the rest is for the seed, or for a story. */
static void standing_settings(struct world *world)
{
    struct coord_settings *settings = &world->settings;
    coord_settings_init(settings);
    world->topics[0] = (struct message_topic){.name = "rows", .id = "t1"};
    world->topics[1] = (struct message_topic){.name = "tags", .id = "t2"};
    settings->ledger_id = "ledger-1";
    settings->fingerprint = "f1";
    settings->topics = world->topics;
    settings->topic_count = 1;
    settings->out_of_orderness_us = 0;
    settings->allowed_lateness_us = 0;
    settings->max_open_windows = 0;
    settings->keep_last = 0;
    settings->idle_after_us = 1500000;
    settings->max_future_skew_us = 8000000;
    settings->interval_us = 3000000;
    settings->attempt_deadline_us = 4000000;
    settings->attempt_backoff_us = 0;
    settings->attempt_backoff_max_us = 1000000;
    settings->speculative = false;
    settings->owner_timeout_us = 3000000;
    settings->retry_min_us = 50000;
    settings->retry_max_us = 1000000;
    settings->cleanup_grace_us = 3000000;
    settings->pointer_check_us = 1000000;
    settings->sweep_every_us = INT64_C(3600000000);
    settings->partitions_check_us = 2000000;
    settings->max_clock_skew_us = 2000000;
}

static void choose_settings(struct world *world)
{
    struct coord_settings *settings = &world->settings;
    struct rng *rng = &world->rng;
    uint64_t trigger = rng_below(rng, 10);
    settings->trigger = trigger < 6   ? TRIGGER_EVENT_TIME
                        : trigger < 8 ? TRIGGER_SCHEDULE
                        : trigger < 9 ? TRIGGER_OFFSETS
                                      : TRIGGER_MANUAL;
    settings->window_size_us = world_between(world, 1, 4) * 1000000;
    settings->out_of_orderness_us = world_between(world, 0, 1500000);
    settings->allowed_lateness_us = rng_below(rng, 2) == 0 ? 0 : world_between(world, 0, 1500000);
    settings->late = (enum late_policy)rng_below(rng, 3);
    settings->empty = rng_below(rng, 5) == 0 ? EMPTY_PUBLISH : EMPTY_SKIP;
    /* a tick that is missed once, or made up for */
    settings->interval_us = rng_below(rng, 4) == 0 ? 30000000 : 3000000;
    settings->every_records = (uint64_t)world_between(world, 5, 25);
    settings->shards = (uint32_t)world_between(world, 1, 3);
    settings->progress_interval_us = world_between(world, 200000, 600000);
    settings->max_open_windows = (uint32_t)world_between(world, 0, 4);
    settings->max_unpublished_windows = (uint32_t)world_between(world, 1, 4);
    settings->keep_last = rng_below(rng, 3) == 0 ? 3 : 0;
    settings->store_cas = rng_below(rng, 6) != 0;
    settings->handover_wait_us = world->seed % 2 == 0 ? 2000000 : 0;
    settings->sweep_every_us = world->seed % 4 == 1 ? 2000000 : INT64_C(3600000000);
    settings->speculative = world->seed % 4 < 2; /* nor this */
    settings->speculative_after_us = 500000;
    settings->attempt_backoff_us = world->seed % 5 == 2 ? 400000 : 0; /* nor this */
    if (world->seed % 3 == 1) { /* not by chance: the worlds of the other seeds stay as they were */
        settings->contents = CONTENTS_STATE;
        settings->shape =
            (struct state_shape){.keys = "raw", .routing = "hash", .files = "", .order = ""};
    }
}

static void choose_faults(struct world *world)
{
    struct rng *rng = &world->rng;
    uint32_t scale = (uint32_t)rng_below(rng, 4); /* 0: a quiet world */
    world->faults = (struct sim_faults){
        .crash = scale * 1500,
        .stall = scale * 2000,
        .wrong_leader = scale * 3000,
        .rebalance = scale * 2500,
        .append_unknown = scale * 12000,
        .append_fails = scale * 15000,
        .store_fails = scale * 20000,
        .answer_lost = scale * 100000,
        .put_again = scale * 100000,
        .build_fails = scale * 20000,
        .build_hangs = rng_below(rng, 2) == 0 ? 0 : scale * 15000,
        .seal_lies = rng_below(rng, 6) == 0 ? scale * 300 : 0,
        .compaction = 20000,
        .operators = rng_below(rng, 2) == 0 ? 0 : 60000,
        .ledger_lost = rng_below(rng, 8) == 0 ? 700 : 0,
        .source_txn = rng_below(rng, 2) == 0 ? 0 : 10000,
    };
    world->names_change = world->seed % 5 == 2; /* not by chance, as above */
    world->faults.crash += world->names_change ? 4000 : 0;
    bool counts = world->settings.trigger == TRIGGER_OFFSETS; /* then often less than it counts */
    world->room_rows = world->seed % 4 == 3 ? 2 + world->seed % (counts ? 24 : 160) : 0;
    world->stages_late = world->seed % 6 == 2; /* not by chance, as below */
    world->has_operators = world->faults.operators > 0;
    world->loses_ledger = world->faults.ledger_lost > 0;
    if (scale > 0 && world->process_count > 1 && rng_below(rng, 10) == 0) {
        world->broken_member = (int)rng_below(rng, (uint64_t)world->process_count);
        coverage_chance(CHANCE_BROKEN);
    }
}

void world_no_faults(struct world *world)
{
    uint32_t compaction = world->faults.compaction;
    world->faults = (struct sim_faults){.compaction = compaction};
    const struct fold_entry *plan = fold_open_plan(audit_fold(world));
    world->calm = true;
    world->person.next_us = world->now_us;
    world->refusals = 0;
    for (int i = 0; i < world->process_count; i++) {
        struct sim_process *process = &world->processes[i];
        process->stalled_until_us = 0;
        world->clocks_jumped = world->clocks_jumped || process->clock_ahead_us != 0;
        process->clock_ahead_us = 0;
        for (struct sim_job *job = process->jobs; job != NULL; job = job->next) {
            if (job->hangs) { /* for ever, where another member can build it */
                job->due_us = plan != NULL && plan->message.plan.member_count > 1 ? INT64_MAX
                                                                                  : world->now_us;
            }
        }
        if (process->lied) {
            process_stop(world, process); /* nobody else can know what it does not have */
        }
        if (!process->alive) {
            process->restart_us = world->now_us;
        }
    }
    liveness_begin(world);
}

/* What a seed does not choose. */
static struct world *new_world(uint64_t seed, int members, FILE *trace)
{
    struct world *world = calloc(1, sizeof *world);
    CHECK(world != NULL && members <= SIM_PROCESSES_MAX);
    world->seed = seed;
    world->trace = trace;
    rng_init(&world->rng, seed);
    rng_init(&world->disk_rng, seed + 1);
    rng_init(&world->log_rng, seed + 2);
    world->now_us = SIM_EPOCH_US;
    world->process_count = members;
    world->ledger.txn = -1;
    world->leader = -1;
    world->broken_member = -1;
    world->story.slow = -1;
    world->audit = audit_new();
    for (int i = 0; i < SIM_PARTITIONS_MAX; i++) {
        world->partitions[i].id = (struct partition_id){.topic = "rows", .number = i};
        world->owner[i] = -1;
    }
    standing_settings(world);
    return world;
}

/* The partitions of two topics by turns, so that one of them may come later than the other. */
static void choose_topics(struct world *world)
{
    if (rng_below(&world->rng, 4) != 0) {
        return;
    }
    world->settings.topic_count = 2;
    coverage_chance(CHANCE_TOPICS);
    for (int i = 0; i < SIM_PARTITIONS_MAX; i++) {
        world->partitions[i].id =
            (struct partition_id){.topic = world->topics[i % 2].name, .number = i / 2};
    }
}

static void start_processes(struct world *world)
{
    for (int i = 0; i < world->process_count; i++) {
        world->processes[i].index = i;
        process_start(world, &world->processes[i]);
    }
}

/* No faults, event time, windows of one second, nothing grows by itself. */
struct world *world_plain(uint64_t seed, int members, int partitions, FILE *trace)
{
    struct world *world = new_world(seed, members, trace);
    struct coord_settings *settings = &world->settings;
    world->story.on = true;
    buf_init(&world->story.events, 1 << 20);
    world->partition_count = partitions;
    settings->trigger = TRIGGER_EVENT_TIME;
    settings->window_size_us = 1000000;
    settings->late = LATE_NEXT;
    settings->empty = EMPTY_SKIP;
    settings->shards = 1;
    settings->max_unpublished_windows = 4;
    settings->every_records = 5;
    settings->store_cas = true;
    settings->idle_after_us = INT64_C(3600) * 1000000;
    settings->progress_interval_us = 200000;
    for (int i = 0; i < partitions; i++) {
        world->owner[i] = 0;
    }
    world->leader = 0;
    world->generation = 1;
    start_processes(world);
    return world;
}

struct world *world_new(uint64_t seed, int members, FILE *trace)
{
    struct world *world = new_world(seed, members, trace);
    if (members == 0) {
        world->process_count = (int)world_between(world, 1, SIM_PROCESSES_MAX);
    }
    world->broker_ahead_us = world_between(world, -300000, 300000);
    world->partition_count = (int)world_between(world, 1, 3);
    choose_settings(world);
    choose_topics(world);
    again_choose(world);
    choose_faults(world);
    chances_choose(world);
    world->row_rate = (uint32_t)world_between(world, 100, 900);
    world->plane_voids = rng_below(&world->rng, 2) == 0;
    world->growing = true;
    start_processes(world);
    return world;
}

struct world *world_free(struct world *world)
{
    for (int i = 0; i < world->process_count; i++) {
        process_stop(world, &world->processes[i]);
        free(world->processes[i].disk);
    }
    for (int i = 0; i < SIM_PARTITIONS_MAX; i++) {
        free(world->partitions[i].before);
    }
    ledger_done(&world->ledger);
    store_done(&world->store);
    audit_free(world->audit);
    buf_done(&world->story.events);
    free(world);
    return NULL;
}

static void fault_step(struct world *world, struct sim_process *process)
{
    if (process->alive && world_chance(world, world->faults.crash)) {
        coverage_chance(CHANCE_CRASH);
        process_stop(world, process);
        process->restart_us = world->now_us + world_between(world, 100000, 4000000);
    } else if (process->alive && world->now_us >= process->stalled_until_us &&
               world_chance(world, world->faults.stall)) {
        process->stalled_until_us = world->now_us + world_between(world, 200000, 5000000);
        process->slept_us[0] = process->slept_us[1];
        process->slept_us[1] = world->now_us;
        if (process->stalled_until_us - world->now_us > SIM_SESSION_US) {
            coverage_chance(CHANCE_ZOMBIE);
        }
        world_trace(world, "%s sleeps", process->name);
    }
}

/* The end of the ledger, or all of it: an unclean election, a deleted topic. */
static void lose_ledger(struct world *world)
{
    bool whole = rng_below(&world->rng, 2) == 0;
    int64_t from = whole ? 0 : world_between(world, world->ledger.end * 3 / 4, world->ledger.end);
    coverage_chance(whole ? CHANCE_LEDGER_LOST : CHANCE_LEDGER_END_LOST);
    world_trace(world, "the ledger is lost from offset %lld", (long long)from);
    for (int i = 0; i < world->process_count; i++) {
        process_stop(world, &world->processes[i]);
        world->processes[i].restart_us = world->now_us + 200000;
        checkpoint_other_ledger(&world->processes[i], whole);
    }
    world->leader = -1;
    /* to lose it takes longer than any request to the store may (R13): nothing of a COMMIT that
     * nobody knows any more lands later */
    store_forget_late(&world->store);
    ledger_lose(world, from);
    audit_ledger_lost(world);
}

void world_step(struct world *world)
{
    world->now_us += SIM_STEP_US;
    if (!world->story.on) {
        source_step(world);
    }
    ledger_step(world);
    store_step(world);
    groups_step(world);
    if (world_chance(world, world->faults.ledger_lost)) {
        lose_ledger(world);
    }
    if (!world->story.on) {
        chances_step(world);
        again_step(world);
    }
    int first = (int)rng_below(&world->rng, (uint64_t)world->process_count);
    for (int i = 0; i < world->process_count && !world->failed; i++) {
        struct sim_process *process = &world->processes[(first + i) % world->process_count];
        fault_step(world, process);
        process_step(world, process);
    }
    if (!world->story.on) {
        operator_step(world);
    }
    audit_step(world);
    liveness_step(world);
}
