/* The data plane in the simulated world: which rows a process holds, seals, and builds shards of.
 */
#include <stdlib.h>

#include "core/window/watermark.h"
#include "tests/sim/world.h"

enum { UNSAID_STEPS = 4 }; /* so long a data plane keeps its news to itself at the most */

int32_t partition_index(const struct world *world, struct partition_id id)
{
    for (int32_t i = 0; i < world->partition_count; i++) {
        if (partition_id_compare(world->partitions[i].id, id) == 0) {
            return i;
        }
    }
    CHECK(false);
}

/* What the head has, of what a checkpoint brought back, takes no room. */
static void let_go(struct world *world, struct sim_process *process, int32_t index,
                   const struct message_commit *head)
{
    struct sim_reading *reading = &process->readings[index];
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        if (partition_id_compare(head->partitions[i].id, world->partitions[index].id) == 0) {
            for (int64_t o = reading->held_low; o < head->partitions[i].tail_from; o++) {
                reading->held[o] = false;
            }
        }
    }
}

static void start(struct world *world, struct sim_process *process,
                  const struct member_command *command)
{
    int32_t index = partition_index(world, command->start.id);
    int64_t offset = command->start.offset;
    struct sim_reading *reading = &process->readings[index];
    int64_t low = world->partitions[index].low;
    int64_t from = offset == MEMBER_START_POLICY ? low : offset;
    reading->started = true;
    reading->paused = false;
    const struct message_commit *head = fold_head(member_fold(process->member));
    snprintf(reading->head, sizeof reading->head, "%s", head == NULL ? "" : head->run_id);
    witness_start(world, process, index, head, command->start.goes_on);
    if (command->start.goes_on) {
        plane_goes_on(world, process, index, offset, command->start.watermark_us);
        let_go(world, process, index, head);
        return;
    }
    if (command->start.void_held || world->plane_voids) { /* or else they come once more */
        memset(reading->held, 0, sizeof reading->held);
        reading->held_low = from;
    }
    reading->held_low = from < reading->held_low ? from : reading->held_low;
    reading->lost_to = from < low ? low : 0;
    reading->from = from < low ? low : from;
    reading->position = reading->from;
    reading->highest_us = EVENT_TIME_LOW;
    reading->given_up = false;
}

static void forget(struct world *world, struct sim_process *process,
                   const struct member_forget *said, const char *run)
{
    int32_t index = partition_index(world, said->id);
    struct sim_reading *reading = &process->readings[index];
    snprintf(reading->head, sizeof reading->head, "%s", run);
    reading->given_up = said->tail_from == INT64_MAX;
    witness_forget(process, index, said);
    bool again = world->partitions[index].before != NULL; /* held may be more than the log has */
    int64_t end = again ? SIM_ROWS_MAX : world->partitions[index].high;
    for (int64_t o = reading->held_low; o < end; o++) {
        const struct sim_row *row = row_at(world, index, row_number(reading, o));
        if (reading->held[o] &&
            (o < said->tail_from ||
             cut_judge(said->steps, said->step_count, o, row->event_us).class != CUT_OPEN)) {
            reading->held[o] = false;
        }
    }
}

void plane_command(struct world *world, struct sim_process *process,
                   const struct member_command *command)
{
    if (command->kind == MEMBER_START_PARTITION) {
        start(world, process, command);
    } else if (command->kind == MEMBER_STOP_PARTITION) {
        process->readings[partition_index(world, command->stop)].started = false;
    } else if (command->kind == MEMBER_FORGET) {
        for (size_t i = 0; i < command->forget.count; i++) {
            forget(world, process, &command->forget.partitions[i], command->forget.run_id);
        }
    } else if (command->kind == MEMBER_MIRROR_OFFSETS) {
        chances_mirror(world, process, command);
    } else if (command->kind == MEMBER_PAUSE || command->kind == MEMBER_UNPAUSE) {
        for (size_t i = 0; i < command->pause.count; i++) {
            process->readings[partition_index(world, command->pause.partitions[i])].paused =
                command->kind == MEMBER_PAUSE;
        }
    }
}

/* A small disk, with two marks as a real one has. What is held of partitions that others read now
 * is on it, too. */
static bool is_short_of_room(const struct world *world, const struct sim_process *process)
{
    uint64_t rows = 0;
    for (int i = 0; i < world->partition_count && world->room_rows > 0; i++) {
        const struct sim_reading *reading = &process->readings[i];
        for (int64_t o = reading->held_low; o < reading->position; o++) {
            rows += reading->held[o];
        }
    }
    uint64_t mark = process->short_of_room ? world->room_rows / 2 : world->room_rows;
    return world->room_rows > 0 && rows > mark;
}

int partitions_sorted(const struct world *world, int *out)
{
    for (int i = 0; i < world->partition_count; i++) {
        int at = i;
        while (at > 0 && partition_id_compare(world->partitions[out[at - 1]].id,
                                              world->partitions[i].id) > 0) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = i;
    }
    return world->partition_count;
}

/* What the head's builds took is passed over when it is read again, as the service does: it fills
 * no memory, and no window waits for it. Returns the head's tail_from, below which all is taken. */
static int64_t find_taken(const struct sim_process *process, struct partition_id id,
                          int64_t position, struct arena *arena, struct cut_step **out_steps,
                          size_t *out_count)
{
    int64_t tail_from = 0;
    const struct message_commit *head = fold_head(member_fold(process->member));
    for (size_t i = 0; head != NULL && i < head->partition_count; i++) {
        if (partition_id_compare(head->partitions[i].id, id) == 0 &&
            position < head->partitions[i].cut) {
            *out_count = fold_steps(head, NULL, id, arena, out_steps);
            tail_from = head->partitions[i].tail_from;
        }
    }
    return tail_from;
}

/* Reads on, and says how far. */
void plane_step(struct world *world, struct sim_process *process)
{
    struct member_reading list[SIM_PARTITIONS_MAX];
    size_t count = 0;
    for (int i = 0; i < world->partition_count; i++) {
        struct sim_reading *reading = &process->readings[i];
        const struct sim_partition *partition = &world->partitions[i];
        if (!reading->started) {
            continue;
        }
        if (!witness_reads(world, process, i)) {
            return;
        }
        if (reading->position < partition->low) { /* retention was faster */
            reading->from = partition->low;
            reading->position = partition->low;
            reading->lost_to = partition->low;
        }
        bool slow = world->story.on && world->story.slow == i;
        int64_t most = reading->paused || slow ? 0
                       : world->calm           ? SIM_CALM_ROWS
                                               : world_between(world, 0, 12);
        struct watermark mark = {.highest_us = reading->highest_us};
        struct cut_step *steps = NULL;
        size_t step_count = 0;
        struct arena *arena = arena_new(1024);
        int64_t tail_from =
            find_taken(process, partition->id, reading->position, arena, &steps, &step_count);
        int64_t last = -1;
        while (most-- > 0 && reading->position < partition->lso) {
            const struct sim_row *row = &partition->rows[reading->position];
            if (row->exists) {
                if (!witness_reads_one(world, process, i)) {
                    arena_free(arena);
                    return;
                }
                last = reading->position;
            }
            if (row->exists && !row->rejected) {
                reading->held[reading->position] =
                    reading->position >= tail_from &&
                    cut_judge(steps, step_count, reading->position, row->event_us).class ==
                        CUT_OPEN;
                watermark_add(&mark, row->event_us, world->now_us,
                              world->settings.max_future_skew_us);
            }
            reading->position++;
        }
        arena_free(arena);
        if (last >= 0) {
            witness_keep(world, reading, i, last);
        }
        reading->highest_us = mark.highest_us;
        if (!witness_reads_end(world, process, i)) {
            return;
        }
        const struct witness *witness = witness_below(&reading->witnesses, reading->position);
        struct member_reading *said = &list[count++];
        *said = (struct member_reading){
            .id = partition->id,
            .from = reading->from,
            .position = reading->position,
            .watermark_us = watermark_us(&mark, world->settings.out_of_orderness_us),
            .low_us = EVENT_TIME_HIGH,
            .state = reading->paused || reading->position < partition->lso ? DATA_READING
                     : partition->lso < partition->high                    ? DATA_BLOCKED
                                                                           : DATA_AT_END,
            .lost_to = reading->lost_to,
            .has_witness = witness != NULL,
            .witness = witness == NULL ? (struct witness){0} : *witness};
        while (reading->held_low < reading->position && !reading->held[reading->held_low]) {
            reading->held_low++;
        }
        for (int64_t o = reading->held_low; o < reading->position; o++) {
            if (reading->held[o]) {
                said->rows++;
                int64_t event_us = row_at(world, i, row_number(reading, o))->event_us;
                said->low_us = event_us < said->low_us ? event_us : said->low_us;
            }
        }
    }
    bool may_wait = !world->story.on && !world->calm && process->unsaid_steps < UNSAID_STEPS;
    if (may_wait && rng_below(&world->rng, 2) == 0) {
        process->unsaid_steps++;
        return; /* what it says is not new at every moment */
    }
    process->unsaid_steps = 0;
    process->short_of_room = is_short_of_room(world, process);
    struct member_event event = {
        .kind = MEMBER_EVENT_PROGRESS,
        .progress = {.readings = list, .count = count, .short_of_room = process->short_of_room}};
    member_shell_event(world, process, &event);
    if (member_paused(process->member, PAUSE_ROOM) > 0) {
        coverage_chance(CHANCE_ROOM);
    }
}

uint32_t plane_token(const struct world *world, uint32_t key)
{
    return world->settings.shard_policy == SHARDS_BY_TOKEN ? key % SIM_TOKENS : 0;
}

bool plane_by_token(const struct world *world)
{
    return world->settings.shard_policy == SHARDS_BY_TOKEN ||
           world->settings.shard_policy == SHARDS_BY_TOKEN_ID;
}

uint32_t plane_shard(uint32_t key, uint32_t shards)
{
    return (key * 2654435761u >> 8) % shards;
}

/* The rows of one partition that a build takes, counted; true in `in` for each. */
static void seal_one(struct world *world, struct sim_process *process, const struct sim_job *job,
                     size_t i, struct ready_partition *out, struct shard_size *shards)
{
    int32_t index = job->seal[i].partition;
    const struct sim_partition *partition = &world->partitions[index];
    const struct sim_reading *reading = &process->readings[index];
    *out = (struct ready_partition){.id = partition->id,
                                    .from = job->seal[i].from,
                                    .to = job->seal[i].to,
                                    .carried_from = job->seal[i].to};
    const struct witness *witness = witness_below(&reading->witnesses, job->seal[i].to);
    out->has_witness = witness != NULL;
    out->witness = witness == NULL ? (struct witness){0} : *witness;
    for (int64_t o = job->seal[i].from; o < job->seal[i].to; o++) {
        const struct sim_row *row = row_at(world, index, row_number(reading, o));
        bool fresh = o >= job->seal[i].seen_end;
        if (row->exists && row->rejected && fresh) {
            out->read++;
            out->rejected++;
            continue;
        }
        if (!reading->held[o]) {
            continue; /* a gap, or it went into an earlier build */
        }
        struct cut_verdict verdict =
            cut_judge(job->seal[i].steps, job->seal[i].step_count, o, row->event_us);
        if (verdict.class != CUT_OPEN && verdict.build != job->build) {
            continue; /* published; read again after a restart */
        }
        out->read += fresh;
        out->carried_in += !fresh;
        if (verdict.class == CUT_OPEN) {
            out->carried_out++;
            out->carried_from = o < out->carried_from ? o : out->carried_from;
        } else if (verdict.class == CUT_LATE && world->settings.late != LATE_NEXT) {
            out->late++;
        } else {
            out->rows++;
            if (world->story.seal_lies > 0 || world_chance(world, world->faults.seal_lies)) {
                world->story.seal_lies -= world->story.seal_lies > 0;
                process->lied = true;
                coverage_chance(CHANCE_LIES);
                continue; /* counted, and not there */
            }
            struct shard_size *shard =
                &shards[plane_by_token(world)
                            ? plane_token(world, row->key)
                            : plane_shard(row->key, process_settings(world, process)->shards)];
            shard->rows++;
            shard->bytes += 10;
            process->sealed[process->sealed_count++] =
                (struct sim_row_ref){.partition = index, .offset = (int32_t)row_number(reading, o)};
        }
    }
}

/* Nothing between `from` and `to` was passed by: not by retention, and not by a START that came
 * between the SEAL and its turn, behind which what retention took since does not come again. */
static bool is_read(const struct sim_reading *reading, int64_t from, int64_t to)
{
    return reading->position >= to && (reading->from <= from || from == to);
}

void plane_seal(struct world *world, struct sim_process *process, const struct sim_job *job)
{
    struct ready_partition partitions[SIM_PARTITIONS_MAX];
    struct shard_size shards[16] = {{0}};
    struct shard_size filled[16];
    size_t filled_count = 0;
    if (job->build < process->sealed_build) {
        return; /* one thread seals, in order: what was asked for last is sealed last */
    }
    process->sealed_count = 0;
    process->sealed_build = job->build;
    for (uint32_t s = 0; s < LENGTH_OF(shards); s++) {
        shards[s].shard = s;
    }
    bool read = true;
    for (size_t i = 0; i < job->contribution_count; i++) {
        read = read && is_read(&process->readings[job->seal[i].partition], job->seal[i].from,
                               job->seal[i].to);
        seal_one(world, process, job, i, &partitions[i], shards);
    }
    static const char *const names[SIM_TOKENS] = {"i:0", "i:1", "i:2", "i:3"};
    struct token_size tokens[SIM_TOKENS];
    for (uint32_t s = 0; s < LENGTH_OF(shards); s++) {
        if (shards[s].rows > 0 && plane_by_token(world)) {
            tokens[filled_count++] = (struct token_size){
                .token = names[s], .rows = shards[s].rows, .bytes = shards[s].bytes};
        } else if (shards[s].rows > 0) {
            filled[filled_count++] = shards[s];
        }
    }
    if (world->settings.shard_policy == SHARDS_BY_ROWS) {
        filled_count = 0; /* how many there will be is not known */
    }
    struct member_event event = {
        .kind = MEMBER_EVENT_SEALED,
        .sealed = {.build = job->build,
                   .seal = job->id,
                   .ok = true,
                   .error = "",
                   .partitions = partitions,
                   .partition_count = job->contribution_count,
                   .shards = plane_by_token(world) ? NULL : filled,
                   .shard_count = plane_by_token(world) ? 0 : filled_count,
                   .tokens = plane_by_token(world) ? tokens : NULL,
                   .token_count = plane_by_token(world) ? filled_count : 0}};
    bool planted = world->story.seal_fails > 0;
    world->story.seal_fails -= planted;
    if (!read || planted || world_chance(world, world->faults.build_fails)) {
        event.sealed.ok = false;
        event.sealed.error = "simulated";
    }
    witness_seal(world, process, job, &event);
}

void plane_store_part(struct world *world, struct sim_process *process, const struct sim_job *job)
{
    if (process->sealed_build != job->build) {
        return;
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 22);
    for (size_t i = 0; i < process->sealed_count; i++) {
        buf_add_format(&text, "%d:%d ", process->sealed[i].partition, process->sealed[i].offset);
    }
    char url[200];
    snprintf(url, sizeof url, "parts/%llu/%s/%lld", (unsigned long long)job->build, process->name,
             (long long)world->now_us);
    store_put(&world->store, url, buf_text(&text));
    struct member_event event = {.kind = MEMBER_EVENT_PART_STORED,
                                 .part = {.build = job->build,
                                          .ok = true,
                                          .error = "",
                                          .url = url,
                                          .digest = "d",
                                          .rows = process->sealed_count}};
    member_shell_event(world, process, &event);
}
