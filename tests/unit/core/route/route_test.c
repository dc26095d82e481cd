/* Is a record's shard the same, whether the count is known before or only at the close? */
#include <criterion/criterion.h>

#include "core/base/rng.h"
#include "core/route/route.h"

static const struct sharding by_hash = {.strategy = SHARDING_HASH};
static const struct sharding by_cel = {.strategy = SHARDING_CEL, .cel_expr = "key % 4"};

static const struct {
    const struct sharding *sharding;
    uint32_t num_dbs;
    uint64_t max_keys;
    bool ok;
} settings[] = {
    {&by_hash, 1, 0, true},  {&by_hash, ROUTE_NUM_DBS_MAX, 0, true},
    {&by_hash, 0, 1, true},  {&by_hash, ROUTE_NUM_DBS_MAX + 1, 0, false},
    {&by_hash, 0, 0, false}, {&by_hash, 3, 7, false},
    {&by_cel, 4, 0, false},
};

Test(route, settings)
{
    for (size_t i = 0; i < LENGTH_OF(settings); i++) {
        struct router router;
        struct err err = {0};
        cr_assert_eq(route_init(&router, settings[i].sharding, settings[i].num_dbs,
                                settings[i].max_keys, false, &err),
                     settings[i].ok, "row %zu: %s", i, err.message);
        cr_assert_eq(err.kind, settings[i].ok ? ERR_NONE : ERR_SETTINGS);
    }
}

static const struct {
    uint64_t rows;
    uint64_t max_keys;
    uint32_t num_dbs; /* 0: too many */
} counts[] = {
    {0, 10, 1},         {1, 10, 1},    {10, 10, 1},
    {11, 10, 2},        {20, 10, 2},   {21, 10, 3},
    {65536, 1, 65536},  {65537, 1, 0}, {UINT64_MAX, UINT64_MAX, 1},
    {UINT64_MAX, 1, 0},
};

Test(route, count_at_close)
{
    for (size_t i = 0; i < LENGTH_OF(counts); i++) {
        struct router router;
        struct err err = {0};
        cr_assert(route_init(&router, &by_hash, 0, counts[i].max_keys, false, &err));
        uint32_t num_dbs = 0;
        cr_assert_eq(route_num_dbs(&router, counts[i].rows, &num_dbs, &err),
                     counts[i].num_dbs != 0);
        cr_assert_eq(num_dbs, counts[i].num_dbs);
    }
}

/* Random keys: the late count, the early count and the key alone agree, and all shards are hit. */
Test(route, same_shard_either_way)
{
    struct rng rng;
    rng_init(&rng, 11);
    for (uint32_t num_dbs = 1; num_dbs <= 64; num_dbs *= 4) {
        struct router fixed;
        struct router late;
        struct err err = {0};
        cr_assert(route_init(&fixed, &by_hash, num_dbs, 0, false, &err));
        cr_assert(route_init(&late, &by_hash, 0, 100, false, &err));
        uint32_t hits[64] = {0};
        for (int i = 0; i < 20000; i++) {
            uint8_t data[40];
            size_t size = (size_t)rng_below(&rng, sizeof data + 1);
            for (size_t j = 0; j < size; j++) {
                data[j] = (uint8_t)rng_next(&rng);
            }
            struct record record = {.key = bytes_of(data, size), .routing = bytes_of(data, size)};
            struct logical_key key = key_of_bytes(record.key);
            struct reject why;
            uint64_t token = 0;
            cr_assert(route_record(&fixed, NULL, &record, &token, &why));
            uint32_t db_id = route_db_id(&fixed, token, num_dbs);
            cr_assert_lt(db_id, num_dbs);
            cr_assert(route_record(&late, NULL, &record, &token, &why));
            cr_assert_eq(route_db_id(&late, token, num_dbs), db_id);
            uint64_t by_key = 0;
            cr_assert(route_key(&late, &key, &by_key, &err));
            cr_assert_eq(by_key, token);
            hits[db_id]++;
        }
        for (uint32_t i = 0; i < num_dbs; i++) {
            cr_assert_gt(hits[i], 20000 / num_dbs / 2);
        }
    }
}

Test(route, integers_beyond_the_routing_range)
{
    struct router router;
    struct err err = {0};
    cr_assert(route_init(&router, &by_hash, 3, 0, false, &err));
    struct record record = {.key = bytes_of("12345678", 8), .routing = {0}};
    struct reject why = {0};
    uint64_t token = 0;
    cr_assert_not(route_record(&router, NULL, &record, &token, &why));
    cr_assert_eq(why.cause, REJECT_KEY_RANGE);
    struct logical_key key = key_of_u64(UINT64_C(1) << 63);
    cr_assert_not(route_key(&router, &key, &token, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
}
