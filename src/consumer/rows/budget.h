/* The one number of memory, with a mark to spill at and two marks to pause and resume at. */
#ifndef TIDEMARK_CONSUMER_ROWS_BUDGET_H
#define TIDEMARK_CONSUMER_ROWS_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "adapters/os/lock.h"

enum { BUDGET_PIECE_BYTES = 2 * 1024 * 1024 };

struct budget_piece;

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
    _Atomic uint64_t spare_bytes;
    struct {
        struct lock lock;
        struct budget_piece *spare; /* given back, and not to the kernel yet */
    } locked;
};

/* Marks at 1/2 (spill), 7/8 (pause) and 5/8 (resume) of `limit` (bytes): what lies above the spill
 * mark is for what comes in while a spill is written, and for librdkafka's queues. */
void budget_init(struct budget *budget, uint64_t limit);
void budget_done(struct budget *budget); /* all pieces were given back */

void budget_charge(struct budget *budget, uint64_t bytes);  /* `budget` may be NULL: uncounted */
void budget_release(struct budget *budget, uint64_t bytes); /* CHECKs that it was charged */

uint64_t budget_used(struct budget *budget);
uint64_t budget_used_max(struct budget *budget);
bool budget_wants_spill(struct budget *budget);

/* Memory for rows, BUDGET_PIECE_BYTES straight from the kernel, charged and released; not cleared.
 * The kernel clears what it hands out, which takes longer than filling it with rows: so a piece
 * that is given back is kept for the next taker, while `used` and what is kept stay below the
 * resume mark. A budget of NULL keeps nothing. */
void *budget_take_piece(struct budget *budget);
void budget_give_piece(struct budget *budget, void *take_piece);

/* Other memory was charged: kept pieces that are above the mark now go to the kernel. */
void budget_trim(struct budget *budget);
void budget_drop_spare(struct budget *budget); /* all of them: rows come no more */

/* Whether the source should be paused now: changes only when a mark is crossed. */
bool budget_wants_pause(struct budget *budget);

/* The same, as it was asked last. */
bool budget_is_paused(struct budget *budget);

#endif
