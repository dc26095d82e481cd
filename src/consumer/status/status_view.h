/* Everything that the status server can say, as of one moment. */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_VIEW_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_VIEW_H

#include "adapters/source.h"
#include "adapters/store.h"
#include "checkpoint/leader/leader_thread.h"
#include "consumer/status/group_status.h"
#include "consumer/member/member_thread.h"
#include "consumer/status/status_counts.h"
#include "consumer/status/status_standing.h"
#include "core/settings.h"

enum { STATUS_THREADS = 4 };

struct status_view_thread {
    const char *name;
    int64_t age_us;   /* since its last turn */
    int64_t limit_us; /* beyond that it is stuck */
};

/* A value, made for one answer; all that it points to is borrowed for that long. */
struct status_view {
    const struct settings *settings;
    const char *version;
    const char *client_version;
    int64_t now_us;     /* wall clock */
    int64_t mono_us;    /* steady clock */
    int64_t started_us; /* wall clock */
    bool stopping;      /* an orderly stop is under way */
    struct status_view_thread threads[STATUS_THREADS];
    struct member_state member;
    struct leader_state_seen leader;
    struct source_statistics source;
    const struct store_counters *store;
    uint64_t memory_used;
    uint64_t memory_peak;
    uint64_t memory_budget;
    bool memory_paused;
    bool ledger_read;           /* the status server's own reader was at the end once */
    int64_t ledger_age_us;      /* since the brokers last told it the end */
    const char *ledger_problem; /* NULL */
    const char *ends_problem;   /* why `lag` is not known; NULL */
    const char *pointer_problem;
    const struct group_status_request *request;
    const struct group_status *group;
    const struct status_counts *counts;
    const struct status_standing *standing;
};

/* Windows that are closed and not published: their number, and since when the oldest waits by its
 * leader's clock (0: none does). */
size_t status_view_unpublished(const struct status_view *view, int64_t *ret_since_us);

/* How many of them are older than status.overdue_after, which a hold excuses and which starts with
 * this process: nobody could publish while none ran. */
size_t status_view_overdue(const struct status_view *view);

#endif
