/* The tree of an expression: made by the parser, given types by the checker. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_NODE_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_NODE_H

#include "core/route/cel/cel_problem.h"
#include "core/route/cel/cel_type.h"
#include "core/route/cel/cel_value.h"

enum { CEL_HEIGHT_MAX = 32 }; /* of the tree: readers refuse a higher one */

enum cel_node_kind {
    CEL_NODE_CONSTANT,
    CEL_NODE_NAME,   /* a column, a loop variable or a type */
    CEL_NODE_SELECT, /* child.name */
    CEL_NODE_HAS,    /* has(child.name) */
    CEL_NODE_CALL,   /* operators have names as in "_+_" */
    CEL_NODE_AND,    /* of two children or more */
    CEL_NODE_OR,
    CEL_NODE_TERNARY,
    CEL_NODE_LIST,
    CEL_NODE_MAP,  /* key, value, key, value, … */
    CEL_NODE_LOOP, /* a macro over a list or the keys of a map */
};

enum cel_loop {
    CEL_LOOP_ALL, /* children: range, condition */
    CEL_LOOP_EXISTS,
    CEL_LOOP_EXISTS_ONE,
    CEL_LOOP_FILTER,
    CEL_LOOP_MAP,    /* range, what each becomes */
    CEL_LOOP_MAP_IF, /* range, condition, what each becomes */
};

enum cel_reference { CEL_COLUMN, CEL_VARIABLE, CEL_TYPE_NAME };

/* Lives in the arena of the compilation. */
struct cel_node {
    enum cel_node_kind kind;
    size_t at;     /* byte of the expression: of the operator, where there is one */
    size_t height; /* as readers count it: a leaf is 1 */
    struct bytes name;
    bool is_member; /* CALL: the first child is the receiver */
    bool is_rooted; /* NAME: written with a '.' before it, so never a loop variable */
    enum cel_loop loop;
    struct cel_value constant;
    struct cel_node **children;
    size_t child_count;
    /* the checker's */
    const struct cel_type *type;
    enum cel_reference reference; /* NAME */
    size_t slot;                  /* of the column, or of the variable (NAME, LOOP) */
};

/* Children while their number is not known. */
struct cel_node_list {
    struct cel_node **nodes;
    size_t count;
    size_t capacity;
};

void cel_node_add(struct arena *arena, struct cel_node_list *list, struct cel_node *node);

/* NULL when the tree grows too high. */
struct cel_node *cel_node_new(struct arena *arena, enum cel_node_kind kind, size_t at,
                              struct cel_node_list children, struct cel_problem *problem);

/* One level more, which holds nothing. */
MUST_CHECK bool cel_node_raise(struct cel_node *node, size_t at, struct cel_problem *problem);

#endif
