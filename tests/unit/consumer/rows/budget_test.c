/* Do the marks of the budget say spill, pause and resume where they should? */
#include "consumer/rows/budget.h"

#include <criterion/criterion.h>

#include "adapters/os/thread.h"
#include "core/base/check.h"

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
    budget_done(&budget);
}

Test(budget, none_is_a_budget_too)
{
    budget_charge(NULL, 5);
    budget_release(NULL, 5);
    budget_give_piece(NULL, budget_take_piece(NULL));
}

enum { PIECE = BUDGET_PIECE_BYTES };

/* Memory that was written to is handed out again, newest first; not more of it than fits below the
 * resume mark, whatever else is charged meanwhile. */
Test(budget, pieces_are_kept_below_the_mark)
{
    struct budget budget;
    budget_init(&budget, 8 * PIECE); /* resumes at 5 pieces */
    uint8_t *pieces[8];
    for (size_t i = 0; i < LENGTH_OF(pieces); i++) {
        pieces[i] = budget_take_piece(&budget);
        pieces[i][PIECE - 1] = (uint8_t)(i + 1);
    }
    cr_assert_eq(budget_used(&budget), 8 * PIECE);
    for (size_t i = 0; i < LENGTH_OF(pieces); i++) {
        budget_give_piece(&budget, pieces[i]);
        cr_assert_leq(budget_used(&budget) + budget.spare_bytes, i < 2 ? 7 * PIECE : 5 * PIECE);
    }
    cr_assert_eq(budget_used(&budget), 0);
    cr_assert_eq(budget.spare_bytes, 5 * PIECE);
    uint8_t *again = budget_take_piece(&budget);
    cr_assert_eq(again[PIECE - 1], 8, "not a new one");
    cr_assert_eq(budget.spare_bytes, 4 * PIECE);
    budget_charge(&budget, 2 * PIECE);
    budget_trim(&budget);
    cr_assert_eq(budget.spare_bytes, 2 * PIECE);
    budget_give_piece(&budget, again);
    cr_assert_eq(budget.spare_bytes, 3 * PIECE);
    budget_drop_spare(&budget);
    cr_assert_eq(budget.spare_bytes, 0);
    again = budget_take_piece(&budget);
    cr_assert_eq(again[PIECE - 1], 0, "a new one");
    budget_give_piece(&budget, again);
    budget_release(&budget, 2 * PIECE);
    budget_done(&budget);
}

enum { THREADS = 4, TURNS = 20000, PIECE_TURNS = 20 };

static void charge_and_release(void *argument)
{
    struct budget *budget = argument;
    for (uint64_t i = 1; i <= TURNS; i++) {
        budget_charge(budget, i);
        (void)budget_wants_pause(budget);
        if (i % PIECE_TURNS == 0) {
            uint8_t *piece = budget_take_piece(budget);
            *piece = 1;
            budget_give_piece(budget, piece);
        }
        budget_release(budget, i);
    }
}

Test(budget, nothing_is_lost_between_threads)
{
    struct budget budget;
    budget_init(&budget, TURNS + 2 * PIECE);
    struct thread *threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        threads[i] = thread_new("budget", charge_and_release, &budget);
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
    }
    cr_assert_eq(budget_used(&budget), 0);
    cr_assert_geq(budget_used_max(&budget), TURNS);
    cr_assert_leq(budget_used_max(&budget), (uint64_t)THREADS * (TURNS + PIECE));
    budget_done(&budget);
}
