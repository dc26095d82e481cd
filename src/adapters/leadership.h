/* Leadership: who may lead, and the leader's own fenced appends to the ledger (PROTOCOL R18,
 * R19, R22). */
#ifndef TIDEMARK_ADAPTERS_LEADERSHIP_H
#define TIDEMARK_ADAPTERS_LEADERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/ledger.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* A member of the consumer group `<group>.leader`, which subscribes to the ledger's one
 * partition: whoever is given it is elected. It proves nothing for longer than an instant; the
 * fence is the transactional id `<group>.leader`, which leadership_begin_term takes over.
 *
 *   leadership_poll -> ELECTED
 *   leadership_begin_term      the term before is fenced, its open transaction has ended
 *   leadership_append(LEADER)  then read the ledger up to it, by its nonce (R18)
 *   leadership_append(…)       …
 *   leadership_poll -> UNELECTED, or an append says FENCED or AMBIGUOUS: the term is over, at once
 *
 * One that is FENCED or AMBIGUOUS but not UNELECTED begins a new term, after a random wait
 * (R22). All calls: one thread, which polls at least every max_poll_interval_ms or loses the
 * election. Every call returns by its timeout, give or take a second. */
struct leadership;

struct leadership_settings {
    struct ledger_settings ledger;
    int session_timeout_ms;     /* 0: 10 s; how long a dead leader is missed */
    int max_poll_interval_ms;   /* 0: 60 s */
    int transaction_timeout_ms; /* 0: 15 s; how long a dead leader's open transaction stops
                                 * readers */
};

MUST_CHECK bool leadership_new(const struct leadership_settings *settings,
                               struct leadership **ret_leadership, struct err *err);

/* Leaves the group, so that the next one is elected at once. */
struct leadership *leadership_free(struct leadership *leadership, int timeout_ms);

enum leadership_event {
    LEADERSHIP_NONE = 0,
    LEADERSHIP_ELECTED,
    LEADERSHIP_UNELECTED, /* by revoke, loss or fatal error; no append is possible any more */
};

/* Serves the group for at most timeout_ms, shorter when there is an event. False only for what
 * an operator must change (SETTINGS) or when this handle is beyond use (any other kind: free it
 * and make another); UNELECTED is implied then. */
MUST_CHECK bool leadership_poll(struct leadership *leadership, int timeout_ms,
                                enum leadership_event *ret_event, struct err *err);

/* Stops being a candidate (and the leader), or is one again: R22, for a leader whose builds
 * fail for reasons of its own. An elected one gets UNELECTED from the next poll. */
MUST_CHECK bool leadership_resign(struct leadership *leadership, struct err *err);
MUST_CHECK bool leadership_run(struct leadership *leadership, struct err *err);

/* Asks the group's coordinator whether we still are elected (a process that was stopped must:
 * R22), then fences whoever had the transactional id, with init_transactions. CONFLICT: not
 * elected (any more). TRANSIENT: nothing is decided, call again. FENCED: somebody did the same
 * at the same time. MISSING: the ledger is gone. SETTINGS: authorization. */
MUST_CHECK bool leadership_begin_term(struct leadership *leadership, int timeout_ms,
                                      struct err *err);

/* All records in one transaction; *ret_offset (may be NULL) is the last one's. True: committed;
 * readers see them once the marker is written, which is soon but not yet.
 *   TRANSIENT  the transaction is aborted for sure: the same call again, in the same term
 *   AMBIGUOUS  it may be or may become committed: the term is over (R19)
 *   FENCED     another leader: the term is over; what this very call wrote may or may not count
 *   CONFLICT   not elected, or no term: nothing was sent
 *   INPUT      a record is too large: nothing was sent
 * After AMBIGUOUS and FENCED all appends say CONFLICT until the next leadership_begin_term. */
MUST_CHECK bool leadership_append(struct leadership *leadership,
                                  const struct ledger_record *records, size_t count, int timeout_ms,
                                  int64_t *ret_offset, struct err *err);

/* Ends the term without asking anybody: no append until the next leadership_begin_term. */
void leadership_end_term(struct leadership *leadership);

#endif
