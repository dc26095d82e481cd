/* The macros of CEL: calls that the parser turns into something else. */
#include "core/route/cel/cel_macro.h"

#include "core/base/check.h"

struct cel_node *cel_macro_has(struct arena *arena, size_t at, struct cel_node_list arguments,
                               struct cel_problem *problem)
{
    struct cel_node *field = arguments.nodes[0];
    if (field->kind != CEL_NODE_SELECT) {
        cel_problem_set(problem, field->at, "has() takes a field selection, as in has(a.b)");
        return NULL;
    }
    struct cel_node *node =
        cel_node_new(arena, CEL_NODE_HAS, at,
                     (struct cel_node_list){.nodes = field->children, .count = 1}, problem);
    node->name = field->name;
    return cel_node_raise(node, at, problem) ? node : NULL; /* the selection was a level */
}

struct cel_node *cel_macro_loop(struct arena *arena, struct cel_token name,
                                struct cel_node_list children, bool *out_is_macro,
                                struct cel_problem *problem)
{
    static const struct {
        const char *name;
        size_t arguments;
        enum cel_loop loop;
    } macros[] = {{"all", 2, CEL_LOOP_ALL},
                  {"exists", 2, CEL_LOOP_EXISTS},
                  {"exists_one", 2, CEL_LOOP_EXISTS_ONE},
                  {"filter", 2, CEL_LOOP_FILTER},
                  {"map", 2, CEL_LOOP_MAP},
                  {"map", 3, CEL_LOOP_MAP_IF}};
    *out_is_macro = false;
    for (size_t i = 0; i < LENGTH_OF(macros); i++) {
        if (children.count != macros[i].arguments + 1 ||
            !bytes_equal(name.text, bytes_of_text(macros[i].name))) {
            continue;
        }
        *out_is_macro = true;
        struct cel_node *variable = children.nodes[1];
        if (variable->kind != CEL_NODE_NAME || variable->is_rooted ||
            bytes_equal(variable->name, bytes_of_text("__result__"))) {
            cel_problem_set(problem, variable->at,
                            "the first argument of this macro is the name of its variable");
            return NULL;
        }
        struct cel_node *node = cel_node_new(arena, CEL_NODE_LOOP, name.at, children, problem);
        if (node != NULL) {
            node->loop = macros[i].loop;
            node->name = variable->name;
            memmove(&children.nodes[1], &children.nodes[2],
                    (children.count - 2) * sizeof(struct cel_node *));
            node->child_count--;
        }
        return node;
    }
    return NULL;
}
