/* What time it is: the wall clock for people and records, a steady one for deadlines. */
#include "adapters/os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"

enum { US_PER_SECOND = 1000000, SHIFT_AGE_US = 20 * 1000, SHIFT_TEXT_MAX = 32 };

static pthread_once_t shift_once = PTHREAD_ONCE_INIT;
static int64_t shift_us;
static const char *shift_file; /* NULL: nobody steps the clock */
static _Atomic int64_t stepped_us;
static _Atomic int64_t step_seen_us; /* by the steady clock */

/* A test that believes it runs at another time must not run at this one. */
static int64_t shift_of(const char *text)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    CHECK(errno == 0 && end != text && (*end == '\0' || *end == '\n'));
    return value;
}

static void read_shift(void)
{
    const char *text = getenv("TIDEMARK_TEST_CLOCK_SHIFT_US");
    if (text != NULL && text[0] != '\0') {
        shift_us = shift_of(text);
    }
    const char *file = getenv("TIDEMARK_TEST_CLOCK_SHIFT_FILE");
    if (file != NULL && file[0] != '\0') {
        shift_file = file;
    }
}

static int64_t read_clock(clockid_t id)
{
    struct timespec at;
    CHECK(clock_gettime(id, &at) == 0);
    return (int64_t)at.tv_sec * US_PER_SECOND + at.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

/* The file's number, looked at now and then: a test steps the clock of a process that runs. */
static int64_t read_step(void)
{
    int64_t now = clock_mono_us();
    int64_t seen = atomic_load(&step_seen_us);
    if ((seen != 0 && now - seen < SHIFT_AGE_US) ||
        !atomic_compare_exchange_strong(&step_seen_us, &seen, now)) {
        return atomic_load(&stepped_us);
    }
    char text[SHIFT_TEXT_MAX] = "";
    int fd = open(shift_file, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    ssize_t size = read(fd, text, sizeof text - 1);
    CHECK(size > 0);
    close(fd);
    atomic_store(&stepped_us, shift_of(text));
    return atomic_load(&stepped_us);
}

int64_t clock_now_us(void)
{
    CHECK(pthread_once(&shift_once, read_shift) == 0);
    return read_clock(CLOCK_REALTIME) + shift_us + (shift_file == NULL ? 0 : read_step());
}

void clock_sleep_us(int64_t duration_us)
{
    if (duration_us <= 0) {
        return;
    }
    struct timespec left = {
        .tv_sec = (time_t)(duration_us / US_PER_SECOND),
        .tv_nsec = (long)(duration_us % US_PER_SECOND) * 1000,
    };
    while (nanosleep(&left, &left) != 0) {
        CHECK(errno == EINTR);
    }
}

const char *clock_text_ms(int64_t us, char text[CLOCK_TEXT_MAX])
{
    int64_t seconds = us / US_PER_SECOND;
    int64_t rest = us % US_PER_SECOND;
    if (rest < 0) {
        seconds--;
        rest += US_PER_SECOND;
    }
    time_t at = (time_t)seconds;
    struct tm parts;
    CHECK(gmtime_r(&at, &parts) != NULL);
    char day[20];
    CHECK(strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts) != 0);
    snprintf(text, CLOCK_TEXT_MAX, "%s.%03dZ", day, (int)(rest / 1000));
    return text;
}
