/* The sidecar's body of a local shard file. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_SHARD_SIDECAR_H
#define TIDEMARK_CHECKPOINT_SHARDS_SHARD_SIDECAR_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* The body (SNAPSHOT-FORMAT section 7) of the shard file at `path`, added to `to`. It is made
 * before the upload, which may take the file away; the ETag is known after it and goes in front
 * with sidecar_encode(). *ret_page_size is the file's. Blocks. Errors: MISSING, TRANSIENT, CORRUPT
 * (too short), INPUT (not a file of ours), LIMIT (`to` is full). A sidecar is best effort: failing
 * never fails the shard. `whole_rows`: as kv_written has it; few of the file's pages are read then.
 */
MUST_CHECK bool shard_sidecar_body(const char *path, bool whole_rows, struct buf *to,
                                   uint32_t *ret_page_size, struct err *err);

#endif
