/* The macros of CEL: calls that the parser turns into something else. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_MACRO_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_MACRO_H

#include "core/route/cel/cel_lex.h"
#include "core/route/cel/cel_node.h"

/* has(argument). NULL: the argument is no field selection. */
struct cel_node *cel_macro_has(struct arena *arena, size_t at, struct cel_node_list arguments,
                               struct cel_problem *problem);

/* range.name(variable, …): the children of the call are the range and the arguments. NULL with
 * `*out_is_macro` false: the call is no macro; NULL with it true: it is a wrong one. */
struct cel_node *cel_macro_loop(struct arena *arena, struct cel_token name,
                                struct cel_node_list children, bool *out_is_macro,
                                struct cel_problem *problem);

#endif
