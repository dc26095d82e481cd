/* The threads that do the work of builds, away from the one that polls Kafka. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_BUILD_THREAD_H
#define TIDEMARK_CHECKPOINT_SHARDS_BUILD_THREAD_H

#include <stdatomic.h>

#include "adapters/os/queue.h"

/* One piece of work, the first member of its kind's struct. Owned by whoever holds the pointer:
 * member thread, queue, build thread, queue, member thread. */
struct work {
    enum work_kind { WORK_SHARD, WORK_REGROUP, WORK_PART, WORK_HANDOVER, WORK_ADOPT } kind;
    const char *run_id;
    uint64_t build;
    atomic_bool stop;           /* it should end soon, as failed */
    void (*run)(struct work *); /* on a build thread; says in its own struct how it went */
    void (*free)(struct work *);
};

static inline struct work *work_free(struct work *work)
{
    if (work != NULL) {
        work->free(work);
    }
    return NULL;
}

/* Finished work goes into the queue given, in any order. */
struct build_threads;

enum { BUILD_WORK_MAX = 65536 }; /* pieces waiting at a time: at most the shards of a build */

struct build_threads *build_threads_new(int threads, struct queue *borrowed_done);

/* Hands it over. Any thread. */
void build_threads_add(struct build_threads *threads, struct work *take_work);

/* Every piece of the run ends soon; all with run_id NULL. Any thread. */
void build_threads_drop(struct build_threads *threads, const char *run_id);

/* Drops all and waits for the threads. Takes NULL; returns NULL. */
struct build_threads *build_threads_free(struct build_threads *threads);

#endif
