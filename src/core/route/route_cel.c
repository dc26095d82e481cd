/* Routing by an expression: the part of core/route/route.h that evaluates it. */
#include "core/route/route_cel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/route/column.h"

struct route_scratch {
    struct cel_scratch *cel;
    struct cel_binding *bindings; /* by column */
    struct token_table *tokens;   /* of an inferred list */
    char token[TOKEN_TEXT_MAX + 8];
};

enum { FAULT_MAX = 160 };

/* Why a value leads nowhere. */
struct fault {
    char text[FAULT_MAX];
};

static bool is_key(const struct sharding_column *column)
{
    return strcmp(column->name, "key") == 0;
}

const char *route_result_fault(enum cel_kind kind, bool has_list, bool of_text, bool infers)
{
    bool integer = kind == CEL_INT || kind == CEL_UINT;
    if (kind == CEL_KINDS) {
        return infers ? "its type is known only when it is evaluated, and routing values must all "
                        "be of one: put it into int() or string()"
                      : NULL;
    }
    if (kind == CEL_BYTES && (has_list || infers)) {
        return "its values are bytes, which a manifest cannot list: put it into string()";
    }
    if (!integer && kind != CEL_STRING && kind != CEL_BYTES) {
        return "its values are neither integers nor texts";
    }
    if (has_list) {
        return integer == of_text ? "its values are of another type than routing_values" : NULL;
    }
    return integer || infers ? NULL
                             : "its values must be shard numbers: integers, where there are no "
                               "routing values";
}

static size_t character_at(struct bytes text, size_t at)
{
    size_t count = 1;
    for (size_t i = 0; i < at && i < text.size; i++) {
        count += (text.data[i] & 0xc0) != 0x80;
    }
    return count;
}

static bool has_texts(const struct sharding *sharding)
{
    return sharding->routing_value_count > 0 && sharding->routing_values[0].type == KEY_TEXT;
}

static bool check_list(struct router *router, struct err *err)
{
    size_t count = router->sharding.routing_value_count;
    uint32_t num_dbs = count == 0 ? 1 : (uint32_t)count;
    if (count > ROUTE_NUM_DBS_MAX || (router->num_dbs != 0 && router->num_dbs != num_dbs)) {
        return err_set(err, ERR_SETTINGS, "%u shards for %zu routing values", router->num_dbs,
                       count);
    }
    router->num_dbs = num_dbs;
    return true;
}

bool route_cel_init(struct router *router, bool infers, struct err *err)
{
    const struct sharding *sharding = &router->sharding;
    struct bytes expression = bytes_of_text(sharding->cel_expr);
    struct cel_problem problem = {0};
    if (router->max_keys_per_shard > 0) {
        return err_set(err, ERR_SETTINGS, "max_keys_per_shard does not go with an expression");
    }
    if (!cel_new(expression, sharding->columns, sharding->column_count, &router->cel, &problem)) {
        return err_set(err, ERR_SETTINGS, "the CEL expression `%.120s`: %s, at character %zu",
                       sharding->cel_expr, problem.text, character_at(expression, problem.at));
    }
    bool has_list = sharding->has_routing_values;
    router->kind = has_list ? ROUTE_CEL_LISTED : infers ? ROUTE_CEL_INFERRED : ROUTE_CEL_DIRECT;
    /* an empty list says nothing of the type */
    const char *fault = has_list && sharding->routing_value_count == 0
                            ? NULL
                            : route_result_fault(cel_result_kind(router->cel), has_list,
                                                 has_texts(sharding), infers);
    bool ok = fault == NULL || err_set(err, ERR_SETTINGS, "the CEL expression `%.120s`: %s",
                                       sharding->cel_expr, fault);
    ok = ok && (!has_list || check_list(router, err));
    if (!ok) {
        router->cel = cel_free(router->cel);
    }
    return ok;
}

struct route_scratch *route_cel_scratch_new(const struct router *router)
{
    struct route_scratch *scratch = calloc(1, sizeof *scratch);
    CHECK(scratch != NULL);
    scratch->cel = cel_scratch_new();
    scratch->bindings = calloc(router->sharding.column_count + 1, sizeof *scratch->bindings);
    CHECK(scratch->bindings != NULL);
    scratch->tokens = router->kind == ROUTE_CEL_INFERRED ? token_table_new() : NULL;
    return scratch;
}

struct route_scratch *route_scratch_free(struct route_scratch *scratch)
{
    if (scratch != NULL) {
        cel_scratch_free(scratch->cel);
        token_table_free(scratch->tokens);
        free(scratch->bindings);
        free(scratch);
    }
    return NULL;
}

const struct token_table *route_scratch_tokens(const struct route_scratch *scratch)
{
    return scratch->tokens;
}

bool route_cel_needs_key_only(const struct router *router)
{
    for (size_t i = 0; i < router->sharding.column_count; i++) {
        if (!is_key(&router->sharding.columns[i]) && cel_uses_column(router->cel, i)) {
            return false;
        }
    }
    return true;
}

/* ---- from the value to the token ---- */

static bool PRINTF_LIKE(2, 3) fail(struct fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool direct_token(const struct router *router, const struct cel_value *value,
                         uint64_t *ret_token, struct fault *fault)
{
    uint64_t most = router->num_dbs > 0 ? router->num_dbs : ROUTE_NUM_DBS_MAX;
    char number[24];
    if (value->kind == CEL_UINT) {
        *ret_token = value->natural;
        snprintf(number, sizeof number, "%llu", (unsigned long long)value->natural);
    } else if (value->kind == CEL_INT) {
        *ret_token = (uint64_t)value->integer;
        snprintf(number, sizeof number, "%lld", (long long)value->integer);
    } else {
        return fail(fault, "the expression gives a value of type %s, which is no shard number",
                    cel_value_kind_name(value->kind));
    }
    return *ret_token < most || fail(fault, "there is no shard %s", number);
}

static bool is_value(const struct logical_key *listed, const struct cel_value *value)
{
    if (listed->type == KEY_TEXT) {
        return value->kind == CEL_STRING && bytes_equal(listed->bytes, value->text);
    }
    if (value->kind == CEL_UINT) {
        return !listed->negative && listed->magnitude == value->natural;
    }
    uint64_t magnitude = value->integer < 0 ? 0 - (uint64_t)value->integer
                                            : (uint64_t)value->integer;
    return value->kind == CEL_INT && listed->negative == (value->integer < 0) &&
           listed->magnitude == magnitude;
}

static bool listed_token(const struct router *router, const struct cel_value *value,
                         uint64_t *ret_token, struct fault *fault)
{
    const struct sharding *sharding = &router->sharding;
    for (size_t i = 0; i < sharding->routing_value_count; i++) {
        if (is_value(&sharding->routing_values[i], value)) {
            *ret_token = i;
            return true;
        }
    }
    if (value->kind == CEL_STRING) {
        return fail(fault, "%s is not among the routing values", reject_excerpt(value->text).text);
    }
    char number[24] = "this value";
    if (value->kind == CEL_INT) {
        snprintf(number, sizeof number, "%lld", (long long)value->integer);
    } else if (value->kind == CEL_UINT) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)value->natural);
    }
    return fail(fault, "%s is not among the routing values", number);
}

/* As the ledger writes tokens. What a manifest could not list is refused here. */
static bool inferred_token(struct route_scratch *scratch, const struct cel_value *value,
                           uint64_t *ret_token, struct fault *fault)
{
    int size = 0;
    bool is_text = value->kind == CEL_STRING;
    if (is_text &&
        (value->text.size > TOKEN_TEXT_MAX ||
         (value->text.size > 0 && memchr(value->text.data, 0, value->text.size) != NULL))) {
        return fail(fault, "%s is too long for a routing value, or has a NUL",
                    reject_excerpt(value->text).text);
    }
    uint64_t magnitude = value->kind == CEL_UINT  ? value->natural
                         : value->kind != CEL_INT ? 0
                         : value->integer < 0     ? 0 - (uint64_t)value->integer
                                                  : (uint64_t)value->integer;
    if (magnitude > (uint64_t)JSON_INTEGER_MAX) {
        return fail(fault, "%s", "an integer beyond 2^53 - 1 cannot be a routing value");
    }
    if (is_text) {
        size = snprintf(scratch->token, sizeof scratch->token, "s:%.*s", (int)value->text.size,
                        value->text.size == 0 ? "" : (const char *)value->text.data);
    } else if (value->kind == CEL_INT || value->kind == CEL_UINT) {
        bool negative = value->kind == CEL_INT && value->integer < 0;
        size = snprintf(scratch->token, sizeof scratch->token, "i:%s%llu", negative ? "-" : "",
                        (unsigned long long)magnitude);
    } else {
        return fail(fault, "a value of type %s is no routing value",
                    cel_value_kind_name(value->kind));
    }
    uint32_t number = 0;
    if (!token_table_number(scratch->tokens, bytes_of(scratch->token, (size_t)size), &number)) {
        return fail(fault, "%s", "more than 4096 different routing values since the start");
    }
    *ret_token = number;
    return true;
}

static bool find_token(const struct router *router, struct route_scratch *scratch,
                       const struct cel_value *value, uint64_t *ret_token, struct fault *fault)
{
    switch ((int)router->kind) {
    case ROUTE_CEL_DIRECT:
        return direct_token(router, value, ret_token, fault);
    case ROUTE_CEL_LISTED:
        return listed_token(router, value, ret_token, fault);
    default:
        CHECK(router->kind == ROUTE_CEL_INFERRED);
        return inferred_token(scratch, value, ret_token, fault);
    }
}

bool route_cel_record(const struct router *router, struct route_scratch *scratch,
                      const struct record *record, uint64_t *ret_token, struct reject *ret_why)
{
    struct arena *arena = cel_scratch_arena(scratch->cel);
    for (size_t i = 0; i < router->sharding.column_count; i++) {
        const struct sharding_column *column = &router->sharding.columns[i];
        if (cel_uses_column(router->cel, i)) {
            scratch->bindings[i] = is_key(column)
                                       ? column_of_key(column->type, record->logical)
                                       : column_of_field(column->type, &record->columns[i], arena);
        }
    }
    struct cel_value value;
    struct fault fault;
    if (!cel_eval(router->cel, scratch->bindings, scratch->cel, &value)) {
        return reject_set(ret_why, REJECT_ROUTE, "the routing expression: %s",
                          cel_scratch_fault(scratch->cel));
    }
    return find_token(router, scratch, &value, ret_token, &fault) ||
           reject_set(ret_why, REJECT_ROUTE, "%s", fault.text);
}

/* ---- for readers ---- */

static const struct route_column *given(const struct route_column *columns, size_t count,
                                        const char *name)
{
    for (size_t i = count; i > 0; i--) {
        if (strcmp(columns[i - 1].name, name) == 0) {
            return &columns[i - 1];
        }
    }
    return NULL;
}

static bool check_names(const struct sharding *sharding, const struct route_column *columns,
                        size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t j = 0; j < sharding->column_count; j++) {
            known = known || strcmp(columns[i].name, sharding->columns[j].name) == 0;
        }
        if (!known) {
            return err_set(err, ERR_INPUT, "the expression `%.120s` has no column '%.60s'",
                           sharding->cel_expr, columns[i].name);
        }
    }
    return true;
}

static bool bind(const struct router *router, const struct logical_key *key,
                 const struct route_column *columns, size_t count, struct arena *arena,
                 struct cel_binding *bindings, struct err *err)
{
    const struct sharding *sharding = &router->sharding;
    AUTO(buf) struct buf missing;
    buf_init(&missing, FAULT_MAX);
    for (size_t i = 0; i < sharding->column_count; i++) {
        const struct sharding_column *column = &sharding->columns[i];
        const struct route_column *from = given(columns, count, column->name);
        if (from != NULL) {
            if (!column_of_argument(column->type, from->text, arena, &bindings[i], err)) {
                return err_wrap(err, "column %.60s", column->name);
            }
        } else if (is_key(column)) {
            bindings[i] = column_of_key(column->type, key);
        } else if (cel_uses_column(router->cel, i)) {
            buf_add_format(&missing, "%s%s (%s)", missing.size == 0 ? "" : ", ", column->name,
                           sharding_column_type_name(column->type));
        }
    }
    return missing.size == 0 ||
           err_set(err, ERR_INPUT,
                   "the key alone does not lead to its shard: the expression `%.120s` wants the "
                   "columns %s, too",
                   sharding->cel_expr, buf_text(&missing));
}

static const char *print(const struct cel_value *value, struct arena *arena)
{
    if (value->kind == CEL_INT) {
        return arena_format(arena, "%lld", (long long)value->integer);
    }
    if (value->kind == CEL_UINT) {
        return arena_format(arena, "%llu", (unsigned long long)value->natural);
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 4096);
    if (value->kind == CEL_STRING) {
        json_print_text(value->text, &text);
    } else {
        buf_add_text(&text, cel_value_kind_name(value->kind));
    }
    return arena_text(arena, buf_bytes(&text));
}

bool route_cel_columns(const struct router *router, const struct logical_key *key,
                       const struct route_column *columns, size_t count, struct arena *arena,
                       uint64_t *ret_token, const char **ret_text, struct err *err)
{
    const struct sharding *sharding = &router->sharding;
    if (router->kind == ROUTE_CEL_INFERRED) {
        return err_set(err, ERR_SETTINGS,
                       "the shards of the expression `%.120s` are known only "
                       "when a snapshot is made: its manifest lists them",
                       sharding->cel_expr);
    }
    struct cel_binding *bindings =
        arena_zero(arena, (sharding->column_count + 1) * sizeof *bindings);
    TRY(check_names(sharding, columns, count, err));
    TRY(bind(router, key, columns, count, arena, bindings, err));
    struct cel_scratch *scratch = cel_scratch_new();
    struct cel_value value;
    struct fault fault;
    bool ok = cel_eval(router->cel, bindings, scratch, &value);
    if (!ok) {
        err_set(err, ERR_INPUT, "the routing expression: %s", cel_scratch_fault(scratch));
    } else {
        *ret_text = print(&value, arena);
        ok = find_token(router, NULL, &value, ret_token, &fault) ||
             err_set(err, ERR_INPUT, "%s", fault.text);
    }
    cel_scratch_free(scratch);
    return ok;
}

/* ---- expressions and tokens ---- */

static void add_operand(struct buf *out, const struct sharding_column *column, bool alone)
{
    bool bare = column->type == COLUMN_STRING ||
                (alone && column->type != COLUMN_DOUBLE && column->type != COLUMN_BOOL);
    buf_add_format(out, "%s%s%s", bare ? "" : "string(", column->name, bare ? "" : ")");
}

const char *route_expression(const struct sharding_column *columns, size_t count,
                             const char *separator, uint32_t num_dbs, struct arena *arena)
{
    AUTO(buf) struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    buf_add_text(&out, num_dbs > 0 ? "shard_hash(" : "");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_add_text(&out, " + ");
            json_print_text(bytes_of_text(separator), &out);
            buf_add_text(&out, " + ");
        }
        add_operand(&out, &columns[i], count == 1);
    }
    if (num_dbs > 0) {
        buf_add_format(&out, ") %% %uu", num_dbs);
    }
    return arena_text(arena, buf_bytes(&out));
}

bool route_value_of_token(const char *token, struct logical_key *ret_value)
{
    if (token[0] == 's' && token[1] == ':') {
        *ret_value = key_of_text(bytes_of_text(token + 2));
        return true;
    }
    return token[0] == 'i' && token[1] == ':' &&
           key_parse_integer(bytes_of_text(token + 2), ret_value) == REJECT_NONE;
}

const char *route_token_of_value(const struct logical_key *value, struct arena *arena)
{
    if (value->type == KEY_INTEGER) {
        return arena_format(arena, "i:%s%llu", value->negative ? "-" : "",
                            (unsigned long long)value->magnitude);
    }
    return arena_format(arena, "s:%.*s", (int)value->bytes.size,
                        value->bytes.size == 0 ? "" : (const char *)value->bytes.data);
}
