/* Processes of the simulated world, and the two groups that give them work. */
#include <stdlib.h>

#include "tests/sim/world.h"

int64_t process_now(const struct world *world, const struct sim_process *process)
{
    return world->now_us + process->clock_ahead_us;
}

const struct coord_settings *process_settings(const struct world *world,
                                              const struct sim_process *process)
{
    return process->own_settings || !world->story.on ? &process->settings : &world->settings;
}

bool process_reads(const struct world *world, const struct sim_process *process, int partition)
{
    return process_settings(world, process)->topic_count > 1 ||
           strcmp(world->partitions[partition].id.topic, world->topics[0].name) == 0;
}

void process_start(struct world *world, struct sim_process *process)
{
    if (world->names_change && process->starts++ > 0) {
        snprintf(process->name, sizeof process->name, "m%d-%u", process->index, process->starts);
        coverage_chance(CHANCE_NEW_NAME);
        if (process->disk != NULL) {
            process->disk->used = false;
        }
    } else {
        snprintf(process->name, sizeof process->name, "m%d", process->index);
    }
    process->alive = true;
    process->stalled_until_us = 0;
    process->heard_us = world->now_us;
    chances_settings(world, process);
    const struct coord_settings *settings = process_settings(world, process);
    process->leader = leader_new(settings, process->name, rng_next(&world->rng));
    process->member =
        member_new(settings, process->name, (uint64_t)world->now_us, rng_next(&world->rng));
    leader_out_init(&process->leader_out);
    member_out_init(&process->member_out);
    process->command_arena = arena_new(16 << 10);
    process->sealed = calloc(SIM_PARTITIONS_MAX * SIM_ROWS_MAX, sizeof *process->sealed);
    CHECK(process->sealed != NULL);
    process->in_leader_group = true;
    world_trace(world, "%s starts", process->name);
    checkpoint_restore(world, process);
}

void process_stop(struct world *world, struct sim_process *process)
{
    if (!process->alive) {
        return;
    }
    world_trace(world, "%s is gone", process->name);
    world->liar_is_gone = world->liar_is_gone || process->lied;
    leader_free(process->leader);
    member_free(process->member);
    leader_out_done(&process->leader_out);
    member_out_done(&process->member_out);
    arena_free(process->command_arena);
    free(process->sealed);
    member_jobs_free(process);
    int index = process->index;
    struct sim_process gone = *process;
    *process = (struct sim_process){.index = index,
                                    .clock_ahead_us = gone.clock_ahead_us,
                                    .own_settings = gone.own_settings,
                                    .disk_fingerprint = gone.disk_fingerprint,
                                    .settings = gone.settings,
                                    .disk = gone.disk,
                                    .starts = gone.starts,
                                    .restart_us = world->story.on ? INT64_MAX : 0};
}

/* The next records of the ledger, to one of the two machines. */
static void read_ledger(struct world *world, struct sim_process *process, bool leader)
{
    int64_t *next = leader ? &process->leader_next : &process->member_next;
    bool *at_end = leader ? &process->leader_at_end : &process->member_at_end;
    int64_t most = world->calm ? INT64_MAX : world_between(world, 0, 12);
    const struct sim_record *record = NULL;
    while (most-- > 0 && (record = ledger_read(&world->ledger, *next)) != NULL) {
        struct bytes key = bytes_of_text(record->key);
        struct bytes value = bytes_of_text(record->value);
        *next = record->offset + 1;
        if (leader) {
            struct leader_event event = {.kind = LEADER_EVENT_RECORD,
                                         .record = {.offset = record->offset,
                                                    .timestamp_us = record->timestamp_us,
                                                    .key = key,
                                                    .value = value}};
            leader_shell_event(world, process, &event);
        } else {
            struct member_event event = {.kind = MEMBER_EVENT_RECORD,
                                         .record = {.offset = record->offset,
                                                    .timestamp_us = record->timestamp_us,
                                                    .key = key,
                                                    .value = value}};
            member_shell_event(world, process, &event);
        }
    }
    if (record == NULL && most >= 0 && !*at_end) {
        *at_end = true;
        if (leader) {
            leader_shell_event(
                world, process,
                &(struct leader_event){.kind = LEADER_EVENT_LEDGER_END, .end_offset = *next});
        } else {
            member_shell_event(
                world, process,
                &(struct member_event){.kind = MEMBER_EVENT_LEDGER_END, .end_offset = *next});
        }
    }
}

/* What the groups have decided reaches the process sooner or later: zombies are those it has not
 * reached. */
static void follow_groups(struct world *world, struct sim_process *process)
{
    if (!world->calm && rng_below(&world->rng, 4) != 0) {
        return;
    }
    struct partition_id lost[SIM_PARTITIONS_MAX];
    struct partition_id gained[SIM_PARTITIONS_MAX];
    size_t lost_count = 0;
    size_t gained_count = 0;
    for (int i = 0; i < world->partition_count; i++) {
        bool mine = world->owner[i] == process->index;
        if (process->owns[i] && !mine) {
            lost[lost_count++] = world->partitions[i].id;
        } else if (!process->owns[i] && mine) {
            gained[gained_count++] = world->partitions[i].id;
        }
        process->owns[i] = mine;
    }
    struct member_event event = {.assignment = {.generation = world->generation}};
    if (lost_count > 0) {
        event.kind = MEMBER_EVENT_REVOKED;
        event.assignment.partitions = lost;
        event.assignment.count = lost_count;
        member_shell_event(world, process, &event);
    }
    if (gained_count > 0 || process->generation != world->generation) {
        process->generation = world->generation;
        event = (struct member_event){.kind = MEMBER_EVENT_ASSIGNED,
                                      .assignment = {.generation = world->generation,
                                                     .partitions = gained,
                                                     .count = gained_count}};
        member_shell_event(world, process, &event);
    }
    bool leads = world->leader == process->index;
    if (leads != process->believes_leader) {
        process->believes_leader = leads;
        leader_shell_event(
            world, process,
            &(struct leader_event){.kind = leads ? LEADER_EVENT_ELECTED : LEADER_EVENT_UNELECTED});
    }
}

void process_step(struct world *world, struct sim_process *process)
{
    if (!process->alive) {
        if (world->now_us >= process->restart_us) {
            process_start(world, process);
        }
        return;
    }
    if (world->now_us < process->stalled_until_us) {
        return;
    }
    process->heard_us = world->now_us;
    if (process->refuses) { /* it ends, and is started again, and says it again (R9) */
        process_stop(world, process);
        process->restart_us =
            world->story.on ? INT64_MAX
                            : world->now_us + 500000 + (int64_t)rng_below(&world->log_rng, 2000000);
        return;
    }
    if (!process->in_leader_group && world->now_us >= process->leader_group_from_us) {
        process->in_leader_group = true;
    }
    /* the shells' work before the news of the groups: that is what a zombie does when it wakes */
    leader_shell_step(world, process);
    if (process->alive) {
        member_shell_step(world, process);
    }
    if (!process->alive) {
        return;
    }
    follow_groups(world, process);
    read_ledger(world, process, true);
    read_ledger(world, process, false);
    plane_step(world, process);
    checkpoint_step(world, process);
    if (world->calm || rng_below(&world->rng, 2) == 0) {
        leader_shell_event(world, process, &(struct leader_event){.kind = LEADER_EVENT_TICK});
        member_shell_event(world, process, &(struct member_event){.kind = MEMBER_EVENT_TICK});
    }
}

bool process_crash_point(struct world *world, struct sim_process *process, const char *when,
                         const char *what)
{
    struct sim_story *story = &world->story;
    if (story->crash_at == 0 || ++story->step != story->crash_at) {
        return false;
    }
    snprintf(story->crashed_at, sizeof story->crashed_at, "%s %s", when, what);
    process_stop(world, process);
    process->restart_us = world->now_us + 300000;
    return true;
}

static bool is_in_group(const struct world *world, const struct sim_process *process)
{
    return process->alive && world->now_us - process->heard_us < SIM_SESSION_US;
}

/* Members of the group that are subscribed to the topic of a partition. */
static int find_readers(const struct world *world, int partition, int *out)
{
    int count = 0;
    for (int i = 0; i < world->process_count; i++) {
        if (is_in_group(world, &world->processes[i]) &&
            process_reads(world, &world->processes[i], partition)) {
            out[count++] = i;
        }
    }
    return count;
}

void groups_rebalance(struct world *world)
{
    int members[SIM_PROCESSES_MAX];
    int count = 0;
    for (int i = 0; i < world->process_count; i++) {
        if (is_in_group(world, &world->processes[i])) {
            members[count++] = i;
        }
    }
    int shift = (int)rng_below(&world->rng, SIM_PROCESSES_MAX);
    int readers = count;
    int given = 0;
    if (count == 0) {
        for (int i = 0; i < world->partition_count; i++) {
            world->owner[i] = -1;
        }
        return;
    }
    world->generation++;
    coverage_chance(CHANCE_REBALANCE);
    for (int i = 0; i < world->partition_count; i++) {
        if (world->topic_comes) {
            readers = find_readers(world, i, members);
        }
        if (readers == 0) {
            world->owner[i] = -1;
            continue;
        }
        /* by turns, of those that somebody reads: else one of two never gets one */
        world->owner[i] = members[(given++ + shift) % readers];
        world_trace(world, "group: partition %d to m%d, generation %lld", i, world->owner[i],
                    (long long)world->generation);
    }
}

static void elect(struct world *world, bool wrongful)
{
    int candidates[SIM_PROCESSES_MAX];
    int count = 0;
    for (int i = 0; i < world->process_count; i++) {
        const struct sim_process *process = &world->processes[i];
        if (is_in_group(world, process) && process->in_leader_group &&
            !(wrongful && i == world->leader)) {
            candidates[count++] = i;
        }
    }
    if (count > 0) {
        world->leader = candidates[rng_below(&world->rng, (uint64_t)count)];
        world_trace(world, "group: m%d shall lead", world->leader);
    } else if (!wrongful) {
        world->leader = -1;
    }
}

void groups_step(struct world *world)
{
    if (world->story.on) {
        return;
    }
    bool stale = world_chance(world, world->faults.rebalance);
    for (int i = 0; i < world->partition_count; i++) {
        int none[SIM_PROCESSES_MAX];
        stale = stale ||
                (world->owner[i] < 0 ? !world->topic_comes || find_readers(world, i, none) > 0
                                     : !is_in_group(world, &world->processes[world->owner[i]]));
    }
    for (int i = 0; i < world->process_count && !stale; i++) {
        /* a member without work joins when there is enough for all */
        bool works = false;
        int readable = 0;
        for (int k = 0; k < world->partition_count; k++) {
            works = works || world->owner[k] == i;
            readable += process_reads(world, &world->processes[i], k);
        }
        stale = !works && world->process_count <= readable &&
                is_in_group(world, &world->processes[i]);
    }
    if (stale) {
        groups_rebalance(world);
    }
    const struct sim_process *leader = world->leader < 0 ? NULL : &world->processes[world->leader];
    if (leader == NULL || !is_in_group(world, leader) || !leader->in_leader_group) {
        elect(world, false);
    } else if (world_chance(world, world->faults.wrong_leader)) {
        coverage_chance(CHANCE_WRONG_LEADER);
        elect(world, true);
    }
}
