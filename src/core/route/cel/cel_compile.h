/* From a checked tree to steps that run. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_COMPILE_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_COMPILE_H

#include "core/route/cel/cel_node.h"
#include "core/route/cel/cel_op.h"
#include "core/route/cel/cel_problem.h"

struct cel_compiled {
    const struct cel_op *root;
    bool *uses; /* by column */
    struct cel_foreign_pattern **patterns;
    size_t pattern_count;
    size_t pattern_capacity;
};

/* What is constant is worked out here, once. Steps live in `arena`. False: a time zone that is none
 * of those that can be known everywhere. Call cel_compile_done() in any case. */
MUST_CHECK bool cel_compile(const struct cel_node *root, size_t column_count, struct arena *arena,
                            struct cel_compiled *out, struct cel_problem *problem);
void cel_compile_done(struct cel_compiled *compiled);

#endif
