/* Shards of SlateDB: each is a folder of files (docs/slatedb.md). In builds with
 * TIDEMARK_WITH_SLATEDB only. */
#ifndef TIDEMARK_ADAPTERS_SLATEDB_SLATEDB_KV_H
#define TIDEMARK_ADAPTERS_SLATEDB_SLATEDB_KV_H

#include "adapters/kv.h"

/* The driver; it has no state and is never freed. */
struct kv *slatedb_kv(void);

const char *slatedb_kv_version(void); /* of the crate: "0.17.0" */

#endif
