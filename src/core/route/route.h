/* From a record to its shard, or to a token that becomes a shard when the shard count is known. */
#ifndef TIDEMARK_CORE_ROUTE_ROUTE_H
#define TIDEMARK_CORE_ROUTE_ROUTE_H

#include "core/base/err.h"
#include "core/record/reject.h"
#include "core/route/cel/cel.h"
#include "core/route/sharding.h"
#include "core/route/token_table.h"

/* A PLAN lists every shard in one record of the ledger; and five digits of a db_id sort by name. */
enum { ROUTE_NUM_DBS_MAX = 65536 };

/* What a token is. Rows are held in groups, by the token where it is a small number. */
enum route_kind {
    ROUTE_HASH,          /* fixed count: the token is the db_id */
    ROUTE_HASH_AT_CLOSE, /* count known at the close: the token is the 64-bit hash */
    ROUTE_CEL_DIRECT,    /* an expression's integer: the token is the db_id */
    ROUTE_CEL_LISTED,    /* categorical: the token is the db_id, the value's index in the list */
    ROUTE_CEL_INFERRED,  /* categorical, list known at the close: the token is the value's number in
                            the table of the scratch */
};

/* Made once from settings or a manifest, then read-only: any thread. */
struct router {
    enum route_kind kind;
    uint32_t num_dbs;            /* where it is fixed; else 0 until known */
    uint64_t max_keys_per_shard; /* ROUTE_HASH_AT_CLOSE */
    struct sharding sharding;    /* as the manifest will say it */
    struct cel *cel;             /* NULL for hash */
};

/* Hash: num_dbs > 0 is a fixed count; 0: max_keys_per_shard > 0 decides at the close. CEL: num_dbs
 * is the count of direct shards, 0: their ids tell at the close; with routing_values it is 0 or
 * their number; `infers`: the values tell at the close. ERR_SETTINGS: what does not go together, a
 * count above ROUTE_NUM_DBS_MAX, an expression that does not compile or whose values can be no
 * tokens; the message has the place of a fault, "…, at character 5". */
MUST_CHECK bool route_init(struct router *router, const struct sharding *sharding, uint32_t num_dbs,
                           uint64_t max_keys_per_shard, bool infers, struct err *err);
void route_done(struct router *router); /* a zeroed one will do */

/* Why an expression with values of that kind (CEL_KINDS: not known) cannot route so; NULL: it can.
 * With a list `of_text` says what the list holds. */
const char *route_result_fault(enum cel_kind kind, bool has_list, bool of_text, bool infers);

/* What one thread needs to route; NULL for hash, which needs nothing. */
struct route_scratch;
struct route_scratch *route_scratch_new(const struct router *router);
struct route_scratch *route_scratch_free(struct route_scratch *scratch); /* takes NULL */

/* Of ROUTE_CEL_INFERRED: all tokens that were ever given. */
const struct token_table *route_scratch_tokens(const struct route_scratch *scratch);

/* The routing token of a record. False: REJECT_KEY_RANGE, an integer key above 2^63 - 1, which has
 * no routing bytes; REJECT_ROUTE: the expression fails for it, or gives what is no shard. */
MUST_CHECK bool route_record(const struct router *router, struct route_scratch *scratch,
                             const struct record *record, uint64_t *ret_token,
                             struct reject *ret_why);

/* The same for a key alone, as a reader or `tidemark route` has it; by an expression that names no
 * other column. ERR_INPUT; of an inferred list ERR_SETTINGS. */
MUST_CHECK bool route_key(const struct router *router, const struct logical_key *key,
                          uint64_t *ret_token, struct err *err);

/* A column's value as a user gives it. */
struct route_column {
    const char *name;
    const char *text;
};

/* For a key and columns: *ret_text is the expression's value, in `arena`, for people. ERR_INPUT: a
 * column that is missing, unknown or not of its type; a value that leads to no shard. */
MUST_CHECK bool route_by_columns(const struct router *router, const struct logical_key *key,
                                 const struct route_column *columns, size_t count,
                                 struct arena *arena, uint64_t *ret_token, const char **ret_text,
                                 struct err *err);

/* Does a key alone lead to its shard? */
bool route_needs_key_only(const struct router *router);

/* Are rows held without a group, until the count is known? */
static inline bool route_groups_at_close(const struct router *router)
{
    return router->kind == ROUTE_HASH_AT_CLOSE || router->kind == ROUTE_CEL_INFERRED;
}

/* The group that rows of a token are held in. */
static inline uint32_t route_group(const struct router *router, uint64_t token)
{
    return router->kind == ROUTE_HASH_AT_CLOSE ? 0 : (uint32_t)token;
}

/* The shard of a token in a build of `num_dbs` shards; not for inferred lists. */
uint32_t route_db_id(const struct router *router, uint64_t token, uint32_t num_dbs);

/* The shard of a key in a build of `num_dbs` shards, where the key alone leads there; not for
 * inferred lists. ERR_INPUT: to none. */
MUST_CHECK bool route_shard(const struct router *router, const struct logical_key *key,
                            uint32_t num_dbs, uint32_t *ret_shard, struct err *err);

/* The count of a build: num_dbs where it is fixed, else max(1, ceil(rows / max_keys_per_shard)),
 * `rows` being the input records of the build before duplicates are replaced. Hash alone.
 * ERR_LIMIT: more than ROUTE_NUM_DBS_MAX. */
MUST_CHECK bool route_num_dbs(const struct router *router, uint64_t rows, uint32_t *ret_num_dbs,
                              struct err *err);

/* The expression that divides by columns (snapshot format, section 5): one column of int, uint,
 * string or bytes stands bare, all others in string(), several are joined by `separator`;
 * num_dbs > 0: their hash modulo that. */
const char *route_expression(const struct sharding_column *columns, size_t count,
                             const char *separator, uint32_t num_dbs, struct arena *arena);

/* A token of an inferred list as the ledger has it, "i:-7" or "s:text", as a routing value. Text is
 * a view. False: it is none. */
MUST_CHECK bool route_value_of_token(const char *token, struct logical_key *ret_value);
/* And back, in the arena. */
const char *route_token_of_value(const struct logical_key *value, struct arena *arena);

#endif
