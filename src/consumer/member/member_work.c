/* The work that builds ask of this member: its rows regrouped, its part stored, shards built.
 *
 * Where the number of shards is fixed, rows are held by shard and jobs start at once. Where it is
 * known only at the close, the sealed rows are regrouped first, once a build, and jobs wait for
 * that. */
#include "consumer/member/member_work.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/log.h"

void member_work_init(struct member_work *work, const struct member_work_settings *settings,
                      const char *member, uint64_t incarnation, struct queue *borrowed_done)
{
    *work = (struct member_work){
        .settings = settings,
        .regroup = {.router = settings->router,
                    .key_encoding = settings->shard.key_encoding,
                    .folder = settings->shard.folder,
                    .budget = settings->budget},
        .part = {.store = settings->shard.store,
                 .names = settings->shard.names,
                 .folder = settings->shard.folder,
                 .member = member,
                 .incarnation = incarnation},
        .threads = build_threads_new(settings->threads, borrowed_done),
        .done = borrowed_done,
    };
}

static void drop_rows(struct member_work *work)
{
    work->sealed = contribution_drop(work->sealed);
    work->frame = contribution_drop(work->frame);
    work->grouped = contribution_drop(work->grouped);
}

void member_work_done(struct member_work *work)
{
    build_threads_free(work->threads);
    for (size_t i = 0; i < work->waiting_count; i++) {
        work_free(work->waiting[i].piece);
    }
    free(work->waiting);
    drop_rows(work);
}

void member_work_sealed(struct member_work *work, struct contribution *take_contribution)
{
    drop_rows(work);
    work->sealed = take_contribution;
}

void member_work_forget(struct member_work *work)
{
    drop_rows(work);
}

void member_work_drop(struct member_work *work, const char *run_id)
{
    build_threads_drop(work->threads, run_id);
    size_t kept = 0;
    for (size_t i = 0; i < work->waiting_count; i++) {
        if (strcmp(work->waiting[i].piece->run_id, run_id) == 0) {
            work_free(work->waiting[i].piece);
        } else {
            work->waiting[kept++] = work->waiting[i];
        }
    }
    work->waiting_count = kept;
}

static bool is_sealed(const struct member_work *work, uint64_t build)
{
    return work->sealed != NULL && contribution_build(work->sealed) == build;
}

/* All partitions of the open CLOSE with the head's history: the rule of what counts in the build.
 * One for all shards where rows of the build are sealed here; without a seal nothing says that it
 * is still the same CLOSE. */
static bool make_frame(struct member_work *work, const struct fold *fold, uint64_t build)
{
    if (work->frame != NULL && contribution_build(work->frame) == build && is_sealed(work, build)) {
        return true;
    }
    const struct fold_entry *entry = fold_open_close(fold);
    if (entry == NULL || entry->message.close.build != build) {
        return false;
    }
    const struct message_close *close = &entry->message.close;
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    struct contribution_partition *partitions =
        arena_zero(arena, (close->partition_count + 1) * sizeof *partitions);
    for (size_t i = 0; i < close->partition_count; i++) {
        const struct close_partition *from = &close->partitions[i];
        struct cut_step *steps = NULL;
        partitions[i] = (struct contribution_partition){
            .id = from->id,
            .tail_from = from->tail_from,
            .seen_end = from->seen_end,
            .cut = from->cut,
            .step_count = fold_steps(fold_head(fold), close, from->id, arena, &steps),
        };
        partitions[i].steps = steps;
    }
    contribution_drop(work->frame);
    work->frame = contribution_new(build, work->settings->order, work->settings->policy, partitions,
                                   close->partition_count, NULL, 0, NULL);
    return true;
}

static bool by_close(const struct member_work *work)
{
    return route_groups_at_close(work->settings->router);
}

/* Puts the rows into a job that waited for them. */
static void give_rows(struct work *work, struct contribution *rows)
{
    if (work->kind == WORK_SHARD) {
        shard_job_set_rows((struct shard_job *)work, rows);
    } else {
        part_job_set_rows((struct part_job *)work, rows);
    }
}

/* The rows that are regrouped now are those of the piece: of the same seal, and for the same run.
 * That of another run ends soon, as failed. */
static bool is_regrouping_for(const struct member_work *work, const struct work *piece)
{
    return work->regrouping != NULL && work->regrouping->from == work->sealed &&
           strcmp(work->regrouping->work.run_id, piece->run_id) == 0;
}

static void wait_for_rows(struct member_work *work, struct work *take_piece, uint32_t num_dbs,
                          const char *const *routing_values)
{
    if (work->waiting_count == work->waiting_capacity) {
        work->waiting_capacity = work->waiting_capacity * 2 + 16;
        work->waiting = realloc(work->waiting, work->waiting_capacity * sizeof *work->waiting);
        CHECK(work->waiting != NULL);
    }
    if (!is_regrouping_for(work, take_piece)) {
        struct regroup_job *job = regroup_job_new(&work->regroup, take_piece->run_id, work->sealed,
                                                  num_dbs, routing_values);
        work->regrouping = job;
        build_threads_add(work->threads, &job->work);
    }
    work->waiting[work->waiting_count++] = (struct work_waiting){take_piece, work->regrouping};
}

/* Starts the piece now, or, where it wants rows of this member's own, when they are regrouped. */
static void start(struct member_work *work, struct work *take_piece, bool own, uint32_t num_dbs,
                  const char *const *routing_values)
{
    if (!own || !by_close(work)) {
        build_threads_add(work->threads, take_piece);
        return;
    }
    if (work->grouped != NULL && work->grouped_num_dbs == num_dbs) {
        give_rows(take_piece, work->grouped);
        build_threads_add(work->threads, take_piece);
        return;
    }
    wait_for_rows(work, take_piece, num_dbs, routing_values);
}

/* A member whose rows are not in the build makes shards of the others' parts alone. */
static bool needs_own(const struct member_command *command)
{
    for (size_t i = 0; i < command->build.contribution_count; i++) {
        if (command->build.contributions[i].own) {
            return true;
        }
    }
    return false;
}

bool member_work_build(struct member_work *work, const struct fold *fold,
                       const struct member_command *command, struct arena *arena,
                       struct member_event *ret_answer)
{
    uint64_t build = command->build.build;
    if (command->build.carry) { /* nobody's rows are needed */
        struct shard_job *job = shard_job_new(&work->settings->shard, command, NULL, NULL);
        build_threads_add(work->threads, &job->work);
        return true;
    }
    bool own = needs_own(command);
    if ((!own || is_sealed(work, build)) && make_frame(work, fold, build)) {
        struct shard_job *job =
            shard_job_new(&work->settings->shard, command, work->frame, work->sealed);
        start(work, &job->work, own, command->build.num_dbs,
              command->build.routing_value_count == 0 ? NULL : command->build.routing_values);
        return true;
    }
    *ret_answer = (struct member_event){.kind = MEMBER_EVENT_BUILT};
    ret_answer->built = (struct message_attempt){
        .build = build,
        .run_id = arena_text(arena, bytes_of_text(command->build.run_id)),
        .shard = command->build.shard,
        .attempt = command->build.attempt,
        .error = "the rows of this build are not sealed here",
        .url = "",
    };
    return false;
}

bool member_work_part(struct member_work *work, const struct fold *fold,
                      const struct member_command *command, struct member_event *ret_answer)
{
    uint64_t build = command->store_part.build;
    const struct fold_entry *plan = fold_open_plan(fold);
    if (is_sealed(work, build) && plan != NULL && plan->message.plan.build == build) {
        struct part_job *job =
            part_job_new(&work->part, command->store_part.run_id, work->sealed, work->parts++);
        start(work, &job->work, true, (uint32_t)plan->message.plan.shard_count,
              plan->message.plan.routing_value_count == 0 ? NULL
                                                          : plan->message.plan.routing_values);
        return true;
    }
    *ret_answer = (struct member_event){.kind = MEMBER_EVENT_PART_STORED};
    ret_answer->part.build = build;
    ret_answer->part.error = "the rows of this build are not sealed here";
    ret_answer->part.url = "";
    ret_answer->part.digest = "";
    return false;
}

/* The rows are there, or not: whoever waited for them goes on, or fails with the same error. They
 * are kept for other pieces while they are those of the last seal. */
static void finish_regroup(struct member_work *work, struct regroup_job *job)
{
    if (!job->ok && job->err.kind != ERR_STOPPED) {
        log_failure(LOG_WARN, "build", &job->err, "rows of run %s are not grouped by shard",
                    job->work.run_id);
    }
    size_t kept = 0;
    for (size_t i = 0; i < work->waiting_count; i++) {
        struct work *piece = work->waiting[i].piece;
        if (work->waiting[i].rows != job) {
            work->waiting[kept++] = work->waiting[i];
            continue;
        }
        if (job->ok) {
            give_rows(piece, job->result);
        } else {
            atomic_store(&piece->stop, true); /* it ends as failed, which the machine must hear */
        }
        build_threads_add(work->threads, piece);
    }
    work->waiting_count = kept;
    work->regrouping = work->regrouping == job ? NULL : work->regrouping;
    if (job->ok && job->from == work->sealed) {
        contribution_drop(work->grouped);
        work->grouped = TAKE(job->result);
        work->grouped_num_dbs = job->num_dbs;
    }
}

/* Said once: it is a property of the topic, not of one shard. */
static void tell_shared_keys(struct member_work *work, const struct shard_job *job)
{
    if (job->shared_keys > 0 && !work->told_shared_keys) {
        work->told_shared_keys = true;
        log_warn("build",
                 "keys come from more than one partition (%llu of shard %u in run %s): which of "
                 "their rows is newest is then arbitrary, unless snapshot.order is \"event_time\"",
                 (unsigned long long)job->shared_keys, job->shard, job->work.run_id);
    }
}

bool member_work_finished(struct member_work *work, struct work *finished,
                          struct member_event *ret_event)
{
    *ret_event = (struct member_event){0};
    if (finished->kind == WORK_REGROUP) {
        finish_regroup(work, (struct regroup_job *)finished);
        return false;
    }
    if (finished->kind == WORK_SHARD) {
        const struct shard_job *job = (struct shard_job *)finished;
        tell_shared_keys(work, job);
        ret_event->kind = MEMBER_EVENT_BUILT;
        ret_event->built = job->result;
        ret_event->built.build = finished->build;
        return true;
    }
    const struct part_job *part = (struct part_job *)finished;
    if (!part->ok && part->err.kind != ERR_STOPPED) {
        log_failure(LOG_WARN, "build", &part->err, "the part of build %llu is not stored",
                    (unsigned long long)finished->build);
    }
    ret_event->kind = MEMBER_EVENT_PART_STORED;
    ret_event->part.build = finished->build;
    ret_event->part.ok = part->ok;
    ret_event->part.error = part->ok ? "" : part->err.message;
    ret_event->part.url = part->url;
    ret_event->part.digest = part->digest;
    ret_event->part.rows = part->rows;
    ret_event->part.bytes = part->bytes;
    return true;
}
