/* Gives every node of an expression its type, or says why it has none. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_CHECK_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_CHECK_H

#include "core/route/cel/cel_node.h"
#include "core/route/cel/cel_problem.h"
#include "core/route/sharding.h"

/* Fills type, reference and slot of every node. Columns must have names that are names. `types`
 * must be empty but for its arena, and lives as long as the tree. */
MUST_CHECK bool cel_check(struct cel_node *root, const struct sharding_column *columns,
                          size_t column_count, struct cel_types *types,
                          struct cel_problem *problem);

/* The type that a name of the language stands for, as in type(x) == int. */
MUST_CHECK bool cel_check_type_name(struct bytes name, enum cel_kind *ret_kind);

#endif
