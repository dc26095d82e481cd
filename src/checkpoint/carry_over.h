/* A shard of a state without new rows: the last file is copied within the store. */
#ifndef TIDEMARK_CHECKPOINT_CARRY_OVER_H
#define TIDEMARK_CHECKPOINT_CARRY_OVER_H

#include "adapters/store.h"
#include "core/snapshot/attempt.h"

struct carry_over_request {
    struct store *store;
    const struct attempt *from; /* the base's */
    const char *folder;         /* of the attempt's objects, as names_attempt says */
    bool sidecar;
};

/* Copies shard.db and its sidecar. The sidecar names the tag of the very object beside it (snapshot
 * format, section 7): where the copy has another tag than its source, the sidecar is made again
 * around its body. Without a sidecar to be had the shard goes without one, as after an upload.
 * MISSING: the shard's file is gone. */
MUST_CHECK bool carry_over(const struct carry_over_request *request, struct err *err);

#endif
