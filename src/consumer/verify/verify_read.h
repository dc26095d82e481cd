/* Reads the ranges of a build again and takes them in as a member does. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_READ_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_READ_H

#include "consumer/intake/intake.h"
#include "consumer/verify/verify_plan.h"

/* How far something long has come; `done` of `total`, which is 0 where it is not known. True: stop
 * it. May be NULL. */
struct verify_progress {
    bool (*show)(void *to, const char *what, uint64_t done, uint64_t total);
    void *to;
};

struct verify_read_request { /* all borrowed */
    const struct settings *settings;
    const struct source_settings *source; /* without member_id: nothing joins the group */
    const struct router *router;
    const struct verify_plan *plan;
    struct budget *budget;
    const char *folder; /* for spills */
    struct verify_progress progress;
};

/* What came in, and keeps the rows of `sealed`. */
struct verify_rows {
    struct held_rows *held;
    struct dead_letters *letters;
    struct intake *intake;
    struct settings settings; /* the request's, but nothing goes to the dead letters */
    struct arena *arena;
    struct intake_sealed sealed; /* its contribution is ours */
    uint64_t records;
};

/* Spills when memory is short, and polls no further while it is; the calling thread does it all. A
 * range that goes while it is read is *ret_lost, and no error: ask for what is left. `rows` ends
 * with verify_rows_done, also when this fails. Errors: TRANSIENT (no broker answers for a while),
 * SETTINGS, LIMIT (disk), STOPPED. */
MUST_CHECK bool verify_read(const struct verify_read_request *request, struct verify_rows *rows,
                            bool *ret_lost, struct err *err);
void verify_rows_done(struct verify_rows *rows);

#endif
