/* The queue: order, bounds, timeouts, closing, and many threads at once. */
#include <criterion/criterion.h>
#include <stdatomic.h>

#include "adapters/os/clock.h"
#include "adapters/os/queue.h"
#include "adapters/os/thread.h"

static int numbers[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

Test(queue, first_in_first_out_round_and_round)
{
    struct queue *queue = queue_new(3);
    for (int round = 0; round < 5; round++) {
        cr_assert_eq(queue_push(queue, &numbers[round], 0), QUEUE_DONE);
        cr_assert_eq(queue_push(queue, &numbers[round + 1], 0), QUEUE_DONE);
        void *item = NULL;
        cr_assert_eq(queue_pop(queue, &item, 0), QUEUE_DONE);
        cr_assert_eq(item, &numbers[round]);
        cr_assert_eq(queue_pop(queue, &item, 0), QUEUE_DONE);
        cr_assert_eq(item, &numbers[round + 1]);
    }
    cr_assert_null(queue_free(queue));
    cr_assert_null(queue_free(NULL));
}

Test(queue, full_and_empty_time_out)
{
    struct queue *queue = queue_new(1);
    void *item = NULL;
    int64_t before = clock_mono_us();
    cr_assert_eq(queue_pop(queue, &item, 20000), QUEUE_TIMEOUT);
    cr_assert_geq(clock_mono_us() - before, 20000);
    cr_assert_eq(queue_push(queue, &numbers[1], 0), QUEUE_DONE);
    cr_assert_eq(queue_push(queue, &numbers[2], 0), QUEUE_TIMEOUT);
    before = clock_mono_us();
    cr_assert_eq(queue_push(queue, &numbers[2], 20000), QUEUE_TIMEOUT);
    cr_assert_geq(clock_mono_us() - before, 20000);
    cr_assert_eq(queue_pop(queue, &item, 0), QUEUE_DONE);
    cr_assert_eq(item, &numbers[1]);
    queue_free(queue);
}

Test(queue, closed_refuses_and_drains)
{
    struct queue *queue = queue_new(2);
    cr_assert_eq(queue_push(queue, &numbers[1], 0), QUEUE_DONE);
    queue_close(queue);
    queue_close(queue);
    cr_assert_eq(queue_push(queue, &numbers[2], -1), QUEUE_CLOSED);
    void *item = NULL;
    cr_assert_eq(queue_pop(queue, &item, -1), QUEUE_DONE);
    cr_assert_eq(item, &numbers[1]);
    cr_assert_eq(queue_pop(queue, &item, -1), QUEUE_CLOSED);
    queue_free(queue);
}

static void close_later(void *argument)
{
    clock_sleep_us(20000);
    queue_close(argument);
}

Test(queue, close_wakes_who_waits_for_ever, .timeout = 20)
{
    struct queue *queue = queue_new(1);
    struct thread *thread = thread_new("closer", close_later, queue);
    void *item = NULL;
    cr_assert_eq(queue_pop(queue, &item, -1), QUEUE_CLOSED);
    cr_assert_null(thread_join(thread));
    queue_free(queue);
}

enum { WORKERS = 4, EACH = 5000 };

struct crowd {
    struct queue *queue;
    atomic_int seen[WORKERS * EACH];
    atomic_int next_worker;
    int items[WORKERS * EACH];
};

static void produce(void *argument)
{
    struct crowd *crowd = argument;
    int first = atomic_fetch_add(&crowd->next_worker, 1) * EACH;
    for (int i = first; i < first + EACH; i++) {
        crowd->items[i] = i;
        while (queue_push(crowd->queue, &crowd->items[i], 1000) != QUEUE_DONE) {
        }
    }
}

static void consume(void *argument)
{
    struct crowd *crowd = argument;
    void *item = NULL;
    while (queue_pop(crowd->queue, &item, -1) == QUEUE_DONE) {
        atomic_fetch_add(&crowd->seen[*(int *)item], 1);
    }
}

Test(queue, every_item_comes_out_exactly_once, .timeout = 60)
{
    static struct crowd crowd;
    crowd.queue = queue_new(7);
    struct thread *producers[WORKERS];
    struct thread *consumers[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        producers[i] = thread_new("producer", produce, &crowd);
        consumers[i] = thread_new("consumer-with-a-long-name", consume, &crowd);
    }
    for (int i = 0; i < WORKERS; i++) {
        thread_join(producers[i]);
    }
    queue_close(crowd.queue);
    for (int i = 0; i < WORKERS; i++) {
        thread_join(consumers[i]);
    }
    for (int i = 0; i < WORKERS * EACH; i++) {
        cr_assert_eq(atomic_load(&crowd.seen[i]), 1, "item %d", i);
    }
    queue_free(crowd.queue);
}
