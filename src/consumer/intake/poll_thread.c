/* The thread that polls Kafka: it hands batches on and does nothing that could wait.
 *
 * The happy path: take an empty batch, poll, hand it to the intake. What can go wrong: the intake
 * is behind, so that no batch is empty, or memory is short, or more has come than the settings let
 * in a second: then all partitions are paused and polling goes on for the group's sake, because a
 * member that does not poll loses its partitions. */
#include "consumer/intake/poll_thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/lock.h"
#include "adapters/os/log.h"
#include "adapters/os/thread.h"
#include "consumer/intake/made_again.h"

enum {
    POLL_WAIT_MS = 50,
    POLL_EMPTY_WAIT_US = 100 * 1000, /* for an empty batch, at a time */
    POLL_STARVED_US = 1000 * 1000,   /* without one, partitions are paused */
    POLL_LEAVE_MS = 10 * 1000,
    POLL_LIMITED_US = 2 * 1000 * 1000, /* after the limit was met, what is read is less than could
                                        */
    POLL_TELL_US = 1000 * 1000,        /* between two statistics */
    POLL_SEEK_PAUSE_US = 500 * 1000,   /* between two changes of what is fetched, see source_seek */
};

struct poll_partition {
    struct source_partition id;
    bool paused;       /* by the member machine */
    struct mail *seek; /* MAIL_SEEK that was not carried out yet; NULL: none */
};

struct poll_thread {
    struct poll_thread_settings settings;
    struct source *source;
    struct thread *thread;
    atomic_bool stop;
    struct pulse pulse;
    struct {
        struct lock lock;
        struct source_statistics statistics;
    } locked;
    int64_t told_us;            /* when they were last put there */
    struct source_batch *spare; /* for events while no batch is empty */
    struct poll_partition *partitions;
    size_t count;
    size_t capacity;
    bool held_back;                   /* all are paused: memory, or a slow intake */
    atomic_int pause;                 /* enum poll_pause, while all are paused */
    _Atomic int64_t limited_until_us; /* the limit of the rate was met a short while ago */
    int64_t seek_after_us;            /* not before that, by the steady clock */
    int64_t starved_us;               /* since when no batch was empty; 0: not now */
};

static struct poll_partition *find(struct poll_thread *thread, struct source_partition id)
{
    for (size_t i = 0; i < thread->count; i++) {
        if (source_partition_equal(thread->partitions[i].id, id)) {
            return &thread->partitions[i];
        }
    }
    return NULL;
}

static void add(struct poll_thread *thread, struct source_partition id)
{
    struct poll_partition *known = find(thread, id);
    if (known == NULL) {
        if (thread->count == thread->capacity) {
            thread->capacity = thread->capacity * 2 + 16;
            thread->partitions =
                realloc(thread->partitions, thread->capacity * sizeof *thread->partitions);
            CHECK(thread->partitions != NULL);
        }
        known = &thread->partitions[thread->count++];
        known->seek = NULL;
    }
    mail_free(known->seek);
    *known = (struct poll_partition){.id = id};
}

static void drop(struct poll_thread *thread, struct source_partition id)
{
    struct poll_partition *known = find(thread, id);
    if (known != NULL) {
        mail_free(known->seek);
        *known = thread->partitions[--thread->count];
    }
}

static void fail(struct poll_thread *thread, const struct err *err)
{
    struct mail *mail = mail_new(MAIL_FAILED);
    mail->err = *err;
    mail_send(thread->settings.member, mail);
    atomic_store(&thread->stop, true);
}

/* What did not work now is asked for again by the machine, or comes with the next rebalance. */
static void note(bool done, const struct err *err, const char *what)
{
    if (!done) {
        log_failure(LOG_WARN, "poll", err, "%s", what);
    }
}

static void pause_one(struct poll_thread *thread, const struct poll_partition *partition, bool on)
{
    struct err err;
    if (on) {
        note(source_pause(thread->source, &partition->id, 1, &err), &err, "cannot pause");
    } else {
        note(source_resume(thread->source, &partition->id, 1, &err), &err, "cannot resume");
    }
}

static void hold_back(struct poll_thread *thread, bool on, enum poll_pause why)
{
    atomic_store(&thread->pause, (int)(on ? why : POLL_PAUSE_NONE));
    if (thread->held_back == on) {
        return;
    }
    thread->held_back = on;
    for (size_t i = 0; i < thread->count; i++) {
        struct poll_partition *partition = &thread->partitions[i];
        if (on || !partition->paused) {
            pause_one(thread, partition, on);
        }
    }
    log_debug("poll", on ? "paused: the intake or memory is behind" : "resumed");
}

static void pause_some(struct poll_thread *thread, const struct mail *mail, bool on)
{
    for (size_t i = 0; i < mail->partitions.count; i++) {
        struct poll_partition *partition = find(thread, mail->partitions.partitions[i]);
        if (partition == NULL) {
            continue;
        }
        partition->paused = on;
        if (thread->held_back) {
            continue;
        }
        pause_one(thread, partition, on);
    }
}

static void fetch(struct poll_thread *thread, const struct mail *mail)
{
    struct err err;
    if (!source_start(thread->source, mail->fetch.starts, mail->fetch.count, &err)) {
        /* The assignment has changed meanwhile: another ASSIGNED follows. */
        log_failure(LOG_INFO, "poll", &err, "an assignment was overtaken");
        return;
    }
    for (size_t i = 0; i < mail->fetch.count; i++) {
        add(thread, mail->fetch.starts[i].partition);
    }
    thread->seek_after_us = clock_mono_us() + POLL_SEEK_PAUSE_US;
    if (thread->held_back) {
        thread->held_back = false;
        hold_back(thread, true, (enum poll_pause)atomic_load(&thread->pause));
    }
}

static void obey(struct poll_thread *thread, const struct mail *mail)
{
    struct err err;
    switch (mail->kind) {
    case MAIL_FETCH:
        fetch(thread, mail);
        break;
    case MAIL_PAUSE:
    case MAIL_RESUME:
        pause_some(thread, mail, mail->kind == MAIL_PAUSE);
        break;
    case MAIL_JOIN_AGAIN:
        note(source_join_again(thread->source, &err), &err, "cannot join again");
        break;
    case MAIL_MIRROR:
        if (!source_mirror_offsets(thread->source, mail->mirror.offsets, mail->mirror.count,
                                   mail->mirror.rewind, &err)) {
            log_failure(LOG_DEBUG, "poll", &err, "the group's offsets stay as they are");
        }
        break;
    case MAIL_SEEK: /* kept by the caller */
    case MAIL_BATCH:
    case MAIL_START:
    case MAIL_STOP:
    case MAIL_SEAL:
    case MAIL_FORGET:
    case MAIL_HAND_OVER:
    case MAIL_ADOPT:
    case MAIL_HANDED_OVER:
    case MAIL_ADOPTED:
    case MAIL_SAVE:
    case MAIL_DISCARD:
    case MAIL_ASSIGNED:
    case MAIL_REVOKED:
    case MAIL_READINGS:
    case MAIL_SEALED:
    case MAIL_FAILED:
        CHECK(!"mail for another thread");
    }
}

static void tell_assignment(struct poll_thread *thread, enum mail_kind kind,
                            const struct source_event *event)
{
    struct mail *mail = mail_new(kind);
    mail->partitions.partitions =
        (const struct source_partition *)(const void *)arena_copy(
            mail->arena,
            bytes_of(event->partitions, event->partition_count * sizeof *event->partitions))
            .data;
    mail->partitions.count = event->partition_count;
    mail_send(thread->settings.member, mail);
}

static const char *topic_of(const struct poll_thread *thread, struct source_partition partition)
{
    return thread->settings.source->topics[partition.topic];
}

static void on_event(struct poll_thread *thread, const struct source_event *event)
{
    struct err err;
    switch (event->kind) {
    case SOURCE_ASSIGNED:
        tell_assignment(thread, MAIL_ASSIGNED, event);
        break;
    case SOURCE_REVOKED:
        for (size_t i = 0; i < event->partition_count; i++) {
            drop(thread, event->partitions[i]);
        }
        tell_assignment(thread, MAIL_REVOKED, event);
        note(source_stop(thread->source, &err), &err, "cannot give partitions back");
        break;
    case SOURCE_TRUNCATED:
        made_again_truncated(topic_of(thread, event->partition), event->partition.partition,
                             event->position, &err);
        mail_send(thread->settings.intake, mail_new(MAIL_DISCARD));
        fail(thread, &err);
        break;
    case SOURCE_TOPIC_GONE:
        err = *event->err;
        if (err.kind == ERR_MISSING) {
            made_again_gone(topic_of(thread, event->partition), event->partition.partition, &err);
        }
        fail(thread, &err);
        break;
    case SOURCE_FATAL:
        fail(thread, event->err);
        break;
    case SOURCE_ERROR:
        log_failure(LOG_INFO, "poll", event->err, "the Kafka client goes on by itself");
        break;
    case SOURCE_END:
    case SOURCE_LOST_RANGE:
        break;
    }
}

/* True: it holds something for the intake. */
static bool has_news(const struct source_batch *batch)
{
    for (size_t i = 0; i < batch->event_count; i++) {
        if (batch->events[i].kind == SOURCE_END || batch->events[i].kind == SOURCE_LOST_RANGE) {
            return true;
        }
    }
    return batch->message_count > 0;
}

/* An empty batch that may be filled now; NULL: there is none, after a short wait. */
static struct source_batch *empty_batch(struct poll_thread *thread)
{
    void *item = NULL;
    int64_t wait_us = rate_wait_us(&thread->settings.rate, clock_mono_us());
    if (wait_us > 0) {
        atomic_store(&thread->limited_until_us, clock_mono_us() + POLL_LIMITED_US);
        clock_sleep_us(wait_us < POLL_EMPTY_WAIT_US ? wait_us : POLL_EMPTY_WAIT_US);
        if (wait_us > POLL_EMPTY_WAIT_US) {
            return NULL;
        }
    }
    return queue_pop(thread->settings.batches, &item, POLL_EMPTY_WAIT_US) == QUEUE_DONE ? item
                                                                                        : NULL;
}

/* An empty batch, or the spare one when the intake is so far behind, or the limit so far off, that
 * only events are wanted. */
static struct source_batch *next_batch(struct poll_thread *thread)
{
    struct source_batch *empty = empty_batch(thread);
    if (empty != NULL) {
        thread->starved_us = 0;
        return empty;
    }
    int64_t now = clock_mono_us();
    if (thread->starved_us == 0) {
        thread->starved_us = now;
    }
    if (now - thread->starved_us < POLL_STARVED_US) {
        return NULL;
    }
    hold_back(thread, true, POLL_PAUSE_INTAKE);
    return TAKE(thread->spare);
}

static void give_back(struct poll_thread *thread, struct source_batch *batch)
{
    if (thread->spare == NULL) {
        thread->spare = batch;
    } else if (queue_push(thread->settings.batches, batch, 0) != QUEUE_DONE) {
        source_batch_free(batch);
    }
}

static void tell_seeks(struct poll_thread *thread)
{
    for (size_t i = 0; i < thread->count; i++) {
        struct mail *mail = TAKE(thread->partitions[i].seek);
        if (mail != NULL) {
            mail->kind = MAIL_START;
            mail_send(thread->settings.intake, mail);
        }
    }
}

static void keep_seek(struct poll_thread *thread, struct mail *take_order)
{
    struct poll_partition *partition = find(thread, take_order->start.partition);
    if (partition == NULL) {
        mail_free(take_order);
        return;
    }
    mail_free(partition->seek);
    partition->seek = take_order;
}

/* All that wait are moved in one go. The intake hears of it between the last batch of before and
 * the first one of after: else old batches would move a position that has just gone back. */
static void seek(struct poll_thread *thread)
{
    int64_t now = clock_mono_us();
    if (now < thread->seek_after_us || source_rebalancing(thread->source)) {
        return;
    }
    struct source_start *starts = calloc(thread->count + 1, sizeof *starts);
    CHECK(starts != NULL);
    size_t count = 0;
    for (size_t i = 0; i < thread->count; i++) {
        if (thread->partitions[i].seek != NULL) {
            starts[count++] = (struct source_start){
                .partition = thread->partitions[i].id,
                .offset = thread->partitions[i].seek->start.fetch_from,
                .leader_epoch = thread->partitions[i].seek->start.leader_epoch};
        }
    }
    struct err err;
    if (count > 0) {
        thread->seek_after_us = now + POLL_SEEK_PAUSE_US;
        if (source_seek(thread->source, starts, count, &err)) {
            tell_seeks(thread);
        } else {
            note(false, &err, "cannot seek yet");
        }
    }
    free(starts);
}

static void poll_once(struct poll_thread *thread)
{
    struct mail *order;
    while ((order = mail_next(thread->settings.inbox, 0)) != NULL) {
        if (order->kind == MAIL_SEEK) {
            keep_seek(thread, order);
        } else {
            obey(thread, order);
            mail_free(order);
        }
    }
    seek(thread);
    if (thread->starved_us == 0) {
        hold_back(thread, budget_wants_pause(thread->settings.budget), POLL_PAUSE_MEMORY);
    }
    struct source_batch *batch = next_batch(thread);
    if (batch == NULL) {
        return;
    }
    struct err err;
    if (!source_poll(thread->source, POLL_WAIT_MS, batch, &err)) {
        give_back(thread, batch);
        fail(thread, &err);
        return;
    }
    for (size_t i = 0; i < batch->event_count; i++) {
        on_event(thread, &batch->events[i]);
    }
    if (!has_news(batch)) {
        give_back(thread, batch);
        return;
    }
    rate_pay(&thread->settings.rate, batch->message_count, batch->bytes, clock_mono_us());
    struct mail *mail = mail_new(MAIL_BATCH);
    mail->batch = batch;
    mail_send(thread->settings.intake, mail);
    if (thread->spare == NULL) {
        thread->spare = source_batch_new(thread->settings.batch_messages);
    }
}

static void tell_statistics(struct poll_thread *thread)
{
    int64_t now = clock_mono_us();
    if (now - thread->told_us < POLL_TELL_US) {
        return;
    }
    thread->told_us = now;
    lock_take(&thread->locked.lock);
    source_statistics(thread->source, &thread->locked.statistics);
    lock_give(&thread->locked.lock);
}

static void run(void *argument)
{
    struct poll_thread *thread = argument;
    while (!atomic_load(&thread->stop)) {
        pulse_beat(&thread->pulse);
        poll_once(thread);
        tell_statistics(thread);
    }
    source_free(thread->source, POLL_LEAVE_MS);
}

bool poll_thread_new(const struct poll_thread_settings *settings, struct poll_thread **ret_thread,
                     struct err *err)
{
    struct source *source = NULL;
    TRY(source_new(settings->source, &source, err));
    struct poll_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->settings = *settings;
    thread->source = source;
    atomic_init(&thread->stop, false);
    pulse_beat(&thread->pulse);
    lock_init(&thread->locked.lock);
    thread->locked.statistics.lag = -1;
    thread->spare = source_batch_new(thread->settings.batch_messages);
    thread->thread = thread_new("poll", run, thread);
    *ret_thread = thread;
    return true;
}

void poll_thread_stop(struct poll_thread *thread)
{
    atomic_store(&thread->stop, true);
}

struct poll_thread *poll_thread_free(struct poll_thread *thread)
{
    if (thread != NULL) {
        poll_thread_stop(thread);
        thread_join(thread->thread);
        source_batch_free(thread->spare);
        for (size_t i = 0; i < thread->count; i++) {
            mail_free(thread->partitions[i].seek);
        }
        free(thread->partitions);
        lock_done(&thread->locked.lock);
        free(thread);
    }
    return NULL;
}

void poll_thread_statistics(struct poll_thread *thread, struct source_statistics *ret_statistics)
{
    lock_take(&thread->locked.lock);
    *ret_statistics = thread->locked.statistics;
    lock_give(&thread->locked.lock);
}

enum poll_pause poll_thread_pause(const struct poll_thread *thread)
{
    enum poll_pause pause = (enum poll_pause)atomic_load(&thread->pause);
    bool limited = clock_mono_us() < atomic_load(&thread->limited_until_us);
    return pause != POLL_PAUSE_MEMORY && limited ? POLL_PAUSE_RATE : pause;
}

const struct pulse *poll_thread_pulse(const struct poll_thread *thread)
{
    return &thread->pulse;
}
