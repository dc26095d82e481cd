/* Records of the source become rows that are held, counted and, at a cut, handed to a build. */
#ifndef TIDEMARK_CONSUMER_INTAKE_INTAKE_H
#define TIDEMARK_CONSUMER_INTAKE_INTAKE_H

#include "adapters/source.h"
#include "checkpoint/spill/contribution.h"
#include "consumer/rows/budget.h"
#include "consumer/intake/dead_letter.h"
#include "consumer/intake/made_again.h"
#include "consumer/rows/held_rows.h"
#include "core/coord/member.h"
#include "core/route/route.h"
#include "core/settings.h"
#include "core/window/tally.h"

/* One thread. The happy path: start a partition, take batches, seal at a cut, forget at its COMMIT.
 * What can go wrong: a record that cannot be used (counted, to the dead letters), memory or disk
 * that is full (spilled; then it stays in memory, and the caller pauses), a partition that comes
 * back (its rows that are still held are known, and are not taken twice). */
struct intake;

struct intake_settings {
    const struct settings *settings;
    const struct router *router;
    struct budget *budget;
    struct held_rows *held;
    struct dead_letters *letters;
};

/* All of `settings` is borrowed. SETTINGS: a topic's decoding cannot be compiled. */
MUST_CHECK bool intake_new(const struct intake_settings *settings, struct intake **ret_intake,
                           struct err *err);
struct intake *intake_free(struct intake *intake); /* takes NULL; returns NULL */
bool intake_wants_headers(const struct intake *intake);

/* What the head says of a partition when it is started. */
struct intake_head {
    const struct cut_step *steps; /* its history: rows that these builds took are passed over */
    size_t step_count;
    int64_t seen_end;     /* its cut; 0: none */
    int64_t closed_to_us; /* see window_bucket_us; EVENT_TIME_LOW: nothing is */
    int64_t tail_from;    /* nothing below it is needed; 0: none */
    const char *run;      /* the head's; NULL or "": none */
    bool goes_on;         /* all from tail_from on up to the offset is held */
    bool void_held;       /* what is held must not be used */
    bool has_witness;
    struct witness witness; /* a record that its log had */
    int64_t watermark_us;   /* goes_on: at most that, at the offset; more was read above it.
                               EVENT_TIME_HIGH: nothing was */
};

/* A partition of ours is read from `offset` on. Rows that are still held of it are not taken twice;
 * where the head went back (PROTOCOL R5, --from-here), they are void, because some were forgotten.
 * Where it goes on, the head's history is applied to what is held. Records below `offset` may come:
 * they are compared with the witnesses, and dropped. Errors: a spill that must be looked at cannot
 * be read (CORRUPT, MISSING, TRANSIENT); SETTINGS: what is held is of another log. */
MUST_CHECK bool intake_start(struct intake *intake, struct source_partition partition,
                             int64_t offset, const struct intake_head *head, struct err *err);
/* `offset` is the first one that is left of a range that was lost; what was read before stays. */
void intake_start_behind_lost(struct intake *intake, struct source_partition partition,
                              int64_t offset);
/* Nothing was lost: it is read on from its position, and maybe from a witness below it. */
void intake_read_on(struct intake *intake, struct source_partition partition);
/* No longer ours; its rows are held until intake_forget. */
void intake_stop(struct intake *intake, struct source_partition partition);

/* Takes the records and ends of one poll, in order. Errors end the service: SETTINGS (dead letter
 * policy `fail`, error budget, a topic that was made again), TRANSIENT (dead letters could not be
 * sent), LIMIT (the disk, where held rows do not wait for space). */
MUST_CHECK bool intake_take(struct intake *intake, const struct source_batch *batch, int64_t now_us,
                            struct err *err);

/* For when nothing comes in: a spill that is finished gives its memory back, and the next one is
 * begun while memory is short. Without it partitions that are paused for memory would wait for
 * ever. Errors as of intake_take. */
MUST_CHECK bool intake_tend(struct intake *intake, struct err *err);

/* Nothing has come in for a while: memory that is kept for rows goes back to the kernel. */
void intake_rest(struct intake *intake);

/* Only what must be read should be, see held_rows_short_of_room. */
bool intake_short_of_room(const struct intake *intake);

/* In place of member_reading.lost_to: the log does not hold the position, or ends below the record
 * that the head has of it, and what it still has must be asked for. */
enum { INTAKE_LOST = -1 };

/* The partitions as PROGRESS wants them, in the arena. */
void intake_readings(struct intake *intake, struct arena *arena,
                     struct member_reading **ret_readings, size_t *ret_count);

/* Records of a partition that was sealed, to be read once more: if one of them is another now, its
 * rows may be of two logs (PROTOCOL R9). */
struct intake_look {
    struct source_partition partition;
    struct made_again_log log; /* `topic` is the settings' text */
    struct witness_list witnesses;
};

/* What a cut takes, and the rows themselves. Texts and arrays in the arena. */
struct intake_sealed {
    struct contribution *contribution; /* one user: the caller */
    struct ready_partition *partitions;
    size_t partition_count;
    const struct shard_size *shards; /* where shards are known */
    size_t shard_count;
    const struct token_size *tokens; /* where they follow from tokens: exactly those with rows */
    size_t token_count;
    const struct intake_look *looks;
    size_t look_count;
};

/* Every partition of it was read up to its cut. Late and future rows that the policies refuse are
 * in the dead letters when it returns. Errors: INPUT (not read up to there), CORRUPT (a spill),
 * SETTINGS (error budget), as dead_letters. */
MUST_CHECK bool intake_seal(struct intake *intake, uint64_t build,
                            const struct member_seal_partition *partitions, size_t count,
                            struct arena *arena, struct intake_sealed *ret_sealed, struct err *err);

/* A COMMIT, whose run is given, covers rows: they are let go. Errors: CORRUPT (a spill). */
MUST_CHECK bool intake_forget(struct intake *intake, const struct member_forget *partitions,
                              size_t count, const char *run, struct err *err);

/* ---- for checkpoints ---- */

/* All that is held, as of now; every row of it is in a share after held_rows_freeze. In the arena.
 * LIMIT: the counts of a partition are too large. */
MUST_CHECK bool intake_capture(const struct intake *intake, struct arena *arena,
                               struct checkpoint_partition **ret_partitions, size_t *ret_count,
                               struct err *err);

/* What was captured by an earlier process, before any start; its spills are held_rows's already. */
void intake_restore(struct intake *intake, const struct checkpoint_partition *saved,
                    struct tally *take_tally);

/* ---- for handovers ---- */

/* All that is held of a partition: fills in where it begins and ends; `id` and `build` are set. The
 * rows have one user: the caller. MISSING: nothing is; CONFLICT: it is being read again; LIMIT: as
 * intake_capture. */
MUST_CHECK bool intake_give(struct intake *intake, struct arena *arena,
                            struct message_handover *given, struct bytes *ret_tally,
                            struct contribution **ret_rows, struct err *err);

/* What another member held takes the place of what is held here; then intake_start goes on from it.
 * CONFLICT: it is being read; LIMIT: the disk; CORRUPT: its tally. */
MUST_CHECK bool intake_adopt(struct intake *intake, const struct checkpoint_partition *given,
                             struct row_set *take_set, const char *path, uint64_t bytes,
                             struct err *err);

struct intake_counters {
    uint64_t records;
    uint64_t rows; /* held now */
    uint64_t rejected[REJECT_CAUSES];
    uint64_t future_seen; /* did not move the watermark */
    uint64_t passed_over; /* read again, taken by a build before or held already */
    uint64_t bytes;       /* of keys and values of `records` */
    uint64_t spills;      /* written to the work folder */
    uint64_t disk_bytes;  /* of spills that are there now */
    uint64_t disk_budget; /* how many they may have; 0: no bound */
    bool disk_full;       /* no more can go there: reading pauses when memory is used up */
};
void intake_counters(const struct intake *intake, struct intake_counters *ret_counters);

#endif
