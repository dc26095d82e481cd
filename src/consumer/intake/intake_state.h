/* The inside of the intake, for its two halves: taking records and sealing cuts. */
#ifndef TIDEMARK_CONSUMER_INTAKE_INTAKE_STATE_H
#define TIDEMARK_CONSUMER_INTAKE_INTAKE_STATE_H

#include "consumer/intake/intake.h"
#include "consumer/intake/made_again.h"
#include "core/record/decode.h"
#include "core/window/tally.h"
#include "core/window/watermark.h"

struct intake_partition {
    const char *topic; /* the settings' text */
    uint32_t topic_index;
    int32_t number;
    uint32_t source; /* of the buffer */
    bool owned;
    int64_t from;
    int64_t position;
    struct watermark watermark;
    enum data_state state;
    int64_t lost_to;
    int64_t high; /* while it is not DATA_READING: where the log ends, transactions included */
    struct tally tally;
    uint64_t rows; /* held, in no build */
    uint64_t bytes;
    uint64_t rejected;      /* since the last COMMIT: for the error budget */
    struct cut_step *steps; /* history of the head */
    size_t step_count;
    int64_t judged_below;         /* offsets below it are looked up in the history */
    int64_t tail_from;            /* offsets below it are in builds, or given up */
    int64_t seen_end;             /* of the head */
    struct tally_future *futures; /* of the last seal */
    size_t future_count;
    int64_t read_to;      /* the position had come so far; above it while it is read again */
    int32_t leader_epoch; /* of the record before the position; -1: not known */
    bool restored;        /* by a checkpoint, and not started since */
    char *head_run;       /* of the head whose history was applied; NULL: none */
    struct witness_list witnesses;
    int64_t compare_below;  /* a record below it may be one of them, read again */
    int64_t head_witness;   /* offset of the one that `head_witness_run` has on record; -1: none */
    uint64_t head_hash;     /* its hash: another log's than ours, if one of us read another log */
    char *head_witness_run; /* NULL: none */
};

struct intake {
    struct intake_settings settings;
    struct decoder **decoders;            /* by topic */
    struct intake_partition **partitions; /* the pointers stay; sorted by (topic, number) */
    size_t partition_count;
    size_t partition_capacity;
    struct intake_partition *last; /* records come in runs of one partition */
    struct arena *scratch;         /* of one batch */
    struct route_scratch *routing; /* NULL for hash */
    int64_t boundary_us;           /* see window_bucket_us */
    int64_t window_us;             /* the last row's window … */
    int64_t window_end_us;         /* … up to here */
    struct intake_counters counters;
};

/* NULL when it was never started. */
struct intake_partition *intake_find(struct intake *intake, struct partition_id id);

struct intake_partition *intake_find_or_add(struct intake *intake,
                                            struct source_partition partition);
struct partition_id intake_partition_id(const struct intake *intake,
                                        struct source_partition partition);

/* ---- witnesses (PROTOCOL R9), intake_witness.c ---- */

/* False: SETTINGS, it is not the record that was read at this offset before. */
MUST_CHECK bool intake_compare(const struct intake_partition *partition,
                               const struct source_message *message, struct err *err);
/* Keeps a record in mind that was taken; passes over one of another partition. */
void intake_keep_witness(struct intake_partition *partition, const struct source_message *message);
/* The head's is one of them, and records below the newest are compared from here on. SETTINGS: what
 * is held was read from another log than the head's. */
MUST_CHECK bool intake_start_witnesses(struct intake_partition *partition,
                                       const struct intake_head *head, struct err *err);
/* Those below the cut of a COMMIT are not needed, but for its own. */
void intake_forget_witnesses(struct intake_partition *partition, const struct member_forget *forget,
                             const char *run);
/* It was read to its end, which lies below the record that the head has: another log? */
bool intake_is_too_short(const struct intake_partition *partition);
/* Borrows the partition's texts. */
struct made_again_log intake_log_of(const struct intake_partition *partition);

/* The error budget over all partitions. False: SETTINGS. */
MUST_CHECK bool intake_check_budget(struct intake *intake, struct err *err);

#endif
