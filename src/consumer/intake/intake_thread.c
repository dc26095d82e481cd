/* The thread that runs the intake on what the poll thread brings and the member thread asks. */
#include "consumer/intake/intake_thread.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "adapters/os/clock.h"
#include "adapters/os/crash_point.h"
#include "adapters/os/log.h"
#include "adapters/os/thread.h"
#include "consumer/intake/look_thread.h"

enum {
    INTAKE_WAIT_US = 50 * 1000,
    INTAKE_REST_WAITS = 40, /* in vain, one after the other: then nothing comes in for a while */
    INTAKE_REPORT_US = 50 * 1000,
};

struct intake_thread {
    struct intake_thread_settings settings;
    struct thread *thread;
    struct look_thread *look; /* NULL: what is sealed goes to the member at once */
    bool failed;              /* nothing is taken in any more; the process is about to end */
    bool closed;              /* nor after MAIL_SAVE */
    atomic_bool saved;
    unsigned waits;     /* in vain, since the last mail */
    bool news;          /* since the last report */
    bool short_of_room; /* as reported last */
    int64_t reported_us;
    struct pulse pulse;
};

static void fail(struct intake_thread *thread, const struct err *err)
{
    struct mail *mail = mail_new(MAIL_FAILED);
    mail->err = *err;
    thread->failed = true;
    if (err->kind == ERR_CORRUPT) { /* or the next start would end in the same way */
        checkpoint_saver_discard(thread->settings.saver);
    }
    mail_send(thread->settings.member, mail);
}

static void take_batch(struct intake_thread *thread, struct mail *mail)
{
    struct err err;
    if (!thread->failed && !thread->closed &&
        !intake_take(thread->settings.intake, mail->batch, clock_now_us(), &err)) {
        fail(thread, &err);
    }
    thread->news = true;
    source_batch_clear(mail->batch);
    if (queue_push(thread->settings.batches, mail->batch, -1) == QUEUE_DONE) {
        mail->batch = NULL;
    }
}

/* One of its own looks compares the same record: what the head has of its partition. */
static bool is_looked_at(const struct intake_sealed *sealed, const struct intake_look *record)
{
    for (size_t i = 0; i < sealed->look_count; i++) {
        const struct intake_look *look = &sealed->looks[i];
        if (source_partition_equal(look->partition, record->partition)) {
            return look->log.head_witness == record->log.head_witness &&
                   look->log.head_hash == record->log.head_hash;
        }
    }
    return false;
}

static void add_records(struct mail *mail, const struct mail *order)
{
    struct intake_look *records =
        arena_zero(mail->arena, (order->seal.record_count + 1) * sizeof *records);
    for (size_t i = 0; i < order->seal.record_count; i++) {
        if (!is_looked_at(&mail->sealed.sealed, &order->seal.records[i])) {
            records[mail->sealed.record_count++] = order->seal.records[i];
        }
    }
    mail->sealed.records = records;
}

/* A cut that cannot be sealed is the member machine's to ask for again; what an operator must
 * change ends the process. */
static void seal(struct intake_thread *thread, const struct mail *order)
{
    struct mail *mail = mail_new(MAIL_SEALED);
    struct err err;
    mail->sealed.build = order->seal.build;
    mail->sealed.seal = order->seal.seal;
    mail->sealed.ok =
        intake_seal(thread->settings.intake, order->seal.build, order->seal.partitions,
                    order->seal.count, mail->arena, &mail->sealed.sealed, &err);
    mail->sealed.error = "";
    if (mail->sealed.ok) {
        add_records(mail, order);
        crash_point("sealed");
    } else if (err.kind == ERR_SETTINGS || err.kind == ERR_CORRUPT) {
        mail_free(mail);
        fail(thread, &err);
        return;
    } else {
        mail->sealed.error = arena_text(mail->arena, bytes_of_text(err.message));
        log_failure(LOG_WARN, "intake", &err, "build %llu is not sealed",
                    (unsigned long long)order->seal.build);
    }
    if (thread->look != NULL) {
        look_thread_send(thread->look, mail);
    } else {
        mail_send(thread->settings.member, mail);
    }
}

static void start(struct intake_thread *thread, const struct mail *mail)
{
    struct intake *intake = thread->settings.intake;
    struct err err;
    if (mail->start.read_on) {
        intake_read_on(intake, mail->start.partition);
    } else if (mail->start.behind_lost) {
        intake_start_behind_lost(intake, mail->start.partition, mail->start.offset);
    } else if (!thread->closed && !intake_start(intake, mail->start.partition, mail->start.offset,
                                                &mail->start.head, &err)) {
        fail(thread, &err);
    }
    thread->news = true;
}

/* The answer is the order itself, filled in. */
static void hand_over(struct intake_thread *thread, struct mail *mail)
{
    struct err err;
    mail->kind = MAIL_HANDED_OVER;
    if (thread->failed || !intake_give(thread->settings.intake, mail->arena, &mail->handover.given,
                                       &mail->handover.tally, &mail->handover.rows, &err)) {
        mail->handover.error = thread->failed ? "the service ends"
                                              : arena_text(mail->arena, bytes_of_text(err.message));
    }
    mail_send(thread->settings.member, mail);
}

static void adopt(struct intake_thread *thread, struct mail *mail)
{
    struct err err;
    mail->kind = MAIL_ADOPTED;
    if (thread->failed || thread->closed) {
        mail->adopt.error = "the service ends";
    } else if (!intake_adopt(thread->settings.intake, &mail->adopt.partition, TAKE(mail->adopt.set),
                             mail->adopt.path, mail->adopt.bytes, &err)) {
        mail->adopt.error = arena_text(mail->arena, bytes_of_text(err.message));
    }
    mail_send(thread->settings.member, mail);
}

static void save(struct intake_thread *thread)
{
    thread->closed = true;
    if (!thread->failed) {
        (void)checkpoint_saver_finish(thread->settings.saver);
    }
    atomic_store(&thread->saved, true);
}

static void forget(struct intake_thread *thread, const struct mail *mail)
{
    struct err err;
    if (!intake_forget(thread->settings.intake, mail->forget.partitions, mail->forget.count,
                       mail->forget.run, &err) &&
        !thread->failed) {
        fail(thread, &err);
        return;
    }
    checkpoint_saver_forget(thread->settings.saver, mail->forget.partitions, mail->forget.count,
                            mail->forget.run);
    thread->news = true;
}

static void work(struct intake_thread *thread, struct mail *take_mail)
{
    struct mail *mail = take_mail;
    struct intake *intake = thread->settings.intake;
    switch (mail->kind) {
    case MAIL_BATCH:
        take_batch(thread, mail);
        break;
    case MAIL_START:
        start(thread, mail);
        break;
    case MAIL_STOP:
        intake_stop(intake, mail->stop);
        thread->news = true;
        break;
    case MAIL_SEAL:
        if (!thread->failed) {
            seal(thread, mail);
        }
        break;
    case MAIL_FORGET:
        forget(thread, mail);
        break;
    case MAIL_SAVE:
        save(thread);
        break;
    case MAIL_HAND_OVER:
        hand_over(thread, mail);
        return;
    case MAIL_ADOPT:
        adopt(thread, mail);
        return;
    case MAIL_DISCARD:
        checkpoint_saver_discard(thread->settings.saver);
        break;
    case MAIL_FETCH:
    case MAIL_SEEK:
    case MAIL_PAUSE:
    case MAIL_RESUME:
    case MAIL_MIRROR:
    case MAIL_JOIN_AGAIN:
    case MAIL_ASSIGNED:
    case MAIL_REVOKED:
    case MAIL_READINGS:
    case MAIL_SEALED:
    case MAIL_HANDED_OVER:
    case MAIL_ADOPTED:
    case MAIL_FAILED:
        CHECK(!"mail for another thread");
    }
    mail_free(mail);
}

static void report(struct intake_thread *thread)
{
    int64_t now = clock_mono_us();
    bool short_of_room = intake_short_of_room(thread->settings.intake);
    thread->news = thread->news || short_of_room != thread->short_of_room;
    if (!thread->news || thread->failed || now - thread->reported_us < INTAKE_REPORT_US) {
        return;
    }
    struct mail *mail = mail_new(MAIL_READINGS);
    intake_readings(thread->settings.intake, mail->arena, &mail->readings.readings,
                    &mail->readings.count);
    intake_counters(thread->settings.intake, &mail->readings.counters);
    mail->readings.short_of_room = short_of_room;
    thread->short_of_room = short_of_room;
    mail_send(thread->settings.member, mail);
    thread->news = false;
    thread->reported_us = now;
}

static void tend(struct intake_thread *thread)
{
    struct err err;
    if (!thread->failed && !intake_tend(thread->settings.intake, &err)) {
        fail(thread, &err);
    }
    if (++thread->waits >= INTAKE_REST_WAITS) {
        intake_rest(thread->settings.intake);
    }
}

static void run(void *argument)
{
    struct intake_thread *thread = argument;
    for (;;) {
        pulse_beat(&thread->pulse);
        void *item = NULL;
        enum queue_result result = queue_pop(thread->settings.inbox, &item, INTAKE_WAIT_US);
        if (result == QUEUE_CLOSED) {
            struct intake_counters counters;
            intake_counters(thread->settings.intake, &counters);
            log_info("intake", "%llu records were read since the start",
                     (unsigned long long)counters.records);
            return;
        }
        if (result == QUEUE_DONE) {
            thread->waits = 0;
            work(thread, item);
        } else {
            tend(thread);
        }
        if (!thread->failed && !thread->closed) {
            checkpoint_saver_turn(thread->settings.saver, clock_mono_us());
        }
        report(thread);
    }
}

struct intake_thread *intake_thread_new(const struct intake_thread_settings *settings)
{
    struct intake_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->settings = *settings;
    atomic_init(&thread->saved, false);
    pulse_beat(&thread->pulse);
    if (settings->source != NULL) {
        thread->look = look_thread_new(
            &(struct look_thread_settings){.source = settings->source, .member = settings->member});
    }
    thread->thread = thread_new("intake", run, thread);
    return thread;
}

bool intake_thread_saved(const struct intake_thread *thread)
{
    return atomic_load(&thread->saved);
}

struct intake_thread *intake_thread_free(struct intake_thread *thread)
{
    if (thread != NULL) {
        queue_close(thread->settings.inbox);
        thread_join(thread->thread);
        look_thread_free(thread->look);
        free(thread);
    }
    return NULL;
}

const struct pulse *intake_thread_pulse(const struct intake_thread *thread)
{
    return &thread->pulse;
}
