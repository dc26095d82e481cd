/* Does every mode of an expression lead to the shard where a reader will look? */
#include <criterion/criterion.h>

#include "core/base/rng.h"
#include "core/record/field.h"
#include "core/route/column.h"
#include "core/route/route.h"
#include "tests/support/cel_rows.h"
#include "tests/support/vectors.h"

/* A record whose columns are the row's values, as decode would give them: JSON documents. */
struct made {
    struct record record;
    struct field_value columns[CEL_ROWS_COLUMNS_MAX];
    struct logical_key key;
};

static struct bytes print(const struct cel_value *value, struct arena *arena)
{
    switch ((int)value->kind) {
    case CEL_INT:
        return bytes_of_text(arena_format(arena, "%lld", (long long)value->integer));
    case CEL_UINT:
        return bytes_of_text(arena_format(arena, "%llu", (unsigned long long)value->natural));
    case CEL_DOUBLE:
        return bytes_of_text(
            value->real != value->real ? "nan" : arena_format(arena, "%.17g", value->real));
    case CEL_BOOL:
        return bytes_of_text(value->truth ? "true" : "false");
    default:
        return value->text.data == NULL ? bytes_of("", 0) : value->text;
    }
}

static void make_record(const struct cel_row *row, struct arena *arena, struct made *out)
{
    *out = (struct made){0};
    for (size_t i = 0; i < row->column_count; i++) {
        const struct cel_value *value = &row->bindings[i].value;
        out->columns[i] = (struct field_value){.kind = FIELD_BYTES, .bytes = print(value, arena)};
        if (strcmp(row->columns[i].name, "key") != 0) {
            continue;
        }
        if (value->kind == CEL_INT) {
            out->key = key_of_u64(value->integer < 0 ? 0 - (uint64_t)value->integer
                                                     : (uint64_t)value->integer);
            out->key.negative = value->integer < 0;
        } else if (value->kind == CEL_UINT) {
            out->key = key_of_u64(value->natural);
        } else if (value->kind == CEL_STRING) {
            out->key = key_of_text(value->text);
        } else {
            out->key = key_of_bytes(value->text);
        }
    }
    out->record.columns = out->columns;
    out->record.logical = &out->key;
}

/* From "routing_values": [{"t": "int", "v": "0"}, …]; false: they are bytes. */
static bool read_values(struct bytes line, struct arena *arena, struct sharding *sharding)
{
    static struct logical_key values[16];
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct bytes type =
            cel_rows_text(line, arena_format(arena, "/routing_values/%zu/t", i), arena);
        struct bytes text =
            cel_rows_text(line, arena_format(arena, "/routing_values/%zu/v", i), arena);
        if (type.data == NULL) {
            break;
        }
        if (bytes_equal(type, bytes_of_text("bytes"))) {
            return false;
        }
        values[i] = key_of_text(text);
        if (bytes_equal(type, bytes_of_text("int"))) {
            cr_assert_eq(key_parse_integer(text, &values[i]), REJECT_NONE);
        }
        sharding->has_routing_values = true;
        sharding->routing_value_count = i + 1;
    }
    sharding->routing_values = values;
    return true;
}

static bool routes(const struct router *router, const struct cel_row *row, struct arena *arena,
                   uint64_t *ret_token, struct reject *ret_why)
{
    struct made made;
    make_record(row, arena, &made);
    struct route_scratch *scratch = route_scratch_new(router);
    bool ok = route_record(router, scratch, &made.record, ret_token, ret_why);
    route_scratch_free(scratch);
    return ok;
}

Test(route_cel, routing_vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = vectors_read("cel_routing.jsonl", arena);
    struct bytes line;
    int routed = 0;
    int refused = 0;
    while (vectors_line(&rest, &line)) {
        struct cel_row row = cel_rows_read(line, "/row", arena);
        struct sharding sharding = {.strategy = SHARDING_CEL,
                                    .cel_expr = arena_text(arena, row.expression),
                                    .columns = row.columns,
                                    .column_count = row.column_count};
        struct router router;
        struct err err = {0};
        struct reject why = {0};
        uint64_t token = 0;
        struct logical_key db_id = {0};
        struct bytes id = cel_rows_text(line, "/db_id", arena);
        bool listed = read_values(line, arena, &sharding) && sharding.has_routing_values;
        if (id.data != NULL) {
            cr_assert_eq(key_parse_integer(id, &db_id), REJECT_NONE);
        }
        bool text = bytes_equal(cel_rows_text(line, "/result/t", arena), bytes_of_text("string"));
        /* ours refuses text as a number, and ids that are none */
        bool expected = id.data != NULL && !db_id.negative && db_id.magnitude < ROUTE_NUM_DBS_MAX &&
                        (listed || !(text || bytes_equal(cel_rows_text(line, "/result/t", arena),
                                                         bytes_of_text("bytes"))));
        bool ok = route_init(&router, &sharding, 0, 0, false, &err);
        if (ok) {
            ok = routes(&router, &row, arena, &token, &why);
            cr_assert(ok || why.cause == REJECT_ROUTE);
        }
        cr_assert_eq(ok, expected, "%.*s: %s %s", (int)line.size, (const char *)line.data,
                     err.message, why.text);
        cr_assert(!ok || token == db_id.magnitude, "%.*s", (int)line.size, (const char *)line.data);
        routed += ok;
        refused += !ok;
        route_done(&router);
    }
    cr_assert_eq(routed + refused, 169);
    cr_assert_gt(routed, 90);
    arena_free(arena);
}

/* Rows of cel_build.jsonl: what by-columns writes, and the list that inference ends with. */
static void check_by_columns(struct bytes line, struct arena *arena)
{
    cJSON *root = cJSON_ParseWithLength((const char *)line.data, line.size);
    struct sharding_column columns[CEL_ROWS_COLUMNS_MAX];
    size_t count = 0;
    const cJSON *pair = NULL;
    cJSON_ArrayForEach(pair, vectors_member(root, "columns"))
    {
        columns[count].name = cJSON_GetArrayItem(pair, 0)->valuestring;
        cr_assert(sharding_column_type_parse(
            bytes_of_text(cJSON_GetArrayItem(pair, 1)->valuestring), &columns[count].type));
        count++;
    }
    const cJSON *shards = vectors_member(root, "num_shards");
    uint32_t num_dbs = cJSON_IsNull(shards) ? 0 : (uint32_t)shards->valuedouble;
    const char *made =
        route_expression(columns, count, vectors_text(root, "separator"), num_dbs, arena);
    cr_assert_str_eq(made, vectors_text(root, "cel_expr"));
    struct cel *cel = NULL;
    struct cel_problem problem = {0};
    cr_assert_eq(cel_new(bytes_of_text(made), columns, count, &cel, &problem),
                 cJSON_IsTrue(vectors_member(root, "compiles")));
    cel_free(cel);
    cJSON_Delete(root);
}

static void check_inferred(struct bytes line, struct arena *arena)
{
    struct cel_row row = cel_rows_read(line, NULL, arena);
    struct sharding sharding = {.strategy = SHARDING_CEL,
                                .cel_expr = arena_text(arena, row.expression),
                                .columns = row.columns,
                                .column_count = row.column_count};
    struct router router;
    struct err err = {0};
    struct bytes error = cel_rows_text(line, "/error", arena);
    bool bytes = row.columns[0].type == COLUMN_BYTES;
    bool ok = route_init(&router, &sharding, 0, 0, true, &err);
    bool no_list = bytes || bytes_equal(error, bytes_of_text("result_type")) ||
                   bytes_equal(error, bytes_of_text("mixed_types"));
    cr_assert_eq(ok, !no_list, "%.*s: %s", (int)line.size, (const char *)line.data, err.message);
    struct route_scratch *scratch = ok ? route_scratch_new(&router) : NULL;
    for (int i = 0; ok; i++) {
        const char *at = arena_format(arena, "/rows/%d", i);
        if (cel_rows_text(line, at, arena).data == NULL) {
            break;
        }
        struct cel_row one = cel_rows_read(line, at, arena);
        struct made made;
        struct reject why = {0};
        uint64_t token = 0;
        make_record(&one, arena, &made);
        bool routed = route_record(&router, scratch, &made.record, &token, &why);
        bool bad = bytes_equal(cel_rows_text(line, "/error_rows/0", arena),
                               bytes_of_text(arena_format(arena, "%d", i)));
        /* the manifest's JSON holds integers up to 2^53 - 1 */
        bool large = row.columns[0].type == COLUMN_UINT &&
                     one.bindings[0].value.natural > (uint64_t)JSON_INTEGER_MAX;
        cr_assert_eq(routed, !bad && !large, "%s: %s", at, why.text);
        struct bytes id = cel_rows_text(line, arena_format(arena, "/db_ids/%d", i), arena);
        struct logical_key db_id = {0};
        if (!routed || id.data == NULL) {
            continue;
        }
        cr_assert_eq(key_parse_integer(id, &db_id), REJECT_NONE);
        const char *value =
            arena_format(arena, "/routing_values/%llu/v", (unsigned long long)db_id.magnitude);
        cr_assert(bytes_equal(
            cel_rows_text(line, value, arena),
            bytes_of_text(token_table_text(route_scratch_tokens(scratch), (uint32_t)token) + 2)));
    }
    route_scratch_free(scratch);
    route_done(&router);
}

Test(route_cel, build_vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = vectors_read("cel_build.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        struct bytes kind = cel_rows_text(line, "/kind", arena);
        if (bytes_equal(kind, bytes_of_text("by_columns"))) {
            check_by_columns(line, arena);
        } else if (bytes_equal(kind, bytes_of_text("inferred"))) {
            check_inferred(line, arena);
        } else { /* tests/unit/core/coord/leader_shards_test.c: it takes all rows of a build */
            cr_assert(bytes_equal(kind, bytes_of_text("direct")));
        }
        rows++;
    }
    cr_assert_eq(rows, 51);
    arena_free(arena);
}

static const struct sharding_column columns[] = {
    {"key", COLUMN_UINT}, {"region", COLUMN_STRING}, {"tier", COLUMN_INT}};

static struct sharding by(const char *expression)
{
    return (struct sharding){.strategy = SHARDING_CEL,
                             .cel_expr = expression,
                             .columns = columns,
                             .column_count = LENGTH_OF(columns)};
}

Test(route_cel, what_can_route)
{
    static const struct logical_key texts[] = {
        {.type = KEY_TEXT, .bytes = {(const uint8_t *)"eu", 2}},
        {.type = KEY_TEXT, .bytes = {(const uint8_t *)"us", 2}}};
    static const struct {
        const char *expression;
        bool listed, infers;
        uint32_t num_dbs;
        uint64_t max_keys;
        bool ok;
    } cases[] = {
        {"key % 4u", false, false, 4, 0, true},      {"key % 4u", false, false, 0, 0, true},
        {"key % 4u", false, false, 0, 100, false},   {"key % 4", false, false, 0, 0, false},
        {"region", false, false, 0, 0, false},       {"region", true, false, 0, 0, true},
        {"region", true, false, 3, 0, false},        {"tier", true, false, 0, 0, false},
        {"region", false, true, 0, 0, true},         {"tier", false, true, 0, 0, true},
        {"dyn(region)", false, true, 0, 0, false},   {"dyn(region)", true, false, 0, 0, true},
        {"bytes(region)", false, true, 0, 0, false}, {"region == 'a'", false, true, 0, 0, false},
        {"[1]", false, false, 0, 0, false},          {"1.5", false, false, 2, 0, false},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct sharding sharding = by(cases[i].expression);
        sharding.has_routing_values = cases[i].listed;
        sharding.routing_values = texts;
        sharding.routing_value_count = cases[i].listed ? 2 : 0;
        struct router router;
        struct err err = {0};
        cr_assert_eq(route_init(&router, &sharding, cases[i].num_dbs, cases[i].max_keys,
                                cases[i].infers, &err),
                     cases[i].ok, "row %zu: %s", i, err.message);
        cr_assert_eq(err.kind, cases[i].ok ? ERR_NONE : ERR_SETTINGS);
        route_done(&router);
    }
}

/* A record of random columns; its shard must not depend on what came before it, nor on who asks. */
Test(route_cel, the_same_shard_in_every_order)
{
    enum { RECORDS = 400 };
    static const char *const regions[] = {"eu", "us", "ap", ""};
    static const char *const expressions[] = {"shard_hash(region + ':' + string(tier)) % 8u",
                                              "tier < 0 ? 7 : tier % 7",
                                              "int(key % 5u) + (region == 'eu' ? 0 : 3)"};
    struct rng rng;
    rng_init(&rng, 42);
    for (size_t e = 0; e < LENGTH_OF(expressions); e++) {
        struct sharding sharding = by(expressions[e]);
        struct router router;
        struct err err = {0};
        cr_assert(route_init(&router, &sharding, 8, 0, false, &err), "%s", err.message);
        struct arena *arena = arena_new(1 << 16);
        struct made made[RECORDS];
        uint64_t tokens[RECORDS];
        struct route_scratch *members[3];
        for (size_t m = 0; m < 3; m++) {
            members[m] = route_scratch_new(&router);
        }
        struct reject why;
        for (size_t i = 0; i < RECORDS; i++) {
            struct cel_row row = {.column_count = 3};
            memcpy(row.columns, columns, sizeof columns);
            const char *region = regions[rng_below(&rng, 4)];
            row.bindings[0].value = cel_value_uint(rng_next(&rng));
            row.bindings[1].value = cel_value_string(bytes_of_text(region));
            row.bindings[2].value = cel_value_int((int64_t)rng_below(&rng, 100) - 50);
            make_record(&row, arena, &made[i]);
            cr_assert(route_record(&router, members[0], &made[i].record, &tokens[i], &why));
            cr_assert_lt(tokens[i], 8);
        }
        for (int round = 0; round < 2000; round++) {
            size_t i = rng_below(&rng, RECORDS);
            uint64_t token = 0;
            cr_assert(
                route_record(&router, members[rng_below(&rng, 3)], &made[i].record, &token, &why));
            cr_assert_eq(token, tokens[i]);
            struct route_column given[] = {{"region", arena_text(arena, made[i].columns[1].bytes)},
                                           {"tier", arena_text(arena, made[i].columns[2].bytes)}};
            const char *text = NULL;
            cr_assert(route_by_columns(&router, &made[i].key, given, 2, arena, &token, &text, &err),
                      "%s", err.message);
            cr_assert_eq(token, tokens[i]);
        }
        for (size_t m = 0; m < 3; m++) {
            route_scratch_free(members[m]);
        }
        arena_free(arena);
        route_done(&router);
    }
}

Test(route_cel, a_reader_hears_what_is_missing)
{
    struct sharding sharding = by("shard_hash(region + string(key)) % 8u");
    struct router router;
    struct err err = {0};
    struct logical_key key = key_of_u64(17);
    struct arena *arena = arena_new(1 << 12);
    uint64_t token = 0;
    const char *text = NULL;
    cr_assert(route_init(&router, &sharding, 8, 0, false, &err));
    cr_assert_not(route_needs_key_only(&router));
    cr_assert_not(route_key(&router, &key, &token, &err));
    cr_assert_str_eq(err.message, "the key alone does not lead to its shard: the expression "
                                  "`shard_hash(region + string(key)) % 8u` wants the columns "
                                  "region (string), too");
    struct route_column unknown = {"regio", "eu"};
    cr_assert_not(route_by_columns(&router, &key, &unknown, 1, arena, &token, &text, &err));
    cr_assert_str_eq(err.message, "the expression `shard_hash(region + string(key)) % 8u` has no "
                                  "column 'regio'");
    struct route_column known[] = {{"region", "eu"}, {"tier", "x"}};
    cr_assert(route_by_columns(&router, &key, known, 1, arena, &token, &text, &err));
    cr_assert_not(route_by_columns(&router, &key, known, 2, arena, &token, &text, &err));
    cr_assert_str_eq(err.message, "column tier: x: a column that is not an integer");
    route_done(&router);
    sharding = by("shard_hash(key) % 8u");
    cr_assert(route_init(&router, &sharding, 8, 0, false, &err));
    cr_assert(route_needs_key_only(&router));
    cr_assert(route_key(&router, &key, &token, &err));
    route_done(&router);
    /* settings that infer know no shard before a build has told it */
    sharding = by("key");
    err = (struct err){0};
    cr_assert(route_init(&router, &sharding, 0, 0, true, &err));
    cr_assert_not(route_key(&router, &key, &token, &err));
    cr_assert_eq(err.kind, ERR_SETTINGS);
    cr_assert_str_eq(err.message, "the shards of the expression `key` are known only when a "
                                  "snapshot is made: its manifest lists them");
    route_done(&router);
    arena_free(arena);
}

static struct cel_binding of_json(enum column_type type, const char *text, struct arena *arena)
{
    struct json_pointers *pointers = NULL;
    struct err err;
    const char *root = "";
    struct field_value field = {.kind = FIELD_DOCUMENT};
    const char *problem = NULL;
    size_t offset = 0;
    cr_assert(json_pointers_compile(&root, 1, arena, &pointers, &err));
    cr_assert(json_scan(pointers, bytes_of_text(text), &field.view, &problem, &offset));
    return column_of_field(type, &field, arena);
}

Test(route_cel, binding)
{
    static const struct {
        enum column_type type;
        const char *json;
        const char *value; /* as cel_rows_print; NULL: a fault */
    } cases[] = {
        {COLUMN_INT, "7", "{\"t\":\"int\",\"v\":\"7\"}"},
        {COLUMN_INT, "-9223372036854775808", "{\"t\":\"int\",\"v\":\"-9223372036854775808\"}"},
        {COLUMN_INT, "9223372036854775808", NULL},
        {COLUMN_INT, "true", "{\"t\":\"int\",\"v\":\"1\"}"},
        {COLUMN_INT, "1.0", NULL},
        {COLUMN_INT, "\"7\"", NULL},
        {COLUMN_INT, "null", NULL},
        {COLUMN_UINT, "18446744073709551615", "{\"t\":\"uint\",\"v\":\"18446744073709551615\"}"},
        {COLUMN_UINT, "-1", NULL},
        {COLUMN_UINT, "false", "{\"t\":\"uint\",\"v\":\"0\"}"},
        {COLUMN_DOUBLE, "1.5", "{\"t\":\"double\",\"v\":\"3ff8000000000000\"}"},
        {COLUMN_DOUBLE, "2", "{\"t\":\"double\",\"v\":\"4000000000000000\"}"},
        {COLUMN_DOUBLE, "-1e400", "{\"t\":\"double\",\"v\":\"fff0000000000000\"}"},
        {COLUMN_DOUBLE, "true", "{\"t\":\"double\",\"v\":\"3ff0000000000000\"}"},
        {COLUMN_DOUBLE, "\"1\"", NULL},
        {COLUMN_BOOL, "true", "{\"t\":\"bool\",\"v\":true}"},
        {COLUMN_BOOL, "1", NULL},
        {COLUMN_STRING, "\"a\\u0000b\"", "{\"t\":\"string\",\"v\":\"a\"}"},
        {COLUMN_STRING, "\"\\u00e9\"", "{\"t\":\"string\",\"v\":\"\\u00e9\"}"},
        {COLUMN_STRING, "1", NULL},
        {COLUMN_BYTES, "\"a\"", NULL},
    };
    struct arena *arena = arena_new(1 << 12);
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct cel_binding binding = of_json(cases[i].type, cases[i].json, arena);
        cr_assert_eq(binding.fault == NULL, cases[i].value != NULL, "%s", cases[i].json);
        if (cases[i].value != NULL) {
            AUTO(buf) struct buf out;
            buf_init(&out, 1 << 12);
            cel_rows_print(&binding.value, &out);
            cr_assert_str_eq(buf_text(&out), cases[i].value);
        }
    }
    arena_free(arena);
}

Test(route_cel, tokens_are_numbered_once)
{
    struct token_table *table = token_table_new();
    uint32_t number = 0;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < TOKEN_TABLE_MAX; i++) {
            char text[24];
            int size = snprintf(text, sizeof text, "i:%u", i * 7);
            cr_assert(token_table_number(table, bytes_of(text, (size_t)size), &number));
            cr_assert_eq(number, i);
            cr_assert_str_eq(token_table_text(table, number), text);
        }
    }
    cr_assert_not(token_table_number(table, bytes_of("s:new", 5), &number));
    cr_assert_eq(token_table_count(table), TOKEN_TABLE_MAX);
    token_table_free(table);
}
