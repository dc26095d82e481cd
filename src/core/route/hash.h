/* XXH3-64 of routing bytes, and the shard it leads to (snapshot format, section 5). */
#ifndef TIDEMARK_CORE_ROUTE_HASH_H
#define TIDEMARK_CORE_ROUTE_HASH_H

#include "core/base/bytes.h"

uint64_t hash_routing(struct bytes routing); /* seed 0 */

/* Unsigned 64-bit remainder; num_dbs > 0 (CHECK). */
uint32_t hash_db_id(uint64_t hash, uint32_t num_dbs);

#endif
