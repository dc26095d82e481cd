/* The one number of memory, with its marks. */
#include "consumer/rows/budget.h"

#include <stddef.h>

#include "adapters/os/pages.h"
#include "core/base/check.h"

/* At the front of its own memory. */
struct budget_piece {
    struct budget_piece *next;
};

void budget_init(struct budget *budget, uint64_t limit)
{
    *budget = (struct budget){
        .limit = limit,
        .spill_mark = limit / 2,
        .pause_mark = limit / 8 * 7,
        .resume_mark = limit / 8 * 5,
    };
    lock_init(&budget->locked.lock);
}

void budget_done(struct budget *budget)
{
    budget_drop_spare(budget);
    lock_done(&budget->locked.lock);
}

void budget_charge(struct budget *budget, uint64_t bytes)
{
    if (budget == NULL) {
        return;
    }
    uint64_t used = atomic_fetch_add_explicit(&budget->used, bytes, memory_order_relaxed) + bytes;
    uint64_t most = atomic_load_explicit(&budget->used_max, memory_order_relaxed);
    while (used > most &&
           !atomic_compare_exchange_weak_explicit(&budget->used_max, &most, used,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

void budget_release(struct budget *budget, uint64_t bytes)
{
    if (budget == NULL) {
        return;
    }
    uint64_t before = atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
    CHECK(before >= bytes);
}

uint64_t budget_used(struct budget *budget)
{
    return atomic_load_explicit(&budget->used, memory_order_relaxed);
}

uint64_t budget_used_max(struct budget *budget)
{
    return atomic_load_explicit(&budget->used_max, memory_order_relaxed);
}

/* ---- pieces ---- */

/* NULL: none is kept. */
static struct budget_piece *take_spare(struct budget *budget)
{
    lock_take(&budget->locked.lock);
    struct budget_piece *piece = budget->locked.spare;
    if (piece != NULL) {
        budget->locked.spare = piece->next;
        atomic_fetch_sub_explicit(&budget->spare_bytes, BUDGET_PIECE_BYTES, memory_order_relaxed);
    }
    lock_give(&budget->locked.lock);
    return piece;
}

static void drop_above(struct budget *budget, uint64_t mark)
{
    while (atomic_load_explicit(&budget->spare_bytes, memory_order_relaxed) > 0 &&
           budget_used(budget) + atomic_load_explicit(&budget->spare_bytes, memory_order_relaxed) >
               mark) {
        pages_free(take_spare(budget), BUDGET_PIECE_BYTES);
    }
}

void *budget_take_piece(struct budget *budget)
{
    budget_charge(budget, BUDGET_PIECE_BYTES);
    struct budget_piece *spare = budget == NULL ? NULL : take_spare(budget);
    return spare != NULL ? (void *)spare : pages_new(BUDGET_PIECE_BYTES);
}

void budget_give_piece(struct budget *budget, void *take_piece)
{
    budget_release(budget, BUDGET_PIECE_BYTES);
    if (budget == NULL) {
        pages_free(take_piece, BUDGET_PIECE_BYTES);
        return;
    }
    struct budget_piece *piece = take_piece;
    lock_take(&budget->locked.lock);
    piece->next = budget->locked.spare;
    budget->locked.spare = piece;
    atomic_fetch_add_explicit(&budget->spare_bytes, BUDGET_PIECE_BYTES, memory_order_relaxed);
    lock_give(&budget->locked.lock);
    budget_trim(budget);
}

void budget_trim(struct budget *budget)
{
    drop_above(budget, budget->resume_mark);
}

void budget_drop_spare(struct budget *budget)
{
    drop_above(budget, 0);
}

/* ---- marks ---- */

bool budget_wants_spill(struct budget *budget)
{
    return budget_used(budget) > budget->spill_mark;
}

bool budget_wants_pause(struct budget *budget)
{
    uint64_t used = budget_used(budget);
    bool paused = atomic_load_explicit(&budget->paused, memory_order_relaxed);
    if (paused ? used < budget->resume_mark : used > budget->pause_mark) {
        paused = !paused;
        atomic_store_explicit(&budget->paused, paused, memory_order_relaxed);
    }
    return paused;
}

bool budget_is_paused(struct budget *budget)
{
    return atomic_load_explicit(&budget->paused, memory_order_relaxed);
}
