/* Where a group stands, as the ledger, the pointer and the brokers tell it to anybody who asks. */
#ifndef TIDEMARK_CONSUMER_STATUS_GROUP_STATUS_H
#define TIDEMARK_CONSUMER_STATUS_GROUP_STATUS_H

#include "adapters/source.h"
#include "checkpoint/reading/catalog.h"
#include "core/coord/fold.h"

/* Pure: everything that is asked of others is given. Works as well when no member runs. All texts
 * and arrays are the arena's or the fold's. Offsets that are not known are -1, times that are not
 * known EVENT_TIME_LOW. */

struct group_status_request {
    const struct fold *fold;
    int64_t now_us;   /* by the broker's clock */
    int64_t quiet_us; /* a member that was not heard of for so long is taken as gone */
    int64_t cleanup_grace_us;
    const struct catalog_pointer *pointer; /* NULL: the store was not asked */
    const char *const *topics;             /* of the settings, as `ends` numbers them … */
    const struct source_ends *ends;        /* NULL: the brokers were not asked */
    size_t end_count;
};

struct group_status_member {
    const char *name;
    uint64_t incarnation;
    int64_t heard_us;
    bool leaving; /* it said good-bye */
    bool silent;  /* and if not: it was not heard of for quiet_us */
    bool leads;
    size_t partitions;
    uint64_t rows; /* buffered, in no snapshot yet */
    uint64_t bytes;
    const char *doing;   /* by its own words; "" */
    const char *paused;  /* why it reads nothing; "" */
    const char *leading; /* what it does as the leader; "" */
};

struct group_status_partition {
    struct partition_id id;
    const char *owner; /* NULL: none that is there */
    enum progress_state state;
    int64_t position; /* the owner has read up to here; without one: the furthest that anybody said
                       */
    int64_t watermark_us;
    int64_t cut;       /* of the head: published up to here */
    int64_t tail_from; /* a restart reads from here */
    int64_t low;       /* first offset the broker still has */
    int64_t stable;
    int64_t high;
    int64_t lag;    /* stable - position */
    int64_t margin; /* tail_from - low: what retention may still take before data is lost. < 0: lost
                     */
};

enum group_status_phase {
    GROUP_STATUS_EMPTY,     /* the ledger has no leader and no build */
    GROUP_STATUS_IDLE,      /* between two builds */
    GROUP_STATUS_CLOSED,    /* a window is closed: members say what they have */
    GROUP_STATUS_BUILDING,  /* shards are made */
    GROUP_STATUS_GATED,     /* all is built, and a gate keeps it from being published */
    GROUP_STATUS_COMMITTED, /* decided; the pointer is being written */
    GROUP_STATUS_HOLDING,   /* an operator, or the leader itself, stopped publishing */
    GROUP_STATUS_RESUMING,  /* a RESUME waits for the leader */
};

/* A partition of the open build that nobody can deliver yet. */
struct group_status_wait {
    struct partition_id id;
    int64_t from; /* wanted is [from, cut) */
    int64_t cut;
    int64_t position;  /* of the owner, else the furthest that anybody read to; -1: not known */
    const char *owner; /* NULL: nobody owns it */
    const char *kind;  /* "reading", "sealing", "no_owner", "silent", "refused", "other_settings",
                          "lost_range" */
    const char *why;   /* the same in one line for people */
};

struct group_status_refusal {
    const char *member;
    const char *reason;
};

struct group_status_builder {
    const char *member;
    size_t shards;
    size_t built;
};

struct group_status_condemned {
    const char *run_id;
    const char *reason;
    int64_t since_us;
    int64_t due_us; /* deleted after that */
};

struct group_status {
    enum group_status_phase phase;
    const char *doing;   /* the same in one line for people */
    const char *leader;  /* member; NULL: none that is there */
    const char *leading; /* what it is at, by its own words; "" */
    int64_t term;        /* offset of the newest LEADER; -1: there never was one */
    int64_t leader_since_us;
    bool alive;          /* some member is there */
    const char *silence; /* when not: what is known of it */

    const struct message_commit *head; /* NULL: nothing was ever built */
    bool head_published;
    int64_t published_us;         /* the last PUBLISHED */
    const char *published_run_id; /* NULL */

    bool pointer_known;   /* `pointer` was given */
    bool pointer_is_head; /* it names the head's snapshot */

    const struct message_close *open_close; /* NULL: no build is open */
    const char *open_run_id;                /* NULL: not planned yet */
    size_t ready;
    struct group_status_wait *waits; /* before there is a plan */
    size_t wait_count;
    struct group_status_refusal *refusals;
    size_t refused;
    const char *refusal; /* of the newest one; NULL */
    size_t shards_planned;
    size_t shards_built;
    struct group_status_builder *builders; /* of the plan */
    size_t builder_count;
    size_t attempts_planned; /* of this run so far */
    size_t attempts_beside;  /* go on beside another at the same shard */
    size_t attempts_failed;
    const char *failure;               /* of the newest one; NULL */
    const struct message_gated *gated; /* a gate keeps the build from being published; NULL: none */

    const struct message_hold *hold; /* NULL: none is open */
    bool held;                       /* the leader has answered it */
    int64_t hold_us;

    size_t triggers_waiting;
    size_t skips_waiting;
    int64_t watermark_us; /* lowest of the partitions that are not idle */
    int64_t lag;          /* sum; -1: not known */

    struct group_status_member *members; /* by name */
    size_t member_count;
    struct group_status_partition *partitions; /* by topic and number */
    size_t partition_count;
    struct group_status_condemned *condemned;
    size_t condemned_count;
};

void group_status_fill(const struct group_status_request *request, struct arena *arena,
                       struct group_status *ret_status);

/* The member was heard of lately, and has not left. `entry` is its PROGRESS. */
bool group_status_is_there(const struct group_status_request *request,
                           const struct fold_entry *entry);

const char *group_status_phase_name(enum group_status_phase phase); /* "idle", … */
const char *group_status_state_name(enum progress_state state);     /* "reading", … */

#endif
