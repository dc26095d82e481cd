/* The JSON columns of a manifest: `sharding` and `custom`, to text and back. */
#ifndef TIDEMARK_CORE_SNAPSHOT_MANIFEST_JSON_H
#define TIDEMARK_CORE_SNAPSHOT_MANIFEST_JSON_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/route/sharding.h"

/* The custom member `sqlite_sidecar` (snapshot format, section 8). */
struct manifest_sidecar {
    bool on;            /* sidecars of version 8 are there; false also for what we do not know */
    uint32_t page_size; /* 0: "auto", it varies by shard */
};

/* Exactly the members of the format, absent ones null; any other member is refused. An integer of
 * routing_values is exact up to 2^53 - 1, and refused above (ERR_INPUT). */
void manifest_print_sharding(const struct sharding *sharding, struct buf *out);
MUST_CHECK bool manifest_parse_sharding(struct bytes text, struct arena *arena,
                                        struct sharding *ret_sharding, struct err *err);

/* `lineage`: a JSON object, printed as it is under `tidemark`; empty: none. ERR_INPUT: it is no
 * JSON object. */
MUST_CHECK bool manifest_print_custom(const struct manifest_sidecar *sidecar, struct bytes lineage,
                                      struct buf *out, struct err *err);

/* Members of others are passed over. `ret_lineage`: the text of the member, in `arena`; empty:
 * none. ERR_INPUT: not an object, or a `tidemark` that is none. */
MUST_CHECK bool manifest_parse_custom(struct bytes text, struct arena *arena,
                                      struct manifest_sidecar *ret_sidecar,
                                      struct bytes *ret_lineage, struct err *err);

#endif
