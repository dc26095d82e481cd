/* A bounded queue of pointers between threads. */
#ifndef TIDEMARK_ADAPTERS_OS_QUEUE_H
#define TIDEMARK_ADAPTERS_OS_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"

/* Many producers, many consumers, first in first out. An item belongs to the queue while it is in
 * it. Timeouts are microseconds: 0 tries, below 0 waits for ever. */
struct queue;

enum queue_result {
    QUEUE_DONE,
    QUEUE_TIMEOUT, /* still full (push) or still empty (pop) */
    QUEUE_CLOSED,  /* push: closed; pop: closed *and* empty, what was in it still comes out */
};

struct queue *queue_new(size_t capacity);      /* capacity is at least 1 */
struct queue *queue_free(struct queue *queue); /* empty, nobody waiting; takes NULL; returns NULL */

/* On anything but QUEUE_DONE the item stays the caller's. Items are never NULL. */
enum queue_result queue_push(struct queue *queue, void *item, int64_t timeout_us) MUST_CHECK;
enum queue_result queue_pop(struct queue *queue, void **ret_item, int64_t timeout_us) MUST_CHECK;

void queue_close(struct queue *queue); /* wakes all; may be called again */

#endif
