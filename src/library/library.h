/* What the parts of the library share: a snapshot, and errors as its users see them. */
#ifndef TIDEMARK_LIBRARY_LIBRARY_H
#define TIDEMARK_LIBRARY_LIBRARY_H

#include "checkpoint/reading/snapshot_reader.h"
#include "library/library_options.h"

struct tidemark_snapshot {
    struct tidemark_options *options;
    struct arena *arena;
    struct store *store;
    struct store *cache_files;
    struct shard_cache cache;
    struct snapshot_reader *reader;
    struct kv *vector_kv; /* with sqlite-vec; NULL: there are no vectors, or no option … */
    struct snapshot_reader *searcher; /* … and by it the same snapshot, whose vectors are searched
                                       */
    const char *lineage;
};

/* The code of an error, which is also put into `error` (may be NULL). */
enum tidemark_code library_fail(const struct err *err, struct tidemark_error *error);
/* TIDEMARK_OK, and an empty `error`. */
enum tidemark_code library_ok(struct tidemark_error *error);

/* INVALID: the snapshot's keys are not like that. A view into `key`. */
MUST_CHECK bool library_key(const struct tidemark_snapshot *snapshot,
                            const struct tidemark_key *key, struct logical_key *ret_key,
                            struct err *err);

#endif
