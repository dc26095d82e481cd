/* The rows of a state before this build, as one of the sorted streams of a merge. */
#ifndef TIDEMARK_CHECKPOINT_BASE_ROWS_H
#define TIDEMARK_CHECKPOINT_BASE_ROWS_H

#include "adapters/kv.h"
#include "core/record/key.h"
#include "core/route/route.h"

/* Where shards are divided otherwise now, or keys have another encoding: which rows of a file of
 * the base belong into a shard. */
struct base_rule {
    const struct router *router; /* of now; it needs the key alone */
    uint32_t num_dbs;
    uint32_t shard;
    enum key_encoding from; /* both hold integers, or neither */
    enum key_encoding to;
};

/* All rows of the file, or those that `rule` takes, keys as they are stored now, ascending.
 * CORRUPT: a key that is none of its encoding; INPUT: one that the new encoding cannot hold. */
MUST_CHECK bool base_rows_open(struct kv_file *file, const struct base_rule *borrowed_rule,
                               struct row_stream **ret_rows, struct err *err);

/* Under hash routing a shard of `num_dbs` can hold keys of an older shard only if both numbers are
 * the same modulo the greatest common divisor of both counts. */
bool base_rows_may_share(uint32_t shard, uint32_t num_dbs, uint32_t old_shard,
                         uint32_t old_num_dbs);

#endif
