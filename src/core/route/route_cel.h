/* Routing by an expression: the part of core/route/route.h that evaluates it. */
#ifndef TIDEMARK_CORE_ROUTE_ROUTE_CEL_H
#define TIDEMARK_CORE_ROUTE_ROUTE_CEL_H

#include "core/route/route.h"

/* The router has its num_dbs and its sharding. As route_init. */
MUST_CHECK bool route_cel_init(struct router *router, bool infers, struct err *err);
struct route_scratch *route_cel_scratch_new(const struct router *router);
bool route_cel_needs_key_only(const struct router *router);

/* As route_record and route_by_columns. */
MUST_CHECK bool route_cel_record(const struct router *router, struct route_scratch *scratch,
                                 const struct record *record, uint64_t *ret_token,
                                 struct reject *ret_why);
MUST_CHECK bool route_cel_columns(const struct router *router, const struct logical_key *key,
                                  const struct route_column *columns, size_t count,
                                  struct arena *arena, uint64_t *ret_token, const char **ret_text,
                                  struct err *err);

#endif
