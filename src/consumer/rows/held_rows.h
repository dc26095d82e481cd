/* The sorted rows that a member holds until a COMMIT covers them. */
#ifndef TIDEMARK_CONSUMER_ROWS_HELD_ROWS_H
#define TIDEMARK_CONSUMER_ROWS_HELD_ROWS_H

#include "adapters/sqlite/sqlite_checkpoint.h"
#include "checkpoint/spill/row_share.h"
#include "consumer/rows/shard_buffer.h"
#include "core/window/cut.h"

/* Rows come in through one buffer. It is sorted when a build wants its rows, and sorted and written
 * to the work folder when memory is short. The intake thread only. */
struct held_rows;

struct held_rows_settings {
    const char *folder; /* for spills; made here */
    enum row_order order;
    struct budget *borrowed_budget;
    uint64_t disk_budget; /* bytes of spills; 0: no bound */
    bool keeps_files;     /* spills are synced, and stay at the end: for a local checkpoint */
    bool fails_when_full; /* else a full disk is no error: rows stay in memory until there is room
                           */
};

MUST_CHECK bool held_rows_new(const struct held_rows_settings *settings,
                              struct held_rows **ret_held, struct err *err);
struct held_rows *held_rows_free(struct held_rows *held); /* takes NULL; returns NULL */

/* The number of a partition's rows in the buffer. */
uint32_t held_rows_source(struct held_rows *held, const char *topic, int32_t partition);

/* Copies the row in. Errors: as held_rows_spill, where the buffer had to be sorted. */
MUST_CHECK bool held_rows_append(struct held_rows *held, int64_t window, uint32_t group,
                                 const struct row *row, struct err *err);

/* Memory is short: the buffer, or the largest set that is still in memory, goes to the disk. It is
 * written by a thread of its own, one at a time; nothing is done while one is, but where memory is
 * above the pause mark this waits for it. LIMIT: the disk or its budget is full (without
 * fails_when_full nothing is done then, and memory fills up to the mark where reading pauses);
 * SETTINGS, TRANSIENT: the work folder; also of a spill that was started before. */
MUST_CHECK bool held_rows_spill(struct held_rows *held, struct err *err);

/* The disk can take no more: its budget is used up, or the last spill found no space on it and rows
 * still wait for some. */
bool held_rows_disk_full(const struct held_rows *held);

/* What is left of the disk budget should be kept for rows that a build cannot do without: at least
 * a quarter and at most half of it, between them as much as there is memory, so that what is in
 * memory already fits. Changes at two marks; true also while rows wait for space on the disk. */
bool held_rows_short_of_room(struct held_rows *held);

/* So many bytes more would be within the budget. */
bool held_rows_has_room(const struct held_rows *held, uint64_t bytes);

/* Sorts what is in the buffer, so that every row is in a share. */
void held_rows_freeze(struct held_rows *held);
size_t held_rows_share_count(const struct held_rows *held);
struct row_share *const *held_rows_shares(const struct held_rows *held); /* borrowed */

/* The rows that are held of a partition are not to be used: they will come again. */
void held_rows_void(struct held_rows *held, const char *topic, int32_t partition);

/* For each share, by source of its index: true for a void partition. NULL: none of it is. Borrowed
 * until the next call that is not const. */
const bool *const *held_rows_voided(const struct held_rows *held);

/* Lets go of the sets of which no row is OPEN any more. `is_over` says that of all rows of a
 * section that came from one source; it may say false too often. */
typedef bool (*held_rows_is_over)(void *context, const struct section *section,
                                  const struct section_source *part,
                                  const struct source_name *name);
void held_rows_forget(struct held_rows *held, held_rows_is_over is_over, void *context);

/* ---- for checkpoints ---- */

/* A spill of an earlier process. `voided` as held_rows_voided, copied; may be NULL. */
void held_rows_adopt(struct held_rows *held, struct row_set *take_set, const char *path,
                     uint64_t bytes, const bool *voided);

uint64_t held_rows_memory_bytes(const struct held_rows *held); /* of rows that are not on disk */

/* Counts what was let go or declared void: the first shares are the same ones while it stands. */
uint64_t held_rows_changes(const struct held_rows *held);
uint64_t held_rows_voids(const struct held_rows *held); /* declared void, alone */

/* The first `count` shares go to the disk, one at a time; *ret_done: all of them are there. With
 * `wait` it comes back when that is so, else at once. Errors: as held_rows_spill. */
MUST_CHECK bool held_rows_to_disk(struct held_rows *held, size_t count, bool wait, bool *ret_done,
                                  struct err *err);

/* From any thread: who waits for a spill gets STOPPED soon. */
void held_rows_abort(struct held_rows *held);

/* How the first `count` shares, all on disk, are named in a checkpoint. In the arena. */
struct checkpoint_spill *held_rows_spill_names(const struct held_rows *held, size_t count,
                                               struct arena *arena);

/* The names of spills that were let go since the last call. In the arena. */
const char *const *held_rows_take_dropped(struct held_rows *held, struct arena *arena,
                                          size_t *ret_count);

uint64_t held_rows_spilled_bytes(const struct held_rows *held); /* on disk now */
uint64_t held_rows_disk_budget(const struct held_rows *held);   /* as in its settings */
uint64_t held_rows_spill_count(const struct held_rows *held);   /* written since the start */

#endif
