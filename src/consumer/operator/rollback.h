/* Setting `_CURRENT` back to an older snapshot, past a running service or without one. */
#ifndef TIDEMARK_CONSUMER_OPERATOR_ROLLBACK_H
#define TIDEMARK_CONSUMER_OPERATOR_ROLLBACK_H

#include "checkpoint/reading/catalog.h"
#include "consumer/operator/operator.h"

/* The order of PROTOCOL R15 and R20: the snapshot is there; HOLD with it as target is in the ledger
 * and read back; it is not condemned; the service holds (or nobody leads); then the pointer is
 * swapped by compare-and-swap, with bytes that were never used before (R13). */

struct rollback_request {
    struct catalog catalog;
    struct operator_session *session; /* NULL: the operator says that no service writes here */
    const char *run_id;
    const char *why;
    int64_t timeout_us;                       /* to wait for the service to hold */
    const struct operator_listener *listener; /* may be NULL */
};

enum rollback_state {
    ROLLBACK_DONE,
    ROLLBACK_ALREADY, /* the pointer named it before: nothing was written to the store */
};

struct rollback_result {
    enum rollback_state state;
    const char *manifest_ref;
    const char *from_run_id; /* what the pointer named before; NULL: nothing */
    const char *may_appear;  /* a run whose pointer write may still land; NULL: none */
    bool held;               /* a HOLD is in the ledger: the service waits for `resume` */
    bool nobody_led;         /* nobody answered it, because nobody leads */
};

/* Texts are the arena's. Blocks; one thread. Errors: MISSING (no such run, or a shard of it is
 * gone), CONFLICT (it is condemned; somebody else moved the pointer, or resumed, meanwhile),
 * STOPPED (the service did not answer HOLD in time), those of store and ledger. `ret_result->held`
 * is filled also when it fails: a HOLD that was appended stays. */
MUST_CHECK bool rollback_run(const struct rollback_request *request, struct arena *arena,
                             struct rollback_result *ret_result, struct err *err);

#endif
