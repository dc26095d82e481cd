/* Local checkpoints in the simulated world: copies of what a process held, of whatever age. */
#include <stdlib.h>

#include "tests/sim/world.h"

/* Every row that exists below `offset`, of [from, offset), is held or was taken by a build that the
 * head stands on; the seals show whether that is so: a row that is missing fails the oracle. */
void plane_goes_on(struct world *world, struct sim_process *process, int32_t index, int64_t offset,
                   int64_t watermark_us)
{
    struct sim_reading *reading = &process->readings[index];
    if (offset > reading->position) {
        world_fail(world, "%s goes on at %lld, and holds up to %lld", process->name,
                   (long long)offset, (long long)reading->position);
    }
    reading->position = offset;
    reading->lost_to = 0;
    if (watermark_us == EVENT_TIME_LOW) {
        reading->highest_us = EVENT_TIME_LOW;
    } else if (watermark_us != EVENT_TIME_HIGH) {
        reading->highest_us = watermark_us + world->settings.out_of_orderness_us;
    }
}

void checkpoint_write(struct sim_process *process)
{
    if (process->disk == NULL) {
        process->disk = calloc(1, sizeof *process->disk);
        CHECK(process->disk != NULL);
    }
    process->disk->used = true;
    memcpy(process->disk->readings, process->readings, sizeof process->readings);
}

void checkpoint_step(struct world *world, struct sim_process *process)
{
    if (!world->story.on && rng_below(&world->disk_rng, 50) == 0) {
        checkpoint_write(process);
    }
}

static void tell(struct world *world, struct sim_process *process)
{
    struct member_held list[SIM_PARTITIONS_MAX];
    size_t count = 0;
    for (int i = 0; i < world->partition_count; i++) {
        const struct sim_reading *reading = &process->readings[i];
        if (reading->position > reading->from && !reading->given_up) {
            list[count++] = (struct member_held){.id = world->partitions[i].id,
                                                 .from = reading->from,
                                                 .position = reading->position,
                                                 .leader_epoch = -1,
                                                 .head = reading->head};
        }
    }
    struct member_event event = {.kind = MEMBER_EVENT_HELD, .held = {list, count}};
    member_shell_event(world, process, &event);
}

void checkpoint_restore(struct world *world, struct sim_process *process)
{
    if (process->disk == NULL || !process->disk->used) {
        return;
    }
    if (!world->story.on && rng_below(&world->disk_rng, 10) == 0) { /* the disk is lost */
        process->disk->used = false;
        return;
    }
    memcpy(process->readings, process->disk->readings, sizeof process->readings);
    for (int i = 0; i < world->partition_count; i++) {
        struct sim_reading *reading = &process->readings[i];
        reading->started = false;
        reading->paused = false;
        if (reading->given_up) {
            *reading = (struct sim_reading){0};
        }
        struct witness ends[WITNESS_ENDS];
        size_t count = witness_ends(&reading->witnesses, reading->position, ends);
        reading->witnesses.count = count;
        memcpy(reading->witnesses.list, ends, count * sizeof ends[0]);
        reading->brought = true;
    }
    tell(world, process);
}

/* A shell throws a checkpoint of another ledger away before the machine hears of it (R9). */
void checkpoint_other_ledger(struct sim_process *process, bool other)
{
    if (process->disk != NULL && other) {
        process->disk->used = false;
    }
}
