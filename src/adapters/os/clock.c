/* What time it is: the wall clock for people and records, a steady one for deadlines. */
#include "adapters/os/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/check.h"

enum { US_PER_SECOND = 1000000 };

static pthread_once_t shift_once = PTHREAD_ONCE_INIT;
static int64_t shift_us;

static void read_shift(void)
{
    const char *text = getenv("TIDEMARK_TEST_CLOCK_SHIFT_US");
    if (text == NULL || text[0] == '\0') {
        return;
    }
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    /* A test that believes it runs at another time must not run at this one. */
    CHECK(errno == 0 && *end == '\0');
    shift_us = value;
}

static int64_t read_clock(clockid_t id)
{
    struct timespec at;
    CHECK(clock_gettime(id, &at) == 0);
    return (int64_t)at.tv_sec * US_PER_SECOND + at.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    CHECK(pthread_once(&shift_once, read_shift) == 0);
    return read_clock(CLOCK_REALTIME) + shift_us;
}

int64_t clock_mono_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
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
