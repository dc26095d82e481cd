/* A mutex and its condition, for the few structs that threads share. */
#include "adapters/os/lock.h"

#include <errno.h>
#include <time.h>

#include "core/base/check.h"

void lock_init(struct lock *lock)
{
    CHECK(pthread_mutex_init(&lock->mutex, NULL) == 0);
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    /* A step of the wall clock must neither shorten nor lengthen a wait. */
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&lock->changed, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

void lock_done(struct lock *lock)
{
    CHECK(pthread_cond_destroy(&lock->changed) == 0);
    CHECK(pthread_mutex_destroy(&lock->mutex) == 0);
}

void lock_take(struct lock *lock)
{
    CHECK(pthread_mutex_lock(&lock->mutex) == 0);
}

void lock_give(struct lock *lock)
{
    CHECK(pthread_mutex_unlock(&lock->mutex) == 0);
}

bool lock_wait(struct lock *lock, int64_t timeout_us)
{
    if (timeout_us < 0) {
        CHECK(pthread_cond_wait(&lock->changed, &lock->mutex) == 0);
        return true;
    }
    struct timespec until;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += (time_t)(timeout_us / 1000000);
    until.tv_nsec += (long)(timeout_us % 1000000) * 1000;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    int result = pthread_cond_timedwait(&lock->changed, &lock->mutex, &until);
    CHECK(result == 0 || result == ETIMEDOUT);
    return result == 0;
}

void lock_wake(struct lock *lock)
{
    CHECK(pthread_cond_broadcast(&lock->changed) == 0);
}
