/* Shard files of SQLite: one table kv, as SNAPSHOT-FORMAT section 6 has it. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_SQLITE_KV_H
#define TIDEMARK_ADAPTERS_SQLITE_SQLITE_KV_H

#include "adapters/kv.h"

/* The driver; it has no state and is never freed. */
struct kv *sqlite_kv(void);

/* Of the library: "3.40.1". Files of this driver do not depend on it. */
const char *sqlite_kv_version(void);

#endif
