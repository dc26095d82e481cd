/* The thread of the member machine: it reads the ledger and directs the data plane.
 *
 * The happy path: read the ledger to its end, get partitions, let them be read, and for each build
 * seal, build and report. What can go wrong: an append whose outcome is unknown (the machine says
 * it again), a ledger that is not the one we read (the process ends), partitions that come and go
 * (the machine's). */
#include "consumer/member/member_thread.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/lock.h"
#include "adapters/os/log.h"
#include "adapters/os/os_random.h"
#include "adapters/os/thread.h"
#include "consumer/member/handover_hands.h"
#include "consumer/member/member_command.h"
#include "consumer/member/member_says.h"

enum { MEMBER_READ_MS = 20, MEMBER_TICK_US = 100 * 1000, MEMBER_RETRY_US = 1000 * 1000 };

struct member_thread {
    struct member_thread_settings settings;
    struct thread *thread;
    atomic_bool stop;
    atomic_bool end;
    struct pulse pulse;
    struct {
        struct lock lock;
        struct member_state state;
    } locked;
    struct member_hands hands;
    struct member_out out;
    struct queue *built;       /* work that is finished */
    struct member_state state; /* copied to `locked` now and then */
    int64_t wall_us;           /* the wall clock, as it was when the steady one said mono_us */
    int64_t mono_us;
    int64_t ticked_us;
    int64_t end_offset;
    int64_t caught_up_at; /* the ledger's end when it was read to it for the first time */
    int64_t ledger_next;  /* read up to here; -1: nothing yet */
    struct pause_watch pauses;
    bool stopping;
    bool triggered;
};

/* The member only measures how long things take: whoever sets the clock must not silence it. */
static int64_t next_now(const struct member_thread *thread)
{
    return thread->wall_us + (clock_mono_us() - thread->mono_us);
}

static void fail(struct member_thread *thread, const struct err *err)
{
    if (!thread->state.failed) {
        thread->state.failed = true;
        thread->state.err = *err;
    }
}

/* One event and the commands that follow. An APPEND has its answer at once, which is an event, too.
 */
static void feed(struct member_thread *thread, struct member_event *event)
{
    bool again = true;
    while (again) {
        event->now_us = next_now(thread);
        member_step(thread->hands.member, event, &thread->out);
        log_debug_lines("member", buf_bytes(&thread->out.trace));
        size_t answer_count = 0;
        struct member_event *answers =
            arena_alloc(thread->hands.arena, (thread->out.command_count + 1) * sizeof *answers);
        for (size_t i = 0; i < thread->out.command_count; i++) {
            if (member_command_run(&thread->hands, &thread->out.commands[i],
                                   &answers[answer_count])) {
                answer_count++;
            }
        }
        again = answer_count > 0;
        for (size_t i = 0; i + 1 < answer_count; i++) {
            feed(thread, &answers[i]);
        }
        if (again) {
            *event = answers[answer_count - 1];
        }
    }
}

static void feed_kind(struct member_thread *thread, enum member_event_kind kind)
{
    struct member_event event = {.kind = kind};
    feed(thread, &event);
}

/* Has the ledger answered our TRIGGER, and is what it led to behind the pointer? */
static void look_at_head(struct member_thread *thread)
{
    const struct fold *fold = member_fold(thread->hands.member);
    const struct message_commit *head = fold_head(fold);
    if (head == NULL || thread->state.trigger_done) {
        return; /* what was asked for is told, whatever follows */
    }
    bool published = fold_head_published(fold);
    for (size_t i = 0; thread->settings.trigger_id != NULL && i < head->used_count; i++) {
        if (strcmp(head->used[i], thread->settings.trigger_id) == 0) {
            thread->triggered = true;
        }
    }
    thread->state.trigger_done = thread->triggered && published;
    thread->state.build = head->build;
    if (head->has_snapshot && published &&
        strcmp(thread->state.run_id, head->snapshot.run_id) != 0) {
        snprintf(thread->state.run_id, sizeof thread->state.run_id, "%s", head->snapshot.run_id);
        thread->state.published++;
    }
}

/* Before the end of the ledger was read, a hold may be one that was resumed long ago. */
static const struct message_hold *open_hold(const struct member_thread *thread)
{
    const struct fold_entry *hold = fold_hold(member_fold(thread->hands.member));
    return thread->state.caught_up && hold != NULL && hold->message.kind == MESSAGE_HELD
               ? &hold->message.hold
               : NULL;
}

/* Is the newest leader this process, or has it said anything since this thread knows the ledger? */
static bool leader_lives(const struct member_thread *thread, const struct fold_entry *leader,
                         const struct leader_state_seen *seen)
{
    const char *name = leader->message.leader.member;
    if (strcmp(name, thread->settings.member_id) == 0) {
        return seen->term == leader->offset; /* one that is gone may have had our name, too */
    }
    char key[sizeof "progress/" + MESSAGE_NAME_MAX];
    snprintf(key, sizeof key, "progress/%s", name);
    const struct fold_entry *said = fold_find(member_fold(thread->hands.member), key);
    return leader->offset >= thread->caught_up_at ||
           (said != NULL && said->offset >= thread->caught_up_at &&
            !said->message.progress.leaving);
}

/* What an earlier leader refused, the next one may let through: its gates may be others. */
static const struct message_gated *shut_gates(const struct member_thread *thread,
                                              const struct leader_state_seen *seen)
{
    const struct fold *fold = member_fold(thread->hands.member);
    const struct message_gated *gated = fold_gated(fold);
    const struct fold_entry *leader = fold_leader(fold);
    return thread->state.caught_up && gated != NULL && leader != NULL &&
                   (int64_t)gated->term == leader->offset && leader_lives(thread, leader, seen)
               ? gated
               : NULL;
}

static void say_gated(struct member_state *state, const struct message_gated *gated)
{
    int size = snprintf(state->refusal, sizeof state->refusal,
                        "build %" PRIu64 ", run %s: ", gated->build, gated->run_id);
    for (size_t i = 0; i < gated->reason_count && size < (int)sizeof state->refusal; i++) {
        size += snprintf(state->refusal + size, sizeof state->refusal - (size_t)size, "%s%s",
                         i == 0 ? "" : "; ", gated->reasons[i]);
    }
}

/* Of several reasons, the one that must go first. */
static void look_at_refusals(struct member_thread *thread)
{
    struct member_state *state = &thread->state;
    struct leader_state_seen seen;
    leader_thread_seen(thread->settings.leader_seen, &seen);
    const struct message_hold *hold = open_hold(thread);
    const struct message_gated *gated = shut_gates(thread, &seen);
    state->refused = hold != NULL    ? MEMBER_REFUSED_HELD
                     : gated != NULL ? MEMBER_REFUSED_GATED
                     : seen.unfit    ? MEMBER_REFUSED_UNFIT
                                     : MEMBER_REFUSED_NOT;
    switch (state->refused) {
    case MEMBER_REFUSED_NOT:
        state->refusal[0] = '\0';
        break;
    case MEMBER_REFUSED_HELD:
        snprintf(state->refusal, sizeof state->refusal, "by %s: %s", hold->who, hold->why);
        break;
    case MEMBER_REFUSED_GATED:
        say_gated(state, gated);
        break;
    case MEMBER_REFUSED_UNFIT:
        snprintf(state->refusal, sizeof state->refusal, "%s", seen.doing);
        break;
    }
}

static bool read_ledger(struct member_thread *thread, struct err *err)
{
    struct ledger_batch batch;
    TRY(ledger_read(thread->hands.reader, MEMBER_READ_MS, &batch, err));
    for (size_t i = 0; i < batch.count; i++) {
        const struct ledger_record *record = &batch.records[i];
        struct member_event event = {.kind = MEMBER_EVENT_RECORD};
        event.record.offset = record->offset;
        event.record.timestamp_us = record->timestamp_ms * 1000;
        event.record.key = record->key;
        event.record.value = record->is_tombstone ? bytes_of(NULL, 0) : record->value;
        feed(thread, &event);
        look_at_head(thread);
    }
    thread->ledger_next = batch.next_offset;
    if (batch.at_end && batch.next_offset > thread->end_offset) {
        thread->caught_up_at = thread->end_offset < 0 ? batch.next_offset : thread->caught_up_at;
        thread->end_offset = batch.next_offset;
        struct member_event event = {.kind = MEMBER_EVENT_LEDGER_END,
                                     .end_offset = batch.next_offset};
        feed(thread, &event);
    }
    return true;
}

static void on_assignment(struct member_thread *thread, const struct mail *mail, bool assigned)
{
    struct member_event event = {.kind = assigned ? MEMBER_EVENT_ASSIGNED : MEMBER_EVENT_REVOKED};
    struct partition_id *ids = arena_alloc(mail->arena, (mail->partitions.count + 1) * sizeof *ids);
    for (size_t i = 0; i < mail->partitions.count; i++) {
        struct source_partition partition = mail->partitions.partitions[i];
        ids[i] = (struct partition_id){thread->settings.source.topics[partition.topic],
                                       partition.partition};
    }
    event.assignment.generation = -1;
    event.assignment.partitions = ids;
    event.assignment.count = mail->partitions.count;
    member_hands_assignment(&thread->hands, mail, assigned);
    feed(thread, &event);
}

static void on_readings(struct member_thread *thread, const struct mail *mail)
{
    struct member_event event = {.kind = MEMBER_EVENT_PROGRESS};
    struct err err;
    size_t count = mail->readings.count;
    thread->state.counters = mail->readings.counters;
    thread->state.partitions = count;
    thread->state.position = 0;
    for (size_t i = 0; i < count; i++) {
        thread->state.position += mail->readings.readings[i].position;
    }
    if (!member_hands_find_lost(&thread->hands, mail->readings.readings, &count, &err)) {
        fail(thread, &err);
        return;
    }
    event.progress.readings = mail->readings.readings;
    event.progress.count = count;
    event.progress.short_of_room = mail->readings.short_of_room;
    feed(thread, &event);
}

static void on_sealed(struct member_thread *thread, struct mail *mail)
{
    struct member_event event = {.kind = MEMBER_EVENT_SEALED};
    event.sealed.build = mail->sealed.build;
    event.sealed.seal = mail->sealed.seal;
    event.sealed.ok = mail->sealed.ok;
    event.sealed.error = mail->sealed.error;
    if (mail->sealed.ok) {
        const struct intake_sealed *sealed = &mail->sealed.sealed;
        event.sealed.partitions = sealed->partitions;
        event.sealed.partition_count = sealed->partition_count;
        event.sealed.shards = sealed->shards;
        event.sealed.shard_count = sealed->shard_count;
        event.sealed.tokens = sealed->tokens;
        event.sealed.token_count = sealed->token_count;
        member_work_sealed(&thread->hands.work, TAKE(mail->sealed.sealed.contribution));
    }
    feed(thread, &event);
}

static void on_mail(struct member_thread *thread, struct mail *mail)
{
    struct member_event event;
    switch (mail->kind) {
    case MAIL_ASSIGNED:
    case MAIL_REVOKED:
        on_assignment(thread, mail, mail->kind == MAIL_ASSIGNED);
        break;
    case MAIL_READINGS:
        on_readings(thread, mail);
        break;
    case MAIL_SEALED:
        on_sealed(thread, mail);
        break;
    case MAIL_HANDED_OVER:
        if (handover_hands_store(&thread->hands.work, mail, &event)) {
            feed(thread, &event);
        }
        break;
    case MAIL_ADOPTED:
        member_hands_adopted(&thread->hands, mail);
        handover_hands_adopted(mail, &event);
        feed(thread, &event);
        break;
    case MAIL_FAILED:
        fail(thread, &mail->err);
        break;
    case MAIL_BATCH:
    case MAIL_START:
    case MAIL_STOP:
    case MAIL_SEAL:
    case MAIL_FORGET:
    case MAIL_HAND_OVER:
    case MAIL_ADOPT:
    case MAIL_SAVE:
    case MAIL_DISCARD:
    case MAIL_FETCH:
    case MAIL_SEEK:
    case MAIL_PAUSE:
    case MAIL_RESUME:
    case MAIL_MIRROR:
    case MAIL_JOIN_AGAIN:
        CHECK(!"mail for another thread");
    }
    mail_free(mail);
}

/* A finished piece of work is an event, unless others had only waited for it. */
static void on_work(struct member_thread *thread, struct work *take_work)
{
    struct member_event event;
    if (take_work->kind == WORK_ADOPT) {
        if (handover_hands_fetched(&thread->settings, (struct adopt_job *)take_work, &event)) {
            feed(thread, &event);
        }
    } else if (take_work->kind == WORK_HANDOVER) {
        handover_hands_stored((struct handover_job *)take_work, &event);
        feed(thread, &event);
    } else if (member_work_finished(&thread->hands.work, take_work, &event)) {
        feed(thread, &event);
    }
    work_free(take_work);
}

static void look_at_pauses(struct member_thread *thread, int64_t mono_us)
{
    struct pause_moment *moment = &thread->state.pauses;
    for (unsigned reason = PAUSE_NOT + 1; reason < PAUSE_REASONS; reason++) {
        moment->paused[reason] = member_paused(thread->hands.member, (enum member_pause)reason);
    }
    moment->memory = budget_is_paused(thread->settings.work.budget);
    moment->disk_full = thread->state.counters.disk_full;
    moment->disk_bytes = thread->state.counters.disk_bytes;
    moment->disk_budget = thread->state.counters.disk_budget;
    pause_watch_look(&thread->pauses, moment, mono_us);
}

static void publish_state(struct member_thread *thread)
{
    const struct member *member = thread->hands.member;
    thread->state.left = thread->stopping && member_left(member);
    thread->state.caught_up = member_ready(member);
    look_at_refusals(thread);
    thread->state.ledger_next = thread->ledger_next;
    thread->state.alerts = thread->hands.alerts;
    snprintf(thread->state.doing, sizeof thread->state.doing, "%s", member_doing(member));
    lock_take(&thread->locked.lock);
    thread->locked.state = thread->state;
    lock_give(&thread->locked.lock);
}

static bool turn(struct member_thread *thread, struct err *err)
{
    pulse_beat(&thread->pulse);
    struct mail *mail;
    while ((mail = mail_next(thread->settings.inbox, 0)) != NULL) {
        on_mail(thread, mail);
    }
    void *work = NULL;
    while (queue_pop(thread->built, &work, 0) == QUEUE_DONE) {
        on_work(thread, work);
    }
    TRY(read_ledger(thread, err));
    if (atomic_load(&thread->stop) && !thread->stopping) {
        thread->stopping = true;
        feed_kind(thread, MEMBER_EVENT_STOP);
    }
    int64_t mono = clock_mono_us();
    if (mono - thread->ticked_us >= MEMBER_TICK_US) {
        thread->ticked_us = mono;
        member_says(&thread->settings, &thread->state.pauses, thread->hands.member);
        feed_kind(thread, MEMBER_EVENT_TICK);
        member_hands_tick(&thread->hands);
        look_at_pauses(thread, mono);
        publish_state(thread);
    }
    if (thread->hands.refused.kind != ERR_NONE) {
        *err = thread->hands.refused;
        return false;
    }
    return true;
}

/* What a local checkpoint has brought back is the first thing that the machine hears of. */
static void tell_held(struct member_thread *thread)
{
    struct member_event event = {.kind = MEMBER_EVENT_HELD,
                                 .held = {thread->settings.held, thread->settings.held_count}};
    if (thread->settings.held_count > 0) {
        feed(thread, &event);
    }
}

static void run(void *argument)
{
    struct member_thread *thread = argument;
    tell_held(thread);
    while (!atomic_load(&thread->end)) {
        struct err err;
        bool done = member_hands_open(&thread->hands, &err);
        while (done && !atomic_load(&thread->end)) {
            done = turn(thread, &err);
        }
        if (done) {
            break;
        }
        if (err.kind != ERR_TRANSIENT) {
            fail(thread, &err);
            publish_state(thread);
            while (!atomic_load(&thread->end)) {
                clock_sleep_us(MEMBER_TICK_US);
            }
            break;
        }
        log_failure(LOG_WARN, "member", &err, "trying again");
        clock_sleep_us(MEMBER_RETRY_US);
    }
    publish_state(thread);
}

struct member_thread *member_thread_new(const struct member_thread_settings *settings)
{
    struct member_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->settings = *settings;
    atomic_init(&thread->stop, false);
    atomic_init(&thread->end, false);
    lock_init(&thread->locked.lock);
    thread->end_offset = -1;
    thread->mono_us = clock_mono_us();
    thread->wall_us = clock_now_us();
    thread->ledger_next = -1;
    pulse_beat(&thread->pulse);
    thread->built = queue_new(BUILD_WORK_MAX);
    member_out_init(&thread->out);
    member_hands_init(&thread->hands, &thread->settings, thread->built);
    thread->state.incarnation = thread->hands.incarnation;
    thread->locked.state = thread->state;
    thread->thread = thread_new("member", run, thread);
    return thread;
}

void member_thread_stop(struct member_thread *thread)
{
    atomic_store(&thread->stop, true);
}

struct member_thread *member_thread_free(struct member_thread *thread)
{
    if (thread == NULL) {
        return NULL;
    }
    atomic_store(&thread->end, true);
    thread_join(thread->thread);
    queue_close(thread->built);
    member_hands_done(&thread->hands);
    void *work = NULL;
    while (queue_pop(thread->built, &work, 0) == QUEUE_DONE) {
        work_free(work);
    }
    queue_free(thread->built);
    member_out_done(&thread->out);
    lock_done(&thread->locked.lock);
    free(thread);
    return NULL;
}

void member_thread_state(struct member_thread *thread, struct member_state *ret_state)
{
    lock_take(&thread->locked.lock);
    *ret_state = thread->locked.state;
    lock_give(&thread->locked.lock);
}

const struct pulse *member_thread_pulse(const struct member_thread *thread)
{
    return &thread->pulse;
}
