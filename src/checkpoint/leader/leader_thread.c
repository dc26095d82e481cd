/* The thread that may lead: elections, the ledger, and what the leader machine asks of the store.
 *
 * The happy path: join the leader group, read the ledger, feed the machine, carry out its commands
 * one by one and feed it their results. What can go wrong: anything outside; each failure is a
 * result, and the machine decides. Only a ledger that is not the one we read before, and what an
 * operator must change, end the thread. */
#include "checkpoint/leader/leader_thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/backoff.h"
#include "adapters/os/clock.h"
#include "adapters/os/lock.h"
#include "adapters/os/log.h"
#include "adapters/os/os_random.h"
#include "adapters/os/thread.h"
#include "checkpoint/leader/leader_command.h"

enum {
    LEADER_READ_MS = 20,
    LEADER_TICK_US = 100 * 1000,
    LEADER_UNOWNED_US = 5 * 1000 * 1000,
    LEADER_LEAVE_MS = 5000,
    LEADER_CLOCK_STEP_US = 1000 * 1000
};

struct leader_thread {
    struct leader_thread_settings settings;
    struct thread *thread;
    atomic_bool stop;
    struct pulse pulse;
    struct {
        struct lock lock;
        bool failed;
        struct err err;
        struct leader_state_seen seen;
    } locked;
    struct {
        struct leader *leader;
        struct leader_out out;
        struct ledger_reader *reader;
        struct leader_hands hands; /* what the commands need */
        int64_t wall_us;           /* the wall clock, as it was when the steady one said mono_us */
        int64_t mono_us;
        bool stepped;       /* somebody set the clock: the machine begins anew */
        int64_t ticked_us;  /* by the steady clock */
        int64_t unowned_us; /* the same: when unowned partitions were looked for */
        int64_t end_offset;
        int64_t rest_until_us; /* by the steady clock; 0: not resting */
    } own;
};

static int64_t next_now(struct leader_thread *thread)
{
    return thread->own.wall_us + (clock_mono_us() - thread->own.mono_us);
}

static void look_at_clock(struct leader_thread *thread)
{
    thread->own.mono_us = clock_mono_us();
    thread->own.wall_us = clock_now_us();
}

/* The wall clock is followed while it drifts. When it was set, nothing may be concluded from it in
 * this term: everybody would be silent for an hour, or no time pass for one. The term ends, and the
 * next one compares it with the broker's (R26). */
static bool follow_clock(struct leader_thread *thread, struct err *err)
{
    int64_t off = clock_now_us() - next_now(thread);
    if (off > LEADER_CLOCK_STEP_US || off < -LEADER_CLOCK_STEP_US) {
        thread->own.stepped = true;
        return err_set(err, ERR_TRANSIENT, "the clock was set by %lld ms: the term ends",
                       (long long)(off / 1000));
    }
    look_at_clock(thread);
    return true;
}

static void rest(struct leader_thread *thread, int64_t rest_us)
{
    leadership_end_term(thread->own.hands.leadership);
    registry_release(thread->own.hands.registry);
    if (rest_us > 0) {
        struct err err;
        if (!leadership_resign(thread->own.hands.leadership, &err)) {
            log_failure(LOG_WARN, "leader", &err, "cannot leave the election");
        }
        thread->own.rest_until_us = clock_mono_us() + rest_us;
    }
}

/* Said before the commands are carried out: one of them may take long, and that is when people ask.
 */
static void tell(struct leader_thread *thread)
{
    const struct leader *leader = thread->own.leader;
    struct leader_state_seen seen = {.phase = leader_phase(leader),
                                     .term = leader_term(leader),
                                     .alerts = thread->own.hands.alerts,
                                     .unfit = leader_unfit(leader)};
    snprintf(seen.doing, sizeof seen.doing, "%s", leader_doing(leader));
    lock_take(&thread->locked.lock);
    thread->locked.seen = seen;
    lock_give(&thread->locked.lock);
}

/* One event and everything that follows from it. */
static void feed(struct leader_thread *thread, struct leader_event *event)
{
    bool again = true;
    while (again) {
        again = false;
        event->now_us = next_now(thread);
        leader_step(thread->own.leader, event, &thread->own.out);
        log_debug_lines("leader", buf_bytes(&thread->own.out.trace));
        pulse_beat(&thread->pulse);
        tell(thread);
        for (size_t i = 0; i < thread->own.out.command_count; i++) {
            const struct leader_command *command = &thread->own.out.commands[i];
            if (command->kind == LEADER_STEP_DOWN) {
                rest(thread, command->step_down.rest_us);
            } else if (leader_command_run(&thread->own.hands, command, next_now(thread), event)) {
                CHECK(!again);
                again = true;
            }
        }
    }
}

static void feed_kind(struct leader_thread *thread, enum leader_event_kind kind)
{
    struct leader_event event = {.kind = kind};
    feed(thread, &event);
}

/* The next records of the ledger. CORRUPT: it is not the ledger we read before. */
static bool read_ledger(struct leader_thread *thread, struct err *err)
{
    struct ledger_batch batch;
    TRY(ledger_read(thread->own.reader, LEADER_READ_MS, &batch, err));
    for (size_t i = 0; i < batch.count; i++) {
        const struct ledger_record *record = &batch.records[i];
        struct leader_event event = {.kind = LEADER_EVENT_RECORD};
        event.record.offset = record->offset;
        event.record.timestamp_us = record->timestamp_ms * 1000;
        event.record.key = record->key;
        event.record.value = record->is_tombstone ? bytes_of(NULL, 0) : record->value;
        feed(thread, &event);
    }
    if (batch.at_end && batch.next_offset > thread->own.end_offset) {
        thread->own.end_offset = batch.next_offset;
        struct leader_event event = {.kind = LEADER_EVENT_LEDGER_END,
                                     .end_offset = batch.next_offset};
        feed(thread, &event);
    }
    return true;
}

static bool serve_election(struct leader_thread *thread, struct err *err)
{
    if (thread->own.rest_until_us > 0 && clock_mono_us() >= thread->own.rest_until_us) {
        thread->own.rest_until_us = 0;
        TRY(leadership_run(thread->own.hands.leadership, err));
    }
    enum leadership_event event = LEADERSHIP_NONE;
    if (!leadership_poll(thread->own.hands.leadership, 0, &event, err)) {
        registry_release(thread->own.hands.registry);
        feed_kind(thread, LEADER_EVENT_UNELECTED);
        return false;
    }
    if (event == LEADERSHIP_ELECTED) {
        log_info("leader", "elected");
        feed_kind(thread, LEADER_EVENT_ELECTED);
    } else if (event == LEADERSHIP_UNELECTED) {
        log_info("leader", "not elected any more");
        registry_release(thread->own.hands.registry);
        feed_kind(thread, LEADER_EVENT_UNELECTED);
    }
    return true;
}

static void look_for_unowned(struct leader_thread *thread, int64_t mono_us)
{
    struct unowned *unowned = &thread->own.hands.unowned;
    if (leader_phase(thread->own.leader) != LEADER_ACTIVE) {
        unowned_forget(unowned);
        return;
    }
    if (mono_us - thread->own.unowned_us < LEADER_UNOWNED_US) {
        return;
    }
    thread->own.unowned_us = mono_us;
    const struct partition_id *id = unowned_look(unowned, leader_fold(thread->own.leader), mono_us);
    if (id != NULL) {
        log_warn("leader",
                 "topic %s, partition %d: the group has given it to nobody for long: this member "
                 "leaves and joins again, so that partitions are shared out anew",
                 id->topic, (int)id->number);
        thread->settings.join_again(thread->settings.context);
    }
}

static bool loop(struct leader_thread *thread, struct err *err)
{
    while (!atomic_load(&thread->stop)) {
        pulse_beat(&thread->pulse);
        TRY(follow_clock(thread, err));
        TRY(serve_election(thread, err));
        TRY(read_ledger(thread, err));
        if (thread->own.hands.refused.kind != ERR_NONE) {
            *err = thread->own.hands.refused;
            return false;
        }
        int64_t mono = clock_mono_us();
        if (mono - thread->own.ticked_us >= LEADER_TICK_US) {
            thread->own.ticked_us = mono;
            feed_kind(thread, LEADER_EVENT_TICK);
            registry_tick(thread->own.hands.registry, next_now(thread));
            look_for_unowned(thread, mono);
        }
    }
    return true;
}

static bool open_all(struct leader_thread *thread, struct err *err)
{
    const struct leader_thread_settings *settings = &thread->settings;
    struct leader_hands *hands = &thread->own.hands;
    if (hands->query == NULL) {
        TRY(source_query_new(&settings->source, &hands->query, err));
    }
    if (hands->leadership == NULL) {
        TRY(leadership_new(&settings->leadership, &hands->leadership, err));
    }
    return thread->own.reader != NULL ||
           ledger_reader_new(&settings->leadership.ledger, 0, &thread->own.reader, err);
}

static void give_up(struct leader_thread *thread, const struct err *err)
{
    lock_take(&thread->locked.lock);
    thread->locked.failed = true;
    thread->locked.err = *err;
    lock_give(&thread->locked.lock);
}

/* As after a start of the process: the ledger says all that the machine must know. */
static void begin_anew(struct leader_thread *thread)
{
    feed_kind(thread, LEADER_EVENT_UNELECTED);
    registry_release(thread->own.hands.registry);
    leader_free(thread->own.leader);
    thread->own.leader =
        leader_new(thread->settings.coord, thread->settings.member_id, os_random_u64());
    thread->own.reader = ledger_reader_free(thread->own.reader);
    thread->own.end_offset = -1;
    thread->own.rest_until_us = 0;
    thread->own.stepped = false;
    look_at_clock(thread);
}

/* Before the next try: longer each time, unless the last one went well for a while. */
static void wait_for_retry(struct leader_thread *thread, struct backoff *pause, int64_t begun_us)
{
    int64_t now_us = clock_mono_us();
    if (now_us - begun_us > pause->cap_us) {
        backoff_reset(pause);
    }
    int64_t end_us = now_us + backoff_next_us(pause);
    while (now_us < end_us && !atomic_load(&thread->stop)) {
        pulse_beat(&thread->pulse);
        clock_sleep_us(end_us - now_us < LEADER_TICK_US ? end_us - now_us : LEADER_TICK_US);
        now_us = clock_mono_us();
    }
}

static void run(void *argument)
{
    struct leader_thread *thread = argument;
    struct backoff pause = {.base_us = 200 * 1000, .cap_us = 10 * 1000 * 1000};
    while (!atomic_load(&thread->stop)) {
        struct err err;
        int64_t begun_us = clock_mono_us();
        pulse_beat(&thread->pulse);
        if (open_all(thread, &err) && loop(thread, &err)) {
            break;
        }
        if (err.kind == ERR_CORRUPT || err.kind == ERR_SETTINGS || err.kind == ERR_MISSING) {
            give_up(thread, &err);
            break;
        }
        log_failure(LOG_WARN, "leader", &err, "trying again");
        thread->own.hands.leadership =
            leadership_free(thread->own.hands.leadership, LEADER_LEAVE_MS);
        if (thread->own.stepped) {
            begin_anew(thread);
        }
        wait_for_retry(thread, &pause, begun_us);
    }
    if (thread->own.hands.leadership != NULL) {
        feed_kind(thread, LEADER_EVENT_UNELECTED);
    }
    leadership_free(thread->own.hands.leadership, LEADER_LEAVE_MS);
    ledger_reader_free(thread->own.reader);
    source_query_free(thread->own.hands.query);
}

struct leader_thread *leader_thread_new(const struct leader_thread_settings *settings)
{
    struct leader_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->settings = *settings;
    atomic_init(&thread->stop, false);
    lock_init(&thread->locked.lock);
    thread->own.end_offset = -1;
    look_at_clock(thread);
    thread->own.leader = leader_new(settings->coord, settings->member_id, os_random_u64());
    leader_out_init(&thread->own.out);
    pulse_beat(&thread->pulse);
    tell(thread);
    leader_hands_init(&thread->own.hands, &thread->settings);
    thread->thread = thread_new("leader", run, thread);
    return thread;
}

void leader_thread_stop(struct leader_thread *thread)
{
    atomic_store(&thread->stop, true);
}

struct leader_thread *leader_thread_free(struct leader_thread *thread)
{
    if (thread == NULL) {
        return NULL;
    }
    leader_thread_stop(thread);
    thread_join(thread->thread);
    leader_hands_done(&thread->own.hands);
    leader_out_done(&thread->own.out);
    leader_free(thread->own.leader);
    lock_done(&thread->locked.lock);
    free(thread);
    return NULL;
}

bool leader_thread_failed(struct leader_thread *thread, struct err *ret_err)
{
    lock_take(&thread->locked.lock);
    bool failed = thread->locked.failed;
    if (failed) {
        *ret_err = thread->locked.err;
    }
    lock_give(&thread->locked.lock);
    return failed;
}

void leader_thread_seen(struct leader_thread *thread, struct leader_state_seen *ret_seen)
{
    lock_take(&thread->locked.lock);
    *ret_seen = thread->locked.seen;
    lock_give(&thread->locked.lock);
}

const struct pulse *leader_thread_pulse(const struct leader_thread *thread)
{
    return &thread->pulse;
}
