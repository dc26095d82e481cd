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

/* Copies shard.db, and makes its sidecar again around the body of the old one: the sidecar names
 * the tag of the very object beside it, and a copy may have another (snapshot format, section 7).
 * Without a sidecar to be had the shard goes without one, as after an upload. MISSING: the shard's
 * file is gone. *ret_page_size is 0 where no sidecar tells it. */
MUST_CHECK bool carry_over(const struct carry_over_request *request, uint32_t *ret_page_size,
                           struct err *err);

#endif
