/* A shard of a state without new rows: the last file is copied within the store. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_CARRY_OVER_H
#define TIDEMARK_CHECKPOINT_SHARDS_CARRY_OVER_H

#include "adapters/store.h"
#include "core/snapshot/attempt.h"

struct carry_over_request {
    struct store *store;
    const struct attempt *from; /* the base's; NULL: it is empty there, but for its order object */
    const char *order_from;     /* the base's attempt with its order object; NULL: none */
    const char *folder;         /* of the attempt's objects, as names_attempt says */
    bool sidecar;
};

/* Copies shard.db with its sidecar and its order object, of which *ret_order_bytes is the size (0:
 * none). The sidecar names the tag of the very object beside it (snapshot
 * format, section 7): where the copy has another tag than its source, the sidecar is made again
 * around its body. Without a sidecar to be had the shard goes without one, as after an upload.
 * MISSING: the shard's file, or its order object, is gone. */
MUST_CHECK bool carry_over(const struct carry_over_request *request, uint64_t *ret_order_bytes,
                           struct err *err);

#endif
