/* Page-cache sidecar, version 8: the inner pages of a shard file in one object (snapshot format,
 * section 7). */
#ifndef TIDEMARK_CORE_SNAPSHOT_SIDECAR_H
#define TIDEMARK_CORE_SNAPSHOT_SIDECAR_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/snapshot/sidecar_body.h"

enum { SIDECAR_VERSION = 8, SIDECAR_TAG_MAX = 255, SIDECAR_ZSTD_LEVEL = 3 };

/* Prefix and zstd frame (with content size and checksum) around a body. `etag`: of shard.db as the
 * store's HEAD returns it, quotes included; longer than SIDECAR_TAG_MAX or NULL: no tag. ERR_LIMIT:
 * `out` is full. */
MUST_CHECK bool sidecar_encode(struct bytes body, uint32_t page_size, const char *etag,
                               struct buf *out, struct err *err);

struct sidecar {
    uint32_t page_size;
    struct bytes tag;         /* a view into the object */
    struct bytes body_bytes;  /* decompressed; the arena's */
    struct sidecar_body body; /* views into body_bytes */
};

/* Foreign bytes to a checked sidecar. ERR_INPUT: anything that is not version 8 as written by us or
 * the library. `body_max`: the largest body that is accepted, in bytes. */
MUST_CHECK bool sidecar_decode(struct bytes object, size_t body_max, struct arena *arena,
                               struct sidecar *ret_sidecar, struct err *err);

#endif
