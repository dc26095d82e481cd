/* The thread of the member machine: it reads the ledger and directs the data plane. */
#ifndef TIDEMARK_CONSUMER_MEMBER_MEMBER_THREAD_H
#define TIDEMARK_CONSUMER_MEMBER_MEMBER_THREAD_H

#include "adapters/ledger.h"
#include "adapters/os/pulse.h"
#include "checkpoint/leader/leader_thread.h"
#include "consumer/intake/mail.h"
#include "consumer/member/member_work.h"
#include "consumer/member/pause_watch.h"
#include "consumer/intake/poll_thread.h"

/* All borrowed until member_thread_free. */
struct member_thread_settings {
    const struct coord_settings *coord;
    const char *member_id;
    struct ledger_settings ledger;
    struct source_settings source; /* for questions about the topics */
    enum source_start_kind start;
    int64_t start_time_ms;
    struct member_work_settings work;
    const char *spills;             /* folder of spills: for adopted ones */
    const struct member_held *held; /* of a local checkpoint; the intake has it */
    size_t held_count;
    struct queue *inbox;
    struct queue *intake;
    struct queue *poll;
    const struct trigger_cut *targets; /* window.offsets, sorted; asked for until they are reached
                                        */
    size_t target_count;
    const char *targets_id;
    const struct poll_thread *poll_seen; /* what they do is said in PROGRESS, too */
    struct leader_thread *leader_seen;
    const char *trigger_id; /* `tidemark build`: asks for one build up to the present end; else NULL
                             */
};

struct member_thread;

struct member_thread *member_thread_new(const struct member_thread_settings *settings);

/* Asks it to hand over and leave; member_thread_state tells when it has. Any thread. */
void member_thread_stop(struct member_thread *thread);

/* Ends it. Takes NULL; returns NULL. */
struct member_thread *member_thread_free(struct member_thread *thread);

enum { MEMBER_DOING_MAX = 256 };

enum member_refused {
    MEMBER_REFUSED_NOT = 0,
    MEMBER_REFUSED_HELD,  /* a hold is open, and the leader has answered it */
    MEMBER_REFUSED_GATED, /* gates keep the open build from being published, as the leader of now
                             says */
    MEMBER_REFUSED_UNFIT, /* this process leads, and can begin no build with its settings */
};

struct member_state {
    bool caught_up;       /* the ledger was read to its end once */
    int64_t ledger_next;  /* offset up to which it was read; -1: nothing yet */
    uint64_t incarnation; /* of this process in the ledger */
    bool left;            /* after member_thread_stop */
    bool failed;          /* the process should end with `err` */
    struct err err;
    bool trigger_done;                 /* its build is committed, and published where it has rows */
    enum member_refused refused;       /* why nothing can be published */
    char refusal[ERR_MESSAGE_MAX];     /* who holds and why, what the gates say, or why no build can
                                          be begun; "" where nothing is refused */
    char run_id[MESSAGE_NAME_MAX + 1]; /* of the head's snapshot; "" */
    uint64_t build;                    /* of the head; 0: none */
    uint64_t published;                /* snapshots seen published since the start */
    size_t partitions;
    int64_t position; /* sum over the partitions */
    char doing[MEMBER_DOING_MAX];
    struct pause_moment pauses;
    uint64_t alerts; /* that the machine had for the log */
    struct intake_counters counters;
};

/* As of a moment ago. Any thread. */
void member_thread_state(struct member_thread *thread, struct member_state *ret_state);

/* Borrowed. Any thread. */
const struct pulse *member_thread_pulse(const struct member_thread *thread);

#endif
