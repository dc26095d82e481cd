/* From a record to its shard, or to a token that becomes a shard when the shard count is known. */
#include "core/route/route.h"
#include "core/route/hash.h"

bool route_init(struct router *router, const struct sharding *sharding, uint32_t num_dbs,
                uint64_t max_keys_per_shard, struct err *err)
{
    if (sharding->strategy == SHARDING_CEL) {
        return err_set(err, ERR_SETTINGS, "routing by a CEL expression is not supported yet");
    }
    if ((num_dbs > 0) == (max_keys_per_shard > 0)) {
        return err_set(err, ERR_SETTINGS,
                       "either the number of shards or max_keys_per_shard must be given");
    }
    if (num_dbs > ROUTE_NUM_DBS_MAX) {
        return err_set(err, ERR_SETTINGS, "%u shards, at most %d are possible", num_dbs,
                       ROUTE_NUM_DBS_MAX);
    }
    *router = (struct router){
        .kind = num_dbs > 0 ? ROUTE_HASH : ROUTE_HASH_AT_CLOSE,
        .num_dbs = num_dbs,
        .max_keys_per_shard = max_keys_per_shard,
        .sharding = *sharding,
    };
    return true;
}

static uint64_t token_of(const struct router *router, struct bytes routing)
{
    uint64_t hash = hash_routing(routing);
    return router->kind == ROUTE_HASH ? hash_db_id(hash, router->num_dbs) : hash;
}

bool route_record(const struct router *router, const struct record *record, uint64_t *ret_token,
                  struct reject *ret_why)
{
    CHECK(router->kind != ROUTE_CEL);
    if (record->routing.data == NULL) {
        return reject_set(ret_why, REJECT_KEY_RANGE,
                          "an integer key above 9223372036854775807 cannot be routed by hash");
    }
    *ret_token = token_of(router, record->routing);
    return true;
}

bool route_key(const struct router *router, const struct logical_key *key, uint64_t *ret_token,
               struct err *err)
{
    CHECK(router->kind != ROUTE_CEL);
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
    if (router->kind == ROUTE_HASH) {
        CHECK(num_dbs == router->num_dbs && token < num_dbs);
        return (uint32_t)token;
    }
    CHECK(router->kind == ROUTE_HASH_AT_CLOSE);
    return hash_db_id(token, num_dbs);
}

bool route_num_dbs(const struct router *router, uint64_t rows, uint32_t *ret_num_dbs,
                   struct err *err)
{
    if (router->kind == ROUTE_HASH) {
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
