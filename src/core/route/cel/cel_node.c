/* The tree of an expression: made by the parser, given types by the checker. */
#include "core/route/cel/cel_node.h"

void cel_node_add(struct arena *arena, struct cel_node_list *list, struct cel_node *node)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : 2 * list->capacity;
        struct cel_node **nodes = arena_alloc(arena, capacity * sizeof(struct cel_node *));
        if (list->count > 0) {
            memcpy(nodes, list->nodes, list->count * sizeof(struct cel_node *));
        }
        list->nodes = nodes;
        list->capacity = capacity;
    }
    list->nodes[list->count++] = node;
}

bool cel_node_raise(struct cel_node *node, size_t at, struct cel_problem *problem)
{
    node->height++;
    return node->height <= CEL_HEIGHT_MAX ||
           cel_problem_set(problem, at, "nested too deeply: a tree of more than 32 levels");
}

struct cel_node *cel_node_new(struct arena *arena, enum cel_node_kind kind, size_t at,
                              struct cel_node_list children, struct cel_problem *problem)
{
    struct cel_node *node = arena_zero(arena, sizeof *node);
    node->kind = kind;
    node->at = at;
    node->children = children.nodes;
    node->child_count = children.count;
    for (size_t i = 0; i < children.count; i++) {
        if (children.nodes[i]->height > node->height) {
            node->height = children.nodes[i]->height;
        }
    }
    return cel_node_raise(node, at, problem) ? node : NULL;
}
