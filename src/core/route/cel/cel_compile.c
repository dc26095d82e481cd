/* From a checked tree to steps that run. */
#include "core/route/cel/cel_compile.h"

#include <stdlib.h>

#include "core/base/err.h"
#include "core/route/cel/cel_library.h"

struct compiler {
    struct arena *arena;
    struct cel_compiled *out;
    struct cel_problem *problem;
};

static bool is_constant(const struct cel_op *op)
{
    return op->run == cel_op_constant;
}

/* Works a step out whose children are all constants. What fails stays a step, and fails for each
 * record. */
static void fold(const struct compiler *compiler, struct cel_op *op)
{
    for (size_t i = 0; i < op->child_count; i++) {
        if (!is_constant(op->children[i])) {
            return;
        }
    }
    struct cel_frame frame = {.arena = compiler->arena};
    struct cel_value value;
    if (op->run(op, &frame, &value)) {
        op->run = cel_op_constant;
        op->constant = value;
    }
}

static void keep_pattern(struct compiler *compiler, struct cel_op *op)
{
    struct cel_compiled *out = compiler->out;
    struct bytes text = op->children[1]->constant.text;
    struct cel_foreign_pattern *pattern = cel_foreign_pattern_new(text.data, text.size);
    if (pattern == NULL) {
        op->run = cel_op_bad_pattern;
        return;
    }
    if (out->pattern_count == out->pattern_capacity) {
        out->pattern_capacity = out->pattern_capacity == 0 ? 4 : 2 * out->pattern_capacity;
        out->patterns = realloc(out->patterns, out->pattern_capacity * sizeof(void *));
        CHECK(out->patterns != NULL);
    }
    out->patterns[out->pattern_count++] = pattern;
    op->run = cel_op_matches;
    op->pattern = pattern;
}

/* A zone that stands in the expression is tried out at once, on 1970-01-01. */
static bool check_zone(struct compiler *compiler, const struct cel_node *node,
                       const struct cel_op *op)
{
    struct cel_value arguments[2] = {{.kind = CEL_TIMESTAMP, .span = {0}},
                                     op->children[1]->constant};
    struct cel_frame frame = {.arena = compiler->arena};
    struct cel_value value;
    return op->function(&frame, arguments, &value) ||
           cel_problem_set(compiler->problem, node->children[1]->at, "%s", frame.fault);
}

static bool compile_call(struct compiler *compiler, const struct cel_node *node, struct cel_op *op)
{
    op->run = cel_op_call;
    op->function = cel_library_function(node->name, node->child_count);
    CHECK(op->function != NULL); /* what the checker knows, the table has */
    bool second = node->child_count == 2 && is_constant(op->children[1]) &&
                  op->children[1]->constant.kind == CEL_STRING;
    if (second && bytes_equal(node->name, bytes_of_text("matches"))) {
        keep_pattern(compiler, op);
        return true;
    }
    if (second && node->name.size > 3 && memcmp(node->name.data, "get", 3) == 0) {
        return check_zone(compiler, node, op);
    }
    fold(compiler, op);
    return true;
}

static void compile_name(struct compiler *compiler, const struct cel_node *node, struct cel_op *op)
{
    op->slot = node->slot;
    switch (node->reference) {
    case CEL_COLUMN:
        op->run = cel_op_column;
        compiler->out->uses[node->slot] = true;
        return;
    case CEL_VARIABLE:
        op->run = cel_op_variable;
        return;
    case CEL_TYPE_NAME:
        op->run = cel_op_constant;
        return;
    }
}

static bool compile_node(struct compiler *compiler, const struct cel_node *node,
                         const struct cel_op **ret_op)
{
    struct cel_op *op = arena_zero(compiler->arena, sizeof *op);
    op->at = node->at;
    op->constant = node->constant;
    op->child_count = node->kind == CEL_NODE_NAME ? 0 : node->child_count;
    op->children = arena_zero(compiler->arena, (op->child_count + 1) * sizeof(void *));
    for (size_t i = 0; i < op->child_count; i++) {
        TRY(compile_node(compiler, node->children[i], &op->children[i]));
    }
    *ret_op = op;
    switch (node->kind) {
    case CEL_NODE_CONSTANT:
        op->run = cel_op_constant;
        return true;
    case CEL_NODE_NAME:
        compile_name(compiler, node, op);
        return true;
    case CEL_NODE_SELECT:
    case CEL_NODE_HAS:
        op->run = node->kind == CEL_NODE_HAS ? cel_op_has : cel_op_select;
        op->constant = cel_value_string(node->name);
        return true;
    case CEL_NODE_CALL:
        return compile_call(compiler, node, op);
    case CEL_NODE_AND:
    case CEL_NODE_OR:
        op->run = node->kind == CEL_NODE_OR ? cel_op_or : cel_op_and;
        return true;
    case CEL_NODE_TERNARY:
        op->run = cel_op_ternary;
        return true;
    case CEL_NODE_LIST:
    case CEL_NODE_MAP:
        op->run = node->kind == CEL_NODE_MAP ? cel_op_map : cel_op_list;
        fold(compiler, op);
        return true;
    case CEL_NODE_LOOP:
        op->run = cel_op_loop_run;
        op->loop = node->loop;
        op->slot = node->slot;
        return true;
    }
    CHECK(!"a node of no kind");
    return false;
}

bool cel_compile(const struct cel_node *root, size_t column_count, struct arena *arena,
                 struct cel_compiled *out, struct cel_problem *problem)
{
    struct compiler compiler = {.arena = arena, .out = out, .problem = problem};
    *out = (struct cel_compiled){.uses = arena_zero(arena, column_count + 1)};
    return compile_node(&compiler, root, &out->root);
}

void cel_compile_done(struct cel_compiled *compiled)
{
    for (size_t i = 0; i < compiled->pattern_count; i++) {
        cel_foreign_pattern_free(compiled->patterns[i]);
    }
    free(compiled->patterns);
    *compiled = (struct cel_compiled){0};
}
