/* The member's shell in the simulated world: jobs with delays, records that are lost or come twice.
 */
#include <stdlib.h>

#include "tests/sim/world.h"

struct sim_job *member_job_new(struct world *world, struct sim_process *process,
                               enum member_command_kind kind, int64_t steps)
{
    struct sim_job *job = calloc(1, sizeof *job);
    CHECK(job != NULL);
    job->kind = kind;
    job->due_us = world->now_us + steps * SIM_STEP_US;
    struct sim_job **at = &process->jobs;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = job;
    return job;
}

static struct sim_job *new_job(struct world *world, struct sim_process *process,
                               enum member_command_kind kind, int64_t most_steps)
{
    return member_job_new(world, process, kind, world_between(world, 0, most_steps));
}

static void job_free(struct sim_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        free(job->keys[i]);
        free(job->values[i]);
    }
    for (size_t i = 0; i < SIM_PARTITIONS_MAX; i++) {
        free(job->seal[i].steps);
    }
    free(job->look);
    free(job->keys);
    free(job->values);
    free(job);
}

void member_jobs_free(struct sim_process *process)
{
    while (process->jobs != NULL) {
        struct sim_job *next = process->jobs->next;
        job_free(process->jobs);
        process->jobs = next;
    }
}

static char *text_of(struct bytes bytes)
{
    char *text = malloc(bytes.size + 1);
    CHECK(text != NULL);
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

static void take_append(struct world *world, struct sim_process *process,
                        const struct member_command *command)
{
    struct sim_job *job = new_job(world, process, command->kind, 4);
    job->id = command->id;
    job->count = command->append.count;
    job->keys = calloc(job->count, sizeof(char *));
    job->values = calloc(job->count, sizeof(char *));
    CHECK(job->keys != NULL && job->values != NULL);
    for (size_t i = 0; i < job->count; i++) {
        job->keys[i] = text_of(command->append.records[i].key);
        job->values[i] = text_of(command->append.records[i].value);
    }
}

static void take_seal(struct world *world, struct sim_process *process,
                      const struct member_command *command)
{
    struct sim_job *job = new_job(world, process, command->kind, 4);
    job->id = command->seal.seal;
    job->build = command->seal.build;
    for (size_t i = 0; i < command->seal.count; i++) {
        const struct member_seal_partition *from = &command->seal.partitions[i];
        job->seal[i].partition = partition_index(world, from->id);
        job->seal[i].from = from->from;
        job->seal[i].seen_end = from->seen_end;
        job->seal[i].to = from->to;
        job->seal[i].step_count = from->step_count;
        job->seal[i].steps = calloc(from->step_count + 1, sizeof *from->steps);
        CHECK(job->seal[i].steps != NULL);
        memcpy(job->seal[i].steps, from->steps, from->step_count * sizeof *from->steps);
    }
    job->contribution_count = command->seal.count;
    CHECK(command->seal.witness_count <= LENGTH_OF(job->records));
    job->record_count = command->seal.witness_count;
    for (size_t i = 0; i < job->record_count; i++) {
        job->records[i] =
            (struct sim_record_known){partition_index(world, command->seal.witnesses[i].id),
                                      command->seal.witnesses[i].witness};
    }
}

static void take_build(struct world *world, struct sim_process *process,
                       const struct member_command *command)
{
    struct sim_job *job = new_job(world, process, command->kind, 12);
    if (world->story.attempt_sleeps > 0) {
        world->story.attempt_sleeps--;
        job->due_us = world->now_us + 6000000;
    } else if (world_chance(world, world->faults.build_hangs)) {
        coverage_chance(CHANCE_HANGS);
        job->hangs = true;
        job->due_us = world->now_us + world_between(world, 2000000, 12000000);
    }
    job->build = command->build.build;
    snprintf(job->run_id, sizeof job->run_id, "%s", command->build.run_id);
    job->shard = command->build.shard;
    job->attempt = command->build.attempt;
    job->num_dbs = command->build.num_dbs;
    CHECK(command->build.routing_value_count <= SIM_TOKENS);
    job->token_count = command->build.routing_value_count;
    for (size_t i = 0; i < job->token_count; i++) {
        job->tokens[i] = (uint32_t)strtoul(command->build.routing_values[i] + 2, NULL, 10);
    }
    const struct plan_base *base = command->build.base;
    job->carry = command->build.carry;
    job->has_base = base != NULL;
    if (base != NULL) {
        snprintf(job->base_run, sizeof job->base_run, "%s", base->run_id);
        snprintf(job->base_staged, sizeof job->base_staged, "%s", base->staged_url);
        job->base_time_us = base->time_us;
        job->whole = base->whole;
    }
    CHECK(command->build.contribution_count <= LENGTH_OF(job->contributions));
    job->contribution_count = command->build.contribution_count;
    for (size_t i = 0; i < job->contribution_count; i++) {
        const struct member_contribution *from = &command->build.contributions[i];
        job->contributions[i].own = from->own;
        snprintf(job->contributions[i].url, sizeof job->contributions[i].url, "%s", from->url);
        job->contributions[i].range_count = from->range_count;
        for (size_t j = 0; j < from->range_count; j++) {
            job->contributions[i].ranges[j].partition = partition_index(world, from->ranges[j].id);
            job->contributions[i].ranges[j].from = from->ranges[j].from;
            job->contributions[i].ranges[j].to = from->ranges[j].to;
        }
    }
}

static void drop_builds(struct sim_process *process, const char *run_id)
{
    struct sim_job **at = &process->jobs;
    while (*at != NULL) {
        struct sim_job *job = *at;
        if (job->kind == MEMBER_BUILD && strcmp(job->run_id, run_id) == 0) {
            *at = job->next;
            job_free(job);
        } else {
            at = &job->next;
        }
    }
}

static void take_commands(struct world *world, struct sim_process *process)
{
    world_trace_lines(world, process->name, buf_text(&process->member_out.trace));
    for (size_t i = 0; i < process->member_out.command_count; i++) {
        const struct member_command *command = &process->member_out.commands[i];
        coverage_member_command(command->kind);
        if (command->kind == MEMBER_APPEND) {
            take_append(world, process, command);
        } else if (command->kind == MEMBER_SEAL) {
            take_seal(world, process, command);
        } else if (command->kind == MEMBER_BUILD) {
            take_build(world, process, command);
        } else if (command->kind == MEMBER_STORE_PART) {
            new_job(world, process, command->kind, 6)->build = command->store_part.build;
        } else if (command->kind == MEMBER_HAND_OVER) {
            struct sim_job *job = new_job(world, process, command->kind, 40);
            job->id = command->hand_over.number;
            job->build = command->hand_over.build;
            job->seal[0].partition = partition_index(world, command->hand_over.id);
        } else if (command->kind == MEMBER_ADOPT) {
            const struct message_handover *from = command->adopt.handover;
            struct sim_job *job = new_job(world, process, command->kind, 20);
            job->id = (uint64_t)command->adopt.offset;
            job->seal[0].partition = partition_index(world, from->id);
            job->seal[0].from = from->from;
            job->seal[0].to = from->to;
            snprintf(job->run_id, sizeof job->run_id, "%s", from->head);
            snprintf(job->contributions[0].url, sizeof job->contributions[0].url, "%s", from->url);
            job->witness_count = from->witness_count;
            for (size_t w = 0; w < from->witness_count; w++) {
                job->witnesses[w] = from->witnesses[w];
            }
        } else if (command->kind == MEMBER_DROP_BUILD) {
            drop_builds(process, command->drop.run_id);
        } else {
            plane_command(world, process, command);
        }
    }
}

void member_shell_event(struct world *world, struct sim_process *process,
                        struct member_event *event)
{
    event->now_us = process_now(world, process);
    member_step(process->member, event, &process->member_out);
    take_commands(world, process);
}

/* A plain producer: a record may fail for good, or be there twice. */
static void do_append(struct world *world, struct sim_process *process, const struct sim_job *job)
{
    struct member_event event = {.kind = MEMBER_EVENT_APPENDED, .appended = {.command = job->id}};
    bool fails = world_chance(world, world->faults.append_fails);
    bool twice = world_chance(world, world->faults.append_fails);
    for (size_t i = 0; i < job->count; i++) {
        if (!fails || twice) {
            ledger_append(world, job->keys[i], job->values[i]);
        }
        if (twice && !fails) {
            ledger_append(world, job->keys[i], job->values[i]);
        }
    }
    event.appended.outcome = fails ? ERR_TRANSIENT : ERR_NONE;
    member_shell_event(world, process, &event);
}

/* The first that is due: of the ledger's, or of the work beside it (a hundred shards hold up no
 * word). */
static void do_job(struct world *world, struct sim_process *process, bool append)
{
    struct sim_job **at = &process->jobs;
    while (*at != NULL &&
           ((*at)->due_us > world->now_us || ((*at)->kind == MEMBER_APPEND) != append)) {
        at = &(*at)->next;
    }
    struct sim_job *job = *at;
    if (job == NULL) {
        return;
    }
    *at = job->next;
    const char *what = job->kind == MEMBER_APPEND      ? job->keys[0]
                       : job->look != NULL             ? "look"
                       : job->kind == MEMBER_SEAL      ? "seal"
                       : job->kind == MEMBER_BUILD     ? "build"
                       : job->kind == MEMBER_ADOPT     ? "adopt"
                       : job->kind == MEMBER_HAND_OVER ? "hand over"
                                                       : "part";
    if (process_crash_point(world, process, "before", what)) {
        job_free(job);
        return;
    }
    if (job->kind == MEMBER_APPEND) {
        do_append(world, process, job);
    } else if (job->look != NULL) {
        witness_look(world, process, job->look);
    } else if (job->kind == MEMBER_SEAL) {
        plane_seal(world, process, job);
    } else if (job->kind == MEMBER_BUILD) {
        plane_build(world, process, job);
    } else if (job->kind == MEMBER_HAND_OVER) {
        handover_store(world, process, job);
    } else if (job->kind == MEMBER_ADOPT) {
        handover_adopt(world, process, job);
    } else {
        plane_store_part(world, process, job);
    }
    process_crash_point(world, process, "after", what);
    job_free(job);
}

void member_shell_step(struct world *world, struct sim_process *process)
{
    do_job(world, process, true);
    if (process->alive) {
        do_job(world, process, false);
    }
}
