/* The thread that may lead: elections, the ledger, and what the leader machine asks of the store.
 */
#ifndef TIDEMARK_CHECKPOINT_LEADER_LEADER_THREAD_H
#define TIDEMARK_CHECKPOINT_LEADER_LEADER_THREAD_H

#include "adapters/leadership.h"
#include "adapters/os/pulse.h"
#include "adapters/source.h"
#include "checkpoint/leader/publish.h"
#include "core/coord/coord.h"

struct leader_thread_settings {
    const struct coord_settings *coord;
    const char *member_id;
    struct leadership_settings leadership;
    struct source_settings source; /* for questions about the topics */
    enum source_start_kind start;
    int64_t start_time_ms;
    struct publish_settings publish;
    /* Makes this process leave the source group and join it again (checkpoint/leader/unowned.h).
     * Called by the leader's thread; must not wait. */
    void (*join_again)(void *context);
    void *context;
};

struct leader_thread;

/* Starts the thread. All that the settings point to is borrowed until leader_thread_free. */
struct leader_thread *leader_thread_new(const struct leader_thread_settings *settings);

/* Asks it to end: it leaves the election, so that another is elected at once. Any thread. */
void leader_thread_stop(struct leader_thread *thread);

/* Waits for its end. Takes NULL; returns NULL. */
struct leader_thread *leader_thread_free(struct leader_thread *thread);

enum { LEADER_STATE_DOING_MAX = 256 };

struct leader_state_seen {
    enum leader_phase phase;
    int64_t term;    /* -1: none */
    uint64_t alerts; /* that the machine had for the log */
    bool unfit;      /* no build can be begun with these settings, for the reason in `doing` */
    char doing[LEADER_STATE_DOING_MAX];
};

/* As of a moment ago. Any thread. */
void leader_thread_seen(struct leader_thread *thread, struct leader_state_seen *ret_seen);

/* Borrowed. Any thread. */
const struct pulse *leader_thread_pulse(const struct leader_thread *thread);

/* True when it gave up: the process should end with this error. Any thread. */
bool leader_thread_failed(struct leader_thread *thread, struct err *ret_err);

#endif
