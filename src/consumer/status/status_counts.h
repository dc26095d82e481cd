/* What the status server counts while it reads the ledger: builds, attempts, terms. */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_COUNTS_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_COUNTS_H

#include "consumer/status/status_metrics.h"
#include "core/coord/message.h"

/* Why a PLAN gives out an attempt. */
enum status_planned {
    STATUS_PLANNED_FIRST,
    STATUS_PLANNED_AGAIN,  /* all before it failed, are overdue or lost their builders */
    STATUS_PLANNED_BESIDE, /* a slow one goes on (R28) */
    STATUS_PLANNED_KINDS,
};

enum { STATUS_COUNTS_OPEN = 16, STATUS_COMMIT_KINDS = COMMIT_RESUMED + 1 };

/* Only what was appended since the process started counts, but for `records`: what lay in the
 * ledger before is history, and compaction decides how much of it is left. */
struct status_counts {
    uint64_t records[MESSAGE_KINDS]; /* all that were read */
    uint64_t foreign;
    uint64_t terms;
    uint64_t published;
    uint64_t aborted;
    uint64_t refused;
    uint64_t committed[STATUS_COMMIT_KINDS];
    struct account account;                 /* sum over these */
    uint64_t planned[STATUS_PLANNED_KINDS]; /* attempts, of all members */
    uint64_t attempts_ok;                   /* of this member */
    uint64_t attempts_failed;
    int64_t attempts_us;
    struct metric_histogram close_to_publish;
    /* own: the newest CLOSEs, for the histogram */
    struct {
        uint64_t build; /* 0: none */
        int64_t closed_us;
    } open[STATUS_COUNTS_OPEN];
    size_t next_open;
};

/* One record, after the fold took it. `since_start`: it was appended after the process started. */
void status_counts_take(struct status_counts *counts, const struct message *message,
                        int64_t timestamp_us, const char *member, bool since_start);

const char *status_planned_name(enum status_planned why); /* "first", … */

#endif
