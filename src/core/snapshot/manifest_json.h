/* The JSON columns of a manifest: `sharding` and `custom`, to text and back. */
#ifndef TIDEMARK_CORE_SNAPSHOT_MANIFEST_JSON_H
#define TIDEMARK_CORE_SNAPSHOT_MANIFEST_JSON_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/record/vector.h"
#include "core/route/sharding.h"
#include "core/snapshot/backend.h"

/* The custom member `sqlite_sidecar` (snapshot format, section 8). */
struct manifest_sidecar {
    bool on;            /* sidecars of version 8 are there; false also for what we do not know */
    uint32_t page_size; /* 0: "auto", it varies by shard */
};

/* The custom member `vector` (section 8): what sqlite-vec has beside the rows. */
struct manifest_vector {
    uint32_t dim; /* 0: the snapshot has no vectors that we know to read */
    enum vector_metric metric;
};

/* Exactly the members of the format, absent ones null; any other member is refused. An integer of
 * routing_values is exact up to 2^53 - 1, and refused above (ERR_INPUT). */
void manifest_print_sharding(const struct sharding *sharding, struct buf *out);
MUST_CHECK bool manifest_parse_sharding(struct bytes text, struct arena *arena,
                                        struct sharding *ret_sharding, struct err *err);

/* A member of a writer's own, as it was set. */
struct manifest_member {
    const char *name;
    const char *json; /* any JSON value */
};

enum { MANIFEST_MEMBERS_MAX = 64, MANIFEST_MEMBER_BYTES_MAX = 64 * 1024 };

struct manifest_custom {
    struct manifest_sidecar sidecar;
    struct manifest_vector vector;
    struct bytes lineage;       /* a JSON object, as it is under `tidemark`; empty: none */
    enum shard_backend backend; /* as the lineage has it; SQLite without one. Only read back */
    const struct manifest_member *members; /* printed; not read back */
    size_t member_count;                   /* up to MANIFEST_MEMBERS_MAX */
};

/* NULL: it may be a member of one's own; else why not. */
const char *manifest_member_problem(const char *name);

/* Members by name. ERR_INPUT: a lineage that is no JSON object, a member that is no JSON. */
MUST_CHECK bool manifest_print_custom(const struct manifest_custom *custom, struct buf *out,
                                      struct err *err);

/* Members of others are passed over. The lineage's text is in `arena`. ERR_INPUT: not an object, or
 * a `tidemark` that is none. */
MUST_CHECK bool manifest_parse_custom(struct bytes text, struct arena *arena,
                                      struct manifest_custom *ret_custom, struct err *err);

#endif
