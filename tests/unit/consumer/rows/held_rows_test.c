/* Does a full disk stop what comes in, without an error, and does it go on when rows are let go? */
#include "consumer/rows/held_rows.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "tests/support/test_rows.h"

enum { MEMORY = 16 << 20, DISK = 8 << 20, ROWS = 10000, VALUE_MAX = 8000 };

static char folder[] = "/tmp/tidemark-held-XXXXXX";
static struct budget budget;
static struct held_rows *held;
static struct test_rows rows;

static void open_held(uint64_t disk, bool waits)
{
    struct err err;
    cr_assert_not_null(mkdtemp(folder));
    budget_init(&budget, MEMORY);
    struct held_rows_settings settings = {.folder = folder,
                                          .order = ROW_ORDER_OFFSET,
                                          .borrowed_budget = &budget,
                                          .disk_budget = disk,
                                          .fails_when_full = !waits};
    cr_assert(held_rows_new(&settings, &held, &err), "%s", err.message);
    cr_assert_eq(held_rows_source(held, "t", 0), 0);
    struct test_rows_plan plan = {
        .count = ROWS, .keys = ROWS, .sources = 1, .value_bytes_max = VALUE_MAX};
    rows = test_rows_make(7, &plan);
}

static void close_held(void)
{
    struct err err;
    held_rows_free(held);
    cr_assert_eq(budget_used(&budget), 0);
    budget_done(&budget);
    test_rows_done(&rows);
    cr_assert(file_remove_tree(folder, &err), "%s", err.message);
}

TestSuite(held_rows, .fini = close_held);

/* Rows go to the disk, until reading need not pause or the disk is full. */
static bool make_room(struct err *err)
{
    for (int64_t until = clock_mono_us() + 20000000;
         budget_wants_pause(&budget) && !held_rows_disk_full(held) && clock_mono_us() < until;) {
        if (!held_rows_spill(held, err)) {
            return false;
        }
    }
    return true;
}

/* As the intake: rows come in until reading pauses. Returns how many did. */
static size_t take_in(bool *ret_ok, struct err *err)
{
    size_t taken = 0;
    *ret_ok = make_room(err);
    while (*ret_ok && taken < rows.count && !budget_wants_pause(&budget)) {
        *ret_ok = held_rows_append(held, 0, 0, &rows.rows[taken++], err) &&
                  (!budget_wants_spill(&budget) || held_rows_spill(held, err)) && make_room(err);
    }
    return taken;
}

static bool all_over(void *context, const struct section *section,
                     const struct section_source *part, const struct source_name *name)
{
    (void)context;
    (void)section;
    (void)part;
    (void)name;
    return true;
}

Test(held_rows, a_full_disk_pauses_and_recovers)
{
    struct err err = {0};
    bool ok = false;
    open_held(DISK, true);
    cr_assert_eq(held_rows_disk_budget(held), DISK);
    cr_assert_not(held_rows_short_of_room(held));
    size_t taken = take_in(&ok, &err);
    cr_assert(ok, "%s", err.message);
    cr_assert_lt(taken, rows.count, "nothing stopped it");
    cr_assert(held_rows_disk_full(held));
    cr_assert(held_rows_short_of_room(held));
    cr_assert_lt(held_rows_spilled_bytes(held), DISK + MEMORY, "one set above the budget, at most");
    cr_assert_not(held_rows_has_room(held, 1));
    held_rows_freeze(held);
    held_rows_forget(held, all_over, NULL); /* a COMMIT */
    cr_assert_not(held_rows_disk_full(held));
    cr_assert_not(held_rows_short_of_room(held));
    cr_assert_gt(take_in(&ok, &err), 0);
    cr_assert(ok, "%s", err.message);
}

/* `tidemark verify` has nobody who could make room. */
Test(held_rows, without_waiting_a_full_disk_is_an_error)
{
    struct err err = {0};
    bool ok = true;
    open_held(DISK, false);
    (void)take_in(&ok, &err);
    cr_assert_not(ok);
    cr_assert_eq(err.kind, ERR_LIMIT);
    cr_assert_not_null(strstr(err.message, "limits.disk_budget"), "%s", err.message);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void take_in_without_space(void)
{
    struct err err = {0};
    bool ok = false;
    open_held(1 << 30, true);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(1000);
    (void)take_in(&ok, &err);
    cr_assert(ok, "%s", err.message);
    cr_assert(held_rows_short_of_room(held));
}

/* The disk itself has no space, whatever the budget says; then it has some again. */
Test(held_rows, no_space_on_the_disk_is_waited_for)
{
    struct err err = {0};
    take_in_without_space();
    cr_assert(held_rows_disk_full(held));
    cr_assert_eq(held_rows_spilled_bytes(held), 0);
    limit_files(RLIM_INFINITY);
    for (int64_t until = clock_mono_us() + 20000000;
         held_rows_disk_full(held) && clock_mono_us() < until;) {
        cr_assert(held_rows_spill(held, &err), "%s", err.message);
        clock_sleep_us(20000);
    }
    cr_assert_not(held_rows_disk_full(held));
    cr_assert_gt(held_rows_spilled_bytes(held), 0);
}

/* A COMMIT lets go of the rows that found no space: nothing waits for it any more. Else partitions
 * would stay paused, and with the trigger `offsets` the count that closes a build is never read. */
Test(held_rows, no_space_is_over_when_no_row_waits_for_it)
{
    struct err err = {0};
    bool ok = false;
    take_in_without_space();
    held_rows_freeze(held);
    held_rows_forget(held, all_over, NULL);
    for (int64_t until = clock_mono_us() + 20000000; /* the last try still has its rows */
         budget_wants_spill(&budget) && clock_mono_us() < until;) {
        cr_assert(held_rows_spill(held, &err), "%s", err.message);
        clock_sleep_us(20000);
    }
    cr_assert_not(held_rows_short_of_room(held));
    cr_assert_not(held_rows_disk_full(held));
    (void)take_in(&ok, &err); /* there is still none */
    cr_assert(ok, "%s", err.message);
    cr_assert(held_rows_short_of_room(held));
    cr_assert(held_rows_disk_full(held));
    limit_files(RLIM_INFINITY);
}
