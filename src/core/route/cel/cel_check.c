/* Gives every node of an expression its type, or says why it has none. */
#include "core/route/cel/cel_check.h"

#include "core/base/err.h"
#include "core/route/cel/cel_library.h"
#include "core/route/cel/cel_parse.h"

enum { ARGUMENTS_MAX = 2, TYPE_TEXT_MAX = 120, NAME_SHOWN_MAX = 60 };

struct variable {
    struct bytes name;
    const struct cel_type *type;
};

struct checker {
    const struct sharding_column *columns;
    size_t column_count;
    struct cel_types *types;
    struct cel_problem *problem;
    struct variable variables[CEL_HEIGHT_MAX]; /* loops around the node, outermost first */
    size_t variable_count;
};

static bool check_node(struct checker *checker, struct cel_node *node);

static int shown(struct bytes name)
{
    return name.size > NAME_SHOWN_MAX ? NAME_SHOWN_MAX : (int)name.size;
}

/* "(int, string)" */
static void print_types(struct checker *checker, struct cel_node *const *nodes, size_t count,
                        struct buf *out)
{
    buf_add_byte(out, '(');
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i == 0 ? "" : ", ");
        cel_type_print(checker->types, nodes[i]->type, out);
    }
    buf_add_byte(out, ')');
}

/* An argument of a signature; `free_types`: A and B, made when they are met first. */
static const struct cel_type *signature_type(struct checker *checker, char letter,
                                             const struct cel_type *free_types[2])
{
    static const char letters[] = "iudbsyntr";
    static const enum cel_kind kinds[] = {CEL_INT,  CEL_UINT,      CEL_DOUBLE,
                                          CEL_BOOL, CEL_STRING,    CEL_BYTES,
                                          CEL_NULL, CEL_TIMESTAMP, CEL_DURATION};
    const char *found = strchr(letters, letter);
    if (found != NULL) {
        return cel_type_of(kinds[found - letters]);
    }
    if (letter == '?') {
        return &cel_type_dyn;
    }
    if (letter == 'T') {
        return cel_type_type();
    }
    for (size_t i = 0; i < 2; i++) {
        if (free_types[i] == NULL) {
            free_types[i] = cel_type_free(checker->types);
        }
    }
    switch (letter) {
    case 'A':
    case 'B':
        return free_types[letter - 'A'];
    case 'L':
        return cel_type_list(checker->types, free_types[0]);
    default:
        CHECK(letter == 'M');
        return cel_type_map(checker->types, free_types[0], free_types[1]);
    }
}

/* Does the overload take these arguments? True: *ret_result is what it gives. */
static bool try_overload(struct checker *checker, const struct cel_overload *overload,
                         const struct cel_node *call, const struct cel_type **ret_result)
{
    const struct cel_type *free_types[2] = {NULL, NULL};
    size_t mark = cel_type_mark(checker->types);
    for (size_t i = 0; i < call->child_count; i++) {
        const struct cel_type *wanted = signature_type(checker, overload->signature[i], free_types);
        if (!cel_type_assign(checker->types, call->children[i]->type, wanted)) {
            cel_type_take_back(checker->types, mark);
            return false;
        }
    }
    *ret_result = signature_type(checker, overload->signature[call->child_count + 1], free_types);
    return true;
}

static bool has_shape(const struct cel_overload *overload, const struct cel_node *call)
{
    return overload->is_member == call->is_member &&
           overload->signature[call->child_count] == '>' &&
           bytes_equal(call->name, bytes_of_text(overload->name));
}

static bool is_operator(struct bytes name)
{
    return memchr(name.data, '_', name.size) != NULL &&
           !bytes_equal(name, bytes_of_text("shard_hash"));
}

static bool no_overload(struct checker *checker, const struct cel_node *call, bool known)
{
    AUTO(buf) struct buf types;
    buf_init(&types, TYPE_TEXT_MAX);
    print_types(checker, call->children, call->child_count, &types);
    if (!known) {
        return cel_problem_set(checker->problem, call->at,
                               "there is no %s '%.*s' of %zu argument%s",
                               call->is_member ? "method" : "function", shown(call->name),
                               (const char *)call->name.data, call->child_count - call->is_member,
                               call->child_count - call->is_member == 1 ? "" : "s");
    }
    if (is_operator(call->name) || call->name.data[0] == '@') {
        return cel_problem_set(checker->problem, call->at, "this operator does not take %s",
                               buf_text(&types));
    }
    return cel_problem_set(checker->problem, call->at, "'%.*s' does not take %s", shown(call->name),
                           (const char *)call->name.data, buf_text(&types));
}

/* All overloads that fit count; when they give different types, the result is dyn. */
static bool check_call(struct checker *checker, struct cel_node *call)
{
    bool known = false;
    const struct cel_type *result = NULL;
    for (size_t i = 0; i < cel_library_overload_count && call->child_count <= ARGUMENTS_MAX; i++) {
        const struct cel_overload *overload = &cel_library_overloads[i];
        const struct cel_type *type = NULL;
        if (!has_shape(overload, call)) {
            continue;
        }
        known = true;
        if (try_overload(checker, overload, call, &type)) {
            result = result == NULL || cel_type_same(result, type) ? type : &cel_type_dyn;
        }
    }
    if (result == NULL) {
        return no_overload(checker, call, known);
    }
    call->type = cel_type_resolve(checker->types, result);
    return true;
}

bool cel_check_type_name(struct bytes name, enum cel_kind *ret_kind)
{
    for (int kind = 0; kind < CEL_KINDS; kind++) {
        if (bytes_equal(name, bytes_of_text(cel_value_kind_name((enum cel_kind)kind)))) {
            *ret_kind = (enum cel_kind)kind;
            return true;
        }
    }
    return false;
}

static const struct cel_type *column_type(enum column_type type)
{
    static const enum cel_kind kinds[] = {
        [COLUMN_INT] = CEL_INT,   [COLUMN_UINT] = CEL_UINT,     [COLUMN_DOUBLE] = CEL_DOUBLE,
        [COLUMN_BOOL] = CEL_BOOL, [COLUMN_STRING] = CEL_STRING, [COLUMN_BYTES] = CEL_BYTES,
    };
    return cel_type_of(kinds[type]);
}

static void refer_to_type(struct cel_node *node, enum cel_kind kind)
{
    node->kind = CEL_NODE_NAME;
    node->reference = CEL_TYPE_NAME;
    node->constant = (struct cel_value){.kind = CEL_TYPE, .type = kind};
    node->type = cel_type_type();
}

static bool find_variable(const struct checker *checker, struct bytes name, size_t *ret_slot)
{
    for (size_t i = checker->variable_count; i > 0; i--) {
        if (bytes_equal(checker->variables[i - 1].name, name)) {
            *ret_slot = i - 1;
            return true;
        }
    }
    return false;
}

static bool check_name(struct checker *checker, struct cel_node *node)
{
    enum cel_kind kind;
    if (!node->is_rooted && find_variable(checker, node->name, &node->slot)) {
        node->reference = CEL_VARIABLE;
        node->type = checker->variables[node->slot].type;
        return true;
    }
    for (size_t i = 0; i < checker->column_count; i++) {
        if (bytes_equal(node->name, bytes_of_text(checker->columns[i].name))) {
            node->reference = CEL_COLUMN;
            node->slot = i;
            node->type = column_type(checker->columns[i].type);
            return true;
        }
    }
    if (cel_check_type_name(node->name, &kind)) {
        refer_to_type(node, kind);
        return true;
    }
    return cel_problem_set(checker->problem, node->at, "there is no column '%.*s'",
                           shown(node->name), (const char *)node->name.data);
}

/* google.protobuf.Timestamp is a name, though it is written as selections. */
static bool is_dotted_type(struct checker *checker, const struct cel_node *node,
                           enum cel_kind *out_kind)
{
    static const char *const words[] = {"google", "protobuf"};
    const struct cel_node *middle = node->kind == CEL_NODE_SELECT ? node->children[0] : NULL;
    const struct cel_node *root =
        middle != NULL && middle->kind == CEL_NODE_SELECT ? middle->children[0] : NULL;
    size_t slot = 0;
    if (root == NULL || root->kind != CEL_NODE_NAME ||
        !bytes_equal(root->name, bytes_of_text(words[0])) ||
        !bytes_equal(middle->name, bytes_of_text(words[1])) ||
        (!root->is_rooted && find_variable(checker, root->name, &slot))) {
        return false;
    }
    bool timestamp = bytes_equal(node->name, bytes_of_text("Timestamp"));
    *out_kind = timestamp ? CEL_TIMESTAMP : CEL_DURATION;
    return timestamp || bytes_equal(node->name, bytes_of_text("Duration"));
}

static bool check_select(struct checker *checker, struct cel_node *node)
{
    enum cel_kind kind;
    if (node->kind == CEL_NODE_SELECT && is_dotted_type(checker, node, &kind)) {
        refer_to_type(node, kind);
        return true;
    }
    TRY(check_node(checker, node->children[0]));
    const struct cel_type *from = node->children[0]->type;
    const struct cel_type *type = NULL;
    cel_type_mark(checker->types);
    if (from->kind == CEL_TYPE_DYN) {
        type = &cel_type_dyn;
    } else if (from->kind == CEL_TYPE_MAP_OF) {
        type = from->value;
    } else if (from->kind == CEL_TYPE_FREE &&
               cel_type_assign(checker->types, &cel_type_dyn, from)) {
        type = &cel_type_dyn;
    } else {
        AUTO(buf) struct buf text;
        buf_init(&text, TYPE_TEXT_MAX);
        cel_type_print(checker->types, from, &text);
        return cel_problem_set(checker->problem, node->at, "a value of type %s has no fields",
                               buf_text(&text));
    }
    node->type = node->kind == CEL_NODE_HAS ? cel_type_of(CEL_BOOL) : type;
    return true;
}

/* What all of some nodes have in common, or dyn. `widens`: a later node may widen what an earlier
 * one taught. Of a map's values none does, to readers, so it must not to us. */
static const struct cel_type *common_type(struct checker *checker, struct cel_node *const *nodes,
                                          size_t first, size_t step, size_t count, bool widens)
{
    size_t mark = cel_type_mark(checker->types);
    const struct cel_type *common = cel_type_free(checker->types);
    for (size_t i = first; i < count; i += step) {
        mark = widens ? mark : cel_type_mark(checker->types);
        if (!cel_type_assign(checker->types, nodes[i]->type, common)) {
            cel_type_take_back(checker->types, mark);
            return &cel_type_dyn;
        }
    }
    return common;
}

static bool check_list(struct checker *checker, struct cel_node *node)
{
    const struct cel_type *value =
        common_type(checker, node->children, 0, 1, node->child_count, true);
    node->type = cel_type_resolve(checker->types, cel_type_list(checker->types, value));
    return true;
}

static bool check_map(struct checker *checker, struct cel_node *node)
{
    const struct cel_type *key =
        common_type(checker, node->children, 0, 2, node->child_count, true);
    const struct cel_type *value =
        common_type(checker, node->children, 1, 2, node->child_count, false);
    node->type = cel_type_resolve(checker->types, cel_type_map(checker->types, key, value));
    return true;
}

static bool want_bool(struct checker *checker, const struct cel_node *node, const char *what)
{
    size_t mark = cel_type_mark(checker->types);
    if (cel_type_assign(checker->types, node->type, cel_type_of(CEL_BOOL))) {
        return true;
    }
    cel_type_take_back(checker->types, mark);
    AUTO(buf) struct buf text;
    buf_init(&text, TYPE_TEXT_MAX);
    cel_type_print(checker->types, node->type, &text);
    return cel_problem_set(checker->problem, node->at, "%s is a bool, and this is of type %s", what,
                           buf_text(&text));
}

static bool check_logic(struct checker *checker, struct cel_node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        TRY(want_bool(checker, node->children[i],
                      node->kind == CEL_NODE_AND ? "what && joins" : "what || joins"));
    }
    node->type = cel_type_of(CEL_BOOL);
    return true;
}

static bool check_ternary(struct checker *checker, struct cel_node *node)
{
    TRY(want_bool(checker, node->children[0], "the condition of ?:"));
    size_t mark = cel_type_mark(checker->types);
    const struct cel_type *common = cel_type_free(checker->types);
    if (!cel_type_assign(checker->types, node->children[1]->type, common) ||
        !cel_type_assign(checker->types, node->children[2]->type, common)) {
        cel_type_take_back(checker->types, mark);
        AUTO(buf) struct buf text;
        buf_init(&text, TYPE_TEXT_MAX);
        print_types(checker, node->children + 1, 2, &text);
        return cel_problem_set(checker->problem, node->at,
                               "the branches of ?: are of different types: %s", buf_text(&text));
    }
    node->type = cel_type_resolve(checker->types, common);
    return true;
}

static bool range_type(struct checker *checker, const struct cel_node *range,
                       const struct cel_type **ret_type)
{
    const struct cel_type *type = range->type;
    switch (type->kind) {
    case CEL_TYPE_LIST_OF:
        *ret_type = type->value;
        return true;
    case CEL_TYPE_MAP_OF:
        *ret_type = type->key;
        return true;
    case CEL_TYPE_DYN:
        *ret_type = &cel_type_dyn;
        return true;
    case CEL_TYPE_OF_KIND:
    case CEL_TYPE_TYPE:
    case CEL_TYPE_FREE:
        break;
    }
    AUTO(buf) struct buf text;
    buf_init(&text, TYPE_TEXT_MAX);
    cel_type_print(checker->types, type, &text);
    return cel_problem_set(checker->problem, range->at,
                           "a macro goes over a list or a map, and this is of type %s",
                           buf_text(&text));
}

static bool check_loop(struct checker *checker, struct cel_node *node)
{
    const struct cel_type *variable = NULL;
    TRY(check_node(checker, node->children[0]));
    TRY(range_type(checker, node->children[0], &variable));
    CHECK(checker->variable_count < CEL_HEIGHT_MAX); /* each is a level of the tree */
    node->slot = checker->variable_count;
    checker->variables[checker->variable_count++] =
        (struct variable){.name = node->name, .type = variable};
    for (size_t i = 1; i < node->child_count; i++) {
        TRY(check_node(checker, node->children[i]));
        if (i == 1 && node->loop != CEL_LOOP_MAP) {
            TRY(want_bool(checker, node->children[i], "the condition of a macro"));
        }
    }
    checker->variable_count--;
    const struct cel_type *last = node->children[node->child_count - 1]->type;
    const struct cel_type *type = cel_type_of(CEL_BOOL);
    if (node->loop == CEL_LOOP_FILTER) {
        type = cel_type_list(checker->types, variable);
    } else if (node->loop == CEL_LOOP_MAP || node->loop == CEL_LOOP_MAP_IF) {
        type = cel_type_list(checker->types, last);
    }
    node->type = cel_type_resolve(checker->types, type);
    return true;
}

static const struct cel_type *constant_type(const struct cel_value *value)
{
    return cel_type_of(value->kind);
}

static bool check_node(struct checker *checker, struct cel_node *node)
{
    if (node->kind == CEL_NODE_LOOP) {
        return check_loop(checker, node);
    }
    if (node->kind == CEL_NODE_SELECT || node->kind == CEL_NODE_HAS) {
        return check_select(checker, node);
    }
    for (size_t i = 0; i < node->child_count; i++) {
        TRY(check_node(checker, node->children[i]));
    }
    switch (node->kind) {
    case CEL_NODE_CONSTANT:
        node->type = constant_type(&node->constant);
        return true;
    case CEL_NODE_NAME:
        return check_name(checker, node);
    case CEL_NODE_CALL:
        return check_call(checker, node);
    case CEL_NODE_AND:
    case CEL_NODE_OR:
        return check_logic(checker, node);
    case CEL_NODE_TERNARY:
        return check_ternary(checker, node);
    case CEL_NODE_LIST:
        return check_list(checker, node);
    case CEL_NODE_MAP:
        return check_map(checker, node);
    case CEL_NODE_SELECT:
    case CEL_NODE_HAS:
    case CEL_NODE_LOOP:
        break;
    }
    CHECK(!"a node of no kind");
    return false;
}

bool cel_check(struct cel_node *root, const struct sharding_column *columns, size_t column_count,
               struct cel_types *types, struct cel_problem *problem)
{
    struct checker checker = {
        .columns = columns, .column_count = column_count, .types = types, .problem = problem};
    return check_node(&checker, root);
}
