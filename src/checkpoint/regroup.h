/* The rows of one shard out of rows that were grouped before anybody knew the number of shards. */
#ifndef TIDEMARK_CHECKPOINT_REGROUP_H
#define TIDEMARK_CHECKPOINT_REGROUP_H

#include "core/route/route.h"
#include "core/spill/row_stream.h"

/* Where max_keys_per_shard decides the count at the close, all rows are stored as one group, and the
 * builder of a shard reads them all and keeps its own. Borrowed while a stream lives. */
struct regroup {
    const struct router *router; /* ROUTE_HASH_AT_CLOSE */
    enum key_encoding key_encoding;
    uint32_t num_dbs;
};

enum { REGROUP_GROUP = 0 }; /* the sections' group of such rows */

/* Ends `take_rows` with it. Errors of the stream: those of the rows, and CORRUPT for a stored key that
 * is none. */
struct row_stream *regroup_new(const struct regroup *regroup, uint32_t shard,
                               struct row_stream *take_rows);

#endif
