/* The records of the ledger, as values. */
#ifndef TIDEMARK_CORE_COORD_MESSAGE_H
#define TIDEMARK_CORE_COORD_MESSAGE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/coord/message_commit.h"
#include "core/window/cut.h"
#include "core/window/trigger.h"

/* docs/protocol.md says what each record means; here is its shape. Everything a message points to
 * lives in the arena it was decoded into (or belongs to whoever made it, for encoding). Texts are
 * never NULL unless the comment says so. Times are microseconds since the epoch. Vectors of
 * partitions are sorted (partition_id_compare) and name no partition twice. */

enum {
    MESSAGE_VERSION = 1,
    TOPICS_MAX = 1024,
    PARTITIONS_MAX = 4096, /* of all topics together */
    MEMBERS_MAX = 1024,    /* that deliver rows of one build */
    SHARDS_MAX = 65536,
    HISTORY_MAX = 8192, /* builds whose cut is above some tail_from */
    PENDING_MAX = 64,   /* committed snapshots that wait for the pointer (HOLD) */
    ANCESTORS_MAX = 64,
    EARLIER_POINTERS_MAX = 8,
    USED_MAX = 8192, /* TRIGGERs and SKIPs that one COMMIT uses up */
    OBJECTS_MAX = 65536,
    CANARIES_MAX = 1000,
    REASONS_MAX = 16,        /* that one GATED tells */
    MESSAGE_NAME_MAX = 249,  /* bytes: topic, member, run, uuid */
    MESSAGE_TEXT_MAX = 4096, /* bytes: URL, reason, key text, pointer bytes */
};

enum message_kind {
    MESSAGE_PROGRESS,
    MESSAGE_LEADER,
    MESSAGE_CLOSE,
    MESSAGE_READY,
    MESSAGE_REFUSED,
    MESSAGE_PLAN,
    MESSAGE_PART,
    MESSAGE_HANDOVER,
    MESSAGE_ATTEMPT,
    MESSAGE_COMMIT,
    MESSAGE_PUBLISHED,
    MESSAGE_ABORTED,
    MESSAGE_HOLD,
    MESSAGE_HELD,
    MESSAGE_RESUME,
    MESSAGE_TRIGGER,
    MESSAGE_SKIP,
    MESSAGE_GATED,
    MESSAGE_ACCEPT,
    MESSAGE_CONDEMN,
    MESSAGE_SPARE,
    MESSAGE_KINDS,
};

/* ---- members ---- */

enum progress_state {
    PROGRESS_READING,
    PROGRESS_IDLE,    /* position = last stable offset = high watermark for idle_after (R4a) */
    PROGRESS_BLOCKED, /* position = last stable offset < high watermark: an open transaction */
};

struct progress_partition {
    struct partition_id id;
    bool owned;           /* false: given up, its last pair is repeated until a COMMIT covers it */
    int64_t from;         /* offset at which this member began to read */
    int64_t position;     /* every offset of [from, position) was read or does not exist */
    int64_t watermark_us; /* highest event time - out_of_orderness, of the same moment (R4);
                             EVENT_TIME_LOW: no row yet */
    int64_t low_us; /* lowest event time of a row that is in no COMMIT; EVENT_TIME_HIGH: none */
    enum progress_state state;
    uint64_t rows; /* buffered, not committed */
    uint64_t bytes;
    bool handing_over; /* given up, and a HANDOVER of it will follow */
};

/* A record that a topic has had: one of its name that was made again has another there (R9). */
struct topic_witness {
    struct partition_id id;
    struct witness witness;
};

struct message_progress {
    const char *member;
    uint64_t incarnation; /* of the process: greater than that of any earlier start */
    int64_t generation;   /* of the source group; -1: the client cannot tell it */
    const char *fingerprint;
    bool leaving;
    uint64_t needs_build; /* R29: the build that should be closed early, because the disk is nearly
                             full of rows that it would take; 0: none */
    /* For people, and for no decision. NULL, as "", when there is nothing to say. */
    const char *doing;   /* what it is at, or why it cannot */
    const char *paused;  /* why nothing is read just now */
    const char *leading; /* if it leads: what the leader does or waits for */
    const struct message_topic *topics;
    size_t topic_count;
    const struct progress_partition *partitions;
    size_t partition_count;
    const struct topic_witness *witnesses; /* one a topic of which the head has none */
    size_t witness_count;
};

/* R1: read + carried_in = stored + superseded + tombstones + late + future + rejected + filtered +
 * carried_out, over [seen_end, cut) of one partition. READY knows all but the first three of the
 * right side, whose sum is `rows`: those handed to the builders. */
struct ready_partition {
    struct partition_id id;
    bool owned;       /* false: kept from an earlier assignment; counts only with its PART (R8) */
    int64_t from, to; /* what is covered: [tail_from, cut), or less next to a SKIP */
    uint64_t read;
    uint64_t carried_in;
    uint64_t rows;
    uint64_t late;
    uint64_t future;
    uint64_t rejected;
    uint64_t filtered;
    uint64_t carried_out;
    int64_t carried_from; /* lowest offset carried out; `to` when none: the next tail_from */
    bool has_witness;
    struct witness witness; /* the newest below `to` */
};

struct shard_size {
    uint32_t shard;
    uint64_t rows;
    uint64_t bytes;
};

/* A routing token where the number of shards is known only at the close: "i:<decimal>" or
 * "s:<text>". */
struct token_size {
    const char *token;
    uint64_t rows;
    uint64_t bytes;
};

struct message_ready {
    const char *member;
    uint64_t incarnation;
    int64_t generation;
    uint64_t build;
    const char *fingerprint; /* = the CLOSE's */
    const struct ready_partition *partitions;
    size_t partition_count;
    const struct shard_size *shards; /* ascending; none where the count comes at the close */
    size_t shard_count;
    const struct token_size *tokens; /* categorical routing only */
    size_t token_count;
    uint64_t rows; /* sum over the partitions */
    uint64_t bytes;
};

struct message_refused {
    const char *member;
    uint64_t incarnation;
    uint64_t build;
    const char *fingerprint; /* the member's own */
    const char *reason;
};

/* All rows of [from, to) of one partition, but those that the history of `head` took: its next
 * owner reads on at `to`. */
struct message_handover {
    const char *member;
    uint64_t incarnation;
    uint64_t build;  /* the next one, when it was stored: with its COMMIT the object goes */
    uint64_t number; /* of this incarnation's */
    struct partition_id id;
    const char *topic_id;
    const char *fingerprint;
    int64_t from;
    int64_t to;
    int32_t leader_epoch; /* of the record before `to`; -1: not known */
    int64_t event_time_max_us;
    const char *head;   /* its run; "": none */
    const char *url;    /* of one object: a spill, and behind it the counts */
    const char *digest; /* of the spill */
    uint64_t bytes;
    const char *tally_digest;
    uint64_t tally_bytes;
    uint64_t rows;
    const struct witness *witnesses; /* the oldest and the newest below `to` */
    size_t witness_count;
};

struct message_part {
    const char *member;
    uint64_t incarnation;
    uint64_t build;
    const char *url;
    const char *digest;              /* of the object, as the spill format has it */
    const struct plan_range *ranges; /* what it covers: all that was sealed when it was stored */
    size_t range_count;
    uint64_t rows;
    uint64_t bytes;
};

struct attempt_partition {
    struct partition_id id;
    uint64_t stored;
    uint64_t superseded;
    uint64_t tombstones;
};

struct message_attempt {
    const char *member;
    uint64_t incarnation;
    uint64_t build;
    const char *run_id;
    uint32_t shard;
    uint32_t attempt; /* from 1 */
    bool ok;
    const char *error; /* "" when ok; then the rest below counts */
    const char *url;   /* db_url, the attempt directory; "" for a shard without rows, unless it has
                          an order object all the same, of deleted keys */
    uint64_t row_count;
    uint64_t db_bytes;
    uint64_t order_bytes; /* of the order object (R6, state_order "exact"); 0: none */
    const char *min_key;  /* JSON text; NULL: none */
    const char *max_key;
    const char *checkpoint_id; /* NULL: none */
    uint64_t duration_ms;
    uint32_t page_size;
    const struct attempt_partition *partitions;
    size_t partition_count;
    const char *const *canaries; /* keys of the gate that are in this shard, as the settings have
                                    them */
    size_t canary_count;
};

/* The manifest names its shard. */
static inline bool message_attempt_has_rows(const struct message_attempt *attempt)
{
    return attempt->url[0] != '\0' && (attempt->row_count > 0 || attempt->order_bytes == 0);
}

/* ---- the leader. `term` is the offset of its LEADER. ---- */

struct message_leader {
    const char *member;
    const char *nonce; /* by which a leader finds its own record again (R18) */
};

struct message_close {
    uint64_t term;
    uint64_t build;
    const char *parent; /* run of the head it stands on; "" for the first */
    enum close_trigger trigger;
    enum contents contents;
    int64_t time_us; /* leader's clock */
    int64_t tick_us; /* the schedule's tick that it answers (R26); 0: none */
    int64_t from_us; /* event times, as in struct cut_step */
    int64_t to_us;
    int64_t closed_to_us; /* event times below it are closed after this build: to_us where the
                             watermark closed it, else as before (a build between two windows) */
    int64_t future_bound_us;
    const char *fingerprint;
    const struct message_topic *topics;
    size_t topic_count;
    const struct close_partition *partitions;
    size_t partition_count;
    const struct topic_witness *witnesses; /* one a topic: who says READY must have read that log */
    size_t witness_count;
    const char *const *triggers; /* TRIGGER ids that it answers */
    size_t trigger_count;
};

/* What it says of a partition; NULL: nothing, or there is no CLOSE (`close` may be NULL). */
const struct close_partition *message_close_partition(const struct message_close *close,
                                                      struct partition_id id);

struct plan_contribution {
    const char *member;
    uint64_t incarnation;
    const struct plan_range *ranges;
    size_t range_count;
};

struct plan_shard {
    int32_t builder; /* index into members; -1: no rows, not built */
    uint32_t attempt;
};

/* An attempt that an earlier PLAN of the run gave out. */
struct plan_attempt {
    uint32_t shard;
    uint32_t attempt;
    int32_t builder;
    int64_t since_us; /* broker's stamp on that PLAN */
};

struct plan_skip {
    const char *id; /* of the SKIP */
    struct plan_range range;
};

/* The snapshot that a state is made on (R6): the head's, whatever the pointer names. */
struct plan_base {
    const char *run_id;
    int64_t time_us;        /* created_at of its manifest, which with run_id is its name */
    const char *staged_url; /* of the same manifest, which may not be listed yet; "": it is */
    uint32_t num_dbs;
    bool whole; /* shards are divided or made otherwise now: every one is built anew, from all of
                   the base that may hold its keys */
};

struct message_plan {
    uint64_t term;
    uint64_t build;
    const char *run_id;
    int64_t time_us;  /* of the first PLAN of this run */
    int64_t began_us; /* broker's stamp on that one; 0: this is it */
    const struct plan_contribution *contributions;
    size_t contribution_count;
    const struct plan_skip *skips;
    size_t skip_count;
    const char *const *members; /* builders */
    size_t member_count;
    const struct plan_shard *shards; /* index = shard; num_dbs of them */
    size_t shard_count;
    /* Ascending. What an earlier PLAN of the run gave out and is not given up: attempts beside
     * which a newer one was planned (at most one a shard), and newest ones above 1. */
    const struct plan_attempt *attempts;
    size_t attempt_count;
    const char *const *routing_values; /* tokens, in shard order; categorical routing only */
    size_t routing_value_count;
    bool has_base; /* `state` only */
    struct plan_base base;
    const uint32_t *carried; /* ascending: shards without rows in this build, copied from the base
                              */
    size_t carried_count;
};

/* True when `shard` is one of those that are copied. */
bool message_plan_carries(const struct message_plan *plan, uint32_t shard);

/* The attempts at a shard that are not given up, ascending, the newest last; `stamp_us` is the
 * broker's on the PLAN's record. Returns how many; 0: nobody builds it. */
enum { PLAN_ATTEMPTS_MAX = 2 };
size_t message_plan_attempts(const struct message_plan *plan, uint32_t shard, int64_t stamp_us,
                             struct plan_attempt attempts[PLAN_ATTEMPTS_MAX]);

/* The run is built, and a gate keeps it from being published until a person has looked. */
struct message_gated {
    uint64_t term;
    uint64_t build;
    const char *run_id;
    const char *const *reasons;
    size_t reason_count;
};

struct message_published {
    uint64_t term;
    uint64_t build; /* of the snapshot */
    const char *run_id;
    int64_t time_us;
};

struct message_aborted {
    uint64_t term;
    uint64_t build;
    const char *run_id;
    const char *reason;
};

/* ---- operators ---- */

struct message_hold { /* HOLD, and HELD, which repeats it because they share a key */
    const char *id;
    const char *who;
    const char *why;
    const char *target;     /* run that a rollback will name; "" for none */
    uint64_t term;          /* HELD, or a HOLD by the leader; else 0 */
    const char *may_appear; /* HELD: run whose pointer write may still land; "" for none */
};

enum resume_mode { RESUME_ADOPT, RESUME_FROM_HERE };

struct message_resume {
    const char *id;
    const char *who;
    const char *why;
    enum resume_mode mode;
    const char *pointer; /* exact bytes that the operator saw; void if they differ. NULL: missing */
};

struct trigger_cut {
    struct partition_id id;
    int64_t cut;
};

struct message_trigger {
    const char *id;
    const char *who;
    const char *why;
    const struct trigger_cut *cuts; /* none: up to the present end */
    size_t cut_count;
};

struct message_skip {
    const char *id;
    const char *who;
    const char *why;
    struct plan_range range;
};

/* CONDEMN of a whole run, or of objects of it (losers, parts); SPARE takes it back (R10, R15). */
/* The run may be published whatever the gates say. */
struct message_accept {
    const char *id;
    const char *who;
    const char *why;
    uint64_t build;
    const char *run_id;
};

struct message_condemn {
    uint64_t term;
    const char *run_id;
    int64_t time_us;
    bool whole_run;
    bool at_once;               /* nobody reads it: no grace (a dead run, losers, parts) */
    const char *const *objects; /* URLs */
    size_t object_count;
    const char *reason;
};

struct message {
    enum message_kind kind;
    union {
        struct message_progress progress;
        struct message_leader leader;
        struct message_close close;
        struct message_ready ready;
        struct message_refused refused;
        struct message_plan plan;
        struct message_part part;
        struct message_handover handover;
        struct message_attempt attempt;
        struct message_commit commit;
        struct message_published published;
        struct message_aborted aborted;
        struct message_hold hold; /* HOLD and HELD */
        struct message_resume resume;
        struct message_trigger trigger;
        struct message_skip skip;
        struct message_gated gated;
        struct message_accept accept;
        struct message_condemn condemn; /* CONDEMN and SPARE */
    };
};

const char *message_kind_name(enum message_kind kind); /* "PROGRESS", … */

/* The ledger key (R17). Records that replace each other share one: HOLD, HELD and RESUME; READY and
 * REFUSED; CONDEMN and SPARE. */
void message_key(const struct message *message, struct buf *out);
/* False with INPUT, which names field, number and limit: what message_encode makes of it would be
 * skipped by whoever reads it. Nothing that comes from outside may go further unasked. */
MUST_CHECK bool message_fits(const struct message *message, struct err *err);
/* The value: one JSON object in the stable form of json_print. */
void message_encode(const struct message *message, struct buf *out);
/* The message of one record that is no tombstone, allocated in `arena`. ERR_INPUT with the path of
 * what is wrong: foreign JSON, a newer version, a key that is not the message's, a field out of
 * range. */
MUST_CHECK bool message_decode(struct bytes key, struct bytes value, struct arena *arena,
                               struct message *out, struct err *err);
/* What may be the name of a member, a run or an id, because it becomes part of a key: 1 to
 * MESSAGE_NAME_MAX printable ASCII characters other than blank and '/'. */
bool message_name_ok(const char *name);

/* The lineage that a manifest keeps under our member of `custom` (R21): a COMMIT as JSON, without
 * what only the ledger needs (winners, pointer bytes, pending). Decoding gives a COMMIT_ADOPTED
 * that stands for that snapshot, or ERR_INPUT. */
void message_lineage_encode(const struct message_commit *commit, const char *ledger_id,
                            struct buf *out);
MUST_CHECK bool message_lineage_decode(struct bytes lineage, struct arena *arena,
                                       struct message_commit *out, const char **out_ledger_id,
                                       struct err *err);

#endif
