/* What else happens in a random world: settings that change member by member, clocks that are set,
 * retention and the operator who notices, partitions that are added, group offsets. */
#include "tests/sim/world.h"

static const char *const fingerprints[] = {"f1", "f2", "f3"};

/* R27: one gate, or two at a time. */
static void choose_gates(struct world *world)
{
    static const char *const canaries[] = {"3", "17"};
    struct gate_settings *gates = &world->settings.gates;
    uint64_t which = rng_below(&world->rng, 16);
    if (which < 2) {
        gates->min_rows = (uint64_t)world_between(world, 2, 12);
    }
    if (which == 1 || which == 2) {
        gates->max_row_change = (double)world_between(world, 2, 8) / 10;
    }
    if (which == 3) {
        gates->limits_empty_shards = true;
        gates->max_empty_shards = 0;
    }
    if (which == 4) {
        gates->canaries = canaries;
        gates->canary_count = (size_t)world_between(world, 1, LENGTH_OF(canaries));
    }
    world->has_gates = which <= 4;
}

void chances_choose(struct world *world)
{
    struct rng *rng = &world->rng;
    struct sim_faults *faults = &world->faults;
    bool quiet = faults->crash == 0;
    faults->settings = !quiet && rng_below(rng, 4) == 0 ? 2500 : 0;
    faults->retention = !quiet && rng_below(rng, 4) == 0 ? 1500 : 0;
    world->has_retention = faults->retention > 0;
    /* not by chance: the worlds of the other seeds stay as they were */
    world->topic_comes = faults->settings > 0 && world->settings.topic_count > 1;
    world->shards_change = faults->settings > 0 && world->settings.contents == CONTENTS_STATE;
    faults->clock = !quiet && rng_below(rng, 4) == 0 ? 3000 : 0;
    faults->growth = rng_below(rng, 4) == 0 ? 2000 : 0;
    for (int i = 0; i < world->process_count; i++) {
        struct sim_process *process = &world->processes[i];
        process->clock_ahead_us = quiet ? 0 : world_between(world, -900000, 900000);
        if (!quiet && i > 0 && rng_below(rng, 12) == 0) {
            process->clock_ahead_us += rng_below(rng, 2) == 0 ? -60000000 : 60000000; /* R26 */
        }
    }
    struct coord_settings *settings = &world->settings;
    uint64_t policy = settings->contents == CONTENTS_STATE ? 9 : rng_below(rng, 10);
    if (policy < 2) {
        settings->shard_policy = SHARDS_BY_ROWS;
        settings->max_keys_per_shard = (uint64_t)world_between(world, 5, 40);
        coverage_chance(CHANCE_ROWS);
    } else if (policy < 4) {
        settings->shard_policy = SHARDS_BY_TOKEN;
        coverage_chance(CHANCE_TOKENS);
    } else if (policy < 5) {
        settings->shard_policy = SHARDS_BY_TOKEN_ID;
        settings->shards = 1; /* tokens must be dense */
        coverage_chance(CHANCE_TOKEN_IDS);
    }
    choose_gates(world);
}

/* ---- settings ---- */

/* Each process has settings of its own, as they were when it started (R9). */
void chances_settings(struct world *world, struct sim_process *process)
{
    if (process->own_settings || world->story.on) {
        return;
    }
    process->settings = world->settings;
    process->settings.fingerprint = fingerprints[world->fingerprint];
    if (world->topic_comes && world->fingerprint == 0) {
        process->settings.topic_count = 1;
    }
    if (world->shards_change) {
        uint32_t by = 1 + (uint32_t)(world->seed % 2); /* more, and fewer again */
        process->settings.shards += (uint32_t)world->fingerprint * by % 3;
    }
    if (process->disk != NULL && process->disk_fingerprint != world->fingerprint) {
        process->disk->used = false; /* a checkpoint of other settings is thrown away */
    }
    process->disk_fingerprint = world->fingerprint;
}

bool world_reads(const struct world *world, int partition)
{
    return !world->topic_comes || world->fingerprint > 0 ||
           strcmp(world->partitions[partition].id.topic, world->topics[0].name) == 0;
}

static void roll_settings(struct world *world)
{
    if (world->fingerprint + 1 < (int)LENGTH_OF(fingerprints) &&
        world_chance(world, world->faults.settings)) {
        world->fingerprint++;
        coverage_chance(CHANCE_SETTINGS);
        if (world->topic_comes && world->fingerprint == 1) {
            coverage_chance(CHANCE_TOPIC_COMES);
        }
        world_trace(world, "the settings are %s from now on", fingerprints[world->fingerprint]);
    }
    for (int i = 0; i < world->process_count; i++) {
        struct sim_process *process = &world->processes[i];
        if (process->alive && process->disk_fingerprint != world->fingerprint &&
            (world->calm || world_chance(world, 15000))) {
            process_stop(world, process);
            process->restart_us =
                world->now_us + (world->calm ? 0 : world_between(world, 100000, 2000000));
        }
    }
}

/* ---- clocks ---- */

static void set_clocks(struct world *world)
{
    if (!world_chance(world, world->faults.clock)) {
        return;
    }
    int which = (int)rng_below(&world->rng, (uint64_t)world->process_count);
    bool far = which > 0 && rng_below(&world->rng, 3) == 0;
    int64_t most = far ? 30000000 : 900000;
    world->processes[which].clock_ahead_us = world_between(world, -most, most);
    world->clocks_set = true;
    world->clocks_jumped = true;
    coverage_chance(CHANCE_CLOCK);
    world_trace(world, "the clock of m%d is %lld us ahead", which,
                (long long)world->processes[which].clock_ahead_us);
}

/* ---- retention ---- */

static void take_away(struct world *world)
{
    for (int i = 0; i < world->partition_count; i++) {
        struct sim_partition *partition = &world->partitions[i];
        /* what was made again keeps its beginning: what is gone can be compared with nothing */
        if (world_chance(world, world->faults.retention) && partition->before == NULL &&
            world_reads(world, i)) {
            int64_t low = partition->low + world_between(world, 1, 60);
            partition->low = low < partition->lso ? low : partition->lso;
            coverage_chance(CHANCE_RETENTION);
            world_trace(world, "retention: partition %d begins at %lld", i,
                        (long long)partition->low);
        }
    }
}

/* The offset from which the next build needs a partition; -1: it is not known yet. */
static int64_t needed_from(const struct world *world, int partition)
{
    const struct fold *fold = audit_fold(world);
    const struct partition_id id = world->partitions[partition].id;
    const struct fold_entry *close = fold_open_close(fold);
    for (size_t i = 0; close != NULL && i < close->message.close.partition_count; i++) {
        if (partition_id_compare(close->message.close.partitions[i].id, id) == 0) {
            return close->message.close.partitions[i].tail_from;
        }
    }
    const struct message_commit *head = fold_head(fold);
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        if (partition_id_compare(head->partitions[i].id, id) == 0) {
            return head->partitions[i].tail_from;
        }
    }
    return fold_first_build(fold) ? -1 : 0;
}

static bool is_skipped(const struct world *world, int partition, int64_t from, int64_t to)
{
    size_t at = 0;
    const struct fold_entry *entry = fold_next(audit_fold(world), MESSAGE_SKIP, &at);
    for (; entry != NULL; entry = fold_next(audit_fold(world), MESSAGE_SKIP, &at)) {
        const struct plan_range *range = &entry->message.skip.range;
        if (partition_id_compare(range->id, world->partitions[partition].id) == 0 &&
            range->from <= from && range->to >= to) {
            return true;
        }
    }
    return false;
}

/* An operator reads the alert, in his own time, and gives the range up (R25). */
static void notice_lost_ranges(struct world *world)
{
    if (!world->calm && rng_below(&world->rng, 20) != 0) {
        return;
    }
    for (int i = 0; i < world->partition_count; i++) {
        int64_t from = needed_from(world, i);
        int64_t low = world->partitions[i].low;
        if (from >= 0 && from < low && !is_skipped(world, i, from, low)) {
            operator_skip(world, i, from, low);
        }
        /* to go on from the pointer, that one must be whole, too */
        int64_t tail = fold_hold(audit_fold(world)) == NULL ? -1 : audit_pointer_tail(world, i);
        if (tail >= 0 && tail < low && !is_skipped(world, i, tail, low)) {
            operator_skip(world, i, tail, low);
        }
    }
}

void chances_step(struct world *world)
{
    roll_settings(world);
    set_clocks(world);
    take_away(world);
    notice_lost_ranges(world);
    if (world->partition_count < SIM_PARTITIONS_MAX && world_chance(world, world->faults.growth)) {
        int added = world->partition_count++;
        again_grow(world, added);
        coverage_chance(CHANCE_GROWTH);
        if (world->partitions[added].id.number == 0) {
            coverage_chance(CHANCE_TOPIC_ADDED);
        }
    }
}

/* ---- group offsets ---- */

/* The shell's part of R23: never lower than what is there, unless the head went back; the broker
 * takes them from owners only. */
void chances_mirror(struct world *world, const struct sim_process *process,
                    const struct member_command *command)
{
    for (size_t i = 0; i < command->mirror.count; i++) {
        int32_t p = partition_index(world, command->mirror.offsets[i].id);
        int64_t cut = command->mirror.offsets[i].cut;
        if (!process->owns[p]) {
            world_fail(world, "%s commits the offset of partition %d and does not own it",
                       process->name, p);
        }
        if (!audit_is_published_cut(world, p, cut)) {
            world_fail(world,
                       "the group offset of partition %d is %lld, which no published build ends at",
                       p, (long long)cut);
        }
        if (world->owner[p] != process->index ||
            (cut < world->mirror[p] && !command->mirror.may_go_back)) {
            continue;
        }
        if (cut < world->mirror[p]) {
            coverage_chance(CHANCE_MIRROR_BACK);
            if (!audit_went_back(world)) {
                world_fail(world, "the group offset of partition %d goes back without --from-here",
                           p);
            }
        }
        coverage_chance(CHANCE_MIRROR);
        world->mirror[p] = cut;
    }
}
