/* The ledger read to its end and folded; one record appended; then record by record until it is
 * answered.
 *
 * What can go wrong: the answer to the append is lost (AMBIGUOUS), then the record is looked for by
 * its id; nobody leads, which shows in the age of what members say about themselves, by the
 * broker's clock. */
#include "consumer/operator/operator.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/os_random.h"
#include "consumer/operator/cluster_reach.h"

enum {
    SECOND_US = 1000 * 1000,
    READ_SLICE_MS = 500,
    ID_DIGITS = 32,
    WHO_MAX = 256,
    QUIET_MIN_S = 45, /* a member with nothing to say says so every 20 s */
    SETTLE_S = 3,     /* an answer that is on its way is waited for, however silent it was before */
};

struct operator_session {
    const struct settings *borrowed_settings;
    struct arena *arena;
    struct ledger_settings ledger;
    struct ledger_reader *reader;
    struct ledger_writer *writer;
    struct fold *fold;
    int64_t newest_us;      /* timestamp of the newest record … */
    int64_t newest_mono_us; /* … and when it was read */
    bool at_end;
    char who[WHO_MAX];
};

static void name_user(char who[WHO_MAX])
{
    char host[WHO_MAX / 2] = "";
    if (gethostname(host, sizeof host - 1) != 0) {
        host[0] = '\0';
    }
    const struct passwd *user = getpwuid(geteuid());
    if (user != NULL) {
        snprintf(who, WHO_MAX, "%.100s@%s", user->pw_name, host);
    } else {
        snprintf(who, WHO_MAX, "uid %u@%s", (unsigned)geteuid(), host);
    }
}

static struct ledger_settings ledger_settings_of(const struct settings *settings,
                                                 struct arena *arena)
{
    const char *topic = settings->kafka.ledger_topic;
    return (struct ledger_settings){
        .cluster = cluster_reach(settings, arena),
        .group = settings->group,
        .topic = topic != NULL ? topic : ledger_topic_name(arena, settings->group),
    };
}

/* A topic that is no ledger must not be written to (R17). */
static bool check_ledger(const struct operator_session *session, struct err *err)
{
    struct cluster *cluster = NULL;
    TRY(cluster_new(&session->ledger.cluster, &cluster, err));
    struct cluster_topic topic = {0};
    bool ok = ledger_check(cluster, session->ledger.topic, OPERATOR_ASK_S * 1000, &topic, err);
    cluster_free(cluster);
    if (!ok && err->kind == ERR_MISSING) {
        return err_set(err, ERR_MISSING,
                       "there is no topic %s: no service of the group %s has ever run",
                       session->ledger.topic, session->borrowed_settings->group);
    }
    return ok;
}

static bool read_to_end(struct operator_session *session, struct err *err);

bool operator_new(const struct settings *borrowed_settings, struct operator_session **ret_session,
                  struct err *err)
{
    AUTO(operator_session) struct operator_session *session = calloc(1, sizeof *session);
    CHECK(session != NULL);
    session->borrowed_settings = borrowed_settings;
    session->arena = arena_new(4096);
    session->fold = fold_new();
    session->ledger = ledger_settings_of(borrowed_settings, session->arena);
    name_user(session->who);
    TRY(check_ledger(session, err));
    TRY(ledger_reader_new(&session->ledger, 0, &session->reader, err));
    TRY(read_to_end(session, err));
    *ret_session = TAKE(session);
    return true;
}

struct operator_session *operator_free(struct operator_session *session)
{
    if (session != NULL) {
        ledger_reader_free(session->reader);
        ledger_writer_free(session->writer);
        fold_free(session->fold);
        arena_free(session->arena);
        free(session);
    }
    return NULL;
}

void operator_session_auto(struct operator_session **session)
{
    *session = operator_free(*session);
}

const struct fold *operator_fold(const struct operator_session *session)
{
    return session->fold;
}

const char *operator_who(const struct operator_session *session)
{
    return session->who;
}

const char *operator_new_id(struct arena *arena)
{
    char *id = arena_alloc(arena, ID_DIGITS + 1);
    os_random_hex(id, ID_DIGITS);
    return id;
}

int64_t operator_newest_now_us(const struct operator_session *session)
{
    return session->newest_us + (clock_mono_us() - session->newest_mono_us);
}

int64_t operator_broker_now_us(const struct operator_session *session)
{
    int64_t told_us = session->newest_us == 0 ? 0 : operator_newest_now_us(session);
    int64_t ours_us = clock_now_us();
    return ours_us > told_us ? ours_us : told_us;
}

int64_t operator_quiet_of(const struct settings *settings)
{
    int64_t session_us = settings->kafka.session_timeout_us;
    int64_t least_us = (int64_t)QUIET_MIN_S * SECOND_US;
    return session_us > least_us ? session_us : least_us;
}

int64_t operator_quiet_us(const struct operator_session *session)
{
    return operator_quiet_of(session->borrowed_settings);
}

/* ---- reading ---- */

/* The id that an operator's record carries; NULL for the records of others. */
static const char *id_of(const struct message *message)
{
    if (message->kind == MESSAGE_HOLD) {
        return message->hold.id;
    }
    if (message->kind == MESSAGE_RESUME) {
        return message->resume.id;
    }
    if (message->kind == MESSAGE_TRIGGER) {
        return message->trigger.id;
    }
    if (message->kind == MESSAGE_ACCEPT) {
        return message->accept.id;
    }
    return message->kind == MESSAGE_SKIP ? message->skip.id : NULL;
}

static void take_record(struct operator_session *session, const struct ledger_record *record,
                        struct operator_watch *watch)
{
    int64_t timestamp_us = record->timestamp_ms * 1000;
    struct err err = {0};
    if (!fold_apply(session->fold, record->offset, timestamp_us, record->key,
                    record->is_tombstone ? bytes_of(NULL, 0) : record->value, &err)) {
        return; /* none of ours */
    }
    if (timestamp_us >= session->newest_us) {
        session->newest_us = timestamp_us;
        session->newest_mono_us = clock_mono_us();
    }
    if (watch == NULL) {
        return;
    }
    if (watch->offset < 0 && !record->is_tombstone) {
        AUTO(arena) struct arena *arena = arena_new(1024);
        const char *key = arena_text(arena, record->key);
        const struct fold_entry *entry = fold_find(session->fold, key);
        if (entry != NULL && entry->offset == record->offset &&
            entry->message.kind == watch->kind && strcmp(id_of(&entry->message), watch->id) == 0) {
            watch->offset = record->offset;
            watch->timestamp_us = timestamp_us;
        }
    }
    operator_watch_look(watch, session->fold);
}

/* One batch; looks at the watch after each record, because some are only seen for a moment. */
static bool read_some(struct operator_session *session, int timeout_ms,
                      struct operator_watch *watch, struct err *err)
{
    struct ledger_batch batch = {0};
    TRY(ledger_read(session->reader, timeout_ms, &batch, err));
    for (size_t i = 0; i < batch.count; i++) {
        take_record(session, &batch.records[i], watch);
    }
    session->at_end = batch.at_end;
    return true;
}

static bool read_to_end(struct operator_session *session, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)OPERATOR_READ_S * SECOND_US;
    do {
        TRY(read_some(session, READ_SLICE_MS, NULL, err));
        if (session->at_end) {
            return true;
        }
    } while (clock_mono_us() < deadline_us);
    return err_set(err, ERR_TRANSIENT,
                   "the end of the ledger %s was not reached in %d s; brokers: %s",
                   session->ledger.topic, OPERATOR_READ_S, session->ledger.cluster.brokers);
}

bool operator_refresh(struct operator_session *session, int64_t timeout_us, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + timeout_us;
    do {
        int64_t left_ms = (deadline_us - clock_mono_us()) / 1000;
        TRY(read_some(session,
                      left_ms > READ_SLICE_MS ? READ_SLICE_MS
                      : left_ms > 0           ? (int)left_ms
                                              : 0,
                      NULL, err));
    } while (clock_mono_us() < deadline_us);
    return true;
}

/* ---- appending ---- */

static bool read_back(struct operator_session *session, struct operator_watch *watch,
                      struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)OPERATOR_APPEND_S * SECOND_US;
    while (watch->offset < 0 && clock_mono_us() < deadline_us) {
        TRY(read_some(session, READ_SLICE_MS, watch, err));
    }
    if (watch->offset < 0) {
        return err_set(
            err, ERR_AMBIGUOUS,
            "the record %s was not seen in the ledger %s within %d s; it may appear later",
            watch->id, session->ledger.topic, OPERATOR_APPEND_S);
    }
    return true;
}

bool operator_append(struct operator_session *session, const struct message *message,
                     struct operator_watch *watch, struct err *err)
{
    CHECK(id_of(message) != NULL);
    operator_watch_init(watch, message->kind, id_of(message));
    if (session->writer == NULL) {
        TRY(ledger_writer_new(&session->ledger, &session->writer, err));
    }
    AUTO(buf) struct buf key;
    AUTO(buf) struct buf value;
    buf_init(&key, MESSAGE_TEXT_MAX);
    buf_init(&value, LEDGER_RECORD_BYTES_MAX);
    message_key(message, &key);
    message_encode(message, &value);
    if (key.overflowed || value.overflowed) {
        return err_set(err, ERR_INPUT, "more than %d bytes do not fit into one record",
                       LEDGER_RECORD_BYTES_MAX);
    }
    struct ledger_record record = {.key = buf_bytes(&key), .value = buf_bytes(&value)};
    if (!ledger_append(session->writer, &record, 1, OPERATOR_APPEND_S * 1000, NULL, err) &&
        err->kind != ERR_AMBIGUOUS) {
        return false;
    }
    return read_back(session, watch, err);
}

/* ---- waiting ---- */

static bool nobody_there(const struct operator_session *session, struct operator_watch *watch,
                         int64_t waited_us)
{
    char text[ERR_MESSAGE_MAX];
    if (waited_us < (int64_t)SETTLE_S * SECOND_US ||
        !operator_watch_silent(session->fold, operator_newest_now_us(session),
                               operator_quiet_us(session), text)) {
        return false;
    }
    watch->state = OPERATOR_NO_LEADER;
    snprintf(watch->text, sizeof watch->text, "%s", text);
    return true;
}

bool operator_wait(struct operator_session *session, struct operator_watch *watch,
                   int64_t timeout_us, const struct operator_listener *listener, struct err *err)
{
    int64_t start_us = clock_mono_us();
    char said[ERR_MESSAGE_MAX] = "";
    while (watch->state == OPERATOR_WAITING) {
        int64_t waited_us = clock_mono_us() - start_us;
        if (waited_us >= timeout_us || nobody_there(session, watch, waited_us)) {
            return true;
        }
        TRY(read_some(session, READ_SLICE_MS, watch, err));
        if (listener != NULL && watch->state == OPERATOR_WAITING &&
            strcmp(said, watch->text) != 0) {
            snprintf(said, sizeof said, "%s", watch->text);
            listener->say(listener->context, said);
        }
    }
    return true;
}

bool operator_wait_for_held(struct operator_session *session, int64_t timeout_us,
                            struct operator_watch *watch, struct err *err)
{
    const struct fold_entry *hold = fold_hold(session->fold);
    if (hold == NULL || hold->message.kind == MESSAGE_HELD) {
        operator_watch_init(watch, MESSAGE_HOLD, "none");
        watch->state = OPERATOR_DONE;
        return true;
    }
    operator_watch_init(watch, MESSAGE_HOLD, hold->message.hold.id);
    watch->offset = hold->offset;
    watch->timestamp_us = hold->timestamp_us;
    return operator_wait(session, watch, timeout_us, NULL, err);
}
