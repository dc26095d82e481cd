/* From the text of an expression to its tree, macros included. */
#include "core/route/cel/cel_parse.h"

#include "core/base/err.h"
#include "core/route/cel/cel_lex.h"
#include "core/route/cel/cel_literal.h"
#include "core/route/cel/cel_macro.h"

struct parser {
    struct cel_lexer lexer;
    struct cel_token token; /* the next one, not used yet */
    struct arena *arena;
    struct cel_problem *problem;
    size_t nesting;
};

static struct cel_node *parse_expression(struct parser *parser);

static struct cel_node *fail(struct parser *parser, size_t at, const char *text)
{
    cel_problem_set(parser->problem, at, "%s", text);
    return NULL;
}

static bool advance(struct parser *parser)
{
    return cel_lex_next(&parser->lexer, &parser->token, parser->problem);
}

static bool at_mark(const struct parser *parser, char mark)
{
    return parser->token.kind == CEL_TOKEN_MARK && parser->token.mark == mark;
}

static bool expect(struct parser *parser, char mark)
{
    if (!at_mark(parser, mark)) {
        return cel_problem_set(parser->problem, parser->token.at, "'%c' is expected here", mark);
    }
    return advance(parser);
}

static struct cel_node *new_node(struct parser *parser, enum cel_node_kind kind, size_t at,
                                 struct cel_node_list children)
{
    return cel_node_new(parser->arena, kind, at, children, parser->problem);
}

static struct cel_node *new_call(struct parser *parser, const char *name, size_t at,
                                 struct cel_node *first, struct cel_node *second)
{
    struct cel_node_list children = {0};
    cel_node_add(parser->arena, &children, first);
    if (second != NULL) {
        cel_node_add(parser->arena, &children, second);
    }
    struct cel_node *node = new_node(parser, CEL_NODE_CALL, at, children);
    if (node != NULL) {
        node->name = bytes_of_text(name);
    }
    return node;
}

/* Arguments up to `end`, which is passed over; `trailing`: a comma may stand behind the last. */
static bool parse_arguments(struct parser *parser, char end, bool trailing,
                            struct cel_node_list *list)
{
    while (!at_mark(parser, end)) {
        struct cel_node *node = parse_expression(parser);
        if (node == NULL) {
            return false;
        }
        cel_node_add(parser->arena, list, node);
        if (!at_mark(parser, ',')) {
            break;
        }
        TRY(advance(parser));
        if (at_mark(parser, end) && !trailing) {
            return cel_problem_set(parser->problem, parser->token.at,
                                   "an argument is expected here");
        }
    }
    return expect(parser, end);
}

static bool parse_entries(struct parser *parser, struct cel_node_list *list)
{
    while (!at_mark(parser, '}')) {
        struct cel_node *key = parse_expression(parser);
        if (key == NULL || !expect(parser, ':')) {
            return false;
        }
        struct cel_node *value = parse_expression(parser);
        if (value == NULL) {
            return false;
        }
        cel_node_add(parser->arena, list, key);
        cel_node_add(parser->arena, list, value);
        if (!at_mark(parser, ',')) {
            break;
        }
        TRY(advance(parser));
    }
    return expect(parser, '}');
}

/* `,` alone stands in an empty list or map, as the grammar has it. */
static struct cel_node *parse_container(struct parser *parser, bool is_map)
{
    size_t at = parser->token.at;
    struct cel_node_list items = {0};
    char end = is_map ? '}' : ']';
    if (!advance(parser)) {
        return NULL;
    }
    if (at_mark(parser, ',')) {
        if (!advance(parser) || !expect(parser, end)) {
            return NULL;
        }
    } else if (!(is_map ? parse_entries(parser, &items)
                        : parse_arguments(parser, end, true, &items))) {
        return NULL;
    }
    return new_node(parser, is_map ? CEL_NODE_MAP : CEL_NODE_LIST, at, items);
}

static struct cel_node *parse_literal(struct parser *parser, bool negative)
{
    struct cel_node *node =
        new_node(parser, CEL_NODE_CONSTANT, parser->token.at, (struct cel_node_list){0});
    if (!cel_literal_value(&parser->token, negative, parser->arena, &node->constant,
                           parser->problem) ||
        !advance(parser)) {
        return NULL;
    }
    return node;
}

static struct cel_node *parse_name(struct parser *parser)
{
    bool rooted = at_mark(parser, '.');
    if (rooted && !advance(parser)) {
        return NULL;
    }
    struct cel_token token = parser->token;
    if (token.kind != CEL_TOKEN_NAME) {
        return fail(parser, token.at, "a name is expected here");
    }
    if (!advance(parser)) {
        return NULL;
    }
    if (at_mark(parser, '(')) {
        size_t at = parser->token.at;
        struct cel_node_list arguments = {0};
        if (!advance(parser) || !parse_arguments(parser, ')', false, &arguments)) {
            return NULL;
        }
        if (!rooted && arguments.count == 1 && bytes_equal(token.text, bytes_of_text("has"))) {
            return cel_macro_has(parser->arena, token.at, arguments, parser->problem);
        }
        struct cel_node *call = new_node(parser, CEL_NODE_CALL, at, arguments);
        if (call != NULL) {
            call->name = token.text;
            call->at = token.at;
        }
        return call;
    }
    if (cel_lex_is_reserved(token.text)) {
        return fail(parser, token.at, "a reserved word cannot be a name");
    }
    struct cel_node *node = new_node(parser, CEL_NODE_NAME, token.at, (struct cel_node_list){0});
    node->name = token.text;
    node->is_rooted = rooted;
    return node;
}

static struct cel_node *parse_primary(struct parser *parser)
{
    switch ((int)parser->token.kind) {
    case CEL_TOKEN_INT:
    case CEL_TOKEN_UINT:
    case CEL_TOKEN_DOUBLE:
    case CEL_TOKEN_STRING:
    case CEL_TOKEN_BYTES:
    case CEL_TOKEN_TRUE:
    case CEL_TOKEN_FALSE:
    case CEL_TOKEN_NULL:
        return parse_literal(parser, false);
    case CEL_TOKEN_NAME:
        return parse_name(parser);
    default:
        break;
    }
    if (at_mark(parser, '.')) {
        return parse_name(parser);
    }
    if (at_mark(parser, '[') || at_mark(parser, '{')) {
        return parse_container(parser, at_mark(parser, '{'));
    }
    if (at_mark(parser, '(')) {
        if (!advance(parser)) {
            return NULL;
        }
        struct cel_node *node = parse_expression(parser);
        return node != NULL && expect(parser, ')') ? node : NULL;
    }
    return fail(parser, parser->token.at,
                parser->token.kind == CEL_TOKEN_END ? "the expression ends too early"
                                                    : "an expression is expected here");
}

static struct cel_node *parse_member_call(struct parser *parser, struct cel_node *target,
                                          struct cel_token name)
{
    struct cel_node_list children = {0};
    cel_node_add(parser->arena, &children, target);
    if (!advance(parser) || !parse_arguments(parser, ')', false, &children)) {
        return NULL;
    }
    bool is_macro = false;
    struct cel_node *loop =
        cel_macro_loop(parser->arena, name, children, &is_macro, parser->problem);
    if (is_macro) {
        return loop;
    }
    struct cel_node *call = new_node(parser, CEL_NODE_CALL, name.at, children);
    if (call != NULL) {
        call->name = name.text;
        call->is_member = true;
    }
    return call;
}

static struct cel_node *parse_select(struct parser *parser, struct cel_node *target)
{
    size_t at = parser->token.at;
    if (!advance(parser)) {
        return NULL;
    }
    struct cel_token name = parser->token;
    if (name.kind != CEL_TOKEN_NAME && name.kind != CEL_TOKEN_QUOTED_NAME) {
        return fail(parser, name.at, "the name of a field or function is expected here");
    }
    if (!advance(parser)) {
        return NULL;
    }
    if (name.kind == CEL_TOKEN_NAME && at_mark(parser, '(')) {
        return parse_member_call(parser, target, name);
    }
    struct cel_node_list children = {0};
    cel_node_add(parser->arena, &children, target);
    struct cel_node *node = new_node(parser, CEL_NODE_SELECT, at, children);
    if (node != NULL) {
        node->name = name.kind == CEL_TOKEN_NAME ? name.text
                                                 : bytes_of(name.text.data + 1, name.text.size - 2);
    }
    return node;
}

static struct cel_node *parse_member(struct parser *parser, struct cel_node *node)
{
    while (node != NULL) {
        if (at_mark(parser, '.')) {
            node = parse_select(parser, node);
        } else if (at_mark(parser, '[')) {
            size_t at = parser->token.at;
            struct cel_node *index = advance(parser) ? parse_expression(parser) : NULL;
            if (index == NULL || !expect(parser, ']')) {
                return NULL;
            }
            node = new_call(parser, "_[_]", at, node, index);
        } else if (at_mark(parser, '{') &&
                   (node->kind == CEL_NODE_NAME || node->kind == CEL_NODE_SELECT)) {
            return fail(parser, parser->token.at, "messages cannot be made here");
        } else {
            return node;
        }
    }
    return NULL;
}

/* `-5` is a literal; of `--5` and `!!a` pairs are nothing, but a level of the tree. */
static struct cel_node *parse_unary(struct parser *parser)
{
    if (!at_mark(parser, '-') && !at_mark(parser, '!')) {
        return parse_member(parser, parse_primary(parser));
    }
    char mark = parser->token.mark;
    size_t at = parser->token.at;
    size_t count = 0;
    while (at_mark(parser, mark)) {
        count++;
        if (!advance(parser)) {
            return NULL;
        }
    }
    bool number = parser->token.kind == CEL_TOKEN_INT || parser->token.kind == CEL_TOKEN_DOUBLE;
    if (mark == '-' && count == 1 && number) {
        struct cel_node *literal = parse_literal(parser, true);
        return parse_member(parser, literal);
    }
    struct cel_node *operand = parse_member(parser, parse_primary(parser));
    if (operand == NULL) {
        return NULL;
    }
    if (count % 2 == 0) {
        return cel_node_raise(operand, at, parser->problem) ? operand : NULL;
    }
    return new_call(parser, mark == '-' ? "-_" : "!_", at, operand, NULL);
}

static const char *product_name(const struct parser *parser)
{
    return at_mark(parser, '*')   ? "_*_"
           : at_mark(parser, '/') ? "_/_"
           : at_mark(parser, '%') ? "_%_"
                                  : NULL;
}

static const char *sum_name(const struct parser *parser)
{
    return at_mark(parser, '+') ? "_+_" : at_mark(parser, '-') ? "_-_" : NULL;
}

static const char *relation_name(const struct parser *parser)
{
    switch ((int)parser->token.kind) {
    case CEL_TOKEN_EQUAL:
        return "_==_";
    case CEL_TOKEN_NOT_EQUAL:
        return "_!=_";
    case CEL_TOKEN_LESS:
        return "_<_";
    case CEL_TOKEN_LESS_EQUAL:
        return "_<=_";
    case CEL_TOKEN_MORE:
        return "_>_";
    case CEL_TOKEN_MORE_EQUAL:
        return "_>=_";
    case CEL_TOKEN_IN:
        return "@in";
    default:
        return NULL;
    }
}

/* Operators of one rank, to the left first. Rank 0: relations, 1: sums, 2: products. */
static struct cel_node *parse_binary(struct parser *parser, int rank)
{
    static const char *(*const names[])(const struct parser *) = {relation_name, sum_name,
                                                                  product_name};
    struct cel_node *left = rank == 2 ? parse_unary(parser) : parse_binary(parser, rank + 1);
    while (left != NULL) {
        const char *name = names[rank](parser);
        if (name == NULL) {
            return left;
        }
        size_t at = parser->token.at;
        if (!advance(parser)) {
            return NULL;
        }
        struct cel_node *right = rank == 2 ? parse_unary(parser) : parse_binary(parser, rank + 1);
        left = right == NULL ? NULL : new_call(parser, name, at, left, right);
    }
    return NULL;
}

/* a && b && c is one node, and so is a || b || c. */
static struct cel_node *parse_logic(struct parser *parser, enum cel_token_kind operator)
{
    bool is_or = operator== CEL_TOKEN_OR;
    struct cel_node_list terms = {0};
    size_t at = parser->token.at;
    for (;;) {
        struct cel_node *term = is_or ? parse_logic(parser, CEL_TOKEN_AND)
                                      : parse_binary(parser, 0);
        if (term == NULL) {
            return NULL;
        }
        cel_node_add(parser->arena, &terms, term);
        if (parser->token.kind != operator) {
            break;
        }
        at = parser->token.at;
        if (!advance(parser)) {
            return NULL;
        }
    }
    return terms.count == 1 ? terms.nodes[0]
                            : new_node(parser, is_or ? CEL_NODE_OR : CEL_NODE_AND, at, terms);
}

static struct cel_node *parse_ternary(struct parser *parser)
{
    struct cel_node_list parts = {0};
    struct cel_node *condition = parse_logic(parser, CEL_TOKEN_OR);
    if (condition == NULL || !at_mark(parser, '?')) {
        return condition;
    }
    size_t at = parser->token.at;
    struct cel_node *yes = advance(parser) ? parse_logic(parser, CEL_TOKEN_OR) : NULL;
    struct cel_node *no = yes != NULL && expect(parser, ':') ? parse_expression(parser) : NULL;
    if (no == NULL) {
        return NULL;
    }
    cel_node_add(parser->arena, &parts, condition);
    cel_node_add(parser->arena, &parts, yes);
    cel_node_add(parser->arena, &parts, no);
    return new_node(parser, CEL_NODE_TERNARY, at, parts);
}

static struct cel_node *parse_expression(struct parser *parser)
{
    if (parser->nesting == CEL_NESTING_MAX) {
        return fail(parser, parser->token.at, "nested too deeply: more than 32 brackets");
    }
    parser->nesting++;
    struct cel_node *node = parse_ternary(parser);
    parser->nesting--;
    return node;
}

bool cel_parse(struct bytes text, struct arena *arena, struct cel_node **ret_root,
               struct cel_problem *problem)
{
    if (text.size > CEL_TEXT_MAX) {
        return cel_problem_set(problem, 0, "longer than %d bytes", CEL_TEXT_MAX);
    }
    if (!bytes_are_utf8(text)) {
        return cel_problem_set(problem, 0, "not UTF-8");
    }
    struct parser parser = {.lexer = {.text = text}, .arena = arena, .problem = problem};
    TRY(advance(&parser));
    struct cel_node *root = parse_expression(&parser);
    if (root == NULL) {
        return false;
    }
    if (parser.token.kind != CEL_TOKEN_END) {
        return cel_problem_set(problem, parser.token.at, "an operator is expected here");
    }
    *ret_root = root;
    return true;
}
