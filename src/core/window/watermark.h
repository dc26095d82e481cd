/* How far event time has come in one partition. */
#ifndef TIDEMARK_CORE_WINDOW_WATERMARK_H
#define TIDEMARK_CORE_WINDOW_WATERMARK_H

#include "core/window/cut.h"

/* Set highest_us to EVENT_TIME_LOW at first. Rows never move it back. */
struct watermark {
    int64_t highest_us; /* event time */
};

/* A row was read. False: it is dated beyond now + max_future_skew_us and would move the watermark,
 * which stays (R24). */
bool watermark_add(struct watermark *watermark, int64_t event_time_us, int64_t now_us,
                   int64_t max_future_skew_us);
/* Goes back to where watermark_us gave at most `bound_us`: what was read above is read again, and
 * does not count before that (R4). EVENT_TIME_LOW: to the start; EVENT_TIME_HIGH: not at all. */
void watermark_lower(struct watermark *watermark, int64_t bound_us, int64_t out_of_orderness_us);
/* highest - out_of_orderness; EVENT_TIME_LOW: no row yet. */
int64_t watermark_us(const struct watermark *watermark, int64_t out_of_orderness_us);

/* What one partition says about the group's watermark. */
struct watermark_vote {
    int64_t watermark_us; /* EVENT_TIME_LOW: none yet */
    bool idle;            /* at its end for idle_after (R4a) */
};

/* The minimum over partitions that are not idle; when all are, the maximum (it had come so far).
 * False: a partition that is not idle has no watermark yet, or there is none at all. */
bool watermark_of_group(const struct watermark_vote *votes, size_t count, int64_t *out_us);

#endif
