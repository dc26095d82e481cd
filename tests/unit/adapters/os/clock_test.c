/* The clocks: they move, they do not go back, and their text form is exact. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "adapters/os/clock.h"

Test(clock, wall_is_of_this_century_and_mono_never_goes_back)
{
    cr_assert_gt(clock_now_us(), 1700000000000000);
    int64_t before = clock_mono_us();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono_us();
        cr_assert_geq(now, before);
        before = now;
    }
}

Test(clock, sleep_lasts_at_least_as_long_as_asked)
{
    int64_t before = clock_mono_us();
    clock_sleep_us(30000);
    clock_sleep_us(0);
    clock_sleep_us(-5);
    int64_t slept = clock_mono_us() - before;
    cr_assert_geq(slept, 30000);
    cr_assert_lt(slept, 5000000);
}

/* Criterion runs each test in a process of its own, so "read once" starts afresh. */
Test(clock, shift_moves_the_wall_clock_only)
{
    int64_t mono = clock_mono_us();
    setenv("TIDEMARK_TEST_CLOCK_SHIFT_US", "-3600000000", 1);
    int64_t shifted = clock_now_us();
    setenv("TIDEMARK_TEST_CLOCK_SHIFT_US", "0", 1);
    int64_t again = clock_now_us();
    cr_assert_lt(again - shifted, 10000000, "the shift must be read once");
    cr_assert_lt(clock_mono_us() - mono, 10000000);
    struct timespec real;
    timespec_get(&real, TIME_UTC);
    int64_t behind = (int64_t)real.tv_sec * 1000000 - shifted;
    cr_assert(behind > 3590000000 && behind < 3610000000, "%lld", (long long)behind);
}

static void write_step(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(clock, a_file_steps_the_wall_clock_forth_and_back)
{
    char path[] = "/tmp/clock-step-XXXXXX";
    close(mkstemp(path));
    write_step(path, "0\n");
    setenv("TIDEMARK_TEST_CLOCK_SHIFT_FILE", path, 1);
    int64_t before = clock_now_us();
    write_step(path, "7200000000\n");
    clock_sleep_us(30000);
    int64_t ahead = clock_now_us() - before;
    cr_expect(ahead > 7199000000 && ahead < 7210000000, "%lld", (long long)ahead);
    write_step(path, "-7200000000");
    clock_sleep_us(30000);
    int64_t behind = before - clock_now_us();
    cr_expect(behind > 7190000000 && behind < 7201000000, "%lld", (long long)behind);
    unlink(path);
}

Test(clock, a_step_that_is_no_number_ends_the_process, .signal = SIGABRT)
{
    char path[] = "/tmp/clock-step-XXXXXX";
    close(mkstemp(path));
    write_step(path, "soon");
    setenv("TIDEMARK_TEST_CLOCK_SHIFT_FILE", path, 1);
    (void)clock_now_us();
}

Test(clock, text)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1773484200123456, "2026-03-14T10:30:00.123Z"},
        {951782399999999, "2000-02-28T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CLOCK_TEXT_MAX];
        cr_expect_str_eq(clock_text_ms(cases[i].us, text), cases[i].text);
    }
}
