/* The threads that build and upload shards, away from the one that polls Kafka. */
#include "checkpoint/build_thread.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/lock.h"
#include "adapters/os/thread.h"

enum { BUILD_THREADS_MAX = 64 };

struct build_threads {
    struct queue *waiting;
    struct queue *done; /* borrowed */
    struct thread *threads[BUILD_THREADS_MAX];
    int count;
    struct {
        struct lock lock;
        struct shard_job **jobs; /* handed in and not finished: to be stopped */
        size_t count;
        size_t capacity;
    } locked;
};

static void remember(struct build_threads *threads, struct shard_job *job)
{
    lock_take(&threads->locked.lock);
    if (threads->locked.count == threads->locked.capacity) {
        threads->locked.capacity = threads->locked.capacity * 2 + 16;
        threads->locked.jobs =
            realloc(threads->locked.jobs, threads->locked.capacity * sizeof(void *));
        CHECK(threads->locked.jobs != NULL);
    }
    threads->locked.jobs[threads->locked.count++] = job;
    lock_give(&threads->locked.lock);
}

static void forget(struct build_threads *threads, const struct shard_job *job)
{
    lock_take(&threads->locked.lock);
    for (size_t i = 0; i < threads->locked.count; i++) {
        if (threads->locked.jobs[i] == job) {
            threads->locked.jobs[i] = threads->locked.jobs[--threads->locked.count];
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
        struct shard_job *job = item;
        shard_job_run(job);
        forget(threads, job);
        if (queue_push(threads->done, job, -1) != QUEUE_DONE) {
            shard_job_free(job);
        }
    }
}

struct build_threads *build_threads_new(int count, struct queue *borrowed_done)
{
    struct build_threads *threads = calloc(1, sizeof *threads);
    CHECK(threads != NULL && count > 0);
    threads->waiting = queue_new(BUILD_JOBS_MAX);
    threads->done = borrowed_done;
    threads->count = count < BUILD_THREADS_MAX ? count : BUILD_THREADS_MAX;
    lock_init(&threads->locked.lock);
    for (int i = 0; i < threads->count; i++) {
        threads->threads[i] = thread_new("build", run, threads);
    }
    return threads;
}

void build_threads_add(struct build_threads *threads, struct shard_job *take_job)
{
    remember(threads, take_job);
    CHECK(queue_push(threads->waiting, take_job, -1) == QUEUE_DONE);
}

void build_threads_drop(struct build_threads *threads, const char *run_id)
{
    lock_take(&threads->locked.lock);
    for (size_t i = 0; i < threads->locked.count; i++) {
        if (run_id == NULL || strcmp(threads->locked.jobs[i]->run_id, run_id) == 0) {
            atomic_store(&threads->locked.jobs[i]->stop, true);
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
    free(threads->locked.jobs);
    lock_done(&threads->locked.lock);
    free(threads);
    return NULL;
}
