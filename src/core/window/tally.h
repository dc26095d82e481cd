/* The records of one partition that are in no build yet, counted exactly for any cut. */
#ifndef TIDEMARK_CORE_WINDOW_TALLY_H
#define TIDEMARK_CORE_WINDOW_TALLY_H

#include "core/window/cut.h"
#include "core/window/offset_set.h"

/* A member reads on while a cut is being fixed, so what a cut takes is counted afterwards: per
 * event window, named by its start (window_bucket_us), the set of offsets of its rows; beside it,
 * the offsets of rejected records. One thread. A zeroed struct is an empty tally. */
struct tally {
    struct tally_window *windows; /* ascending */
    size_t window_count;
    size_t window_capacity;
    size_t last_window; /* index of the last hit: rows come in runs */
    struct offset_set rejected;
};

void tally_done(struct tally *tally);

/* A record that was read and is in no build. False: it was counted already (read again after the
 * partition came back), and must not be buffered again. */
bool tally_add_row(struct tally *tally, int64_t offset, int64_t window_us);
bool tally_add_rejected(struct tally *tally, int64_t offset);

/* A row that the future bound of a build decides, whatever its window (PROTOCOL R24). */
struct tally_future {
    int64_t window_us;
    int64_t offset;
};

/* What a build takes of the partition, PROTOCOL R1: read + carried_in = on_time + late + future +
 * rejected + carried_out. Whether late and future rows are stored is the policy's business. */
struct tally_account {
    uint64_t read; /* records in [seen_end, cut) */
    uint64_t carried_in;
    uint64_t on_time;
    uint64_t late;
    uint64_t future;
    uint64_t rejected;
    uint64_t carried_out;
    int64_t carried_from; /* lowest offset carried out; the cut when there is none */
};

struct tally_cut {
    int64_t tail_from;
    int64_t seen_end;
    int64_t cut;
    int64_t from_us; /* as in struct cut_step: a window that starts below it is late … */
    int64_t to_us;   /* … and one that starts at or above it is carried out */
};

/* `futures`: the rows in [seen_end, cut) that lie above the build's future bound; each is in the
 * tally. */
void tally_count(const struct tally *tally, const struct tally_cut *cut,
                 const struct tally_future *futures, size_t future_count,
                 struct tally_account *ret_account);

/* The build is committed: what it took is gone from the tally. */
void tally_commit(struct tally *tally, const struct tally_cut *cut,
                  const struct tally_future *futures, size_t future_count);

/* Nothing below `offset` is waited for any more, of whatever window (an operator gave it up). */
void tally_forget_below(struct tally *tally, int64_t offset);

/* The start of the lowest window of a row that is in no build; EVENT_TIME_HIGH when there is none.
 */
int64_t tally_low_us(const struct tally *tally);
/* Of the highest; EVENT_TIME_LOW when there is none. */
int64_t tally_high_us(const struct tally *tally);
size_t tally_open_windows(const struct tally *tally);
uint64_t tally_rows(const struct tally *tally);

/* As bytes, for a checkpoint: windows, u32; of each its start, i64, and its set of offsets; then
 * the set of the rejected ones. */
void tally_encode(const struct tally *tally, struct buf *to);

/* All of `from`, into an empty tally. CORRUPT: not what tally_encode wrote; `ret_tally` is empty
 * then. */
MUST_CHECK bool tally_decode(struct bytes from, struct tally *ret_tally, struct err *err);

#endif
