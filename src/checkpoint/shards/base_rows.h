/* The rows of a state before this build, as one of the sorted streams of a merge. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_BASE_ROWS_H
#define TIDEMARK_CHECKPOINT_SHARDS_BASE_ROWS_H

#include "adapters/kv.h"
#include "core/record/key.h"
#include "core/record/vector.h"
#include "core/route/route.h"
#include "core/spill/row_set.h"

/* Where shards are divided otherwise now, or keys have another encoding: which rows of a file of
 * the base belong into a shard. */
struct base_rule {
    const struct router *router; /* of now; it needs the key alone */
    uint32_t num_dbs;
    uint32_t shard;
    enum key_encoding from; /* both hold integers, or neither */
    enum key_encoding to;
    uint32_t vector_dim;       /* 0: rows have no vectors; else they are packed with them … */
    enum vector_metric metric; /* … which must do for this one */
};

/* A shard of the base, open. */
struct base_file {
    struct kv_file *rows;  /* NULL: it had deleted keys alone */
    struct row_set *order; /* its order object (checkpoint/spill/order_file.h); NULL: its rows are
                              older than all others */
};

/* All rows of the file, or those that `rule` takes, keys as they are stored now, ascending; with an
 * order object the deleted keys, too, as tombstones. `borrowed_map` is by source of that object;
 * SOURCE_NONE: older than all others. CORRUPT: a key that is none of its encoding, a file and an
 * order object that do not belong together; INPUT: a key that the new encoding cannot hold, unless
 * it is a deleted one; a vector that the metric of today has no use for. */
MUST_CHECK bool base_rows_open(const struct base_file *file, const uint32_t *borrowed_map,
                               const struct base_rule *borrowed_rule, struct row_stream **ret_rows,
                               struct err *err);

/* Under hash routing a shard of `num_dbs` can hold keys of an older shard only if both numbers are
 * the same modulo the greatest common divisor of both counts. */
bool base_rows_may_share(uint32_t shard, uint32_t num_dbs, uint32_t old_shard,
                         uint32_t old_num_dbs);

#endif
