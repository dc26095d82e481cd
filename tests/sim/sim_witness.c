/* What a data plane of the simulated world keeps in mind of its logs, and compares (R9); as
 * src/consumer/intake/intake_witness.c and look_thread.c do it. */
#include <stdlib.h>

#include "core/coord/rules.h"
#include "tests/sim/world.h"

enum {
    LOOK_STEPS = 3,
    LOOK_ROUNDS = 4, /* so many records of a partition are asked for */
    LOOK_UNANSWERED_STEPS = 20,
};

struct witness witness_of(const struct world *world, int32_t partition, int64_t number)
{
    const struct sim_row *row = row_at(world, partition, number);
    return (struct witness){
        .offset = number % SIM_ROWS_MAX,
        .hash = witness_hash(row->event_us, bytes_of((const uint8_t *)&row->key, sizeof row->key),
                             bytes_of(NULL, 0))};
}

static void refuse(struct world *world, struct sim_process *process, int32_t partition,
                   enum sim_chance why)
{
    process->refuses = true;
    world->refusals++;
    coverage_chance(why);
    world_event(world, "%s refuses: %s was made again", process->name,
                world->partitions[partition].id.topic);
}

/* The record that the log has now where a witness was. False: it has none there. */
static bool find_now(const struct world *world, int32_t partition, int64_t offset,
                     struct witness *out)
{
    const struct sim_partition *log = &world->partitions[partition];
    if (offset < log->low || offset >= log->lso || !log->rows[offset].exists) {
        return false;
    }
    *out = witness_of(world, partition, log->before == NULL ? offset : offset + SIM_ROWS_MAX);
    return true;
}

static bool is_another(const struct world *world, int32_t partition, const struct witness *known)
{
    struct witness now;
    return known != NULL && find_now(world, partition, known->offset, &now) &&
           now.hash != known->hash;
}

/* ---- reading ---- */

void witness_start(struct world *world, struct sim_process *process, int32_t partition,
                   const struct message_commit *head, bool goes_on)
{
    struct sim_reading *reading = &process->readings[partition];
    int64_t from = -1;
    reading->has_head = false;
    bool brought = reading->brought && goes_on;
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        const struct commit_partition *said = &head->partitions[i];
        if (said->has_witness &&
            partition_id_compare(said->id, world->partitions[partition].id) == 0) {
            from = said->witness.offset;
            reading->has_head = true;
            reading->head_witness = said->witness;
            if (!witness_add(&reading->witnesses, said->witness) && !RULE_OFF(95)) {
                refuse(world, process, partition, CHANCE_AGAIN_AT_START);
            }
        }
    }
    const struct witness *newest = witness_below(&reading->witnesses, INT64_MAX);
    reading->compare_below = newest == NULL ? 0 : newest->offset + 1;
    reading->look_from = brought && newest != NULL && newest->offset > from ? newest->offset : from;
}

void witness_forget(struct sim_process *process, int32_t partition,
                    const struct member_forget *said)
{
    if (said->has_witness) {
        struct sim_reading *reading = &process->readings[partition];
        witness_forget_below(&reading->witnesses, said->tail_from);
        (void)witness_add(&reading->witnesses, said->witness);
        reading->has_head = true;
        reading->head_witness = said->witness;
        if (reading->compare_below <= said->witness.offset) {
            reading->compare_below = said->witness.offset + 1;
        }
    }
}

/* A client that fetches at once where the log has nothing any more is told so; one that comes late
 * finds that it has grown. */
static bool is_behind_its_end(struct world *world, struct sim_process *process, int32_t partition)
{
    return world->partitions[partition].high < process->readings[partition].position &&
           (world->calm || rng_below(&world->log_rng, 4) == 0);
}

bool witness_reads(struct world *world, struct sim_process *process, int32_t partition)
{
    struct sim_reading *reading = &process->readings[partition];
    bool starts = reading->look_from >= 0 && reading->look_from < reading->position;
    for (size_t i = 0; starts && i < reading->witnesses.count; i++) {
        const struct witness *known = &reading->witnesses.list[i];
        if (known->offset >= reading->look_from && known->offset < reading->position &&
            is_another(world, partition, known) && !RULE_OFF(95)) {
            refuse(world, process, partition, CHANCE_AGAIN_AT_START);
            return false;
        }
    }
    reading->look_from = -1;
    if (is_behind_its_end(world, process, partition)) {
        refuse(world, process, partition, CHANCE_AGAIN_AT_END);
        return false;
    }
    return true;
}

bool witness_reads_end(struct world *world, struct sim_process *process, int32_t partition)
{
    const struct sim_reading *reading = &process->readings[partition];
    const struct sim_partition *log = &world->partitions[partition];
    int64_t known = reading->has_head ? reading->head_witness.offset : -1;
    bool ends = !reading->paused && reading->position >= log->lso;
    if (ends && reading->position <= known && log->high <= known && !RULE_OFF(97)) {
        refuse(world, process, partition, CHANCE_AGAIN_TOO_SHORT);
        return false;
    }
    return true;
}

bool witness_reads_one(struct world *world, struct sim_process *process, int32_t partition)
{
    struct sim_reading *reading = &process->readings[partition];
    if (reading->position < reading->compare_below && !RULE_OFF(95) &&
        is_another(world, partition, witness_at(&reading->witnesses, reading->position))) {
        refuse(world, process, partition, CHANCE_AGAIN_AT_START);
        return false;
    }
    if (world->partitions[partition].before != NULL &&
        (!reading->has_again || reading->position < reading->again_from)) {
        reading->has_again = true;
        reading->again_from = reading->position;
    }
    if (witness_is_first(&reading->witnesses, reading->position)) {
        witness_keep(world, reading, partition, reading->position);
    }
    return true;
}

void witness_keep(struct world *world, struct sim_reading *reading, int32_t partition,
                  int64_t offset)
{
    if (offset >= reading->compare_below || witness_is_first(&reading->witnesses, offset)) {
        bool kept = witness_add(&reading->witnesses,
                                witness_of(world, partition, row_number(reading, offset)));
        CHECK(kept);
        if (reading->compare_below <= offset) {
            reading->compare_below = offset + 1;
        }
    }
}

/* ---- the look between SEALED and READY ---- */

/* False: one of its logs is another one than was read. */
static bool is_looked_at(struct world *world, struct sim_process *process,
                         const struct sim_sealed *sealed)
{
    for (size_t i = 0; i < sealed->event.sealed.partition_count; i++) {
        const struct witness_list *known = &sealed->witnesses[i];
        int32_t p = partition_index(world, sealed->partitions[i].id);
        if (sealed->heads[i].offset >= 0 && is_another(world, p, &sealed->heads[i]) &&
            !RULE_OFF(96)) {
            refuse(world, process, p, CHANCE_AGAIN_AT_LOOK);
            return false;
        }
        struct witness now;
        size_t round = 0;
        while (round < LOOK_ROUNDS && round < known->count &&
               !find_now(world, p, known->list[round].offset, &now)) {
            round++;
        }
        bool found = round < LOOK_ROUNDS && round < known->count;
        if (found && now.hash != known->list[round].hash) {
            refuse(world, process, p, CHANCE_AGAIN_AT_LOOK);
            return false;
        }
        if (!found && known->count > 0 &&
            world->partitions[p].high <= known->list[known->count - 1].offset) {
            refuse(world, process, p, CHANCE_AGAIN_AT_END);
            return false;
        }
    }
    return true;
}

/* What the CLOSE names is of the log that was read. */
static bool is_of_the_close(struct world *world, struct sim_process *process,
                            const struct sim_sealed *sealed)
{
    for (size_t i = 0; i < sealed->record_count; i++) {
        const struct sim_record_known *known = &sealed->records[i];
        if (is_another(world, known->partition, &known->witness)) {
            refuse(world, process, known->partition, CHANCE_AGAIN_OF_CLOSE);
            return false;
        }
        if (world->partitions[known->partition].high <= known->witness.offset) {
            refuse(world, process, known->partition, CHANCE_AGAIN_AT_END);
            return false;
        }
    }
    return true;
}

void witness_look(struct world *world, struct sim_process *process, struct sim_sealed *sealed)
{
    if (!RULE_OFF(94) &&
        (!is_looked_at(world, process, sealed) || !is_of_the_close(world, process, sealed))) {
        return;
    }
    member_shell_event(world, process, &sealed->event);
}

/* Nobody answers: the head keeps the witnesses that it has, for the next look. */
static void leave_witnesses(struct sim_sealed *sealed)
{
    for (size_t i = 0; i < sealed->event.sealed.partition_count; i++) {
        sealed->partitions[i].has_witness = false;
        sealed->witnesses[i].count = 0;
        sealed->heads[i].offset = -1;
    }
    sealed->record_count = 0;
    coverage_chance(CHANCE_LOOK_UNANSWERED);
}

static void keep(const struct sim_process *process, const struct world *world,
                 const struct sim_job *job, const struct member_event *event,
                 struct sim_sealed *out)
{
    out->event = *event;
    size_t count = event->sealed.partition_count;
    for (size_t i = 0; i < count; i++) {
        out->partitions[i] = event->sealed.partitions[i];
        int32_t p = partition_index(world, out->partitions[i].id);
        out->witnesses[i] = process->readings[p].witnesses;
        out->heads[i] = process->readings[p].has_head ? process->readings[p].head_witness
                                                      : (struct witness){.offset = -1};
    }
    for (size_t i = 0; i < job->record_count; i++) {
        out->records[out->record_count++] = job->records[i];
    }
    for (size_t i = 0; i < event->sealed.shard_count; i++) {
        out->shards[i] = event->sealed.shards[i];
    }
    for (size_t i = 0; i < event->sealed.token_count; i++) {
        out->tokens[i] = event->sealed.tokens[i];
    }
    out->event.sealed.partitions = out->partitions;
    out->event.sealed.shards = out->shards;
    out->event.sealed.tokens = out->tokens;
}

void witness_seal(struct world *world, struct sim_process *process, const struct sim_job *job,
                  struct member_event *event)
{
    if (!event->sealed.ok) {
        member_shell_event(world, process, event);
        return;
    }
    struct sim_sealed *sealed = calloc(1, sizeof *sealed);
    CHECK(sealed != NULL);
    keep(process, world, job, event, sealed);
    if (!world->looks_slowly) {
        witness_look(world, process, sealed);
        free(sealed);
        return;
    }
    int64_t steps = (int64_t)rng_below(&world->log_rng, LOOK_STEPS + 1);
    /* which is said in the log, and is no proof: not while a topic is made again */
    bool unanswered = !world->calm && !world->made_again && world->again_at_us == 0 &&
                      rng_below(&world->log_rng, 20) == 0;
    if (unanswered) {
        leave_witnesses(sealed);
        steps = LOOK_UNANSWERED_STEPS;
    }
    member_job_new(world, process, MEMBER_SEAL, steps)->look = sealed;
}
