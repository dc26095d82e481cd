/* The steps of a compiled expression. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_OP_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_OP_H

#include "core/route/cel/cel_foreign.h"
#include "core/route/cel/cel_frame.h"
#include "core/route/cel/cel_node.h"

/* Gives the value of a step, its children's included. False: frame->fault. */
struct cel_op;
typedef bool cel_step(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret);

/* Made once, then read-only. */
struct cel_op {
    cel_step *run;
    const struct cel_op **children;
    size_t child_count;
    struct cel_value constant; /* of a constant; the field's name of a selection */
    size_t slot;               /* of a column or variable */
    cel_function *function;
    const struct cel_foreign_pattern *pattern; /* of a pattern that stands in the expression */
    enum cel_loop loop;
    size_t at; /* byte of the expression */
};

cel_step cel_op_constant, cel_op_column, cel_op_variable, cel_op_select, cel_op_has, cel_op_call,
    cel_op_matches, cel_op_bad_pattern, cel_op_and, cel_op_or, cel_op_ternary, cel_op_list,
    cel_op_map;

/* cel_op_loop.c: the macros */
cel_step cel_op_loop_run;

/* A map of `count` pairs "key, value, key, value, …", in memory of the frame. Keys may be neither
 * twice there nor of another type than bool, int, uint and string. */
bool cel_op_make_map(struct cel_frame *frame, const struct cel_value *pairs, size_t count,
                     struct cel_value *ret);

#endif
