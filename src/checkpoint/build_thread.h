/* The threads that build and upload shards, away from the one that polls Kafka. */
#ifndef TIDEMARK_CHECKPOINT_BUILD_THREAD_H
#define TIDEMARK_CHECKPOINT_BUILD_THREAD_H

#include "adapters/os/queue.h"
#include "checkpoint/shard_job.h"

/* Finished jobs go into the queue given, in any order. */
struct build_threads;

enum { BUILD_JOBS_MAX = 65536 }; /* waiting at a time: at most the shards of a build */

struct build_threads *build_threads_new(int threads, struct queue *borrowed_done);

/* Hands the job over. Any thread. */
void build_threads_add(struct build_threads *threads, struct shard_job *take_job);

/* Every job of the run ends soon, as failed with STOPPED. Any thread. */
void build_threads_drop(struct build_threads *threads, const char *run_id);

/* Drops all jobs and waits for the threads. Takes NULL; returns NULL. */
struct build_threads *build_threads_free(struct build_threads *threads);

#endif
