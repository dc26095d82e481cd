/* One attempt to build one shard: its file is made, uploaded, and reported. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_SHARD_JOB_H
#define TIDEMARK_CHECKPOINT_SHARDS_SHARD_JOB_H

#include "adapters/kv.h"
#include "adapters/store.h"
#include "checkpoint/shards/build_thread.h"
#include "checkpoint/spill/contribution.h"
#include "checkpoint/shards/state_base.h"
#include "checkpoint/spill/part.h"
#include "core/coord/member.h"
#include "core/settings.h"
#include "core/snapshot/names.h"

/* The same for all jobs; borrowed. */
struct shard_job_settings {
    struct kv *kv;
    struct store *store;
    const struct names *names;
    const struct snapshot_settings *snapshot;
    enum key_encoding key_encoding;
    enum vector_metric metric;   /* where the kv has vectors */
    const char *folder;          /* for files in the making */
    uint64_t cache_bytes;        /* of the kv, a job */
    const char *const *canaries; /* keys that a gate wants, as typed */
    size_t canary_count;
    struct state_base *base;     /* contents `state`; else NULL */
    const struct router *router; /* where a base is divided otherwise */
};

/* Rows of one member: those that are held here, or its part in the store. */
struct shard_input {
    struct contribution *own; /* one user; NULL: */
    struct part_place part;
    const struct plan_range *ranges; /* what PLAN takes of it (PROTOCOL R8) */
    size_t range_count;
};

struct shard_job {
    struct work work;
    const struct shard_job_settings *settings;
    struct arena *arena;
    uint32_t shard;
    uint32_t attempt;
    struct contribution *frame; /* the partitions of CLOSE, without rows: the rule of what counts */
    struct shard_input *inputs;
    size_t input_count;
    bool carry;                   /* copied from the base; no rows */
    const struct plan_base *base; /* NULL: none */
    uint32_t num_dbs;
    uint64_t shared_keys; /* of two or more partitions, which `offset` order decides arbitrarily */
    struct message_attempt result; /* texts in the arena; member, incarnation and build are not set
                                    */
};

/* Copies what it needs of the command. `frame` (NULL for a shard that is carried over), and `own`
 * where a contribution of the command is our own, get one user more. The job builds and uploads;
 * its result says whether that worked. */
struct shard_job *shard_job_new(const struct shard_job_settings *settings,
                                const struct member_command *command, struct contribution *frame,
                                struct contribution *own);

/* Our own rows, grouped anew: instead of those it was made with. Before it runs. */
void shard_job_set_rows(struct shard_job *job, struct contribution *own);

#endif
