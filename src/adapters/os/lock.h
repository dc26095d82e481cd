/* A mutex and its condition, for the few structs that threads share. */
#ifndef TIDEMARK_ADAPTERS_OS_LOCK_H
#define TIDEMARK_ADAPTERS_OS_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Fields that belong to a lock are grouped: `struct {…} locked;`. Misuse is a CHECK. */
struct lock {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

void lock_init(struct lock *lock);
void lock_done(struct lock *lock);
void lock_take(struct lock *lock);
void lock_give(struct lock *lock);

/* With the lock held: gives it, waits for lock_wake() or `timeout_us` (below 0: for ever), takes it
 * again. False when the time is over. May return early: look at the condition again. */
bool lock_wait(struct lock *lock, int64_t timeout_us);
void lock_wake(struct lock *lock); /* wakes all that wait */

#endif
