/* A topic that is deleted and made again: its logs have other records at the same offsets, and no
 * client tells (R9). */
#include <stdlib.h>

#include "tests/sim/audit.h"

enum { FIRST_US = 6000000, LAST_US = 33000000, SAID_LATE_US = 5000000 };

void again_choose(struct world *world)
{
    uint64_t which = world->seed % 8; /* not by chance: the other worlds stay as they were */
    world->looks_slowly = which == 5 || which == 6;
    if (which == 5) {
        world->again_at_us =
            world->now_us + FIRST_US + (int64_t)rng_below(&world->log_rng, LAST_US - FIRST_US);
    }
}

/* Without gaps: what a witness is compared with is there, or the log ends below it. */
static void fill(struct world *world, struct sim_partition *log, int64_t rows)
{
    for (int64_t o = 0; o < rows; o++) {
        log->rows[o] = (struct sim_row){.event_us = world->now_us -
                                                    (int64_t)rng_below(&world->log_rng, 2000000),
                                        .added_us = world->now_us,
                                        .readable_us = world->now_us,
                                        .key = (uint32_t)rng_below(&world->log_rng, 40),
                                        .exists = true};
    }
    log->low = 0;
    log->lso = log->high = rows;
    log->open_until_us = 0;
}

void again_make(struct world *world, const char *topic, int64_t rows)
{
    world->made_again = true;
    world_event(world, "%s is made again", topic);
    for (int p = 0; p < world->partition_count; p++) {
        struct sim_partition *log = &world->partitions[p];
        if (strcmp(log->id.topic, topic) != 0) {
            continue;
        }
        CHECK(log->before == NULL);
        log->before = malloc(sizeof log->rows);
        CHECK(log->before != NULL);
        memcpy(log->before, log->rows, sizeof log->rows);
        memset(log->rows, 0, sizeof log->rows);
        fill(world, log, rows);
        world_trace(world, "partition %d has %lld rows now", p, (long long)rows);
    }
}

/* A partition that comes later is of the topic that there is now. */
void again_grow(struct world *world, int added)
{
    for (int p = 0; p < added; p++) {
        struct sim_partition *log = &world->partitions[added];
        if (world->partitions[p].before != NULL && log->before == NULL &&
            strcmp(world->partitions[p].id.topic, log->id.topic) == 0) {
            log->before = calloc(SIM_ROWS_MAX, sizeof log->rows[0]);
            CHECK(log->before != NULL);
        }
    }
}

/* Some sleep meanwhile, some are stopped, some lose their disk, and some do not notice. */
static void disturb(struct world *world)
{
    for (int i = 0; i < world->process_count; i++) {
        struct sim_process *process = &world->processes[i];
        uint64_t what = rng_below(&world->log_rng, 4);
        int64_t for_us = 200000 + (int64_t)rng_below(&world->log_rng, 4000000);
        if (process->alive && what == 0) {
            process->stalled_until_us = world->now_us + for_us;
        } else if (process->alive && what == 1) {
            process_stop(world, process);
            process->restart_us = world->now_us + for_us;
        }
        if (process->disk != NULL && rng_below(&world->log_rng, 4) == 0) {
            process->disk->used = false;
        }
    }
}

void again_step(struct world *world)
{
    if (world->again_at_us == 0 || world->made_again || world->now_us < world->again_at_us) {
        return;
    }
    struct rng *rng = &world->log_rng;
    const char *topic = world->topics[rng_below(rng, world->settings.topic_count)].name;
    int64_t most = 0;
    for (int p = 0; p < world->partition_count; p++) {
        if (strcmp(world->partitions[p].id.topic, topic) == 0) {
            most = world->partitions[p].high > most ? world->partitions[p].high : most;
        }
    }
    uint64_t how = rng_below(rng, 3);
    coverage_chance(how == 0   ? CHANCE_AGAIN_FEWER
                    : how == 1 ? CHANCE_AGAIN_AS_MANY
                               : CHANCE_AGAIN_MORE);
    int64_t rows = how == 0   ? (int64_t)rng_below(rng, (uint64_t)most + 1)
                   : how == 1 ? most
                              : most + 1 + (int64_t)rng_below(rng, 60);
    again_make(world, topic, rows);
    disturb(world);
}

bool again_find(const struct world *world, bool out[SIM_PARTITIONS_MAX])
{
    const struct message_commit *head = fold_head(audit_fold(world));
    bool any = false;
    memset(out, 0, SIM_PARTITIONS_MAX * sizeof *out);
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        const struct commit_partition *said = &head->partitions[i];
        int32_t p = partition_index(world, said->id);
        out[p] = said->has_witness && world->partitions[p].before != NULL &&
                 witness_of(world, p, said->witness.offset).hash == said->witness.hash;
        any = any || out[p];
    }
    return any;
}

void again_settle(struct world *world)
{
    bool known[SIM_PARTITIONS_MAX];
    bool any = world->made_again && again_find(world, known);
    const struct fold_entry *close = fold_open_close(audit_fold(world));
    bool waits = close != NULL && close->timestamp_us < world->now_us - SAID_LATE_US;
    if (any && waits && world->refusals == 0) { /* before the next CLOSE nobody need look */
        world_fail(world, "a topic was made again, and nobody says so");
    }
}
