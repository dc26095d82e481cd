/* Expressions with columns and values as JSON, as the golden vectors have them: integers are
 * decimal strings, bytes {"hex": …}, doubles {"bits": …}. What does not fit ends the test. */
#ifndef TIDEMARK_TESTS_SUPPORT_CEL_ROWS_H
#define TIDEMARK_TESTS_SUPPORT_CEL_ROWS_H

#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/record/json_pointers.h"
#include "core/record/json_scan.h"
#include "core/record/json_view.h"
#include "core/record/key.h"
#include "core/route/cel/cel.h"

enum { CEL_ROWS_COLUMNS_MAX = 16 };

struct cel_row {
    struct bytes expression;
    struct sharding_column columns[CEL_ROWS_COLUMNS_MAX];
    struct cel_binding bindings[CEL_ROWS_COLUMNS_MAX];
    size_t column_count;
};

/* The text at a pointer of the line; data NULL when there is none. */
static inline struct bytes cel_rows_text(struct bytes line, const char *pointer,
                                         struct arena *arena)
{
    struct json_pointers *pointers = NULL;
    struct err err = {0};
    struct json_view view = {0};
    const char *problem = NULL;
    size_t offset = 0;
    CHECK(json_pointers_compile(&pointer, 1, arena, &pointers, &err));
    CHECK(json_scan(pointers, line, &view, &problem, &offset));
    if (view.type == JSON_VIEW_STRING) {
        struct bytes text = json_view_text(&view, arena);
        return text.data == NULL ? bytes_of("", 0) : text;
    }
    return view.type == JSON_VIEW_ABSENT || view.type == JSON_VIEW_NULL ? bytes_of(NULL, 0)
                                                                        : view.raw;
}

static inline struct bytes cel_rows_hex(struct bytes digits, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, digits.size / 2 + 1);
    for (size_t i = 0; i + 1 < digits.size; i += 2) {
        char pair[3] = {(char)digits.data[i], (char)digits.data[i + 1], '\0'};
        data[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return bytes_of(data, digits.size / 2);
}

static inline double cel_rows_double(struct bytes bits)
{
    uint64_t value = 0;
    CHECK(bits.size == 16);
    for (size_t i = 0; i < 16; i++) {
        char digit[2] = {(char)bits.data[i], '\0'};
        value = value << 4 | strtoul(digit, NULL, 16);
    }
    double real;
    memcpy(&real, &value, sizeof real);
    return real;
}

/* A value of the row, and of a type; what is not there has a fault. */
static inline struct cel_binding cel_rows_bind(struct bytes line, const char *prefix,
                                               const struct sharding_column *column,
                                               struct arena *arena)
{
    const char *at = arena_format(arena, "%s/%s", prefix, column->name);
    struct bytes text = cel_rows_text(line, at, arena);
    struct bytes hex = cel_rows_text(line, arena_format(arena, "%s/hex", at), arena);
    struct bytes bits = cel_rows_text(line, arena_format(arena, "%s/bits", at), arena);
    struct logical_key number;
    if (text.data == NULL) {
        return (struct cel_binding){.fault = "no value for this column"};
    }
    switch (column->type) {
    case COLUMN_INT:
    case COLUMN_UINT:
        CHECK(key_parse_integer(text, &number) == REJECT_NONE);
        uint64_t raw = number.negative ? 0 - number.magnitude : number.magnitude;
        return (struct cel_binding){.value = column->type == COLUMN_UINT
                                                 ? cel_value_uint(raw)
                                                 : cel_value_int((int64_t)raw)};
    case COLUMN_DOUBLE:
        return (struct cel_binding){.value = cel_value_double(cel_rows_double(bits))};
    case COLUMN_BOOL:
        return (struct cel_binding){.value =
                                        cel_value_bool(bytes_equal(text, bytes_of_text("true")))};
    case COLUMN_STRING:
        return (struct cel_binding){.value = cel_value_string(cel_column_bytes(text))};
    case COLUMN_BYTES:
        return (struct cel_binding){
            .value = cel_value_bytes(cel_column_bytes(cel_rows_hex(hex, arena)))};
    }
    CHECK(!"a column of no type");
    return (struct cel_binding){0};
}

/* Members "expr", "columns" (an object: name to type) and, where they are wanted, `row`: the
 * pointer of the object with the values. */
static inline struct cel_row cel_rows_read(struct bytes line, const char *row, struct arena *arena)
{
    struct cel_row out = {.expression = cel_rows_text(line, "/expr", arena)};
    CHECK(out.expression.data != NULL);
    cJSON *root = cJSON_ParseWithLength((const char *)line.data, line.size);
    CHECK(root != NULL);
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, cJSON_GetObjectItemCaseSensitive(root, "columns"))
    {
        CHECK(out.column_count < CEL_ROWS_COLUMNS_MAX);
        struct sharding_column *column = &out.columns[out.column_count];
        column->name = arena_text(arena, bytes_of_text(member->string));
        CHECK(sharding_column_type_parse(bytes_of_text(member->valuestring), &column->type));
        if (row != NULL) {
            out.bindings[out.column_count] = cel_rows_bind(line, row, column, arena);
        }
        out.column_count++;
    }
    cJSON_Delete(root);
    return out;
}

static inline void cel_rows_print_items(const struct cel_value *items, size_t count,
                                        struct buf *out);

/* A value as JSON: {"t": "int", "v": "3"}, {"t": "list", "v": [ … ]}; a map's keys and values take
 * turns. Doubles are printed by their bits, every NaN by the same ones. */
static inline void cel_rows_print(const struct cel_value *value, struct buf *out)
{
    const char *kind = cel_value_kind_name(value->kind);
    buf_add_format(out, "{\"t\":\"%s\",\"v\":", kind);
    uint64_t bits = 0;
    switch (value->kind) {
    case CEL_NULL:
        buf_add_text(out, "null");
        break;
    case CEL_BOOL:
        buf_add_text(out, value->truth ? "true" : "false");
        break;
    case CEL_INT:
        buf_add_format(out, "\"%lld\"", (long long)value->integer);
        break;
    case CEL_UINT:
        buf_add_format(out, "\"%llu\"", (unsigned long long)value->natural);
        break;
    case CEL_DOUBLE:
        memcpy(&bits, &value->real, sizeof bits);
        buf_add_format(out, "\"%016llx\"",
                       value->real != value->real ? 0x7ff8000000000000ull
                                                  : (unsigned long long)bits);
        break;
    case CEL_STRING:
        json_print_text(value->text, out);
        break;
    case CEL_BYTES:
        buf_add_byte(out, '"');
        buf_add_hex(out, value->text);
        buf_add_byte(out, '"');
        break;
    case CEL_LIST:
        cel_rows_print_items(value->list->items, value->list->count, out);
        break;
    case CEL_MAP:
        buf_add_byte(out, '[');
        for (size_t i = 0; i < value->map->count; i++) {
            buf_add_text(out, i == 0 ? "" : ",");
            cel_rows_print(&value->map->keys[i], out);
            buf_add_byte(out, ',');
            cel_rows_print(&value->map->values[i], out);
        }
        buf_add_byte(out, ']');
        break;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        buf_add_format(out, "\"%lld.%d\"", (long long)value->span.seconds, value->span.nanos);
        break;
    case CEL_TYPE:
        json_print_text(bytes_of_text(cel_value_kind_name(value->type)), out);
        break;
    case CEL_KINDS:
        CHECK(!"a value of no kind");
    }
    buf_add_byte(out, '}');
}

static inline void cel_rows_print_items(const struct cel_value *items, size_t count,
                                        struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i == 0 ? "" : ",");
        cel_rows_print(&items[i], out);
    }
    buf_add_byte(out, ']');
}

#endif
