/* Shard files that were downloaded, kept in a local folder for the next reader. */
#ifndef TIDEMARK_CHECKPOINT_READING_SHARD_CACHE_H
#define TIDEMARK_CHECKPOINT_READING_SHARD_CACHE_H

#include "adapters/store.h"
#include "core/snapshot/attempt.h"

/* The cache is a file store. A file is named by (db_url, checkpoint_id), which readers may rely on
 * to mean its bytes (snapshot format, section 3); where a manifest has no checkpoint_id, the
 * object's tag stands in. Several processes may share a folder: a file is there whole or not at
 * all, and one that is deleted while it is open goes on to be read.
 *
 * All functions block on disk and store; any thread. */
struct shard_cache {
    struct store *borrowed_files; /* a file store */
    uint64_t bytes_max;           /* the oldest downloads go when it is passed; 0: no limit */
};

/* The local path of the shard's file, downloaded from `name` of `store` unless it is there. Adds to
 * `path`. Errors: those of the store; CORRUPT: its size is not the manifest's db_bytes. */
MUST_CHECK bool shard_cache_fetch(const struct shard_cache *cache, struct store *store,
                                  const char *name, const struct attempt *shard, struct buf *path,
                                  struct err *err);

/* The same of a shard that is a folder of files. */
MUST_CHECK bool shard_cache_fetch_folder(const struct shard_cache *cache, struct store *store,
                                         const char *name, const struct attempt *shard,
                                         struct buf *path, struct err *err);

/* Whether it is there already; a shard without checkpoint_id counts as not there, because telling
 * would ask the store. */
bool shard_cache_has(const struct shard_cache *cache, const struct attempt *shard);

/* Deletes oldest downloads first until the rest fits into bytes_max. */
MUST_CHECK bool shard_cache_trim(const struct shard_cache *cache, struct err *err);

#endif
