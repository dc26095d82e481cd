/* What a try of a request means: done, again, or which error. Pure. */
#ifndef TIDEMARK_ADAPTERS_S3_RETRY_H
#define TIDEMARK_ADAPTERS_S3_RETRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

enum retry_sending {
    RETRY_ANSWERED, /* there is a status */
    RETRY_NOT_SENT, /* no connection: the server has seen nothing */
    RETRY_LOST,     /* sent at least in part, and no whole answer came */
};

struct retry_try {
    enum retry_sending sending;
    int status;       /* of HTTP, when ANSWERED */
    const char *code; /* S3's error code, "" when the answer had none */
    bool changes;     /* the request makes, replaces or deletes an object */
    bool conditional; /* ... under a condition */
    bool sent_before; /* an earlier try of the same request reached the server, and was refused or
                         lost */
    bool maybe_done;  /* that earlier try may have come through */
};

enum retry_verdict {
    RETRY_SUCCESS,
    RETRY_AGAIN,       /* after a pause, while time and budget last */
    RETRY_CLOCK,       /* at once, with the server's clock */
    RETRY_CREDENTIALS, /* at once, with fresh credentials */
    RETRY_NEVER,
};

struct retry_decision {
    enum retry_verdict verdict;
    enum err_kind kind; /* what the error is when there is no other try; NONE for SUCCESS */
    bool maybe_done;    /* after this try */
};

/* The only translation of HTTP statuses and S3 codes into error kinds.
 *
 * A conditional write that may have happened is never sent again: the second answer would be 412
 * for our own success. A 412 or 409 behind such a try is AMBIGUOUS for the same reason. 404 of a
 * conditional write is a CONFLICT: what it should have matched is gone. So as not to trust every
 * refusal, a 412 or 409 after any earlier try is AMBIGUOUS, too: reading back settles it. */
struct retry_decision retry_decide(const struct retry_try *one);

/* Seconds or an HTTP date in a Retry-After header, as microseconds from `now_us` (wall clock); 0
 * when there is none or it makes no sense. */
int64_t retry_after_us(const char *header, int64_t now_us);

/* A store's allowance of retries, shared by its threads, so that a sick server is not beaten: each
 * retry costs, each success gives some back. Any thread. */
struct retry_budget {
    atomic_int tokens;
};

enum { RETRY_BUDGET_FULL = 500, RETRY_BUDGET_COST = 5, RETRY_BUDGET_GAIN = 1 };

void retry_budget_init(struct retry_budget *budget);
bool retry_budget_take(struct retry_budget *budget); /* false: no retry now */
void retry_budget_give(struct retry_budget *budget);

#endif
