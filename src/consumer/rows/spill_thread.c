/* The thread that writes spills, so that records come in meanwhile. */
#include "consumer/rows/spill_thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/file.h"
#include "adapters/os/queue.h"
#include "adapters/os/thread.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/rows/spill_writer.h"

struct spill_order {
    struct row_share *share; /* one user */
    char *path;
    bool ok;
    struct row_set *set;
    uint64_t bytes;
    struct err err;
};

struct spill_thread {
    struct thread *thread;
    struct queue *orders;
    struct queue *done;
    atomic_bool stop;
    bool sync;
    bool busy; /* the owner's */
};

static void write_spill(struct spill_thread *thread, struct spill_order *order)
{
    struct spill_ref ref = {0};
    order->ok = spill_write(row_share_set(order->share), order->path, thread->sync, &thread->stop,
                            &ref, &order->err) &&
                spill_open_file(order->path, &order->set, &order->err);
    if (!order->ok) {
        file_discard(order->path); /* it would take room that nobody counts */
    }
    order->bytes = ref.bytes;
    spill_ref_done(&ref);
}

static void run(void *argument)
{
    struct spill_thread *thread = argument;
    void *item = NULL;
    while (queue_pop(thread->orders, &item, -1) == QUEUE_DONE) {
        struct spill_order *order = item;
        write_spill(thread, order);
        order->share = row_share_drop(order->share);
        CHECK(queue_push(thread->done, order, -1) == QUEUE_DONE);
    }
}

struct spill_thread *spill_thread_new(bool sync)
{
    struct spill_thread *thread = calloc(1, sizeof *thread);
    CHECK(thread != NULL);
    thread->sync = sync;
    thread->orders = queue_new(1);
    thread->done = queue_new(1);
    atomic_init(&thread->stop, false);
    thread->thread = thread_new("spill", run, thread);
    return thread;
}

void spill_thread_abort(struct spill_thread *thread)
{
    atomic_store(&thread->stop, true);
}

static void free_order(struct spill_order *order)
{
    free(order->path);
    free(order);
}

struct spill_thread *spill_thread_free(struct spill_thread *thread)
{
    if (thread == NULL) {
        return NULL;
    }
    atomic_store(&thread->stop, true);
    queue_close(thread->orders);
    thread_join(thread->thread);
    void *item = NULL;
    if (queue_pop(thread->done, &item, 0) == QUEUE_DONE) {
        struct spill_order *order = item;
        if (order->ok) {
            row_share_drop(row_share_new(order->set, order->path)); /* removes the file, too */
        }
        free_order(order);
    }
    queue_free(thread->orders);
    queue_free(thread->done);
    free(thread);
    return NULL;
}

void spill_thread_start(struct spill_thread *thread, struct row_share *share, const char *path)
{
    CHECK(!thread->busy);
    struct spill_order *order = calloc(1, sizeof *order);
    CHECK(order != NULL);
    order->share = row_share_use(share);
    order->path = strdup(path);
    CHECK(order->path != NULL);
    thread->busy = true;
    CHECK(queue_push(thread->orders, order, -1) == QUEUE_DONE);
}

bool spill_thread_busy(const struct spill_thread *thread)
{
    return thread->busy;
}

bool spill_thread_take(struct spill_thread *thread, bool wait, bool *ret_done,
                       struct row_share **ret_spill, uint64_t *ret_bytes, struct err *err)
{
    void *item = NULL;
    *ret_done = false;
    if (!thread->busy || queue_pop(thread->done, &item, wait ? -1 : 0) != QUEUE_DONE) {
        return false;
    }
    struct spill_order *order = item;
    thread->busy = false;
    *ret_done = true;
    bool ok = order->ok;
    if (ok) {
        *ret_spill = row_share_new(order->set, order->path);
        *ret_bytes = order->bytes;
    } else {
        *err = order->err;
    }
    free_order(order);
    return ok;
}
