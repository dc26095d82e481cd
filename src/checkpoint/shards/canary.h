/* Which of the keys that a gate wants are in a shard. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_CANARY_H
#define TIDEMARK_CHECKPOINT_SHARDS_CANARY_H

#include "adapters/kv.h"
#include "adapters/store.h"
#include "core/record/key.h"
#include "core/route/route.h"

/* All borrowed. */
struct canary_search {
    struct kv *kv;
    enum key_encoding key_encoding;
    const char *const *keys; /* as `tidemark get` takes them */
    size_t key_count;
    const struct router *router; /* keys of other shards are not looked up, where a key alone tells:
                                    not by an expression over other columns, nor by an inferred
                                    list; then each key is looked up in every shard */
    uint32_t num_dbs;
    uint32_t shard;
};

/* In a shard file that was just made. The texts are those of `keys`, the list is the arena's. */
MUST_CHECK bool canary_find_in_file(const struct canary_search *search, const char *path,
                                    struct arena *arena, const char *const **ret_found,
                                    size_t *ret_count, struct err *err);

/* In the shard of an attempt's folder, read by range: a few pages for a key. */
MUST_CHECK bool canary_find_in_store(const struct canary_search *search, struct store *store,
                                     const char *folder, struct arena *arena,
                                     const char *const **ret_found, size_t *ret_count,
                                     struct err *err);

#endif
