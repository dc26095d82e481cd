/* A finished shard file goes into the store, under a URL that nobody else writes. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_UPLOAD_H
#define TIDEMARK_CHECKPOINT_SHARDS_UPLOAD_H

#include "adapters/kv.h"
#include "adapters/store.h"
#include "core/base/arena.h"

struct upload_request {
    struct store *store;
    const char *folder;     /* name of the attempt's directory in the store, no slash at its end */
    const char *path;       /* of the local file, or folder; gone after success. NULL: no rows */
    const char *order_path; /* of its order object, gone after success; NULL: none */
    bool sidecar;           /* of a file */
    bool whole_rows;        /* as kv_written has it */
    const struct kv_features *kv;
    const atomic_bool *stop; /* ends it when it becomes true (STOPPED); NULL: nothing does */
};

/* The order object first, without which the shard is not whole. Of a folder then all files, one by
 * one, under their own names; those that name the others last. Else shard.db, then its sidecar,
 * which carries its ETag. A sidecar that cannot be made or stored
 * is logged and left out (snapshot format, section 7). Build threads. Errors: as store_put_settled.
 */
MUST_CHECK bool upload_shard(const struct upload_request *request, struct err *err);

#endif
