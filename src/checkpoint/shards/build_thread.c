/* The threads that do the work of builds, away from the one that polls Kafka. */
#include "checkpoint/shards/build_thread.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/lock.h"
#include "adapters/os/thread.h"
#include "core/base/check.h"

enum { BUILD_THREADS_MAX = 64 };

struct build_threads {
    struct queue *waiting;
    struct queue *done; /* borrowed */
    struct thread *threads[BUILD_THREADS_MAX];
    int count;
    struct {
        struct lock lock;
        struct work **pieces; /* handed in and not finished: to be stopped */
        size_t count;
        size_t capacity;
    } locked;
};

static void remember(struct build_threads *threads, struct work *work)
{
    lock_take(&threads->locked.lock);
    if (threads->locked.count == threads->locked.capacity) {
        threads->locked.capacity = threads->locked.capacity * 2 + 16;
        threads->locked.pieces =
            realloc(threads->locked.pieces, threads->locked.capacity * sizeof(void *));
        CHECK(threads->locked.pieces != NULL);
    }
    threads->locked.pieces[threads->locked.count++] = work;
    lock_give(&threads->locked.lock);
}

static void forget(struct build_threads *threads, const struct work *work)
{
    lock_take(&threads->locked.lock);
    for (size_t i = 0; i < threads->locked.count; i++) {
        if (threads->locked.pieces[i] == work) {
            threads->locked.pieces[i] = threads->locked.pieces[--threads->locked.count];
            break;
        }
    }
    lock_give(&threads->locked.lock);
}

static void run(void *argument)
{
    struct build_threads *threads = argument;
    void *item = NULL;
    while (queue_pop(threads->waiting, &item, -1) == QUEUE_DONE) {
        struct work *work = item;
        work->run(work);
        forget(threads, work);
        if (queue_push(threads->done, work, -1) != QUEUE_DONE) {
            work_free(work);
        }
    }
}

struct build_threads *build_threads_new(int count, struct queue *borrowed_done)
{
    struct build_threads *threads = calloc(1, sizeof *threads);
    CHECK(threads != NULL && count > 0);
    threads->waiting = queue_new(BUILD_WORK_MAX);
    threads->done = borrowed_done;
    threads->count = count < BUILD_THREADS_MAX ? count : BUILD_THREADS_MAX;
    lock_init(&threads->locked.lock);
    for (int i = 0; i < threads->count; i++) {
        threads->threads[i] = thread_new("build", run, threads);
    }
    return threads;
}

void build_threads_add(struct build_threads *threads, struct work *take_work)
{
    remember(threads, take_work);
    CHECK(queue_push(threads->waiting, take_work, -1) == QUEUE_DONE);
}

void build_threads_drop(struct build_threads *threads, const char *run_id)
{
    lock_take(&threads->locked.lock);
    for (size_t i = 0; i < threads->locked.count; i++) {
        if (run_id == NULL || strcmp(threads->locked.pieces[i]->run_id, run_id) == 0) {
            atomic_store(&threads->locked.pieces[i]->stop, true);
        }
    }
    lock_give(&threads->locked.lock);
}

struct build_threads *build_threads_free(struct build_threads *threads)
{
    if (threads == NULL) {
        return NULL;
    }
    build_threads_drop(threads, NULL);
    queue_close(threads->waiting);
    for (int i = 0; i < threads->count; i++) {
        thread_join(threads->threads[i]);
    }
    queue_free(threads->waiting);
    free(threads->locked.pieces);
    lock_done(&threads->locked.lock);
    free(threads);
    return NULL;
}
