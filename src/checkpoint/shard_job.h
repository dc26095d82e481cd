/* One attempt to build one shard: its file is made, uploaded, and reported. */
#ifndef TIDEMARK_CHECKPOINT_SHARD_JOB_H
#define TIDEMARK_CHECKPOINT_SHARD_JOB_H

#include "adapters/kv.h"
#include "adapters/store.h"
#include "checkpoint/contribution.h"
#include "core/coord/member.h"
#include "core/route/route.h"
#include "core/settings.h"
#include "core/snapshot/names.h"

/* The same for all jobs; borrowed. */
struct shard_job_settings {
    struct kv *kv;
    struct store *store;
    const struct names *names;
    const struct snapshot_settings *snapshot;
    const struct router *router;
    enum key_encoding key_encoding;
    const char *folder; /* for files in the making */
    uint64_t cache_bytes; /* of SQLite, a job */
};

/* Owned by whoever holds the pointer: member thread, queue, build thread, queue, member thread. */
struct shard_job {
    const struct shard_job_settings *settings;
    struct arena *arena;
    uint64_t build;
    const char *run_id;
    uint32_t shard;
    uint32_t attempt;
    uint32_t num_dbs;
    struct contribution *contribution; /* one user */
    const struct plan_range *ranges;   /* what PLAN takes of it (PROTOCOL R8) */
    size_t range_count;
    atomic_bool stop;
    struct message_attempt result; /* texts in the arena; member, incarnation and build are not set */
};

/* Copies texts and ranges of the command. `contribution` gets one user more. */
struct shard_job *shard_job_new(const struct shard_job_settings *settings,
                                const struct member_command *command,
                                struct contribution *contribution);
struct shard_job *shard_job_free(struct shard_job *job); /* takes NULL; returns NULL */

/* Builds and uploads; the result says whether it worked, so there is no error. A build thread. */
void shard_job_run(struct shard_job *job);

#endif
