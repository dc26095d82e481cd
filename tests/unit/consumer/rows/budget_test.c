/* Do the marks of the budget say spill, pause and resume where they should? */
#include "consumer/rows/budget.h"

#include <criterion/criterion.h>

#include "adapters/os/thread.h"

Test(budget, marks_and_hysteresis)
{
    struct budget budget;
    budget_init(&budget, 800);
    cr_assert(!budget_wants_spill(&budget) && !budget_wants_pause(&budget));
    budget_charge(&budget, 400);
    cr_assert(!budget_wants_spill(&budget));
    budget_charge(&budget, 1);
    cr_assert(budget_wants_spill(&budget) && !budget_wants_pause(&budget));
    budget_charge(&budget, 299);
    cr_assert(!budget_wants_pause(&budget));
    budget_charge(&budget, 1);
    cr_assert(budget_wants_pause(&budget));
    budget_release(&budget, 201);
    cr_assert(budget_wants_pause(&budget), "still paused: it is at the resume mark, not below");
    budget_release(&budget, 1);
    cr_assert(!budget_wants_pause(&budget));
    budget_charge(&budget, 100);
    cr_assert(!budget_wants_pause(&budget));
    cr_assert_eq(budget_used(&budget), 599);
    cr_assert_eq(budget_used_max(&budget), 701);
}

Test(budget, none_is_a_budget_too)
{
    budget_charge(NULL, 5);
    budget_release(NULL, 5);
}

enum { THREADS = 4, TURNS = 20000 };

static void charge_and_release(void *argument)
{
    struct budget *budget = argument;
    for (uint64_t i = 1; i <= TURNS; i++) {
        budget_charge(budget, i);
        (void)budget_wants_pause(budget);
        budget_release(budget, i);
    }
}

Test(budget, nothing_is_lost_between_threads)
{
    struct budget budget;
    budget_init(&budget, TURNS);
    struct thread *threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        threads[i] = thread_new("budget", charge_and_release, &budget);
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
    }
    cr_assert_eq(budget_used(&budget), 0);
    cr_assert_geq(budget_used_max(&budget), TURNS);
    cr_assert_leq(budget_used_max(&budget), (uint64_t)THREADS * TURNS);
}
