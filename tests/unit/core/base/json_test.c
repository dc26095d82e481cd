/* Is JSON read strictly, with the path in the error, and printed in one stable form? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/json.h"

static const struct {
    const char *text;
    const char *message; /* part of it; NULL: accepted */
} documents[] = {
    {"{}", NULL},
    {" [1] \n", NULL},
    {"", "no valid value"},
    {"{\"a\":1,}", "no valid value"},
    {"{\"a\":1} x", "bytes after the value"},
    {"{\"a\":1,\"b\":{\"c\":1,\"d\":2,\"c\":3}}", "c: given twice"},
    {"{\"a\":\"\\u0000\"}", "\\u0000"},
    {"{\"a\":\"\\\\u0000\"}", NULL},
    {"{\"a\":\"\xff\"}", "not UTF-8"},
};

Test(json, parse)
{
    for (size_t i = 0; i < LENGTH_OF(documents); i++) {
        AUTO(json) cJSON *root = NULL;
        struct err err = {0};
        bool ok = json_parse(bytes_of_text(documents[i].text), &root, &err);
        cr_assert_eq(ok, documents[i].message == NULL, "%s: %s", documents[i].text, err.message);
        if (!ok) {
            cr_assert_not_null(strstr(err.message, documents[i].message), "%s", err.message);
            cr_assert_eq(err.kind, ERR_INPUT);
        }
    }
}

static const struct {
    const char *value;
    int64_t expected;
    const char *message;
} integers[] = {
    {"0", 0, NULL},
    {"-7", -7, NULL},
    {"9007199254740991", 9007199254740991, NULL},
    {"9007199254740992", 0, "decimal string"},
    {"9007199254740993", 0, "decimal string"},
    {"\"9223372036854775807\"", INT64_MAX, NULL},
    {"\"-9223372036854775808\"", INT64_MIN, NULL},
    {"\"9223372036854775808\"", 0, "64 bits"},
    {"\"01\"", 0, "64 bits"},
    {"\"-0\"", 0, "64 bits"},
    {"\"\"", 0, "64 bits"},
    {"\"1x\"", 0, "64 bits"},
    {"1.5", 0, "not an integer"},
    {"1e400", 0, "not an integer"},
    {"true", 0, "not a number"},
};

Test(json, integers_are_exact)
{
    for (size_t i = 0; i < LENGTH_OF(integers); i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"list\":[{\"n\":%s}]}", integers[i].value);
        AUTO(json) cJSON *root = NULL;
        struct err err = {0};
        cr_assert(json_parse(bytes_of_text(text), &root, &err));
        struct json at = json_root(root);
        struct json list;
        size_t count = 0;
        cr_assert(json_array(&at, "list", 5, &list, &count, &err));
        struct json item = {0};
        json_item(&list, 0, &item);
        int64_t value = 0;
        bool ok = json_i64(&item, "n", INT64_MIN, INT64_MAX, &value, &err);
        cr_assert_eq(ok, integers[i].message == NULL, "%s: %s", text, err.message);
        if (ok) {
            cr_assert_eq(value, integers[i].expected);
        } else {
            cr_assert_not_null(strstr(err.message, integers[i].message), "%s", err.message);
            cr_assert_eq(strncmp(err.message, "list[0].n: ", 11), 0, "%s", err.message);
        }
    }
}

Test(json, print_is_stable)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "b", "q\"\\\b\f\n\r\t\x01\x7f\xc3\xa9\xf0\x9f\x98\x80");
    json_put_i64(root, "a", INT64_MIN);
    json_put_u64(root, "z", UINT64_MAX);
    json_put_bool(root, "A", true);
    json_put_null(root, "\xc3\xa9");
    cJSON *list = json_put_array(root, "list");
    json_add_i64(list, 12);
    json_add_text(list, "x");
    json_put(root, "f", cJSON_CreateNumber(0.1));
    AUTO(buf) struct buf out;
    buf_init(&out, 1000);
    json_print(root, &out);
    cr_assert_str_eq(
        buf_text(&out),
        "{\"A\":true,\"a\":\"-9223372036854775808\","
        "\"b\":\"q\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\\u00e9\\ud83d\\ude00\","
        "\"f\":0.1,\"list\":[12,\"x\"],\"z\":\"18446744073709551615\",\"\\u00e9\":null}");
    AUTO(json) cJSON *again = NULL;
    struct err err = {0};
    cr_assert(json_parse(buf_bytes(&out), &again, &err), "%s", err.message);
    struct json at = json_root(again);
    uint64_t big = 0;
    cr_assert(json_u64(&at, "z", &big, &err));
    cr_assert_eq(big, UINT64_MAX);
}

Test(json, types_and_bounds_are_checked)
{
    AUTO(json) cJSON *root = NULL;
    struct err err = {0};
    cr_assert(json_parse(bytes_of_text("{\"t\":\"abc\",\"l\":[1,2],\"o\":{},\"n\":5,\"x\":null}"),
                         &root, &err));
    struct json at = json_root(root);
    struct json sub;
    size_t count = 0;
    const char *text = NULL;
    bool flag = false;
    int64_t number = 0;
    cr_assert_not(json_text(&at, "t", 2, &text, &err));
    cr_assert_not(json_text(&at, "n", 20, &text, &err));
    cr_assert_not(json_array(&at, "l", 1, &sub, &count, &err));
    cr_assert_not(json_array(&at, "o", 1, &sub, &count, &err));
    cr_assert_not(json_object(&at, "l", &sub, &err));
    cr_assert_not(json_object(&at, "none", &sub, &err));
    cr_assert_str_eq(err.message, "none: missing");
    cr_assert_not(json_bool(&at, "n", &flag, &err));
    cr_assert_not(json_i64(&at, "n", 6, 9, &number, &err));
    cr_assert_str_eq(err.message, "n: 5 is not in 6 to 9");
    cr_assert(json_has(&at, "n"));
    cr_assert_not(json_has(&at, "x"));
    cr_assert_not(json_has(&at, "none"));
}
