/* COMMIT, the decision, as a value; and what other records share with it. */
#ifndef TIDEMARK_CORE_COORD_MESSAGE_COMMIT_H
#define TIDEMARK_CORE_COORD_MESSAGE_COMMIT_H

#include "core/base/bytes.h"
#include "core/window/cut.h"
#include "core/window/trigger.h"
#include "core/window/witness.h"

/* core/coord/message.h says what holds for all records. */

struct message_topic {
    const char *name;
    const char *id; /* as the broker gives it; "" where the client cannot tell */
};

struct close_partition {
    struct partition_id id;
    int64_t tail_from;
    int64_t seen_end;
    int64_t cut;
    bool joined; /* its first build: nothing in it is late (R7) */
};

struct plan_range {
    struct partition_id id;
    int64_t from, to; /* builders take rows of this range only, row by row (R8) */
};

struct account {
    uint64_t read;
    uint64_t carried_in;
    uint64_t stored;
    uint64_t superseded;
    uint64_t tombstones;
    uint64_t late;
    uint64_t future;
    uint64_t rejected;
    uint64_t filtered;
    uint64_t carried_out;
    uint64_t skipped; /* carried in by the head, and lost under a SKIP (R25) */
};

struct commit_partition {
    struct partition_id id;
    int64_t tail_from; /* of the next build: the lowest offset read and in no build; else the cut */
    int64_t cut;       /* = seen_end of the next build */
    struct account account;
    bool has_witness;
    struct witness witness; /* a record below the cut (R9) */
};

struct history_cut {
    uint32_t partition; /* index into the COMMIT's partitions */
    int64_t cut;
    bool joined;
};

/* A build whose cut is above tail_from of some partition; only those partitions are listed (R24).
 */
struct history_step {
    uint64_t build;
    int64_t from_us;
    int64_t to_us;
    int64_t future_bound_us;
    const struct history_cut *cuts;
    size_t cut_count;
};

/* What the shards of a state have in common; where it differs they cannot be taken over as they
 * are. In words, for people too. */
struct state_shape {
    const char *keys;    /* the encoding of keys */
    const char *routing; /* what divides keys into shards, but for their number */
    const char *files;   /* how a shard's rows become a file */
    const char *order;   /* "exact": every shard has its order object (R6); "": a later build beats
                            an earlier one */
    const char *vectors; /* "none", or "dim 3, cosine"; NULL: an older program did not say */
};

/* The newest snapshot of a chain. */
struct commit_snapshot {
    const char *run_id;
    uint64_t build;
    int64_t time_us; /* created_at of its manifest */
    uint32_t num_dbs;
    uint64_t rows; /* in all shards */
    bool is_state; /* false: it holds a window */
    struct state_shape state;
    const char *staged_url;
    const char *manifest_ref;
    const char *sha256;  /* of the manifest's bytes */
    const char *pointer; /* exact bytes that _CURRENT will have (R12) */
    const char *base;    /* exact bytes that it stands on; NULL: no pointer ever */
};

struct commit_pending {
    const char *run_id;
    const char *staged_url;
    const char *manifest_ref;
    const char *sha256;
};

/* What CLOSE, PLAN and the head's history said: the snapshot can be made again with it (`verify`).
 */
struct commit_order {
    uint32_t shard; /* all its keys are deleted: the manifest does not name it */
    const char *url;
};

struct commit_made_of {
    int64_t from_us; /* event times, as in struct cut_step; from_us is also the head's closed_to_us
                      */
    int64_t to_us;
    const struct close_partition *partitions;
    size_t partition_count;
    const struct history_step *before; /* the head's history; its cuts name the COMMIT's partitions
                                        */
    size_t before_count;
    const struct plan_range *skipped; /* given up (R25) */
    size_t skipped_count;
    const char *base;                  /* run of the state that it was made on; "": none */
    bool whole;                        /* every shard was built anew from it */
    const struct commit_order *orders; /* attempts with an order object and no rows, ascending */
    size_t order_count;
};

enum commit_kind {
    COMMIT_BUILD,   /* a snapshot */
    COMMIT_EMPTY,   /* cuts advance, no snapshot: `snapshot` is still the one before */
    COMMIT_ADOPTED, /* R21: the pointer's snapshot descends from the head that the ledger knew */
    COMMIT_RESUMED, /* the answer to RESUME: --adopt (a new base) or --from-here (a new head) */
};

struct message_commit {
    uint64_t term;
    uint64_t build;
    enum commit_kind kind;
    const char *run_id; /* of this build; for RESUMED and ADOPTED that of the snapshot */
    const char *parent; /* run of the head before; "" for none */
    enum close_trigger trigger;
    int64_t time_us;
    int64_t close_us;
    int64_t tick_us;
    int64_t closed_to_us; /* event times below it are closed; EVENT_TIME_LOW: none */
    int64_t future_bound_us;
    const char *fingerprint;
    const struct message_topic *topics;
    size_t topic_count;
    const struct commit_partition *partitions;
    size_t partition_count;
    const struct history_step *history;
    size_t history_count;
    bool has_snapshot;
    struct commit_snapshot snapshot;
    const uint32_t *winners; /* attempt by shard, 0: not built; snapshot.num_dbs of them, or none */
    size_t winner_count;
    const struct commit_pending *pending; /* older ones whose manifest may not be listed yet */
    size_t pending_count;
    const char *const *used; /* ids of the TRIGGERs and SKIPs that it used up */
    size_t used_count;
    const char *const *ancestors; /* runs of snapshots, newest first */
    size_t ancestor_count;
    const char *const *earlier_pointers; /* exact bytes of pointers before this one, newest first;
                                            kept where the store has no conditional writes (R14) */
    size_t earlier_pointer_count;
    const char *const *given_up; /* runs committed above a head that --from-here went back to */
    size_t given_up_count;
    const char *pointer_now; /* exact bytes that _CURRENT holds where it was left elsewhere by
                                --adopt; NULL: those of the snapshot, once it is published */
    uint64_t resume_offset;  /* of the newest RESUME that was answered; kept by all later COMMITs */
    bool has_made_of;        /* in a lineage only: the ledger has no need of it */
    struct commit_made_of made_of;
};

/* What it says of a partition; NULL: nothing, or there is no COMMIT (`commit` may be NULL). */
const struct commit_partition *message_commit_partition(const struct message_commit *commit,
                                                        struct partition_id id);
/* The partition of a topic whose witness should be there longest: the one of which the build read
 * most. NULL: none has one, or there is no COMMIT. */
const struct commit_partition *message_commit_witness(const struct message_commit *commit,
                                                      const char *topic);

#endif
