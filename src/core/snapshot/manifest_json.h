/* The JSON columns of a manifest: `sharding` and `custom`, to text and back. */
#ifndef TIDEMARK_CORE_SNAPSHOT_MANIFEST_JSON_H
#define TIDEMARK_CORE_SNAPSHOT_MANIFEST_JSON_H

#include "core/route/sharding.h"
#include "core/base/arena.h"
#include "core/base/json.h"

/* The custom member `sqlite_sidecar`: written whenever sidecars are on (section 8). */
struct manifest_sidecar {
    bool on;
    uint32_t page_size; /* 0: "auto", it varies by shard */
};

/* Exactly the members of the format, absent ones null; any other member is refused. Integers of
 * routing_values are exact up to 2^53 - 1 and refused above on reading (ERR_INPUT). */
void manifest_print_sharding(const struct sharding *sharding, struct buf *out);
MUST_CHECK bool manifest_parse_sharding(struct bytes text, struct arena *arena,
                                        struct sharding *ret_sharding, struct err *err);

/* `custom`: sqlite_sidecar and our lineage under `tidemark` (the text of a JSON object, opaque here;
 * empty: none); all else is passed over on reading. */
void manifest_print_custom(const struct manifest_sidecar *sidecar, struct bytes lineage,
                           struct buf *out);
MUST_CHECK bool manifest_parse_custom(struct bytes text, struct arena *arena,
                                      struct manifest_sidecar *ret_sidecar,
                                      struct bytes *ret_lineage, struct err *err);

#endif
