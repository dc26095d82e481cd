/* The one number of memory, with its marks. */
#include "consumer/rows/budget.h"

#include <stddef.h>

#include "core/base/check.h"

void budget_init(struct budget *budget, uint64_t limit)
{
    *budget = (struct budget){
        .limit = limit,
        .spill_mark = limit / 2,
        .pause_mark = limit / 8 * 7,
        .resume_mark = limit / 8 * 5,
    };
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
