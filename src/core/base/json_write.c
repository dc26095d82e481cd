/* JSON with strict, typed access: making values, and printing them in the one stable form. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"

void json_put(cJSON *object, const char *name, cJSON *take_value)
{
    CHECK(take_value != NULL);
    CHECK(cJSON_AddItemToObject(object, name, take_value));
}

static cJSON *add(cJSON *array, cJSON *take_value)
{
    CHECK(take_value != NULL);
    CHECK(cJSON_AddItemToArray(array, take_value));
    return take_value;
}

static cJSON *new_integer(bool negative, uint64_t magnitude)
{
    if (magnitude <= (uint64_t)JSON_INTEGER_MAX) {
        double value = (double)magnitude;
        return cJSON_CreateNumber(negative ? -value : value);
    }
    char text[24];
    snprintf(text, sizeof text, "%s%llu", negative ? "-" : "", (unsigned long long)magnitude);
    return cJSON_CreateString(text);
}

static cJSON *new_i64(int64_t value)
{
    return new_integer(value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

cJSON *json_new_object(void)
{
    cJSON *object = cJSON_CreateObject();
    CHECK(object != NULL);
    return object;
}

cJSON *json_new_array(void)
{
    cJSON *array = cJSON_CreateArray();
    CHECK(array != NULL);
    return array;
}

cJSON *json_put_object(cJSON *object, const char *name)
{
    cJSON *value = json_new_object();
    json_put(object, name, value);
    return value;
}

cJSON *json_put_array(cJSON *object, const char *name)
{
    cJSON *value = json_new_array();
    json_put(object, name, value);
    return value;
}

void json_put_text(cJSON *object, const char *name, const char *text)
{
    json_put(object, name, cJSON_CreateString(text));
}

void json_put_optional(cJSON *object, const char *name, const char *text)
{
    json_put(object, name, text == NULL ? cJSON_CreateNull() : cJSON_CreateString(text));
}

void json_put_bool(cJSON *object, const char *name, bool value)
{
    json_put(object, name, cJSON_CreateBool(value));
}

void json_put_null(cJSON *object, const char *name)
{
    json_put(object, name, cJSON_CreateNull());
}

void json_put_i64(cJSON *object, const char *name, int64_t value)
{
    json_put(object, name, new_i64(value));
}

void json_put_u64(cJSON *object, const char *name, uint64_t value)
{
    json_put(object, name, new_integer(false, value));
}

cJSON *json_add_object(cJSON *array)
{
    return add(array, cJSON_CreateObject());
}

cJSON *json_add_array(cJSON *array)
{
    return add(array, cJSON_CreateArray());
}

void json_add_i64(cJSON *array, int64_t value)
{
    add(array, new_i64(value));
}

void json_add_text(cJSON *array, const char *text)
{
    add(array, cJSON_CreateString(text));
}

/* The code point at `text`, and its length in bytes; U+FFFD and 1 where it is not UTF-8. */
static size_t next_code_point(struct bytes text, uint32_t *out)
{
    uint8_t first = text.data[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length > text.size || !bytes_are_utf8(bytes_of(text.data, length))) {
        *out = 0xfffd;
        return 1;
    }
    uint32_t value = length == 1 ? first : first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        value = value << 6 | (text.data[i] & 0x3f);
    }
    *out = value;
    return length;
}

static void print_escape(uint32_t code, struct buf *out)
{
    if (code >= 0x10000) {
        uint32_t rest = code - 0x10000;
        buf_add_format(out, "\\u%04x\\u%04x", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
    } else {
        buf_add_format(out, "\\u%04x", code);
    }
}

/* How many bytes at the front are written as they are: nearly all of nearly every text. */
static size_t plain_length(struct bytes text)
{
    size_t length = 0;
    while (length < text.size && text.data[length] >= 0x20 && text.data[length] < 0x7f &&
           text.data[length] != '"' && text.data[length] != '\\') {
        length++;
    }
    return length;
}

void json_print_text(struct bytes text, struct buf *out)
{
    static const char short_from[] = "\"\\\b\f\n\r\t";
    static const char short_to[] = "\"\\bfnrt";
    buf_add_byte(out, '"');
    while (text.size > 0) {
        size_t plain = plain_length(text);
        if (plain > 0) {
            buf_add(out, text.data, plain);
            text = bytes_of(text.data + plain, text.size - plain);
            continue;
        }
        uint32_t code = 0;
        size_t length = next_code_point(text, &code);
        const char *escape = code != 0 && code < 0x80 ? strchr(short_from, (int)code) : NULL;
        if (escape != NULL) {
            buf_add_byte(out, '\\');
            buf_add_byte(out, (uint8_t)short_to[escape - short_from]);
        } else {
            print_escape(code, out);
        }
        text = bytes_of(text.data + length, text.size - length);
    }
    buf_add_byte(out, '"');
}

static void print_integer(int64_t value, struct buf *out)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    buf_add(out, digits + at, sizeof digits - at);
}

/* The shortest form that reads back as the same double. */
static void print_number(double value, struct buf *out)
{
    if (!isfinite(value)) {
        buf_add_text(out, "null");
        return;
    }
    if (fabs(value) <= (double)JSON_INTEGER_MAX && value == (double)(int64_t)value) {
        print_integer((int64_t)value, out);
        return;
    }
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    buf_add_text(out, text);
}

static int compare_members(const void *left, const void *right)
{
    const cJSON *const *a = left;
    const cJSON *const *b = right;
    return strcmp((*a)->string, (*b)->string); /* UTF-8 bytes sort as code points do */
}

static void print_object(const cJSON *object, struct buf *out)
{
    size_t count = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        count++;
    }
    const cJSON **members = malloc((count + 1) * sizeof(*members));
    CHECK(members != NULL);
    size_t filled = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        members[filled++] = member;
    }
    qsort(members, count, sizeof(*members), compare_members);
    buf_add_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_add_byte(out, ',');
        }
        json_print_text(bytes_of_text(members[i]->string), out);
        buf_add_byte(out, ':');
        json_print(members[i], out);
    }
    buf_add_byte(out, '}');
    free(members);
}

void json_print(const cJSON *value, struct buf *out)
{
    if (cJSON_IsObject(value)) {
        print_object(value, out);
    } else if (cJSON_IsArray(value)) {
        buf_add_byte(out, '[');
        for (const cJSON *item = value->child; item != NULL; item = item->next) {
            json_print(item, out);
            if (item->next != NULL) {
                buf_add_byte(out, ',');
            }
        }
        buf_add_byte(out, ']');
    } else if (cJSON_IsString(value)) {
        json_print_text(bytes_of_text(value->valuestring), out);
    } else if (cJSON_IsNumber(value)) {
        print_number(value->valuedouble, out);
    } else if (cJSON_IsBool(value)) {
        buf_add_text(out, cJSON_IsTrue(value) ? "true" : "false");
    } else {
        buf_add_text(out, "null");
    }
}
