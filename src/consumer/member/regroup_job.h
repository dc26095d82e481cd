/* A contribution whose rows are grouped anew, by a shard count that was known only at the close. */
#ifndef TIDEMARK_CONSUMER_MEMBER_REGROUP_JOB_H
#define TIDEMARK_CONSUMER_MEMBER_REGROUP_JOB_H

#include "checkpoint/shards/build_thread.h"
#include "checkpoint/spill/contribution.h"
#include "consumer/rows/budget.h"
#include "core/record/key.h"
#include "core/route/route.h"

struct regroup_settings { /* borrowed */
    const struct router *router;
    enum key_encoding key_encoding;
    const char *folder; /* for spills */
    struct budget *budget;
};

/* One pass over the rows that the build takes: hash, buffer, spill when memory is short. */
struct regroup_job {
    struct work work;
    const struct regroup_settings *settings;
    struct contribution *from; /* one user */
    uint32_t num_dbs;
    const char **values; /* routing_values, sorted as the ledger has them; NULL: keys are hashed */
    bool ok;
    struct err err;
    struct contribution *result; /* one user; NULL unless ok */
};

/* `routing_values`: `num_dbs` of them, or NULL; copied. */
struct regroup_job *regroup_job_new(const struct regroup_settings *settings, const char *run_id,
                                    struct contribution *from, uint32_t num_dbs,
                                    const char *const *routing_values);

#endif
