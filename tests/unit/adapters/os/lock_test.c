/* The lock: waits end by time or by a wake, and the holder is alone. */
#include <criterion/criterion.h>

#include "adapters/os/clock.h"
#include "adapters/os/lock.h"
#include "adapters/os/thread.h"

Test(lock, a_wait_ends_by_time)
{
    struct lock lock;
    lock_init(&lock);
    lock_take(&lock);
    int64_t before_us = clock_mono_us();
    while (lock_wait(&lock, 20000)) {
    }
    cr_assert_geq(clock_mono_us() - before_us, 20000);
    cr_assert_not(lock_wait(&lock, 0));
    lock_give(&lock);
    lock_done(&lock);
}

struct shared {
    struct lock lock;
    struct {
        int value;
        bool ready;
    } locked;
};

static void make_ready(void *argument)
{
    struct shared *shared = argument;
    clock_sleep_us(10000);
    lock_take(&shared->lock);
    shared->locked.ready = true;
    lock_wake(&shared->lock);
    lock_give(&shared->lock);
}

Test(lock, a_wake_ends_a_wait_without_end, .timeout = 20)
{
    struct shared shared = {0};
    lock_init(&shared.lock);
    struct thread *thread = thread_new("waker", make_ready, &shared);
    lock_take(&shared.lock);
    while (!shared.locked.ready) {
        cr_assert(lock_wait(&shared.lock, -1));
    }
    lock_give(&shared.lock);
    thread_join(thread);
    lock_done(&shared.lock);
}

static void add_many(void *argument)
{
    struct shared *shared = argument;
    for (int i = 0; i < 20000; i++) {
        lock_take(&shared->lock);
        shared->locked.value++;
        lock_give(&shared->lock);
    }
}

Test(lock, the_holder_is_alone)
{
    struct shared shared = {0};
    struct thread *threads[4];
    lock_init(&shared.lock);
    for (int i = 0; i < 4; i++) {
        threads[i] = thread_new("adder", add_many, &shared);
    }
    for (int i = 0; i < 4; i++) {
        cr_assert_null(thread_join(threads[i]));
    }
    cr_assert_null(thread_join(NULL));
    cr_assert_eq(shared.locked.value, 80000);
    lock_done(&shared.lock);
}
