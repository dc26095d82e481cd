/* When faults stop, what is due is done within a bound. The bound is a sum of what the world's
 * settings and its shells let each step cost at the worst; docs/protocol.md section 6 derives it.
 */
#include "tests/sim/audit.h"

/* Of the shells, in steps of the world. Each process does one step of each kind of work at a time.
 */
enum {
    COMMAND_STEPS = 4,   /* one command of a leader: up to 3 of delay, and done at the next */
    READ_BACK_STEPS = 2, /* a record is visible, is read, and the machine goes on */
    WORD_STEPS = 5 + 2,  /* a record of a member: up to 4 of delay, done at the next, read */
    SEAL_STEPS = 5,      /* each up to its delay, and done at the next */
    PART_STEPS = 7,
    BUILD_STEPS = 13,
    HAND_OVER_STEPS = 41,
    ADOPT_STEPS = 21,
    LOOK_STEPS = 4,
    LOOK_UNANSWERED_STEPS = 21, /* once, of those that were asked before the faults stopped */
    RECORD_STEPS = COMMAND_STEPS + READ_BACK_STEPS, /* of a leader, read back */
};

static double worst;
static uint64_t worst_seed;

static int64_t steps(int64_t count)
{
    return count * SIM_STEP_US;
}

/* ---- the bound ---- */

/* Every row that a partition may have to read once more. */
static int64_t read_us(const struct world *world)
{
    int64_t most = 0;
    for (int i = 0; i < world->partition_count; i++) {
        int64_t count = world->partitions[i].lso - world->partitions[i].low;
        most = count > most ? count : most;
    }
    return steps(most / SIM_CALM_ROWS + 1);
}

/* From a vector on record to its COMMIT. */
static int64_t build_us(const struct world *world)
{
    const struct coord_settings *settings = &world->settings;
    int64_t shards = settings->shard_policy == SHARDS_FIXED ? settings->shards : SIM_SHARDS_MANY;
    shards += world->shards_change ? 2 : 0;
    const struct fold_entry *plan = fold_open_plan(audit_fold(world));
    if (plan != NULL && (int64_t)plan->message.plan.shard_count > shards) {
        shards = (int64_t)plan->message.plan.shard_count; /* as many as its keys ask for */
    }
    int64_t look = world->looks_slowly ? LOOK_STEPS : 0;
    int64_t seal = SEAL_STEPS + look + shards + WORD_STEPS; /* behind the builds of a run before */
    int64_t part = PART_STEPS + shards + WORD_STEPS;
    int64_t build = BUILD_STEPS + shards + WORD_STEPS + shards;
    int64_t total = steps(seal + RECORD_STEPS + part + build + COMMAND_STEPS + RECORD_STEPS);
    if (world->has_gates) {
        total += steps(RECORD_STEPS + READ_BACK_STEPS) + SIM_OPERATOR_US;
    }
    return total;
}

/* From COMMIT to PUBLISHED: the manifests, the pointer looked at, written, looked at again. */
static int64_t publish_us(const struct world *world)
{
    int64_t manifests = world->settings.max_unpublished_windows;
    return steps((manifests + 3) * COMMAND_STEPS + RECORD_STEPS);
}

/* From what is due to its CLOSE: it is read and said; the broom finishes what it has begun, and the
 * ends are asked for. */
static int64_t close_us(const struct world *world)
{
    int64_t broom = 2 * COMMAND_STEPS + 3 * RECORD_STEPS;
    return read_us(world) + world->settings.progress_interval_us +
           steps(WORD_STEPS + broom + COMMAND_STEPS + RECORD_STEPS);
}

static int64_t going_us(const struct world *world)
{
    return close_us(world) + build_us(world) + publish_us(world);
}

/* A term begins: rest after the one before, the transaction that it left, LEADER, the pointer. */
static int64_t term_us(const struct world *world)
{
    const struct sim_ledger *ledger = &world->ledger;
    const struct sim_txn *txn = ledger->txn < 0 ? NULL : &ledger->txns[ledger->txn];
    int64_t marker = txn != NULL && (txn->state == TXN_OPEN || txn->state == TXN_PREPARED)
                         ? txn->marker_at_us - world->now_us
                         : 0;
    return world->settings.retry_max_us + (marker > 0 ? marker : 0) +
           steps(COMMAND_STEPS + RECORD_STEPS + COMMAND_STEPS + READ_BACK_STEPS);
}

/* A hold: HELD, perhaps the pointer is moved, RESUME, which looks at the pointer and the ends. */
static int64_t hold_us(void)
{
    return 2 * SIM_OPERATOR_US + steps(3 * RECORD_STEPS + 2 * COMMAND_STEPS + READ_BACK_STEPS);
}

static bool something_hangs(const struct world *world)
{
    for (int i = 0; i < world->process_count; i++) {
        for (const struct sim_job *job = world->processes[i].jobs; job != NULL; job = job->next) {
            if (job->hangs) {
                return true;
            }
        }
    }
    return false;
}

/* What the faults may have left to be got over, once. */
static int64_t recovery_us(const struct world *world)
{
    const struct coord_settings *settings = &world->settings;
    /* whoever leads may be fenced once more by the one before, whom the news reaches at this step
     */
    int64_t total = 2 * term_us(world);
    /* members start again, say so, and read from tail_from; a record, a seal or a part that failed
     * is tried again; a partition is idle only after a while */
    total += read_us(world) + settings->progress_interval_us + steps(WORD_STEPS) +
             2 * settings->retry_max_us + settings->idle_after_us;
    /* a run whose rows are gone is given up, and built again after a rest */
    total +=
        steps(2 * RECORD_STEPS) + settings->retry_max_us + build_us(world) + steps(RECORD_STEPS);
    if (settings->handover_wait_us > 0) {
        total += settings->handover_wait_us + steps(ADOPT_STEPS);
    }
    if (world->looks_slowly) {
        total += steps(LOOK_UNANSWERED_STEPS);
    }
    if (something_hangs(world)) {
        total += settings->attempt_deadline_us + steps(RECORD_STEPS) + build_us(world);
    }
    if (world->has_operators || world->loses_ledger) {
        total += 2 * hold_us() + read_us(world); /* a RESUME may be void, once */
    }
    if (world->has_retention) {
        total += hold_us(); /* SKIP, and a RESUME that waited for it */
    }
    if (world->broken_member >= 0) {
        total += (settings->max_attempts + 1) * (steps(COMMAND_STEPS) + settings->retry_max_us) +
                 term_us(world);
    }
    return total;
}

/* ---- what is due ---- */

static bool has_new_trigger(const struct fold *fold, const struct message_commit *head)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_TRIGGER, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_TRIGGER, &at)) {
        bool used = false;
        for (size_t i = 0; head != NULL && i < head->used_count; i++) {
            used = used || strcmp(head->used[i], entry->message.trigger.id) == 0;
        }
        if (!used) {
            return true;
        }
    }
    return false;
}

/* A tick that found something to read, and was answered by no build. */
static bool tick_is_due(const struct world *world, const struct message_commit *head)
{
    enum { CLOCKS_APART_US = 1000000 };
    const struct chain *chain = world->audit->head;
    int64_t interval = world->settings.interval_us;
    int64_t tick_us = world->now_us / interval * interval;
    int64_t last_us = head == NULL         ? INT64_MAX
                      : head->tick_us != 0 ? head->tick_us
                                           : head->close_us;
    if (tick_us <= last_us) {
        return false;
    }
    for (int i = 0; i < world->partition_count; i++) {
        int64_t cut = chain->known[i] ? chain->cut[i] : 0;
        if (world_reads(world, i) && cut < world->partitions[i].lso &&
            world->partitions[i].rows[cut].readable_us < tick_us - CLOCKS_APART_US) {
            return true;
        }
    }
    return false;
}

static bool count_is_due(const struct world *world)
{
    const struct chain *chain = world->audit->head;
    int64_t records = 0;
    for (int i = 0; i < world->partition_count; i++) {
        int64_t from = chain->known[i] ? chain->cut[i] : world->partitions[i].low;
        int64_t count = world->partitions[i].lso - from;
        records += count > 0 && world_reads(world, i) ? count : 0;
    }
    return records >= (int64_t)world->settings.every_records;
}

/* Rows that a build would take fill a disk, and nothing more is read there (R29). */
static bool room_is_due(const struct world *world)
{
    const struct chain *chain = world->audit->head;
    for (int p = 0; p < world->process_count; p++) {
        const struct sim_process *process = &world->processes[p];
        for (int i = 0; process->alive && process->short_of_room && i < world->partition_count;
             i++) {
            const struct sim_reading *reading = &process->readings[i];
            int64_t cut = chain->known[i] ? chain->cut[i] : 0;
            for (int64_t o = cut; world_reads(world, i) && o < reading->position; o++) {
                if (reading->held[o]) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* The highest event time of what can be read; at least what the members know. */
static int64_t mark_of(const struct world *world, int p)
{
    int64_t mark_us = EVENT_TIME_LOW;
    for (int64_t o = world->partitions[p].low; o < world->partitions[p].lso; o++) {
        const struct sim_row *row = &world->partitions[p].rows[o];
        bool future = row->event_us > row->added_us + world->settings.max_future_skew_us;
        if (row->exists && !row->rejected && !future && row->event_us > mark_us) {
            mark_us = row->event_us;
        }
    }
    return mark_us;
}

static bool is_idle(const struct world *world, int p)
{
    const struct sim_partition *partition = &world->partitions[p];
    int64_t last_us = partition->lso == 0 ? SIM_EPOCH_US
                                          : partition->rows[partition->lso - 1].readable_us;
    return partition->lso == partition->high &&
           world->now_us - last_us >= world->settings.idle_after_us;
}

/* A row of a window that every partition has passed, and that is in no build. */
static bool window_is_due(const struct world *world, const struct message_commit *head)
{
    const struct coord_settings *settings = &world->settings;
    int64_t lowest_us = EVENT_TIME_HIGH;
    int64_t highest_us = EVENT_TIME_LOW;
    for (int i = 0; i < world->partition_count; i++) {
        if (!world_reads(world, i)) {
            continue;
        }
        int64_t mark_us = mark_of(world, i);
        highest_us = mark_us > highest_us ? mark_us : highest_us;
        if (!is_idle(world, i)) {
            lowest_us = mark_us < lowest_us ? mark_us : lowest_us;
        }
    }
    int64_t mark_us = lowest_us == EVENT_TIME_HIGH ? highest_us : lowest_us;
    if (mark_us == EVENT_TIME_LOW) {
        return false;
    }
    int64_t reached_us = mark_us - settings->out_of_orderness_us - settings->allowed_lateness_us;
    int64_t boundary_us = reached_us / settings->window_size_us * settings->window_size_us;
    if (head != NULL && boundary_us <= head->closed_to_us) {
        return false;
    }
    for (int i = 0; i < world->partition_count; i++) {
        for (int64_t o = world->partitions[i].low; o < world->partitions[i].lso; o++) {
            const struct sim_row *row = &world->partitions[i].rows[o];
            if (world_reads(world, i) && row->exists && !row->rejected &&
                row->event_us < boundary_us && world->audit->head->taken[i][o] == 0) {
                return true;
            }
        }
    }
    return false;
}

static const char *what_is_due(const struct world *world)
{
    const struct fold *fold = audit_fold(world);
    const struct message_commit *head = fold_head(fold);
    if (fold_hold(fold) != NULL || fold_resume(fold) != NULL) {
        return "the end of a hold";
    }
    if (!fold_head_published(fold)) {
        return "the publish of what is committed";
    }
    if (fold_open_close(fold) != NULL) {
        return "the open build";
    }
    if (has_new_trigger(fold, head)) {
        return "the build that an operator asked for";
    }
    switch (world->settings.trigger) {
    case TRIGGER_SCHEDULE:
        return tick_is_due(world, head) ? "the build of a tick" : NULL;
    case TRIGGER_OFFSETS:
        return count_is_due(world)  ? "the build of so many records"
               : room_is_due(world) ? "the build that makes room"
                                    : NULL;
    case TRIGGER_EVENT_TIME:
        return window_is_due(world, head) ? "the build of a window" : NULL;
    case TRIGGER_MANUAL:
        break;
    }
    return NULL;
}

/* ---- the clock ---- */

static uint64_t done_so_far(const struct world *world)
{
    return audit_commits(world) + audit_published(world);
}

void liveness_begin(struct world *world)
{
    world->liveness = (struct sim_liveness){.on = !world->liar_is_gone && !world->made_again,
                                            .recovers = true,
                                            .since_us = world->now_us,
                                            .recovery_us = recovery_us(world),
                                            .done = done_so_far(world)};
    world->liveness.due = world->liveness.on ? what_is_due(world) : NULL;
}

bool liveness_is_due(const struct world *world)
{
    return world->liveness.due != NULL;
}

void liveness_step(struct world *world)
{
    enum { EVERY_US = 4 * SIM_STEP_US };
    struct sim_liveness *liveness = &world->liveness;
    if (!liveness->on || world->now_us % EVERY_US != 0) {
        return;
    }
    uint64_t done = done_so_far(world);
    liveness->due = what_is_due(world);
    if (done != liveness->done || liveness->due == NULL) {
        liveness->recovers = liveness->recovers && done == liveness->done;
        liveness->since_us = world->now_us;
        liveness->done = done;
        return;
    }
    int64_t bound_us =
        going_us(world) + EVERY_US + (liveness->recovers ? liveness->recovery_us : 0);
    int64_t waited_us = world->now_us - liveness->since_us;
    double part = (double)waited_us / (double)bound_us;
    if (part > worst) {
        worst = part;
        worst_seed = world->seed;
    }
    if (waited_us > bound_us) {
        world_fail(
            world,
            "stuck: %s is waited for, %.1f s since the last thing was done; the bound is %.1f s",
            liveness->due, (double)waited_us / 1e6, (double)bound_us / 1e6);
    }
}

double liveness_worst(uint64_t *out_seed)
{
    *out_seed = worst_seed;
    return worst;
}
