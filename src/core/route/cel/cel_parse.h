/* From the text of an expression to its tree, macros included. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_PARSE_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_PARSE_H

#include "core/base/arena.h"
#include "core/route/cel/cel_node.h"
#include "core/route/cel/cel_problem.h"

/* What readers refuse, nobody may write: their parser stops at these, and at CEL_HEIGHT_MAX. */
enum {
    CEL_NESTING_MAX = 33, /* of expressions in brackets, arguments and branches */
    CEL_TEXT_MAX = 100000,
};

/* `text` must live as long as the tree. */
MUST_CHECK bool cel_parse(struct bytes text, struct arena *arena, struct cel_node **ret_root,
                          struct cel_problem *problem);

#endif
