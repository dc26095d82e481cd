/* Is JSON checked to the letter, and is what the pointers lead to exact? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/buf.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/record/json_scan.h"

static struct json_pointers *compile(const char *const *texts, size_t count, struct arena *arena)
{
    struct json_pointers *pointers = NULL;
    struct err err = {0};
    cr_assert(json_pointers_compile(texts, count, arena, &pointers, &err), "%s", err.message);
    return pointers;
}

static const struct {
    const char *text;
    const char *problem; /* NULL: accepted */
    size_t offset;
} documents[] = {
    {"{}", NULL, 0},
    {" \t\r\n[ ] ", NULL, 0},
    {"0", NULL, 0},
    {"-0", NULL, 0},
    {"-0.5e+10", NULL, 0},
    {"1E-7", NULL, 0},
    {"\"\"", NULL, 0},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000\"", NULL, 0},
    {"\"\x7f\xc3\xa9\xf0\x9f\x98\x80\"", NULL, 0},
    {"[true,false,null]", NULL, 0},
    {"{\"a\":1,\"a\":2}", NULL, 0},
    {"", "ends too early", 0},
    {"  ", "ends too early", 2},
    {"01", "leading zero", 1},
    {"-", "without its digits", 1},
    {"1.", "without its digits", 2},
    {".5", "not a JSON value", 0},
    {"1e", "without its digits", 2},
    {"+1", "not a JSON value", 0},
    {"1x", "bytes after", 1},
    {"NaN", "not a JSON value", 0},
    {"nul", "not a JSON value", 0},
    {"nulL", "not a JSON value", 0},
    {"True", "not a JSON value", 0},
    {"'a'", "not a JSON value", 0},
    {"\"a", "without its end", 2},
    {"\"a\\", "without its end", 2},
    {"\"\\x\"", "unknown escape", 1},
    {"\"\\u12g4\"", "four hex", 1},
    {"\"\\u12\"", "four hex", 1},
    {"\"\\ud800\"", "half of a surrogate", 1},
    {"\"\\ud800\\u0041\"", "half of a surrogate", 1},
    {"\"\\udc00\"", "half of a surrogate", 1},
    {"\"\\ud800\\ud800\"", "half of a surrogate", 1},
    {"\"a\nb\"", "control character", 2},
    {"\"12345678\x01\"", "control character", 9},
    {"\"\xff\"", "not UTF-8", 1},
    {"\"\xc0\x80\"", "not UTF-8", 1},
    {"\"\xed\xa0\x80\"", "not UTF-8", 1},
    {"\"\xe2\x82", "not UTF-8", 1},
    {"\xef\xbb\xbf{}", "not a JSON value", 0},
    {"[1,]", "not a JSON value", 3},
    {"[1 2]", "array without a comma", 3},
    {"[1", "array without a comma", 2},
    {"[1}", "array without a comma", 2},
    {"[,1]", "not a JSON value", 1},
    {"{\"a\":1,}", "without a name", 7},
    {"{\"a\" 1}", "without a colon", 5},
    {"{a:1}", "without a name", 1},
    {"{\"a\":}", "not a JSON value", 5},
    {"{\"a\":1", "object without a comma", 6},
    {"{\"a\":1]", "object without a comma", 6},
    {"{1:2}", "without a name", 1},
    {"{} {}", "bytes after", 3},
    {"[1] // comment", "bytes after", 4},
};

Test(json_scan, grammar)
{
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *pointers = compile((const char *const[]){"/a"}, 1, arena);
    for (size_t i = 0; i < LENGTH_OF(documents); i++) {
        struct json_view view;
        const char *problem = NULL;
        size_t offset = 99;
        bool ok = json_scan(pointers, bytes_of_text(documents[i].text), &view, &problem, &offset);
        cr_assert_eq(ok, documents[i].problem == NULL, "%s: %s", documents[i].text, problem);
        if (!ok) {
            cr_assert_not_null(strstr(problem, documents[i].problem), "%s: %s", documents[i].text,
                               problem);
            cr_assert_eq(offset, documents[i].offset, "%s: %zu", documents[i].text, offset);
        }
    }
    arena_free(arena);
}

static const char document[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"m~n\":8,"
                               "\"id\":9007199254740993,\"x\":{\"y\":{\"z\":[[],{\"0\":true}]}},"
                               "\"esc\\u0061pe\":\"t\\u00e4xt\\n\",\"10\":\"ten\"}";

static const struct {
    const char *pointer;
    enum json_view_type type;
    const char *raw;
} found[] = {
    {"", JSON_VIEW_OBJECT, document},
    {"/foo", JSON_VIEW_ARRAY, "[\"bar\",\"baz\"]"},
    {"/foo/0", JSON_VIEW_STRING, "\"bar\""},
    {"/foo/1", JSON_VIEW_STRING, "\"baz\""},
    {"/foo/2", JSON_VIEW_ABSENT, ""},
    {"/foo/-", JSON_VIEW_ABSENT, ""},
    {"/foo/00", JSON_VIEW_ABSENT, ""},
    {"/foo/bar", JSON_VIEW_ABSENT, ""},
    {"/", JSON_VIEW_NUMBER, "0"},
    {"/a~1b", JSON_VIEW_NUMBER, "1"},
    {"/c%d", JSON_VIEW_NUMBER, "2"},
    {"/m~0n", JSON_VIEW_NUMBER, "8"},
    {"/id", JSON_VIEW_NUMBER, "9007199254740993"},
    {"/x/y/z/1/0", JSON_VIEW_TRUE, "true"},
    {"/x/y/z/0", JSON_VIEW_ARRAY, "[]"},
    {"/x/y/z/0/0", JSON_VIEW_ABSENT, ""},
    {"/x/y", JSON_VIEW_OBJECT, "{\"z\":[[],{\"0\":true}]}"},
    {"/escape", JSON_VIEW_STRING, "\"t\\u00e4xt\\n\""},
    {"/10", JSON_VIEW_STRING, "\"ten\""},
    {"/foo", JSON_VIEW_ARRAY, "[\"bar\",\"baz\"]"}, /* the same pointer twice */
};

Test(json_scan, pointers)
{
    struct arena *arena = arena_new(1 << 16);
    const char *texts[LENGTH_OF(found)];
    for (size_t i = 0; i < LENGTH_OF(found); i++) {
        texts[i] = found[i].pointer;
    }
    struct json_pointers *pointers = compile(texts, LENGTH_OF(found), arena);
    struct json_view views[LENGTH_OF(found)];
    const char *problem = NULL;
    size_t offset = 0;
    cr_assert(json_scan(pointers, bytes_of_text(document), views, &problem, &offset), "%s",
              problem);
    for (size_t i = 0; i < LENGTH_OF(found); i++) {
        cr_assert_eq(views[i].type, found[i].type, "%s", found[i].pointer);
        cr_assert(bytes_equal(views[i].raw, bytes_of_text(found[i].raw)), "%s", found[i].pointer);
    }
    struct bytes text = json_view_text(&views[17], arena);
    cr_assert(bytes_equal(text, bytes_of_text("t\xc3\xa4xt\n")));
    arena_free(arena);
}

static const struct {
    const char *text;
    const char *raw; /* of /a/b; NULL: absent */
} twice[] = {
    {"{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "2"}, {"{\"a\":{\"b\":1},\"a\":{}}", NULL},
    {"{\"a\":{\"b\":1},\"a\":7}", NULL},        {"{\"a\":{\"b\":1,\"b\":[2]}}", "[2]"},
    {"{\"a\":0,\"\\u0061\":{\"b\":3}}", "3"},
};

Test(json_scan, last_duplicate_counts)
{
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *pointers = compile((const char *const[]){"/a/b"}, 1, arena);
    for (size_t i = 0; i < LENGTH_OF(twice); i++) {
        struct json_view view;
        const char *problem = NULL;
        size_t offset = 0;
        cr_assert(json_scan(pointers, bytes_of_text(twice[i].text), &view, &problem, &offset));
        cr_assert(bytes_equal(view.raw, bytes_of_text(twice[i].raw)), "%s", twice[i].text);
        cr_assert_eq(view.type == JSON_VIEW_ABSENT, twice[i].raw == NULL);
    }
    arena_free(arena);
}

Test(json_scan, depth_is_limited)
{
    char text[2 * JSON_SCAN_DEPTH_MAX + 3];
    struct json_view view;
    const char *problem = NULL;
    size_t offset = 0;
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *none = compile(NULL, 0, arena);
    memset(text, '[', JSON_SCAN_DEPTH_MAX);
    memset(text + JSON_SCAN_DEPTH_MAX, ']', JSON_SCAN_DEPTH_MAX);
    cr_assert(json_scan(none, bytes_of(text, 2 * JSON_SCAN_DEPTH_MAX), &view, &problem, &offset));
    memset(text, '[', JSON_SCAN_DEPTH_MAX + 1);
    memset(text + JSON_SCAN_DEPTH_MAX + 1, ']', JSON_SCAN_DEPTH_MAX + 1);
    cr_assert_not(
        json_scan(none, bytes_of(text, 2 * JSON_SCAN_DEPTH_MAX + 2), &view, &problem, &offset));
    cr_assert_str_eq(problem, "nested too deeply");
    arena_free(arena);
}

Test(json_scan, bad_pointers)
{
    static const char *const bad[] = {"a", "/~", "/~2", "/a~", "/~/b", "/\xff"};
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *pointers = NULL;
    struct err err = {0};
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        cr_assert_not(json_pointers_compile(&bad[i], 1, arena, &pointers, &err), "%s", bad[i]);
        cr_assert_eq(err.kind, ERR_SETTINGS);
    }
    const char *many[JSON_POINTERS_MAX + 1];
    for (size_t i = 0; i < LENGTH_OF(many); i++) {
        many[i] = arena_format(arena, "/%zu", i);
    }
    cr_assert(json_pointers_compile(many, JSON_POINTERS_MAX, arena, &pointers, &err));
    cr_assert_not(json_pointers_compile(many, JSON_POINTERS_MAX + 1, arena, &pointers, &err));
    char deep[2 * JSON_POINTERS_DEPTH_MAX + 3];
    for (int i = 0; i <= JSON_POINTERS_DEPTH_MAX; i++) {
        memcpy(deep + 2 * i, "/a", 3);
    }
    const char *too_deep = deep;
    cr_assert_not(json_pointers_compile(&too_deep, 1, arena, &pointers, &err));
    arena_free(arena);
}

/* ---- against cJSON, on random documents ---- */

static void add_blanks(struct rng *rng, struct buf *out)
{
    while (rng_chance(rng, 150000)) {
        buf_add_byte(out, (uint8_t) " \t\r\n"[rng_below(rng, 4)]);
    }
}

static void add_random_string(struct rng *rng, struct buf *out)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "\\u0061",
                                         "\\n",
                                         "\\\\",
                                         "\\/",
                                         "\\\"",
                                         "\xc3\xa9",
                                         "\\u00e9",
                                         "0",
                                         "1",
                                         "~",
                                         "longer than eight bytes",
                                         "/",
                                         "\\ud83d\\ude00"};
    buf_add_byte(out, '"');
    size_t count = (size_t)rng_below(rng, 3);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, pieces[rng_below(rng, LENGTH_OF(pieces))]);
    }
    buf_add_byte(out, '"');
}

static void add_random_value(struct rng *rng, int depth, struct buf *out)
{
    static const char *const scalars[] = {"true",   "false",           "null", "0",
                                          "-1.5e3", "123456789012345", "0.1"};
    add_blanks(rng, out);
    uint64_t kind = rng_below(rng, depth == 0 ? 3 : 8);
    if (kind == 0) {
        add_random_string(rng, out);
    } else if (kind < 3) {
        buf_add_text(out, scalars[rng_below(rng, LENGTH_OF(scalars))]);
    } else {
        bool array = kind < 5;
        size_t count = (size_t)rng_below(rng, 5);
        buf_add_byte(out, array ? '[' : '{');
        for (size_t i = 0; i < count; i++) {
            buf_add_text(out, i == 0 ? "" : ",");
            if (!array) {
                add_blanks(rng, out);
                add_random_string(rng, out);
                add_blanks(rng, out);
                buf_add_byte(out, ':');
            }
            add_random_value(rng, depth - 1, out);
        }
        if (count == 0) {
            add_blanks(rng, out);
        }
        buf_add_byte(out, array ? ']' : '}');
    }
    add_blanks(rng, out);
}

static const char *const oracle_pointers[] = {
    "",
    "/a",
    "/b",
    "/a/b",
    "/a/a",
    "/0",
    "/1",
    "/a/0",
    "/0/a",
    "/0/0",
    "/1/b",
    "/~1",
    "/~0",
    "/\xc3\xa9",
    "/",
    "/ab",
    "/a/a/a",
    "/0/0/0",
    "/longer than eight bytes",
    "/a\xc3\xa9",
};

/* Where `pointer` leads in cJSON's tree, the last of two members counting. */
static const cJSON *resolve(const cJSON *root, const char *pointer)
{
    const cJSON *at = root;
    while (*pointer == '/' && at != NULL) {
        size_t size = strcspn(pointer + 1, "/");
        char step[64];
        snprintf(step, sizeof step, "%.*s", (int)size, pointer + 1);
        pointer += 1 + size;
        if (strcmp(step, "~1") == 0 || strcmp(step, "~0") == 0) {
            strcpy(step, step[1] == '1' ? "/" : "~");
        }
        const cJSON *next = NULL;
        const cJSON *child = NULL;
        int index = 0;
        cJSON_ArrayForEach(child, at)
        {
            char number[16];
            snprintf(number, sizeof number, "%d", index++);
            if (strcmp(cJSON_IsArray(at) ? number : child->string, step) == 0) {
                next = child;
            }
        }
        at = next;
    }
    return at;
}

static void compare(const struct json_view *view, const cJSON *node, struct arena *arena,
                    const char *text)
{
    static const int types[] = {
        [JSON_VIEW_NULL] = cJSON_NULL,     [JSON_VIEW_FALSE] = cJSON_False,
        [JSON_VIEW_TRUE] = cJSON_True,     [JSON_VIEW_NUMBER] = cJSON_Number,
        [JSON_VIEW_STRING] = cJSON_String, [JSON_VIEW_ARRAY] = cJSON_Array,
        [JSON_VIEW_OBJECT] = cJSON_Object,
    };
    cr_assert_eq(view->type == JSON_VIEW_ABSENT, node == NULL, "%s", text);
    if (node == NULL) {
        return;
    }
    cr_assert_eq(types[view->type], node->type & 0xff, "%s", text);
    if (view->type == JSON_VIEW_STRING) {
        cr_assert(bytes_equal(json_view_text(view, arena), bytes_of_text(node->valuestring)), "%s",
                  text);
    }
    cJSON *again = cJSON_ParseWithLength((const char *)view->raw.data, view->raw.size);
    char *ours = cJSON_PrintUnformatted(again);
    char *theirs = cJSON_PrintUnformatted(node);
    cr_assert_str_eq(ours, theirs, "%s", text);
    cJSON_free(ours);
    cJSON_free(theirs);
    cJSON_Delete(again);
}

Test(json_scan, agrees_with_cjson)
{
    struct arena *compiled = arena_new(1 << 16);
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *pointers = compile(oracle_pointers, LENGTH_OF(oracle_pointers), compiled);
    struct rng rng;
    rng_init(&rng, 5);
    int accepted = 0;
    int mutants_accepted = 0;
    for (int i = 0; i < 20000; i++) {
        AUTO(buf) struct buf text;
        buf_init(&text, 1 << 20);
        add_random_value(&rng, 4, &text);
        bool mutant = i % 2 == 1;
        if (mutant) {
            text.data[rng_below(&rng, text.size)] =
                (uint8_t) "{}[],:\"\\a0 -\xff\x01"[rng_below(&rng, 15)];
        }
        struct json_view views[LENGTH_OF(oracle_pointers)];
        const char *problem = NULL;
        size_t offset = 0;
        bool ok = json_scan(pointers, buf_bytes(&text), views, &problem, &offset);
        cr_assert(ok || mutant, "%s: %s", buf_text(&text), problem);
        if (!ok) {
            cr_assert_leq(offset, text.size);
            continue;
        }
        accepted++;
        mutants_accepted += mutant;
        cJSON *root = cJSON_ParseWithLengthOpts(buf_text(&text), text.size + 1, NULL, true);
        cr_assert_not_null(root, "only we accept %s", buf_text(&text));
        for (size_t j = 0; j < LENGTH_OF(oracle_pointers); j++) {
            compare(&views[j], resolve(root, oracle_pointers[j]), arena, buf_text(&text));
        }
        cJSON_Delete(root);
        arena_reset(arena);
    }
    cr_assert_gt(accepted, 10000);
    cr_assert_gt(mutants_accepted, 100);
    arena_free(arena);
    arena_free(compiled);
}
