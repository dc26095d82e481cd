/* Expressions of the Common Expression Language that route records (snapshot format, section 5). */
#include "core/route/cel/cel.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/err.h"
#include "core/route/cel/cel_check.h"
#include "core/route/cel/cel_compile.h"
#include "core/route/cel/cel_lex.h"
#include "core/route/cel/cel_parse.h"

enum { ARENA_CHUNK = 4096, SCRATCH_CHUNK = 16 * 1024, FAULT_MAX = 160 };

struct cel {
    struct arena *arena;
    struct bytes expression;
    struct cel_compiled compiled;
    enum cel_kind result;
};

struct cel_scratch {
    struct arena *arena;
    struct cel_value variables[CEL_HEIGHT_MAX];
    char fault[FAULT_MAX];
};

const char *cel_column_name_fault(struct bytes name)
{
    enum cel_kind kind;
    if (!cel_lex_is_name(name)) {
        return "is no name in CEL: letters, digits and '_', no digit first";
    }
    if (cel_lex_is_reserved(name)) {
        return "is a reserved word of CEL";
    }
    if (cel_check_type_name(name, &kind) || bytes_equal(name, bytes_of_text("dyn"))) {
        return "is a type of CEL";
    }
    return NULL;
}

static bool check_columns(const struct sharding_column *columns, size_t count,
                          struct cel_problem *problem)
{
    for (size_t i = 0; i < count; i++) {
        const char *fault = cel_column_name_fault(bytes_of_text(columns[i].name));
        for (size_t j = 0; j < i && fault == NULL; j++) {
            if (strcmp(columns[i].name, columns[j].name) == 0) {
                fault = "is there twice";
            }
        }
        if (fault != NULL) {
            return cel_problem_set(problem, 0, "the column '%.60s' %s", columns[i].name, fault);
        }
    }
    return true;
}

static enum cel_kind kind_of(const struct cel_type *type)
{
    switch (type->kind) {
    case CEL_TYPE_OF_KIND:
        return type->of;
    case CEL_TYPE_LIST_OF:
        return CEL_LIST;
    case CEL_TYPE_MAP_OF:
        return CEL_MAP;
    case CEL_TYPE_TYPE:
        return CEL_TYPE;
    case CEL_TYPE_DYN:
    case CEL_TYPE_FREE:
        break;
    }
    return CEL_KINDS;
}

bool cel_new(struct bytes expression, const struct sharding_column *columns, size_t column_count,
             struct cel **ret_cel, struct cel_problem *problem)
{
    TRY(check_columns(columns, column_count, problem));
    struct cel *cel = calloc(1, sizeof *cel);
    CHECK(cel != NULL);
    cel->arena = arena_new(ARENA_CHUNK);
    cel->expression = bytes_of_text(arena_text(cel->arena, expression));
    cel->expression.size = expression.size; /* a NUL byte in it is for the lexer to refuse */
    struct cel_node *root = NULL;
    struct cel_types types = {.arena = cel->arena};
    if (!cel_parse(cel->expression, cel->arena, &root, problem) ||
        !cel_check(root, columns, column_count, &types, problem) ||
        !cel_compile(root, column_count, cel->arena, &cel->compiled, problem)) {
        cel_free(cel);
        return false;
    }
    cel->result = kind_of(cel_type_resolve(&types, root->type));
    *ret_cel = cel;
    return true;
}

struct cel *cel_free(struct cel *cel)
{
    if (cel != NULL) {
        cel_compile_done(&cel->compiled);
        arena_free(cel->arena);
        free(cel);
    }
    return NULL;
}

void cel_auto(struct cel **cel)
{
    cel_free(*cel);
}

bool cel_uses_column(const struct cel *cel, size_t column)
{
    return cel->compiled.uses[column];
}

enum cel_kind cel_result_kind(const struct cel *cel)
{
    return cel->result;
}

struct cel_scratch *cel_scratch_new(void)
{
    struct cel_scratch *scratch = calloc(1, sizeof *scratch);
    CHECK(scratch != NULL);
    scratch->arena = arena_new(SCRATCH_CHUNK);
    return scratch;
}

struct cel_scratch *cel_scratch_free(struct cel_scratch *scratch)
{
    if (scratch != NULL) {
        arena_free(scratch->arena);
        free(scratch);
    }
    return NULL;
}

struct arena *cel_scratch_arena(struct cel_scratch *scratch)
{
    arena_reset(scratch->arena);
    return scratch->arena;
}

const char *cel_scratch_fault(const struct cel_scratch *scratch)
{
    return scratch->fault;
}

static size_t column_at(struct bytes expression, size_t at)
{
    size_t column = 1;
    for (size_t i = 0; i < at && i < expression.size; i++) {
        column += (expression.data[i] & 0xc0) != 0x80;
    }
    return column;
}

bool cel_eval(const struct cel *cel, const struct cel_binding *bindings,
              struct cel_scratch *scratch, struct cel_value *ret)
{
    struct cel_frame frame = {
        .columns = bindings, .variables = scratch->variables, .arena = scratch->arena};
    const struct cel_op *root = cel->compiled.root;
    if (root->run(root, &frame, ret) && !frame.fatal) {
        return true;
    }
    snprintf(scratch->fault, sizeof scratch->fault, "%s (at character %zu of the expression)",
             frame.fault, column_at(cel->expression, frame.fault_at));
    return false;
}
