/* The one number of memory, with a mark to spill at and two marks to pause and resume at. */
#ifndef TIDEMARK_CONSUMER_ROWS_BUDGET_H
#define TIDEMARK_CONSUMER_ROWS_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Any thread, all functions; nothing here waits or fails: whoever needs memory takes it and charges
 * it, and the marks slow down where it comes from (DESIGN section 5). */
struct budget {
    uint64_t limit;
    uint64_t spill_mark;  /* above: sort and spill */
    uint64_t pause_mark;  /* above: pause the partitions … */
    uint64_t resume_mark; /* … until it is below this */
    _Atomic uint64_t used;
    _Atomic uint64_t used_max; /* the most since the start */
    atomic_bool paused;
};

/* Marks at 1/2 (spill), 7/8 (pause) and 5/8 (resume) of `limit` (bytes): what lies above the spill
 * mark is for what comes in while a spill is written, and for librdkafka's queues. */
void budget_init(struct budget *budget, uint64_t limit);

void budget_charge(struct budget *budget, uint64_t bytes);  /* `budget` may be NULL: uncounted */
void budget_release(struct budget *budget, uint64_t bytes); /* CHECKs that it was charged */

uint64_t budget_used(struct budget *budget);
uint64_t budget_used_max(struct budget *budget);
bool budget_wants_spill(struct budget *budget);

/* Whether the source should be paused now: changes only when a mark is crossed. */
bool budget_wants_pause(struct budget *budget);

/* The same, as it was asked last. */
bool budget_is_paused(struct budget *budget);

#endif
