/* From a record to its shard, or to a token that becomes a shard when the shard count is known. */
#ifndef TIDEMARK_CORE_ROUTE_ROUTE_H
#define TIDEMARK_CORE_ROUTE_ROUTE_H

#include "core/base/err.h"
#include "core/record/reject.h"
#include "core/route/sharding.h"

/* A PLAN lists every shard in one record of the ledger; and five digits of a db_id sort by name. */
enum { ROUTE_NUM_DBS_MAX = 65536 };

enum route_kind {
    ROUTE_HASH,          /* fixed count: the token is the db_id */
    ROUTE_HASH_AT_CLOSE, /* count known at the close: the token is the 64-bit hash */
    ROUTE_CEL,           /* by an expression: not supported yet, refused by route_init */
};

/* Made once from settings or a manifest, then read-only: any thread. */
struct router {
    enum route_kind kind;
    uint32_t num_dbs;            /* ROUTE_HASH; else 0 until known */
    uint64_t max_keys_per_shard; /* ROUTE_HASH_AT_CLOSE */
    struct sharding sharding;    /* as the manifest will say it */
};

/* num_dbs > 0: a fixed count. num_dbs 0: max_keys_per_shard > 0 decides at the close. ERR_SETTINGS:
 * both or neither given, a count above ROUTE_NUM_DBS_MAX, CEL. */
MUST_CHECK bool route_init(struct router *router, const struct sharding *sharding, uint32_t num_dbs,
                           uint64_t max_keys_per_shard, struct err *err);

/* The routing token of a record. False: REJECT_KEY_RANGE, an integer key above 2^63 - 1, which has
 * no routing bytes. */
MUST_CHECK bool route_record(const struct router *router, const struct record *record,
                             uint64_t *ret_token, struct reject *ret_why);

/* The same for a key alone, as a reader or `tidemark route` has it. ERR_INPUT. */
MUST_CHECK bool route_key(const struct router *router, const struct logical_key *key,
                          uint64_t *ret_token, struct err *err);

/* The shard of a token in a build of `num_dbs` shards. */
uint32_t route_db_id(const struct router *router, uint64_t token, uint32_t num_dbs);

/* The count of a build: num_dbs where it is fixed, else max(1, ceil(rows / max_keys_per_shard)),
 * `rows` being the input records of the build before duplicates are replaced. ERR_LIMIT: more than
 * ROUTE_NUM_DBS_MAX. */
MUST_CHECK bool route_num_dbs(const struct router *router, uint64_t rows, uint32_t *ret_num_dbs,
                              struct err *err);

#endif
