/* Does an expression give what a reader's CEL gives, and does a wrong one say where it is wrong? */
#include "core/route/cel/cel.h"

#include <malloc.h>

#include "core/route/cel/cel_foreign.h"
#include "tests/support/cel_rows.h"
#include "tests/support/vectors.h"

/* Compiled and evaluated; `out` is the value as cel_rows_print has it, "compile" or "eval". */
static void say(const struct cel_row *row, struct cel_scratch *scratch, struct buf *out)
{
    struct cel_problem problem = {0};
    AUTO(cel) struct cel *cel = NULL;
    struct cel_value value;
    buf_clear(out);
    cel_scratch_arena(scratch);
    if (!cel_new(row->expression, row->columns, row->column_count, &cel, &problem)) {
        cr_assert(problem.text[0] != '\0' && problem.at <= row->expression.size);
        buf_add_text(out, "compile");
    } else if (!cel_eval(cel, row->bindings, scratch, &value)) {
        cr_assert(cel_scratch_fault(scratch)[0] != '\0');
        buf_add_text(out, "eval");
    } else {
        cel_rows_print(&value, out);
    }
}

/* The member of a line, printed as cel_rows_print prints it: bytes have "hex" in the vectors. */
static void expected_result(struct bytes line, struct arena *arena, struct buf *out)
{
    struct bytes type = cel_rows_text(line, "/result/t", arena);
    struct bytes hex = cel_rows_text(line, "/result/hex", arena);
    struct bytes text = cel_rows_text(line, "/result/v", arena);
    buf_clear(out);
    buf_add_text(out, "{\"t\":");
    json_print_text(type, out);
    buf_add_text(out, ",\"v\":");
    json_print_text(hex.data != NULL ? hex : text, out);
    buf_add_text(out, "}");
}

Test(cel, routing_vectors)
{
    struct arena *arena = arena_new(1 << 16);
    struct cel_scratch *scratch = cel_scratch_new();
    AUTO(buf) struct buf ours;
    AUTO(buf) struct buf theirs;
    buf_init(&ours, 1 << 16);
    buf_init(&theirs, 1 << 16);
    struct bytes rest = vectors_read("cel_routing.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        struct cel_row row = cel_rows_read(line, "/row", arena);
        struct bytes error = cel_rows_text(line, "/error", arena);
        say(&row, scratch, &ours);
        rows++;
        if (bytes_equal(error, bytes_of_text("compile")) ||
            bytes_equal(error, bytes_of_text("eval"))) {
            cr_assert(bytes_equal(buf_bytes(&ours), error), "%.*s: %s", (int)line.size,
                      (const char *)line.data, buf_text(&ours));
        } else if (cel_rows_text(line, "/result/t", arena).data != NULL) {
            expected_result(line, arena, &theirs);
            cr_assert_str_eq(buf_text(&ours), buf_text(&theirs), "%.*s", (int)line.size,
                             (const char *)line.data);
        } else {
            cr_assert(bytes_equal(error, bytes_of_text("result_type")));
            cr_assert(buf_text(&ours)[0] == '{');
        }
    }
    cr_assert_eq(rows, 169);
    cel_scratch_free(scratch);
    arena_free(arena);
}

Test(cel, conformance)
{
    struct arena *arena = arena_new(1 << 16);
    struct cel_scratch *scratch = cel_scratch_new();
    AUTO(buf) struct buf ours;
    buf_init(&ours, 1 << 16);
    struct bytes rest = vectors_read("cel_conformance.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        struct cel_row row = cel_rows_read(line, "/row", arena);
        say(&row, scratch, &ours);
        rows++;
        if (cel_rows_text(line, "/error", arena).data != NULL) {
            cr_assert(buf_text(&ours)[0] != '{', "%.*s: %s", (int)line.size,
                      (const char *)line.data, buf_text(&ours));
            continue;
        }
        cr_assert(buf_text(&ours)[0] == '{', "%.*s: %s", (int)line.size, (const char *)line.data,
                  buf_text(&ours));
        cJSON *said = cJSON_Parse(buf_text(&ours));
        cJSON *root = cJSON_ParseWithLength((const char *)line.data, line.size);
        cr_assert(cJSON_Compare(said, cJSON_GetObjectItemCaseSensitive(root, "value"), true),
                  "%.*s: %s", (int)line.size, (const char *)line.data, buf_text(&ours));
        cJSON_Delete(said);
        cJSON_Delete(root);
    }
    cr_assert_eq(rows, 1053);
    cel_scratch_free(scratch);
    arena_free(arena);
}

Test(cel, doubles_as_text)
{
    struct arena *arena = arena_new(1 << 12);
    struct bytes rest = vectors_read("double_to_string.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        double real = cel_rows_double(cel_rows_text(line, "/bits", arena));
        struct bytes text = cel_rows_text(line, "/text", arena);
        char to[CEL_FOREIGN_DOUBLE_MAX];
        size_t size = cel_foreign_print_double(real, to);
        cr_assert(bytes_equal(bytes_of(to, size), text), "%.*s: %.*s", (int)line.size,
                  (const char *)line.data, (int)size, to);
        rows++;
    }
    cr_assert_eq(rows, 85);
    arena_free(arena);
}

Test(cel, shard_hash_vectors)
{
    struct arena *arena = arena_new(1 << 12);
    struct cel_scratch *scratch = cel_scratch_new();
    struct bytes rest = vectors_read("shard_hash.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        struct sharding_column column = {.name = "value"};
        cr_assert(sharding_column_type_parse(cel_rows_text(line, "/type", arena), &column.type));
        struct cel_binding binding = cel_rows_bind(line, "", &column, arena);
        if (column.type == COLUMN_BYTES) {
            struct bytes hex = cel_rows_text(line, "/value", arena);
            binding.value = cel_value_bytes(cel_column_bytes(cel_rows_hex(hex, arena)));
        }
        struct cel_problem problem = {0};
        struct cel *cel = NULL;
        struct cel_value value;
        cr_assert(cel_new(bytes_of_text("shard_hash(value)"), &column, 1, &cel, &problem), "%s",
                  problem.text);
        cel_scratch_arena(scratch);
        bool ok = cel_eval(cel, &binding, scratch, &value);
        struct bytes hash = cel_rows_text(line, "/hash", arena);
        cr_assert_eq(ok, hash.data != NULL, "%.*s", (int)line.size, (const char *)line.data);
        if (ok) {
            struct logical_key number = {0};
            cr_assert_eq(key_parse_integer(hash, &number), REJECT_NONE);
            cr_assert(value.kind == CEL_UINT && value.natural == number.magnitude, "%.*s",
                      (int)line.size, (const char *)line.data);
        }
        cel_free(cel);
        rows++;
    }
    cr_assert_eq(rows, 67);
    cel_scratch_free(scratch);
    arena_free(arena);
}

static const struct sharding_column columns[] = {
    {"key", COLUMN_INT}, {"region", COLUMN_STRING}, {"amount", COLUMN_DOUBLE}};

Test(cel, a_wrong_expression_is_shown_with_a_caret)
{
    static const struct {
        const char *expression;
        const char *text;
        const char *shown;
    } faults[] = {
        {"shard_hash(kye) % 8u", "there is no column 'kye'",
         "> shard_hash(kye) % 8u\n>            ^"},
        {"shard_hash(key) % 8", "this operator does not take (uint, int)",
         "> shard_hash(key) % 8\n>                 ^"},
        {"key +", "the expression ends too early", "> key +\n>      ^"},
        {"key < 1.5 ? 1 : 0", "this operator does not take (int, double)",
         "> key < 1.5 ? 1 : 0\n>     ^"},
        {"shard_hash(amount)", "'shard_hash' does not take (double)", "> shard_hash(amount)\n> ^"},
        {"region.lower() == 'eu'", "there is no method 'lower' of 0 arguments",
         "> region.lower() == 'eu'\n>        ^"},
        {"hash(key, 1)", "there is no function 'hash' of 2 arguments", "> hash(key, 1)\n> ^"},
        {"'1' +\n  'é' + nope\n + '2'", "there is no column 'nope'", ">   'é' + nope\n>         ^"},
        {"region == 'eu", "a text that does not end", "> region == 'eu\n>           ^"},
        {"key ? 1 : 2", "the condition of ?: is a bool, and this is of type int",
         "> key ? 1 : 2\n> ^"},
        {"region == 'a' ? 1 : 'b'", "the branches of ?: are of different types: (int, string)",
         "> region == 'a' ? 1 : 'b'\n>               ^"},
        {"key # 1", "no such character in CEL", "> key # 1\n>     ^"},
        {"if", "a reserved word cannot be a name", "> if\n> ^"},
        {"9223372036854775808", "outside of what an int can hold", "> 9223372036854775808\n> ^"},
        {"has(key)", "has() takes a field selection, as in has(a.b)", "> has(key)\n>     ^"},
        {"region.exists(c, c == 'x')",
         "a macro goes over a list or a map, and this is of type string",
         "> region.exists(c, c == 'x')\n> ^"},
        {"timestamp(key).getHours('Europe/Berlin')",
         "a time zone that is neither UTC nor an offset, \"+01:00\"",
         "> timestamp(key).getHours('Europe/Berlin')\n>                         ^"},
    };
    for (size_t i = 0; i < LENGTH_OF(faults); i++) {
        struct cel *cel = NULL;
        struct cel_problem problem = {0};
        struct bytes expression = bytes_of_text(faults[i].expression);
        AUTO(buf) struct buf shown;
        buf_init(&shown, 1 << 12);
        cr_assert_not(cel_new(expression, columns, LENGTH_OF(columns), &cel, &problem));
        cr_assert_str_eq(problem.text, faults[i].text);
        cel_problem_show(expression, problem.at, "> ", &shown);
        cr_assert_str_eq(buf_text(&shown), faults[i].shown);
    }
}

Test(cel, long_lines_are_shown_in_part)
{
    char line[400];
    memset(line, 'x', sizeof line);
    AUTO(buf) struct buf shown;
    buf_init(&shown, 1 << 12);
    cel_problem_show(bytes_of(line, sizeof line), 200, "", &shown);
    cr_assert_eq(shown.size, 3 + 80 + 60 + 3 + 1 + 3 + 80 + 1);
    cr_assert_eq(strspn(buf_text(&shown), ".x"), 146);
}

Test(cel, columns_have_names_of_cel)
{
    static const struct {
        const char *name;
        bool good;
    } names[] = {{"key", true},        {"_k2", true},   {"timestamp", true}, {"google", true},
                 {"int", false},       {"dyn", false},  {"list", false},     {"if", false},
                 {"in", false},        {"null", false}, {"a.b", false},      {"1a", false},
                 {"null_type", false}, {"", false},     {"ü", false}};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        cr_assert_eq(cel_column_name_fault(bytes_of_text(names[i].name)) == NULL, names[i].good,
                     "%s", names[i].name);
    }
    static const struct sharding_column twice[] = {{"a", COLUMN_INT}, {"a", COLUMN_INT}};
    struct cel *cel = NULL;
    struct cel_problem problem = {0};
    cr_assert_not(cel_new(bytes_of_text("a"), twice, 2, &cel, &problem));
    cr_assert_str_eq(problem.text, "the column 'a' is there twice");
}

Test(cel, says_what_it_uses_and_gives)
{
    static const struct {
        const char *expression;
        enum cel_kind kind;
        bool key, region;
    } cases[] = {{"key % 4", CEL_INT, true, false},
                 {"region", CEL_STRING, false, true},
                 {"shard_hash(region + ':' + string(key)) % 8u", CEL_UINT, true, true},
                 {"dyn(key)", CEL_KINDS, true, false},
                 {"[key]", CEL_LIST, true, false},
                 {"3", CEL_INT, false, false},
                 {"type(key)", CEL_TYPE, true, false}};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct cel *cel = NULL;
        struct cel_problem problem = {0};
        cr_assert(cel_new(bytes_of_text(cases[i].expression), columns, LENGTH_OF(columns), &cel,
                          &problem));
        cr_assert_eq(cel_result_kind(cel), cases[i].kind, "%s", cases[i].expression);
        cr_assert_eq(cel_uses_column(cel, 0), cases[i].key);
        cr_assert_eq(cel_uses_column(cel, 1), cases[i].region);
        cr_assert_not(cel_uses_column(cel, 2));
        cel_free(cel);
    }
}

Test(cel, a_fault_names_the_place)
{
    struct cel *cel = NULL;
    struct cel_problem problem = {0};
    struct cel_scratch *scratch = cel_scratch_new();
    struct cel_binding bindings[3] = {{.value = cel_value_int(0)}, {.fault = "no such field"}};
    struct cel_value value;
    cr_assert(cel_new(bytes_of_text("'ü' == region || 1 / key == 1 ? 1 : 2"), columns, 3, &cel,
                      &problem));
    cr_assert_not(cel_eval(cel, bindings, scratch, &value));
    cr_assert_str_eq(cel_scratch_fault(scratch),
                     "no such field (at character 8 of the expression)");
    bindings[1] = (struct cel_binding){.value = cel_value_string(bytes_of_text("x"))};
    cr_assert_not(cel_eval(cel, bindings, scratch, &value));
    cr_assert_str_eq(cel_scratch_fault(scratch),
                     "a division by zero (at character 20 of the expression)");
    cel_free(cel);
    cel_scratch_free(scratch);
}

Test(cel, nothing_is_allocated_once_warm)
{
    struct cel *cel = NULL;
    struct cel_problem problem = {0};
    struct cel_scratch *scratch = cel_scratch_new();
    struct cel_binding bindings[3] = {{.value = cel_value_int(7)}};
    bindings[1].value = cel_value_string(bytes_of_text("eu-central"));
    struct cel_value value;
    cr_assert(cel_new(bytes_of_text("shard_hash(region + ':' + string(key)) % 8u"), columns, 3,
                      &cel, &problem));
    size_t warm = 0;
    for (int i = 0; i < 100000; i++) {
        (void)cel_scratch_arena(scratch); /* for the next row */
        cr_assert(cel_eval(cel, bindings, scratch, &value));
        warm = i == 10 ? mallinfo2().uordblks : warm;
    }
    cr_assert_eq(mallinfo2().uordblks, warm);
    cel_free(cel);
    cel_scratch_free(scratch);
}

Test(cel, an_evaluation_has_limits)
{
    struct cel *cel = NULL;
    struct cel_problem problem = {0};
    struct cel_scratch *scratch = cel_scratch_new();
    struct cel_binding bindings[3] = {{.value = cel_value_int(1)}};
    struct cel_value value;
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 16);
    buf_add_text(&text, "[0");
    for (int i = 0; i < 100; i++) {
        buf_add_text(&text, ",0");
    }
    buf_add_text(&text, "]");
    const char *list = buf_text(&text);
    char *expression = NULL;
    cr_assert(
        asprintf(&expression, "%s.exists(a, %s.exists(b, key == 0)) || key == 1", list, list) > 0);
    cr_assert(cel_new(bytes_of_text(expression), columns, 3, &cel, &problem), "%s", problem.text);
    cr_assert_not(cel_eval(cel, bindings, scratch, &value));
    cr_assert(strstr(cel_scratch_fault(scratch), "more than 10000 rounds") != NULL, "%s",
              cel_scratch_fault(scratch));
    cel_free(cel);
    free(expression);
    cr_assert(asprintf(&expression,
                       "size(%s.map(a, region + region).map(b, b + b + b + b)) > 0 ? 1 : 2",
                       list) > 0);
    static char large[256 * 1024];
    memset(large, 'x', sizeof large);
    bindings[1].value = cel_value_string(bytes_of(large, sizeof large));
    cr_assert(cel_new(bytes_of_text(expression), columns, 3, &cel, &problem), "%s", problem.text);
    cr_assert_not(cel_eval(cel, bindings, scratch, &value));
    cr_assert(strstr(cel_scratch_fault(scratch), "32 MiB") != NULL);
    cel_free(cel);
    free(expression);
    cel_scratch_free(scratch);
}
