/* Which driver serves shards of other kinds than the ordinary one. */
#ifndef TIDEMARK_CONSUMER_WIRING_WIRING_KV_H
#define TIDEMARK_CONSUMER_WIRING_WIRING_KV_H

#include "adapters/kv.h"
#include "core/settings.h"

/* A file of its own, so that a program that reads SQLite's shards alone, as the C library does, is
 * not linked with SlateDB. */

/* The driver of that backend; not freed. SETTINGS: this build does not have it. */
MUST_CHECK bool wiring_backend_kv(enum shard_backend backend, struct kv **ret_kv, struct err *err);

/* The same, and that for a snapshot with vectors where `vectors->dim` says so; kv_free ends it.
 * SETTINGS also: sqlite-vec cannot be loaded. */
MUST_CHECK bool wiring_open_kv(enum shard_backend backend, const struct vector_settings *vectors,
                               struct kv **ret_kv, struct err *err);

/* Of what lays out the files of such shards: the writer of SQLite files, or the backend's library.
 * "": SQLite itself does (shards with vectors), or this build does not have the backend. */
const char *wiring_kv_version(enum shard_backend backend, uint32_t vector_dim);

#endif
