/* XXH3-64 of routing bytes, and the shard it leads to (snapshot format, section 5). */
#include <xxhash.h>

#include "core/base/check.h"
#include "core/route/hash.h"

uint64_t hash_routing(struct bytes routing)
{
    return XXH3_64bits(routing.size == 0 ? "" : (const void *)routing.data, routing.size);
}

uint32_t hash_db_id(uint64_t hash, uint32_t num_dbs)
{
    CHECK(num_dbs > 0);
    return (uint32_t)(hash % num_dbs);
}
