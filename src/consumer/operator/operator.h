/* An operator's hand on the ledger: read all of it, append a wish, wait for what comes of it. */
#ifndef TIDEMARK_CONSUMER_OPERATOR_OPERATOR_H
#define TIDEMARK_CONSUMER_OPERATOR_OPERATOR_H

#include "adapters/ledger.h"
#include "consumer/operator/operator_watch.h"
#include "core/settings.h"

/* For commands that end soon: one thread, every call blocks up to its deadline. Errors, beside
 * those of the ledger: TRANSIENT when the brokers do not answer in time. */
struct operator_session;

enum {
    OPERATOR_WAIT_S = 60,   /* default for an answer */
    OPERATOR_ASK_S = 10,    /* for the first answer of the brokers */
    OPERATOR_READ_S = 30,   /* to read the whole ledger */
    OPERATOR_APPEND_S = 15, /* to append one record and read it back */
};

/* Checks the ledger of the settings' group and reads it to its end. `settings` is borrowed until
 * operator_free. MISSING: there is no ledger, so no service of this group has ever run. */
MUST_CHECK bool operator_new(const struct settings *borrowed_settings,
                             struct operator_session **ret_session, struct err *err);
struct operator_session *operator_free(struct operator_session *session); /* takes NULL; returns
                                                                             NULL */
void operator_session_auto(struct operator_session **session);

/* What was read so far; borrowed, changes with every call below. */
const struct fold *operator_fold(const struct operator_session *session);

/* Reads on for at most `timeout_us`, and at least to what is visible now. */
MUST_CHECK bool operator_refresh(struct operator_session *session, int64_t timeout_us,
                                 struct err *err);

/* The broker's clock by the newest record: exact when that was appended just before it was read. */
int64_t operator_newest_now_us(const struct operator_session *session);

/* The broker's clock: not before the newest record tells, and else as this machine's. */
int64_t operator_broker_now_us(const struct operator_session *session);
/* A member that was not heard of for so long is taken as gone. */
int64_t operator_quiet_us(const struct operator_session *session);
int64_t operator_quiet_of(const struct settings *settings); /* the same, without a session */

/* "user@host"; borrowed. */
const char *operator_who(const struct operator_session *session);
/* A new id for a record, in the arena. */
const char *operator_new_id(struct arena *arena);

/* Appends a HOLD, RESUME, TRIGGER, SKIP or ACCEPT and reads the ledger through it; `watch` is
 * initialised with its id. AMBIGUOUS: it was not seen, and may appear later; the command can be
 * given again. */
MUST_CHECK bool operator_append(struct operator_session *session, const struct message *message,
                                struct operator_watch *watch, struct err *err);

/* Is told each new text of the watch, for people who wait. */
struct operator_listener {
    void (*say)(void *context, const char *text);
    void *context;
};

/* Reads on until the watch is settled, nobody is there who could answer (OPERATOR_NO_LEADER, with
 * the reason in its text), or `timeout_us` is over (still OPERATOR_WAITING). `listener` may be
 * NULL. */
MUST_CHECK bool operator_wait(struct operator_session *session, struct operator_watch *watch,
                              int64_t timeout_us, const struct operator_listener *listener,
                              struct err *err);

/* Waits for the answer to the HOLD that is open, if one is and has none: to be done before a
 * RESUME, which the HELD of a leader that has not seen it would overwrite (they share a key). DONE
 * as well when there is nothing to wait for; else as operator_wait. */
MUST_CHECK bool operator_wait_for_held(struct operator_session *session, int64_t timeout_us,
                                       struct operator_watch *watch, struct err *err);

#endif
