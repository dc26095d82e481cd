/* Which driver serves what: this and wiring_kv.h alone name concrete ones. */
#ifndef TIDEMARK_CONSUMER_WIRING_WIRING_H
#define TIDEMARK_CONSUMER_WIRING_WIRING_H

#include "adapters/kv.h"
#include "adapters/store.h"
#include "core/settings.h"

/* The store of a URL: a folder for file://, an S3-compatible server for s3://. `settings` NULL: the
 * defaults; credentials always come from the environment, profile or instance, never from here.
 * Asks nothing of the server. Errors: SETTINGS. */
MUST_CHECK bool wiring_open_store(const char *url, const struct store_settings *settings,
                                  struct store **ret_store, struct err *err);

/* What writers that crashed left half-written in a store that keeps such things: for a service that
 * starts. Errors: as the driver's. */
MUST_CHECK bool wiring_sweep_store(struct store *store, struct err *err);

/* The driver of ordinary shard files, SQLite's. Not freed. */
struct kv *wiring_kv(void);
const char *wiring_sqlite_version(void); /* of the library: "3.40.1" */
/* That for snapshots with vectors; kv_free ends it. SETTINGS: sqlite-vec cannot be loaded. */
MUST_CHECK bool wiring_vector_kv(const struct vector_settings *vectors, struct kv **ret_kv,
                                 struct err *err);

#endif
