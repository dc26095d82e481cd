/* The source of the simulated world: rows out of order, late, from the future; gaps, open
 * transactions. */
#include "tests/sim/world.h"

/* All of it can be read now. */
void source_stable(struct world *world, struct sim_partition *partition)
{
    for (; partition->lso < partition->high; partition->lso++) {
        partition->rows[partition->lso].readable_us = world->now_us;
    }
}

static struct sim_row *next_row(struct sim_partition *partition)
{
    CHECK(partition->high < SIM_ROWS_MAX);
    return &partition->rows[partition->high++];
}

void source_add(struct world *world, int partition, int64_t event_us, uint32_t key)
{
    struct sim_partition *to = &world->partitions[partition];
    *next_row(to) = (struct sim_row){
        .event_us = event_us, .added_us = world->now_us, .key = key, .exists = true};
    if (to->open_until_us == 0) {
        source_stable(world, to);
    }
}

static void add_random_row(struct world *world, struct sim_partition *partition, bool exists)
{
    struct rng *rng = &world->rng;
    int64_t event_us = world->now_us - world_between(world, 0, 800000);
    if (rng_below(rng, 20) == 0) {
        event_us -= world_between(world, 0, 5000000); /* late */
    } else if (rng_below(rng, 60) == 0) {
        event_us += world_between(world, 0, 5000000); /* of the next windows */
    } else if (rng_below(rng, 200) == 0) {
        event_us += world->settings.max_future_skew_us + 20000000;
    }
    *next_row(partition) = (struct sim_row){.event_us = event_us,
                                            .added_us = world->now_us,
                                            .key = (uint32_t)rng_below(rng, 40),
                                            .exists = exists,
                                            .rejected = rng_below(rng, 40) == 0,
                                            .tombstone = rng_below(rng, 15) == 0};
}

/* A transaction of the producer: its rows are behind the last stable offset until it ends. */
static void transaction_step(struct world *world, struct sim_partition *partition)
{
    if (partition->open_until_us == 0) {
        if (partition->before == NULL && world_chance(world, world->faults.source_txn)) {
            partition->open_until_us = world->now_us + world_between(world, 200000, 4000000);
            partition->open_commits = rng_below(&world->rng, 3) != 0;
            source_stable(world, partition);
            coverage_chance(CHANCE_TRANSACTION);
            for (int i = 0; i < 3; i++) {
                add_random_row(world, partition, partition->open_commits);
            }
        }
    } else if (world->now_us >= partition->open_until_us) {
        partition->open_until_us = 0;
        *next_row(partition) = (struct sim_row){.added_us = world->now_us}; /* the marker */
        source_stable(world, partition);
    }
}

void source_step(struct world *world)
{
    for (int i = 0; i < world->partition_count; i++) {
        struct sim_partition *partition = &world->partitions[i];
        if (partition->high > SIM_ROWS_MAX - 16) {
            continue;
        }
        if (world->growing && world->now_us >= partition->silent_until_us) {
            uint64_t rows = world->row_rate / 1000 +
                            (rng_below(&world->rng, 1000) < world->row_rate % 1000 ? 1 : 0);
            for (uint64_t k = 0; k < rows; k++) {
                add_random_row(world, partition,
                               rng_below(&world->rng, 50) != 0 || partition->before != NULL);
            }
            if (rng_below(&world->rng, 400) == 0) {
                partition->silent_until_us = world->now_us + world_between(world, 1000000, 6000000);
            }
            if (partition->open_until_us == 0) {
                source_stable(world, partition);
            }
        }
        transaction_step(world, partition);
    }
}
