/* What goes into the leader machine and what comes out: the words between it and its shell. */
#ifndef TIDEMARK_CORE_COORD_LEADER_EVENT_H
#define TIDEMARK_CORE_COORD_LEADER_EVENT_H

#include "core/coord/coord.h"
#include "core/snapshot/run_record.h"

enum leader_event_kind {
    LEADER_EVENT_ELECTED,    /* the leader group gave us the partition */
    LEADER_EVENT_UNELECTED,  /* revoked, lost, or a fatal error of the consumer: said at once */
    LEADER_EVENT_RECORD,     /* next record of the ledger */
    LEADER_EVENT_LEDGER_END, /* all below `offset` was delivered (at start, then when it changes) */
    LEADER_EVENT_TICK,       /* time passes: at least every 100 ms */
    LEADER_EVENT_RESULT,     /* the answer to a command */
    LEADER_EVENT_KINDS,
};

/* What _CURRENT holds and what its manifest says. */
struct leader_pointer {
    bool missing;
    struct bytes bytes;
    const char *etag;         /* for If-Match */
    const char *run_id;       /* as named in it; "" when it cannot be parsed */
    int64_t manifest_time_us; /* created_at of that manifest; 0: not readable */
    struct bytes lineage; /* our member of its `custom`; empty: none. The shell may leave this, and
                             what follows, out when the bytes are those of its last answer */
    bool newer_manifest;  /* `manifests/` lists one of ours that is newer than it */
    const char *newer_run_id; /* its run; "" */
};

struct leader_old_run {
    const char *run_id;
    int64_t time_us; /* of its manifest */
};

/* What lies in the store and no manifest names, of a run whose build is over. */
struct leader_leftover {
    const char *run_id;
    const char *url; /* of an attempt, where the run has a manifest; NULL: it has none */
};

struct leader_event {
    enum leader_event_kind kind;
    int64_t now_us; /* wall clock, never lower than before */
    union {
        struct {
            int64_t offset;
            int64_t timestamp_us;
            struct bytes key;
            struct bytes value; /* data NULL: tombstone */
        } record;
        int64_t end_offset; /* LEDGER_END */
        struct {
            uint64_t command; /* id; an answer to a command that is not out any more is ignored */
            enum err_kind outcome; /* ERR_NONE: done */
            const char *message;   /* "" or what went wrong */
            /* by the command's kind, when done: */
            int64_t append_offset; /* APPEND: of its last record, as the delivery report says */
            const struct coord_ends *ends; /* QUERY_ENDS */
            size_t end_count;
            struct leader_pointer pointer; /* GET_POINTER */
            struct {                       /* STAGE_MANIFEST */
                const char *staged_url;
                const char *manifest_ref;
                const char *sha256;
                struct bytes pointer;   /* the bytes that _CURRENT shall have */
                uint32_t missing_shard; /* with outcome MISSING: the winner that is not there */
            } staged;
            const struct leader_old_run *old_runs; /* LIST_OLD_RUNS: all of manifests/, newest first
                                                    */
            size_t old_run_count;
            const char *const *strays; /* LIST_STRAYS: URLs */
            size_t stray_count;
            const struct leader_leftover *leftovers; /* LIST_LEFTOVERS: each run's together */
            size_t leftover_count;
        } result;
    };
};

enum leader_command_kind {
    /* The kinds of failure that the machine tells apart are named; all others mean "again, later".
     */
    LEADER_INIT_TRANSACTIONS, /* FENCED: another took the id over; a new term after a random wait */
    LEADER_APPEND,     /* all records in one transaction. AMBIGUOUS: the outcome of the commit is
                          not known (R19); FENCED; others: surely aborted */
    LEADER_QUERY_ENDS, /* of every partition of the settings' topics */
    LEADER_GET_POINTER,
    LEADER_STAGE_MANIFEST, /* builds it from the winners, checks that these are there (MISSING),
                              stores it as shards/run_id=<run>/<name>, reads it back */
    LEADER_PUT_MANIFEST,   /* the staged bytes under manifests/; done when they are there already.
                              MISSING: the staged object is gone; CORRUPT: its sha256 differs */
    LEADER_SWAP_POINTER,   /* CONFLICT (412, 409), AMBIGUOUS: the machine looks again */
    LEADER_DELETE_RUN, /* manifest first where it is named, then everything under shards/run_id= */
    LEADER_DELETE_OBJECTS,
    LEADER_LIST_OLD_RUNS,
    LEADER_LIST_STRAYS, /* every object under parts/ of a build up to `build`, and the URLs of the
                           attempts that are asked for, whether they are there or not */
    LEADER_LIST_LEFTOVERS, /* of the runs of builds up to `build`. The manifests are listed after
                              the runs */
    /* no result: */
    LEADER_RUN_RECORD, /* run.yaml, best effort: `running` is kept fresh by the shell until the next
                          one */
    LEADER_STEP_DOWN,  /* leave the leader group for `rest_us`, then join again (R22); 0: stay in it
                        */
    LEADER_ALERT,      /* one line for a log and /status: an operator should look */
    LEADER_COMMAND_KINDS,
};

struct leader_stage {
    const struct message_close *close;
    const struct message_plan *plan;
    const struct message_attempt *const *winners; /* shards with rows, ascending */
    size_t winner_count;
    const struct message_attempt *const *deleted; /* shards whose keys are all deleted, with an
                                                     order object alone */
    size_t deleted_count;
    int64_t created_at_us; /* max(now, last + 1 us) */
    /* Of the staged object, under shards/run_id=<run>/: "manifest.staged-t<term>-<n>". Never used
     * twice: a later term may take over the run, and the bytes that a COMMIT names must stay as
     * they are, whoever writes late (R11). */
    const char *name;
    struct bytes lineage; /* JSON object: our member of `custom`, accounts included */
};

struct leader_stray {
    uint32_t shard;
    uint32_t attempt;
};

struct leader_command {
    enum leader_command_kind kind;
    uint64_t id; /* for the result */
    union {
        struct {
            const struct coord_record *records;
            size_t count;
        } append;
        struct leader_stage stage;
        struct commit_pending manifest; /* PUT_MANIFEST */
        struct {
            struct bytes bytes;
            const char *if_match; /* ETag; NULL with create_only or in fallback mode */
            bool create_only;     /* If-None-Match: * */
        } swap;
        struct {
            const char *run_id;
        } delete_run;
        struct {
            const char *const *urls;
            size_t count;
        } delete_objects;
        struct {
            uint64_t build;
            const char *run_id; /* of the attempts */
            const struct leader_stray *attempts;
            size_t attempt_count;
        } strays;
        struct {
            uint64_t build;
        } leftovers;
        struct {
            const char *run_id;
            enum run_status status;
            const char *manifest_ref; /* "" */
            const char *error;        /* "" */
        } run_record;
        struct {
            int64_t rest_us;
        } step_down;
        const char *alert;
    };
};

/* Everything in it lives until the next leader_step with the same `out`. */
struct leader_out {
    struct arena *arena;
    const struct leader_command *commands; /* to be carried out in order */
    size_t command_count;
    struct buf trace; /* lines, each ended by '\n': for the log (debug) and the simulator */
};

void leader_out_init(struct leader_out *out);
void leader_out_done(struct leader_out *out);

enum leader_phase {
    LEADER_OFF,  /* not elected */
    LEADER_INIT, /* init_transactions, LEADER, reading up to it (R18) */
    LEADER_ACTIVE,
    LEADER_RESTING, /* elected, and waits before a new term (R22) */
};

#endif
