/* What single records may say, held against the world: idle partitions, windows that are closed,
 * holds, what follows a lost ledger. The data alone would not show it: a build is a function of
 * its cuts, also of wrong ones. */
#include "tests/sim/audit.h"

enum {
    SAID_LATE_US = 10000000, /* a record appears so long after it was made at the most */
    MAY_SLEEP_US = 1300000, /* a member that sleeps for less, and a data plane that has not said yet
                             */
};

/* ---- R4a: idle is what the broker says ---- */

/* More than once while it counted: each time for less than it takes to count anew. */
static bool has_napped(const struct world *world, const char *member)
{
    for (int i = 0; i < world->process_count; i++) {
        const struct sim_process *process = &world->processes[i];
        if (strcmp(process->name, member) == 0) {
            int64_t since_us = world->now_us - process->slept_us[0];
            return since_us < world->settings.idle_after_us + MAY_SLEEP_US;
        }
    }
    return false;
}

/* There was a moment, not long ago, at which the partition ended at `position`, nothing was behind
 * it, and nothing had come for idle_after. Row times are those of the world, so no clock counts. */
static bool was_idle_at(const struct world *world, const char *member, int32_t p, int64_t position)
{
    const struct sim_partition *partition = &world->partitions[p];
    int64_t next_us = position < partition->high ? partition->rows[position].added_us
                                                 : world->now_us;
    int64_t last_us = position > 0 ? partition->rows[position - 1].added_us : SIM_EPOCH_US;
    /* one member has seen the end for idle_after, but for what it may have slept; its clock may
     * have been set meanwhile */
    bool loses_time = world->clocks_jumped || has_napped(world, member);
    int64_t quiet_us = loses_time ? 0 : world->settings.idle_after_us - MAY_SLEEP_US;
    return next_us - last_us >= quiet_us && world->now_us - next_us < SAID_LATE_US;
}

static void check_idle(struct world *world, const struct message_progress *progress)
{
    bool checks = !world->story.on && !world->made_again; /* or rows have no times to go by */
    for (size_t i = 0; i < progress->partition_count && checks; i++) {
        const struct progress_partition *said = &progress->partitions[i];
        int32_t p = partition_index(world, said->id);
        if (said->state != PROGRESS_IDLE || !said->owned) {
            continue;
        }
        world->audit->idle_said_us[p][said->position] = world->now_us;
        if (!was_idle_at(world, progress->member, p, said->position)) {
            const struct sim_row *rows = world->partitions[p].rows;
            int64_t at = said->position;
            world_fail(world,
                       "%s says that partition %d is idle at %lld, which came %lld us ago, and the "
                       "record before it %lld us",
                       progress->member, p, (long long)at,
                       (long long)(world->now_us - rows[at].added_us),
                       (long long)(at == 0 ? -1 : world->now_us - rows[at - 1].added_us));
        }
    }
}

/* ---- R4: a window ends where the rows below the cuts say ---- */

static void check_watermark(struct world *world, const struct message_close *close)
{
    const struct coord_settings *settings = &world->settings;
    if (close->trigger != TRIGGER_EVENT_TIME || world->story.on || world->made_again) {
        return;
    }
    int64_t highest_us = EVENT_TIME_LOW;
    bool all_idle = true;
    for (size_t i = 0; i < close->partition_count; i++) {
        int32_t p = partition_index(world, close->partitions[i].id);
        int64_t cut = close->partitions[i].cut;
        int64_t mark_us = EVENT_TIME_LOW;
        for (int64_t o = 0; o < cut; o++) {
            const struct sim_row *row = &world->partitions[p].rows[o];
            if (row->exists && !row->rejected && row->event_us > mark_us &&
                row->event_us <= world->now_us + settings->max_future_skew_us) {
                mark_us = row->event_us;
            }
        }
        highest_us = mark_us > highest_us ? mark_us : highest_us;
        int64_t said_us = world->audit->idle_said_us[p][cut];
        bool idle = said_us > 0 &&
                    world->now_us - said_us <= settings->owner_timeout_us + SAID_LATE_US;
        all_idle = all_idle && idle;
        if (!idle && (mark_us == EVENT_TIME_LOW ||
                      mark_us - settings->out_of_orderness_us - settings->allowed_lateness_us <
                          close->to_us)) {
            world_fail(
                world,
                "build %llu ends %lld us above what partition %d has seen below its cut %lld",
                (unsigned long long)close->build,
                mark_us == EVENT_TIME_LOW ? -1 : (long long)(close->to_us - mark_us), p,
                (long long)cut);
        }
    }
    if (all_idle && (highest_us == EVENT_TIME_LOW || highest_us < close->to_us)) {
        world_fail(world, "build %llu ends above all that was seen",
                   (unsigned long long)close->build);
    }
}

/* ---- R29: what the number of records closes ---- */

static void check_count(struct world *world, const struct message_close *close)
{
    uint64_t records = 0;
    for (size_t i = 0; i < close->partition_count; i++) {
        records += (uint64_t)(close->partitions[i].cut - close->partitions[i].seen_end);
    }
    if (close->trigger != TRIGGER_OFFSETS || close->trigger_count > 0 ||
        records >= world->settings.every_records) {
        return;
    }
    coverage_chance(CHANCE_EARLY);
    if (records == 0 || !world->audit->needed[close->build % BUILDS_ASKED]) {
        world_fail(world, "build %llu is closed after %llu records, and nobody has asked for it",
                   (unsigned long long)close->build, (unsigned long long)records);
    }
}

/* ---- R12, R14: nobody holds without a reason ---- */

/* Where no operator acts and no ledger is lost, nobody but the service ever writes the pointer. */
static void check_hold(struct world *world, const struct message_hold *hold)
{
    if (!world->story.on && !world->has_operators && !world->loses_ledger &&
        strcmp(hold->who, "leader") == 0) {
        world_fail(world, "a leader holds, and nobody has touched the pointer: %s", hold->why);
    }
}

/* ---- R21: a ledger that was lost is compared before anything is built on it ---- */

void audit_compare_lost(struct world *world)
{
    const struct fold *fold = world->audit->fold;
    const struct message_commit *head = fold_head(fold);
    const char *pointer = store_get(&world->store, "_CURRENT");
    const char *named = head == NULL                                       ? NULL
                        : head->has_snapshot && !fold_head_published(fold) ? head->snapshot.base
                        : head->pointer_now != NULL || !head->has_snapshot ? head->pointer_now
                                                                           : head->snapshot.pointer;
    bool agrees = (pointer == NULL) == (named == NULL) &&
                  (pointer == NULL || strcmp(pointer, named) == 0);
    bool is_heads = pointer != NULL && head != NULL && head->has_snapshot &&
                    strcmp(pointer, head->snapshot.pointer) == 0;
    bool held = fold_hold(fold) != NULL || fold_resume(fold) != NULL; /* an operator has the word */
    world->audit->must_compare = !agrees && !is_heads && !held && world->settings.store_cas;
}

/* ---- R27: what a gate refuses is not committed, unless an operator says so ---- */

static void tell_reasons(const struct message_gated *gated)
{
    for (size_t i = 0; i < gated->reason_count; i++) {
        const char *why = gated->reasons[i];
        coverage_chance(strstr(why, "at least") != NULL    ? CHANCE_FEW_ROWS
                        : strstr(why, "more than") != NULL ? CHANCE_ROW_CHANGE
                        : strstr(why, "empty") != NULL     ? CHANCE_EMPTY_SHARDS
                                                           : CHANCE_CANARY);
    }
}

static bool was_accepted(const struct world *world, const char *run_id)
{
    size_t at = 0;
    const struct fold *fold = world->audit->fold;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_ACCEPT, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_ACCEPT, &at)) {
        if (strcmp(entry->message.accept.run_id, run_id) == 0) {
            return true;
        }
    }
    return false;
}

static void check_gates(struct world *world, const struct message_commit *commit)
{
    const struct gate_settings *gates = &world->settings.gates;
    const struct message_commit *head = fold_head(world->audit->fold);
    double rows = (double)commit->snapshot.rows;
    double before = head == NULL || !head->has_snapshot ? 0 : (double)head->snapshot.rows;
    double change = rows > before ? rows - before : before - rows;
    bool refused = rows < (double)gates->min_rows || (gates->max_row_change > 0 && before > 0 &&
                                                      change > gates->max_row_change * before);
    if (refused && !world->story.on && !was_accepted(world, commit->run_id)) {
        world_fail(world, "%s has %.0f rows, which a gate refuses, and nobody accepted it",
                   commit->run_id, rows);
    }
}

void audit_record(struct world *world, const struct message *message)
{
    struct audit *audit = world->audit;
    if (message->kind == MESSAGE_GATED) {
        tell_reasons(&message->gated);
    } else if (message->kind == MESSAGE_PROGRESS) {
        check_idle(world, &message->progress);
        if (message->progress.needs_build > 0) {
            audit->needed[message->progress.needs_build % BUILDS_ASKED] = true;
        }
    } else if (message->kind == MESSAGE_HOLD || message->kind == MESSAGE_HELD) {
        audit->must_compare = false; /* an operator has the word */
        check_hold(world, &message->hold);
    } else if (message->kind == MESSAGE_COMMIT) {
        bool is_build = message->commit.kind == COMMIT_BUILD ||
                        message->commit.kind == COMMIT_EMPTY;
        if (is_build && audit->must_compare) {
            world_fail(world, "COMMIT %s on a ledger that does not know what the pointer names",
                       message->commit.run_id);
        }
        audit->must_compare = false;
        if (message->commit.kind == COMMIT_BUILD) {
            check_gates(world, &message->commit);
        }
    }
}

void audit_close(struct world *world, const struct message_close *close)
{
    check_watermark(world, close);
    check_count(world, close);
}
