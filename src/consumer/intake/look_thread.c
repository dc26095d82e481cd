/* Reads a record of each partition that was sealed once more, and compares.
 *
 * The happy path: the oldest record that is kept in mind is there, and is the same. Then all that
 * was read of the partition before this look is of the log that has it, because a log that is gone
 * does not come back.
 *
 * And what the head has on record is the same, which another member may have read; and a record of
 * each topic that the CLOSE names, so that what all members deliver is of one log.
 *
 * What can go wrong: the record is not there (compaction, retention), which proves nothing, so the
 * next older one is asked for, a few times; none is there, and the log ends below them, which only
 * another log does; nobody answers, and the build goes on: then the next one looks at what this one
 * could not. */
#include "consumer/intake/look_thread.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "adapters/os/thread.h"

enum {
    LOOK_WAIT_US = 100 * 1000,
    LOOK_MS = 30 * 1000,        /* for one build */
    LOOK_PAUSE_US = 500 * 1000, /* between two tries */
    LOOK_WARM_MS = 5 * 1000,
    LOOK_ROUNDS = 4, /* so many records of a partition are asked for */
};

struct look_thread {
    struct look_thread_settings settings;
    struct queue *inbox;
    struct thread *thread;
    atomic_bool stop;
    struct source_query *query; /* NULL: not yet */
};

/* One round: a record of each partition that is still open. */
struct round {
    const struct intake_look *looks;
    const size_t *open; /* indexes into the looks */
    bool heads;         /* what the head has on record is asked for; else: */
    size_t number;      /* which witness */
    struct err err;     /* kind NONE: no record is another one */
};

static struct witness asked(const struct round *round, const struct intake_look *look)
{
    return round->heads ? (struct witness){look->log.head_witness, look->log.head_hash}
                        : look->witnesses.list[round->number];
}

static void compare(void *context, size_t index, const struct source_message *message)
{
    struct round *round = context;
    const struct intake_look *look = &round->looks[round->open[index]];
    struct err err;
    if (round->err.kind == ERR_NONE &&
        !made_again_compare(&look->log, asked(round, look), message, &err)) {
        round->err = err;
    }
}

static bool prepare(struct look_thread *thread, struct err *err)
{
    return thread->query != NULL || source_query_new(thread->settings.source, &thread->query, err);
}

/* False: SETTINGS, or it is not known. Those that are open now are the ones without an answer. */
static bool look_once(struct look_thread *thread, struct round *round, size_t *open, size_t *count,
                      int64_t deadline_us, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct source_record *records = arena_zero(arena, (*count + 1) * sizeof *records);
    for (size_t i = 0; i < *count; i++) {
        const struct intake_look *look = &round->looks[open[i]];
        records[i].partition = look->partition;
        records[i].offset = asked(round, look).offset;
    }
    int64_t left_us = deadline_us - clock_mono_us();
    bool known = source_query_records(thread->query, records, *count, compare, round,
                                      left_us < 0 ? 0 : (int)(left_us / 1000), &thread->stop, err);
    if (round->err.kind != ERR_NONE) {
        *err = round->err;
        return false;
    }
    TRY(known);
    size_t left = 0;
    for (size_t i = 0; i < *count; i++) {
        if (records[i].state != SOURCE_RECORD_FOUND) {
            open[left++] = open[i];
        }
    }
    *count = left;
    return true;
}

/* None of their records is there. */
static bool look_at_ends(struct look_thread *thread, const struct intake_look *looks,
                         const size_t *open, size_t count, int64_t deadline_us, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct source_ends *ends = NULL;
    size_t end_count = 0;
    int64_t left_us = deadline_us - clock_mono_us();
    TRY(source_query_ends(thread->query, left_us < 0 ? 0 : (int)(left_us / 1000), arena, &ends,
                          &end_count, err));
    for (size_t i = 0; i < count; i++) {
        const struct intake_look *look = &looks[open[i]];
        int64_t read_to = look->witnesses.list[look->witnesses.count - 1].offset + 1;
        for (size_t k = 0; k < end_count; k++) {
            if (source_partition_equal(ends[k].partition, look->partition) &&
                ends[k].high < read_to) {
                return made_again_ends(look->log.topic, look->log.number, ends[k].high, read_to,
                                       err);
            }
        }
        log_debug("look", "%s[%d]: no record that was read before is there to be compared",
                  look->log.topic, (int)look->log.number);
    }
    return true;
}

/* Another member may have read the log that is gone, and we the whole of the one that was made
 * again: what the head has of it is compared, too, where it is not the record that is asked for
 * first. */
static bool look_at_heads(struct look_thread *thread, const struct intake_look *looks, size_t count,
                          int64_t deadline_us, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    size_t *open = arena_zero(arena, (count + 1) * sizeof *open);
    size_t open_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (looks[i].log.head_witness >= 0 &&
            looks[i].log.head_witness != looks[i].witnesses.list[0].offset) {
            open[open_count++] = i;
        }
    }
    struct round round = {.looks = looks, .open = open, .heads = true};
    return open_count == 0 || look_once(thread, &round, open, &open_count, deadline_us, err);
}

static bool look(struct look_thread *thread, const struct intake_look *looks, size_t count,
                 int64_t deadline_us, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    size_t *open = arena_zero(arena, (count + 1) * sizeof *open);
    size_t *gone = arena_zero(arena, (count + 1) * sizeof *gone);
    size_t gone_count = 0;
    for (size_t i = 0; i < count; i++) {
        open[i] = i;
    }
    TRY(prepare(thread, err));
    TRY(look_at_heads(thread, looks, count, deadline_us, err));
    struct round round = {.looks = looks, .open = open};
    for (size_t left = count; left > 0; round.number++) {
        size_t next = 0;
        for (size_t i = 0; i < left; i++) { /* those that have no more to be asked for */
            if (round.number < LOOK_ROUNDS && round.number < looks[open[i]].witnesses.count) {
                open[next++] = open[i];
            } else {
                gone[gone_count++] = open[i];
            }
        }
        left = next;
        TRY(look_once(thread, &round, open, &left, deadline_us, err));
    }
    return gone_count == 0 || look_at_ends(thread, looks, gone, gone_count, deadline_us, err);
}

/* Again, until somebody answers or the time is over: a topic that is not there comes back. */
static bool look_long(struct look_thread *thread, const struct mail *mail, struct err *err)
{
    const struct intake_sealed *sealed = &mail->sealed.sealed;
    int64_t begun_us = clock_mono_us();
    int64_t deadline_us = begun_us + (int64_t)LOOK_MS * 1000;
    while (!look(thread, sealed->looks, sealed->look_count, deadline_us, err) ||
           !look(thread, mail->sealed.records, mail->sealed.record_count, deadline_us, err)) {
        if (err->kind == ERR_SETTINGS || atomic_load(&thread->stop) ||
            clock_mono_us() + LOOK_PAUSE_US > deadline_us) {
            return false;
        }
        clock_sleep_us(LOOK_PAUSE_US);
    }
    log_debug("look", "%zu partitions: no record is another one, %lld ms", sealed->look_count,
              (long long)(clock_mono_us() - begun_us) / 1000);
    return true;
}

/* The head keeps the witnesses that it has, for the next look. */
static void leave_witnesses(struct intake_sealed *sealed)
{
    for (size_t i = 0; i < sealed->partition_count; i++) {
        sealed->partitions[i].has_witness = false;
    }
}

static void work(struct look_thread *thread, struct mail *take_mail)
{
    struct err err;
    if (!take_mail->sealed.ok || look_long(thread, take_mail, &err)) {
        mail_send(thread->settings.member, take_mail);
        return;
    }
    if (err.kind == ERR_SETTINGS) {
        struct mail *failed = mail_new(MAIL_FAILED);
        failed->err = err;
        mail_send(thread->settings.member, failed);
        mail_free(take_mail);
        return;
    }
    if (err.kind != ERR_STOPPED) {
        log_failure(LOG_WARN, "look", &err,
                    "build %llu goes on, though it is not known whether a topic was made again",
                    (unsigned long long)take_mail->sealed.build);
    }
    leave_witnesses(&take_mail->sealed.sealed);
    mail_send(thread->settings.member, take_mail);
}

/* The first build would wait for connections. */
static void warm_up(struct look_thread *thread)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct err err;
    int32_t *counts = arena_zero(arena, thread->settings.source->topic_count * sizeof *counts);
    if (!prepare(thread, &err) ||
        !source_query_partitions(thread->query, LOOK_WARM_MS, counts, &err)) {
        log_failure(LOG_DEBUG, "look", &err, "not prepared yet");
    }
}

static void run(void *argument)
{
    struct look_thread *thread = argument;
    warm_up(thread);
    while (!atomic_load(&thread->stop)) {
        struct mail *mail = mail_next(thread->inbox, LOOK_WAIT_US);
        if (mail != NULL) {
            work(thread, mail);
        }
    }
    source_query_free(thread->query);
}

struct look_thread *look_thread_new(const struct look_thread_settings *settings)
{
    struct look_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->settings = *settings;
    atomic_init(&thread->stop, false);
    thread->inbox = queue_new(MAIL_QUEUE_MAX);
    thread->thread = thread_new("look", run, thread);
    return thread;
}

void look_thread_send(struct look_thread *thread, struct mail *take_mail)
{
    mail_send(thread->inbox, take_mail);
}

struct look_thread *look_thread_free(struct look_thread *thread)
{
    if (thread != NULL) {
        atomic_store(&thread->stop, true);
        queue_close(thread->inbox);
        thread_join(thread->thread);
        mail_drain(thread->inbox);
        queue_free(thread->inbox);
        free(thread);
    }
    return NULL;
}
