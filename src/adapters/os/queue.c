/* A bounded queue of pointers between threads. */
#include "adapters/os/queue.h"

#include <stdbool.h>
#include <stdlib.h>

#include "adapters/os/clock.h"
#include "adapters/os/lock.h"

struct queue {
    size_t capacity;
    struct lock lock;
    struct {
        size_t first;
        size_t length;
        bool closed;
        void **items;
    } locked;
};

struct queue *queue_new(size_t capacity)
{
    CHECK(capacity > 0);
    struct queue *queue = calloc(1, sizeof *queue);
    CHECK(queue != NULL);
    queue->capacity = capacity;
    lock_init(&queue->lock);
    queue->locked.items = calloc(capacity, sizeof *queue->locked.items);
    CHECK(queue->locked.items != NULL);
    return queue;
}

struct queue *queue_free(struct queue *queue)
{
    if (queue != NULL) {
        CHECK(queue->locked.length == 0);
        lock_done(&queue->lock);
        free(queue->locked.items);
        free(queue);
    }
    return NULL;
}

/* Waits for a change. False when the time is over. `until_us` below 0: no end. */
static bool wait_until(struct queue *queue, int64_t until_us)
{
    if (until_us < 0) {
        return lock_wait(&queue->lock, -1);
    }
    int64_t left_us = until_us - clock_mono_us();
    if (left_us <= 0) {
        return false;
    }
    lock_wait(&queue->lock, left_us);
    return true;
}

static int64_t end_of(int64_t timeout_us)
{
    return timeout_us < 0 ? -1 : clock_mono_us() + timeout_us;
}

enum queue_result queue_push(struct queue *queue, void *item, int64_t timeout_us)
{
    CHECK(item != NULL);
    int64_t until_us = end_of(timeout_us);
    enum queue_result result = QUEUE_DONE;
    lock_take(&queue->lock);
    while (!queue->locked.closed && queue->locked.length == queue->capacity) {
        if (!wait_until(queue, until_us)) {
            result = QUEUE_TIMEOUT;
            break;
        }
    }
    if (queue->locked.closed) {
        result = QUEUE_CLOSED;
    } else if (queue->locked.length < queue->capacity) {
        result = QUEUE_DONE;
        size_t at = (queue->locked.first + queue->locked.length) % queue->capacity;
        queue->locked.items[at] = item;
        queue->locked.length++;
        lock_wake(&queue->lock);
    }
    lock_give(&queue->lock);
    return result;
}

enum queue_result queue_pop(struct queue *queue, void **ret_item, int64_t timeout_us)
{
    int64_t until_us = end_of(timeout_us);
    enum queue_result result = QUEUE_DONE;
    lock_take(&queue->lock);
    while (!queue->locked.closed && queue->locked.length == 0) {
        if (!wait_until(queue, until_us)) {
            result = QUEUE_TIMEOUT;
            break;
        }
    }
    if (queue->locked.length > 0) {
        result = QUEUE_DONE;
        *ret_item = queue->locked.items[queue->locked.first];
        queue->locked.first = (queue->locked.first + 1) % queue->capacity;
        queue->locked.length--;
        lock_wake(&queue->lock);
    } else if (queue->locked.closed) {
        result = QUEUE_CLOSED;
    }
    lock_give(&queue->lock);
    return result;
}

void queue_close(struct queue *queue)
{
    lock_take(&queue->lock);
    queue->locked.closed = true;
    lock_wake(&queue->lock);
    lock_give(&queue->lock);
}
