/* From a record to its shard, or to a token that becomes a shard when the shard count is known. */
#include "core/route/route.h"
#include "core/route/hash.h"
#include "core/route/route_cel.h"

static bool init_hash(struct router *router, uint32_t num_dbs, uint64_t max_keys_per_shard,
                      struct err *err)
{
    if ((num_dbs > 0) == (max_keys_per_shard > 0)) {
        return err_set(err, ERR_SETTINGS,
                       "either the number of shards or max_keys_per_shard must be given");
    }
    router->kind = num_dbs > 0 ? ROUTE_HASH : ROUTE_HASH_AT_CLOSE;
    return true;
}

bool route_init(struct router *router, const struct sharding *sharding, uint32_t num_dbs,
                uint64_t max_keys_per_shard, bool infers, struct err *err)
{
    *router = (struct router){
        .num_dbs = num_dbs, .max_keys_per_shard = max_keys_per_shard, .sharding = *sharding};
    if (num_dbs > ROUTE_NUM_DBS_MAX) {
        return err_set(err, ERR_SETTINGS, "%u shards, at most %d are possible", num_dbs,
                       ROUTE_NUM_DBS_MAX);
    }
    return sharding->strategy == SHARDING_HASH ? init_hash(router, num_dbs, max_keys_per_shard, err)
                                               : route_cel_init(router, infers, err);
}

void route_done(struct router *router)
{
    router->cel = cel_free(router->cel);
}

static bool is_hash(const struct router *router)
{
    return router->kind == ROUTE_HASH || router->kind == ROUTE_HASH_AT_CLOSE;
}

struct route_scratch *route_scratch_new(const struct router *router)
{
    return is_hash(router) ? NULL : route_cel_scratch_new(router);
}

bool route_needs_key_only(const struct router *router)
{
    return is_hash(router) || route_cel_needs_key_only(router);
}

static uint64_t token_of(const struct router *router, struct bytes routing)
{
    uint64_t hash = hash_routing(routing);
    return router->kind == ROUTE_HASH ? hash_db_id(hash, router->num_dbs) : hash;
}

bool route_record(const struct router *router, struct route_scratch *scratch,
                  const struct record *record, uint64_t *ret_token, struct reject *ret_why)
{
    if (!is_hash(router)) {
        return route_cel_record(router, scratch, record, ret_token, ret_why);
    }
    if (record->routing.data == NULL) {
        return reject_set(ret_why, REJECT_KEY_RANGE,
                          "an integer key above 9223372036854775807 cannot be routed by hash");
    }
    *ret_token = token_of(router, record->routing);
    return true;
}

bool route_by_columns(const struct router *router, const struct logical_key *key,
                      const struct route_column *columns, size_t count, struct arena *arena,
                      uint64_t *ret_token, const char **ret_text, struct err *err)
{
    if (!is_hash(router)) {
        return route_cel_columns(router, key, columns, count, arena, ret_token, ret_text, err);
    }
    if (count > 0) {
        return err_set(err, ERR_INPUT, "keys are divided by their hash: there is no column '%.60s'",
                       columns[0].name);
    }
    uint8_t scratch[KEY_INTEGER_BYTES_MAX];
    struct bytes routing;
    if (key_route(key, scratch, &routing) != REJECT_NONE) {
        return err_set(err, ERR_INPUT,
                       "an integer key outside -2^63 to 2^63 - 1 cannot be routed by hash");
    }
    *ret_token = token_of(router, routing);
    *ret_text = arena_format(arena, "%llu", (unsigned long long)hash_routing(routing));
    return true;
}

bool route_key(const struct router *router, const struct logical_key *key, uint64_t *ret_token,
               struct err *err)
{
    if (!is_hash(router)) {
        const char *text = NULL;
        AUTO(arena) struct arena *arena = arena_new(1024);
        return route_cel_columns(router, key, NULL, 0, arena, ret_token, &text, err);
    }
    uint8_t scratch[KEY_INTEGER_BYTES_MAX];
    struct bytes routing;
    if (key_route(key, scratch, &routing) != REJECT_NONE) {
        return err_set(err, ERR_INPUT,
                       "an integer key outside -2^63 to 2^63 - 1 cannot be routed by hash");
    }
    *ret_token = token_of(router, routing);
    return true;
}

uint32_t route_db_id(const struct router *router, uint64_t token, uint32_t num_dbs)
{
    if (router->kind == ROUTE_HASH_AT_CLOSE) {
        return hash_db_id(token, num_dbs);
    }
    CHECK(router->kind != ROUTE_CEL_INFERRED && token < num_dbs);
    CHECK(router->num_dbs == 0 || num_dbs == router->num_dbs);
    return (uint32_t)token;
}

bool route_shard(const struct router *router, const struct logical_key *key, uint32_t num_dbs,
                 uint32_t *ret_shard, struct err *err)
{
    uint64_t token = 0;
    TRY(route_key(router, key, &token, err));
    if (router->kind == ROUTE_CEL_DIRECT && token >= num_dbs) {
        return err_set(err, ERR_INPUT, "there is no shard %llu", (unsigned long long)token);
    }
    *ret_shard = route_db_id(router, token, num_dbs);
    return true;
}

bool route_num_dbs(const struct router *router, uint64_t rows, uint32_t *ret_num_dbs,
                   struct err *err)
{
    if (router->num_dbs > 0) {
        *ret_num_dbs = router->num_dbs;
        return true;
    }
    CHECK(router->kind == ROUTE_HASH_AT_CLOSE);
    uint64_t divisor = router->max_keys_per_shard;
    uint64_t count = rows / divisor + (rows % divisor != 0);
    if (count > ROUTE_NUM_DBS_MAX) {
        return err_set(err, ERR_LIMIT,
                       "%llu records at %llu a shard make %llu shards, at most %d are possible",
                       (unsigned long long)rows, (unsigned long long)divisor,
                       (unsigned long long)count, ROUTE_NUM_DBS_MAX);
    }
    *ret_num_dbs = count == 0 ? 1 : (uint32_t)count;
    return true;
}
