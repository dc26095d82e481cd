/* What goes into the member machine and what comes out: the words between it and its shell. */
#ifndef TIDEMARK_CORE_COORD_MEMBER_EVENT_H
#define TIDEMARK_CORE_COORD_MEMBER_EVENT_H

#include "core/coord/coord.h"

enum member_event_kind {
    MEMBER_EVENT_HELD,        /* before all others: what a local checkpoint brought back */
    MEMBER_EVENT_ASSIGNED,    /* partitions added; a delta. With none: the generation has changed */
    MEMBER_EVENT_REVOKED,     /* partitions taken away (revoked or lost); a delta */
    MEMBER_EVENT_PROGRESS,    /* the data plane: all partitions that it reads */
    MEMBER_EVENT_SEALED,      /* answer to SEAL */
    MEMBER_EVENT_PART_STORED, /* answer to STORE_PART */
    MEMBER_EVENT_HANDED_OVER, /* answer to HAND_OVER */
    MEMBER_EVENT_ADOPTED,     /* answer to ADOPT */
    MEMBER_EVENT_BUILT,       /* answer to BUILD: a result or an error */
    MEMBER_EVENT_APPENDED,    /* answer to APPEND */
    MEMBER_EVENT_RECORD,
    MEMBER_EVENT_LEDGER_END,
    MEMBER_EVENT_TICK, /* at least every 100 ms */
    MEMBER_EVENT_STOP, /* leave: no more work is begun */
    MEMBER_EVENT_KINDS,
};

enum data_state {
    DATA_READING,
    DATA_AT_END, /* position = last stable offset = high watermark, as the broker said with the last
                    fetch */
    DATA_BLOCKED, /* position = last stable offset < high watermark */
};

/* One partition, as the data plane sees it at one moment. */
struct member_reading {
    struct partition_id id;
    int64_t from;
    int64_t position;
    int64_t watermark_us; /* max event time not beyond now + max_future_skew, minus out_of_orderness
                           */
    int64_t low_us; /* lowest event time of a buffered row that was not FORGOTten; EVENT_TIME_HIGH:
                       none */
    enum data_state state; /* a paused partition is READING */
    uint64_t rows;
    uint64_t bytes;
    int64_t lost_to; /* > 0: `from` was below what the broker still has; the first offset that is
                        there */
    int32_t leader_epoch; /* of the record before `position`; -1: not known */
    bool has_witness;
    struct witness witness; /* the newest record below `position` that is kept in mind (R9) */
};

/* All rows of [from, position) of a partition are held, but those that were forgotten by the
 * history of `head` (R9): a local checkpoint that fits to the group, the ledger, the topics' ids
 * and the fingerprint. */
struct member_held {
    struct partition_id id;
    int64_t from;
    int64_t position;
    int32_t leader_epoch; /* of the record before `position`; -1: not known */
    const char *head;     /* run of the COMMIT whose FORGET it has seen; "": none */
    int64_t witness; /* offset of a record below `position`; -1: none is known. For the shell */
};

struct member_event {
    enum member_event_kind kind;
    int64_t now_us;
    union {
        struct {
            const struct member_held *list;
            size_t count;
        } held;
        struct {
            int64_t generation; /* -1: the client cannot tell it */
            const struct partition_id *partitions;
            size_t count;
        } assignment; /* ASSIGNED, REVOKED */
        struct {
            const struct member_reading *readings;
            size_t count;
            bool short_of_room; /* what is left of the disk is for what must be read (R29) */
        } progress;
        struct {
            uint64_t build;
            uint64_t seal; /* number of the SEAL that is answered */
            bool ok;       /* false: `error`; asked again later */
            const char *error;
            const struct ready_partition *partitions; /* in the order of the SEAL; `owned` is
                                                         ignored */
            size_t partition_count;
            const struct shard_size *shards;
            size_t shard_count;
            const struct token_size *tokens;
            size_t token_count;
        } sealed;
        struct {
            uint64_t build;
            bool ok;
            const char *error;
            const char *url;
            const char *digest;
            uint64_t rows;
            uint64_t bytes;
        } part;
        struct {
            bool ok;
            const char *error;
            struct message_handover handover; /* but for member, incarnation, fingerprint and topic
                                                 id; of a failure: id and number */
        } handed_over;
        struct {
            struct partition_id id;
            int64_t offset; /* of the HANDOVER */
            bool ok;        /* its rows are held now, and nothing else of that partition */
            const char *error;
        } adopted;
        struct message_attempt built; /* member, incarnation and build are filled in by the machine
                                       */
        struct {
            uint64_t command;
            enum err_kind outcome;
        } appended;
        struct {
            int64_t offset;
            int64_t timestamp_us;
            struct bytes key;
            struct bytes value;
        } record;
        int64_t end_offset;
    };
};

/* Why a partition is not read on purpose. */
enum member_pause {
    PAUSE_NOT,
    PAUSE_AHEAD,       /* of what is open, by more than max_open_windows */
    PAUSE_UNPUBLISHED, /* max_unpublished_windows wait under a HOLD (R5) */
    PAUSE_ROOM,        /* the disk is nearly full of rows that are in no snapshot (R29) */
    PAUSE_REASONS,
};

enum member_command_kind {
    MEMBER_START_PARTITION,
    MEMBER_STOP_PARTITION, /* rows are kept until FORGET */
    MEMBER_APPEND,         /* not transactional; retried by the producer; then APPENDED */
    MEMBER_SEAL,           /* judge and account the rows of the open CLOSE; the spills stay */
    MEMBER_HAND_OVER,      /* all that is held of a partition, as one object in the store */
    MEMBER_ADOPT,          /* the object of a HANDOVER becomes what is held of its partition */
    MEMBER_STORE_PART,     /* rows of the last SEAL of this build, all shards, as one object */
    MEMBER_BUILD,
    MEMBER_DROP_BUILD, /* stop every BUILD of this run, forget its files */
    MEMBER_FORGET,     /* rows that a COMMIT covers */
    MEMBER_PAUSE,      /* stop fetching these partitions */
    MEMBER_UNPAUSE,
    MEMBER_MIRROR_OFFSETS, /* best effort (R23) */
    MEMBER_LEAVE,          /* leave the source group; last command */
    MEMBER_END,            /* only somebody's hand can mend it: the process ends, and says why */
    MEMBER_ALERT,
    MEMBER_COMMAND_KINDS,
};

enum { MEMBER_START_POLICY = -1 }; /* START_PARTITION: where the setting `start` says */

/* One partition of a SEAL. A row at an offset of [from, to) is judged with cut_judge over `steps`,
 * whose last is the open CLOSE: verdict.build = the CLOSE's: it is in, by its class and the
 * policies; an earlier build: it was published, skip it; OPEN: carried out. Accounted by R1:
 * `read`, rejected and filtered count offsets of [seen_end, to); carried_in counts rows of [from,
 * seen_end) that are in no earlier build. */
struct member_seal_partition {
    struct partition_id id;
    int64_t from; /* tail_from */
    int64_t seen_end;
    int64_t to; /* the cut */
    const struct cut_step *steps;
    size_t step_count;
};

struct member_contribution {
    const char *member;
    uint64_t incarnation;
    bool own;        /* from the last SEAL of this build; else from `url` */
    const char *url; /* of its part; "" when own */
    const char *digest;
    uint64_t bytes;                  /* of the part's object */
    const struct plan_range *ranges; /* only rows of these */
    size_t range_count;
};

struct member_forget {
    struct partition_id id;
    int64_t tail_from;            /* nothing below it is needed any more */
    const struct cut_step *steps; /* rows of [tail_from, …) that these do not leave OPEN go too */
    size_t step_count;
    int64_t cut;
    bool has_witness;
    struct witness witness; /* what the COMMIT has on record of it */
};

struct member_command {
    enum member_command_kind kind;
    uint64_t id; /* APPEND only */
    union {
        struct {
            struct partition_id id;
            int64_t offset; /* or MEMBER_START_POLICY */
            bool goes_on;   /* the rows below it are held; `head` of the fold is applied to them */
            bool void_held; /* what is held of it must not be used: it comes again */
            int32_t leader_epoch; /* of the record before; -1: not known */
            int64_t watermark_us; /* goes_on: as it was said at `offset`, because more may have been
                                     read above it (R4); EVENT_TIME_HIGH: that of what is held */
        } start;
        struct partition_id stop;
        struct {
            struct partition_id id;
            uint64_t build;
            uint64_t number;
        } hand_over;
        struct {
            int64_t offset; /* of the record */
            const struct message_handover *handover;
        } adopt;
        struct {
            const struct coord_record *records;
            size_t count;
        } append;
        struct {
            uint64_t build;
            uint64_t seal; /* counts up: repeated in SEALED */
            enum contents contents;
            const struct member_seal_partition *partitions;
            size_t count;
            const struct topic_witness *witnesses; /* of topics of those partitions: if one of them
                                                      is another record now, there is no SEALED */
            size_t witness_count;
        } seal;
        struct {
            uint64_t build;
            const char *run_id;
        } store_part;
        struct {
            uint64_t build;
            const char *run_id;
            uint32_t shard;
            uint32_t attempt;
            uint32_t num_dbs;
            const char *const *routing_values; /* tokens; categorical routing only */
            size_t routing_value_count;
            const struct member_contribution *contributions;
            size_t contribution_count;
            const struct plan_base *base; /* the rows below those of the contributions (R6); NULL:
                                             none */
            bool carry; /* no rows of this build: the base's shard is copied as it is */
        } build;
        struct {
            uint64_t build;
            const char *run_id;
        } drop;
        struct {
            uint64_t build; /* the COMMIT's */
            const char *run_id;
            const struct member_forget *partitions;
            size_t count;
        } forget;
        struct {
            const struct partition_id *partitions;
            size_t count;
        } pause; /* PAUSE, UNPAUSE */
        struct {
            const struct trigger_cut *offsets;
            size_t count;
            bool may_go_back; /* after --from-here */
        } mirror;
        const char *alert;
        const char *end; /* why */
    };
};

/* Everything in it lives until the next member_step with the same `out`. */
struct member_out {
    struct arena *arena;
    const struct member_command *commands; /* to be carried out in order */
    size_t command_count;
    struct buf trace;
};

void member_out_init(struct member_out *out);
void member_out_done(struct member_out *out);

#endif
