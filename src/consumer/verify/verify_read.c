/* Reads the ranges of a build again and takes them in as a member does.
 *
 * The happy path: every partition from its tail to its cut, through the intake, and one seal. What
 * can go wrong: a cut is reached by position, since its offset may be none of a record; what lies
 * behind it in the same batch comes in too, and the seal leaves it out, as it does in the service;
 * retention takes a range while it is read. */
#include "consumer/verify/verify_read.h"

#include <stdlib.h>

#include "adapters/os/clock.h"
#include "consumer/intake/poll_thread.h"

enum {
    READ_POLL_MS = 100,
    READ_SILENCE_US = 60 * 1000 * 1000, /* without a record or an end: nobody answers */
    READ_CLOSE_MS = 5 * 1000,
};

struct reading {
    const struct verify_read_request *request;
    struct verify_rows *rows;
    struct source *source;
    struct source_batch *batch;
    bool *done; /* by partition of the plan: its cut is reached */
    size_t open;
    int64_t heard_us;
    struct err trouble; /* the last that the client told; kind NONE: none */
};

static struct source_partition source_of(const struct verify_partition *partition)
{
    return (struct source_partition){partition->topic, partition->id.number};
}

static bool open_intake(const struct verify_read_request *request, struct verify_rows *rows,
                        struct err *err)
{
    rows->settings = *request->settings;
    rows->settings.dead_letter = (struct dead_letter_settings){.policy = DEAD_LETTER_DROP};
    rows->arena = arena_new(16 * 1024);
    struct held_rows_settings held = {
        .folder = arena_format(rows->arena, "%s/spills", request->folder),
        .order = request->settings->snapshot.order,
        .borrowed_budget = request->budget,
        .disk_budget = request->settings->limits.disk_budget,
        .fails_when_full = true,
    };
    TRY(held_rows_new(&held, &rows->held, err));
    TRY(dead_letters_new(&rows->settings.dead_letter, NULL, &rows->letters, err));
    struct intake_settings intake = {.settings = &rows->settings,
                                     .router = request->router,
                                     .budget = request->budget,
                                     .held = rows->held,
                                     .letters = rows->letters};
    return intake_new(&intake, &rows->intake, err);
}

/* The head as the build found it: its own step is not among the builds before. */
static bool start_intake(struct reading *reading, struct err *err)
{
    const struct verify_plan *plan = reading->request->plan;
    for (size_t i = 0; i < plan->partition_count; i++) {
        const struct verify_partition *of = &plan->partitions[i];
        struct intake_head head = {.steps = of->steps,
                                   .step_count = of->step_count - 1,
                                   .seen_end = of->seen_end,
                                   .closed_to_us = plan->commit.made_of.from_us,
                                   .tail_from = of->from};
        TRY(intake_start(reading->rows->intake, source_of(of), of->from, &head, err));
    }
    return true;
}

static bool start_source(struct reading *reading, struct err *err)
{
    const struct verify_plan *plan = reading->request->plan;
    struct source_settings settings = *reading->request->source;
    settings.want_headers = intake_wants_headers(reading->rows->intake);
    TRY(source_new(&settings, &reading->source, err));
    struct source_start *starts =
        arena_zero(reading->rows->arena, (plan->partition_count + 1) * sizeof *starts);
    for (size_t i = 0; i < plan->partition_count; i++) {
        starts[i] = (struct source_start){.partition = source_of(&plan->partitions[i]),
                                          .offset = plan->partitions[i].from,
                                          .leader_epoch = -1};
    }
    return source_assign(reading->source, starts, plan->partition_count, err);
}

static bool hear(struct reading *reading, bool *ret_lost, struct err *err)
{
    const struct source_batch *batch = reading->batch;
    if (batch->message_count > 0) {
        reading->heard_us = clock_mono_us();
    }
    for (size_t i = 0; i < batch->event_count; i++) {
        const struct source_event *event = &batch->events[i];
        switch (event->kind) {
        case SOURCE_LOST_RANGE:
        case SOURCE_TRUNCATED:
            *ret_lost = true;
            break;
        case SOURCE_TOPIC_GONE:
        case SOURCE_FATAL:
            *err = *event->err;
            return false;
        case SOURCE_ERROR:
            reading->trouble = *event->err;
            break;
        case SOURCE_END:
            reading->heard_us = clock_mono_us();
            break;
        case SOURCE_ASSIGNED:
        case SOURCE_REVOKED:
            break;
        }
    }
    return true;
}

/* Partitions that have come to their cut are read no further. */
static bool look_at_positions(struct reading *reading, uint64_t *ret_read, struct err *err)
{
    const struct verify_plan *plan = reading->request->plan;
    *ret_read = 0;
    for (size_t i = 0; i < plan->partition_count; i++) {
        const struct verify_partition *of = &plan->partitions[i];
        struct source_partition id = source_of(of);
        int64_t position = source_position(reading->source, id);
        *ret_read += (uint64_t)((position < of->cut ? position : of->cut) - of->from);
        if (!reading->done[i] && position >= of->cut) {
            reading->done[i] = true;
            reading->open--;
            TRY(source_pause(reading->source, &id, 1, err));
        }
    }
    return true;
}

static bool check_silence(const struct reading *reading, struct err *err)
{
    if (clock_mono_us() - reading->heard_us < READ_SILENCE_US) {
        return true;
    }
    if (reading->trouble.kind != ERR_NONE) {
        *err = reading->trouble;
        return err_wrap(err, "no record comes any more");
    }
    return err_set(err, ERR_TRANSIENT,
                   "no record has come for %d s, %zu partitions short of their "
                   "cut",
                   READ_SILENCE_US / 1000000, reading->open);
}

static bool read_all(struct reading *reading, bool *ret_lost, struct err *err)
{
    const struct verify_progress *progress = &reading->request->progress;
    const struct verify_plan *plan = reading->request->plan;
    reading->open = plan->partition_count;
    reading->heard_us = clock_mono_us();
    while (reading->open > 0) {
        uint64_t read = 0;
        TRY(source_poll(reading->source, READ_POLL_MS, reading->batch, err));
        TRY(hear(reading, ret_lost, err));
        if (*ret_lost) {
            return true;
        }
        TRY(intake_take(reading->rows->intake, reading->batch, clock_now_us(), err));
        TRY(look_at_positions(reading, &read, err));
        TRY(check_silence(reading, err));
        if (progress->show != NULL &&
            progress->show(progress->to, "reading", read, (uint64_t)plan->records)) {
            return err_set(err, ERR_STOPPED, "stopped while reading");
        }
    }
    return true;
}

static bool seal(const struct verify_read_request *request, struct verify_rows *rows,
                 struct err *err)
{
    const struct verify_plan *plan = request->plan;
    struct member_seal_partition *partitions =
        arena_zero(rows->arena, (plan->partition_count + 1) * sizeof *partitions);
    for (size_t i = 0; i < plan->partition_count; i++) {
        const struct verify_partition *of = &plan->partitions[i];
        partitions[i] = (struct member_seal_partition){.id = of->id,
                                                       .from = of->from,
                                                       .seen_end = of->seen_end,
                                                       .to = of->cut,
                                                       .steps = of->steps,
                                                       .step_count = of->step_count};
    }
    return intake_seal(rows->intake, plan->commit.build, partitions, plan->partition_count,
                       rows->arena, &rows->sealed, err);
}

bool verify_read(const struct verify_read_request *request, struct verify_rows *rows,
                 bool *ret_lost, struct err *err)
{
    *rows = (struct verify_rows){0};
    *ret_lost = false;
    TRY(open_intake(request, rows, err));
    struct reading reading = {.request = request, .rows = rows};
    reading.done =
        arena_zero(rows->arena, (request->plan->partition_count + 1) * sizeof *reading.done);
    reading.batch = source_batch_new(POLL_BATCH_MESSAGES);
    bool done = start_intake(&reading, err) &&
                (request->plan->partition_count == 0 ||
                 (start_source(&reading, err) && read_all(&reading, ret_lost, err)));
    source_free(reading.source, READ_CLOSE_MS);
    source_batch_free(reading.batch);
    TRY(done);
    struct intake_counters counters;
    intake_counters(rows->intake, &counters);
    rows->records = counters.records;
    return *ret_lost || seal(request, rows, err);
}

void verify_rows_done(struct verify_rows *rows)
{
    contribution_drop(rows->sealed.contribution);
    intake_free(rows->intake);
    held_rows_free(rows->held);
    dead_letters_free(rows->letters);
    arena_free(rows->arena);
    *rows = (struct verify_rows){0};
}
