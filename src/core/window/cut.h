/* Cuts: which build a row belongs to, from the recorded cuts alone. */
#ifndef TIDEMARK_CORE_WINDOW_CUT_H
#define TIDEMARK_CORE_WINDOW_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A source partition. The name is borrowed from whoever made the vector. */
struct partition_id {
    const char *topic;
    int32_t number;
};

/* By topic, then number. The order of every vector in the ledger. */
int partition_id_compare(struct partition_id a, struct partition_id b);

/* Event windows are numbered: window w holds the event times [w * size, (w + 1) * size). The
 * records speak of times, not of numbers, so that another size begins at the next boundary and
 * changes nothing before. */
enum { CUT_WINDOW_SIZE_MIN_US = 1 };
#define EVENT_TIME_LOW INT64_MIN  /* below every event time: none; nothing was closed yet */
#define EVENT_TIME_HIGH INT64_MAX /* above every event time: none waits; the cut alone decides */

int64_t window_of(int64_t event_time_us, int64_t size_us); /* floor, also below the epoch */
int64_t window_start_us(int64_t window, int64_t size_us);  /* saturates; its end is the next one's
                                                              start */

/* Who counts rows by window names a window by its start. Then, for a build's step, a window is open
 * when start >= to_us, and late when start < from_us: exact, because windows are split where an
 * earlier window size left a boundary in their middle (`boundary_us`: the head's closed_to_us;
 * EVENT_TIME_LOW: none). */
int64_t window_bucket_us(int64_t event_time_us, int64_t size_us, int64_t boundary_us);

/* One build as the rows of one partition see it (rules R2 and R24). A build closes the event times
 * below `to_us` and takes offsets below `cut`; what is below `from_us` was closed by an earlier
 * build. Where the cut alone decides (all triggers but event_time), to_us is EVENT_TIME_HIGH. In
 * the first build that a partition is part of, from_us is EVENT_TIME_LOW: nothing in it is late
 * (R7). */
struct cut_step {
    uint64_t build;
    int64_t from_us;
    int64_t to_us; /* exclusive */
    int64_t cut;
    int64_t future_bound_us; /* a row of a later event time, below the cut, is future for good (R24)
                              */
};

enum cut_class {
    CUT_OPEN,    /* in no build so far: it is carried out */
    CUT_ON_TIME, /* in `build`, in its own window */
    CUT_LATE,   /* in `build`, after its own window: the late policy acts in that build's account */
    CUT_FUTURE, /* in `build`, by the future bound: the future policy acts there */
};

struct cut_verdict {
    enum cut_class class;
    uint64_t build; /* 0 when OPEN */
};

/* The build of one row. `steps` are the builds whose cut is above the row's offset or more of them,
 * in build order: all whose cut is above tail_from (the head's history) and then the open CLOSE.
 * Whoever asks, whenever, and however often: the answer for a row never changes once it is not
 * OPEN. */
struct cut_verdict cut_judge(const struct cut_step *steps, size_t count, int64_t offset,
                             int64_t event_time_us);

#endif
