/* The account of each partition, counted again, against what the manifest says. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_ACCOUNT_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_ACCOUNT_H

#include "consumer/verify/verify_plan.h"
#include "consumer/verify/verify_report.h"
#include "core/spill/dedupe.h"

/* What was counted of one partition of the plan. */
struct verify_count {
    struct ready_partition ready;
    struct dedupe_source stored; /* over all shards; only with all of them */
    uint64_t lost; /* records of the manifest's account that the log does not hold any more: the log
                      cleaner took them; 0 where that cannot be */
};

/* `counts` in the order of the plan's partitions. `whole`: every shard was made. Pure. */
void verify_account(const struct verify_plan *plan, const struct verify_count *counts, bool whole,
                    struct verify_report *report);

/* Records that are in the account and not in the log. */
uint64_t verify_account_lost(const struct verify_partition *partition,
                             const struct ready_partition *ready);

#endif
