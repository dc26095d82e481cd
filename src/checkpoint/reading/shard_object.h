/* A shard as it lies in the store: one object, or all below a folder. */
#ifndef TIDEMARK_CHECKPOINT_READING_SHARD_OBJECT_H
#define TIDEMARK_CHECKPOINT_READING_SHARD_OBJECT_H

#include "adapters/store.h"
#include "core/snapshot/backend.h"

/* All of these block on the store; any thread. `attempt`: the name of the attempt's directory, no
 * slash at its end. Errors: those of the store. */

/* What is opened: the shard file, or the directory itself. In the arena. */
const char *shard_object_name(const char *attempt, enum shard_backend backend, struct arena *arena);

/* The shard is there, with `bytes`. MISSING: it is not. CORRUPT: with others. A folder may hold
 * more: readers of SlateDB leave notes of their own in it. */
MUST_CHECK bool shard_object_check(struct store *store, const char *attempt,
                                   enum shard_backend backend, uint64_t bytes, struct err *err);

/* All of a folder, as the local folder `path`, which is there whole or not at all. `path` is not
 * there yet. MISSING: there is nothing of it. */
MUST_CHECK bool shard_object_fetch_folder(struct store *store, const char *attempt,
                                          const char *path, struct err *err);

#endif
