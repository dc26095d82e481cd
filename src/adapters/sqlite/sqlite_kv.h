/* Shard files of SQLite: one table kv, as SNAPSHOT-FORMAT section 6 has it. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_SQLITE_KV_H
#define TIDEMARK_ADAPTERS_SQLITE_SQLITE_KV_H

#include "adapters/kv.h"

/* The driver; it has no state and is never freed. */
struct kv *sqlite_kv(void);

/* "3.40.1": it is in the header of every file, so it goes into the lineage. */
const char *sqlite_kv_version(void);

#endif
