/* JSON with strict, typed access: reading. */
#include "core/base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* True when a \u0000 escape is in the text: cJSON would cut the string there without a word. */
static bool has_nul_escape(struct bytes text)
{
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] != '\\') {
            continue;
        }
        if (text.data[i + 1] == 'u' && text.size - i >= 6 &&
            memcmp(text.data + i + 2, "0000", 4) == 0) {
            return true;
        }
        i++; /* the escaped character, which may be a backslash itself */
    }
    return false;
}

static int compare_names(const void *left, const void *right)
{
    const cJSON *const *a = left;
    const cJSON *const *b = right;
    return strcmp((*a)->string, (*b)->string);
}

/* A name that is there twice in `object`, or NULL. */
static const char *duplicate_name(const cJSON *object)
{
    size_t count = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        count++;
    }
    if (count < 2) {
        return NULL;
    }
    const cJSON **members = malloc(count * sizeof(*members));
    CHECK(members != NULL);
    size_t filled = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        members[filled++] = member;
    }
    qsort(members, count, sizeof(*members), compare_names);
    const char *found = NULL;
    for (size_t i = 1; i < count && found == NULL; i++) {
        if (strcmp(members[i - 1]->string, members[i]->string) == 0) {
            found = members[i]->string;
        }
    }
    free(members);
    return found;
}

/* Recursion is bounded by cJSON's own nesting limit. */
static bool no_duplicates(const cJSON *value, struct err *err)
{
    if (cJSON_IsObject(value)) {
        const char *name = duplicate_name(value);
        if (name != NULL) {
            return err_set(err, ERR_INPUT, "%.100s: given twice in one object", name);
        }
    }
    for (const cJSON *child = value->child; child != NULL; child = child->next) {
        TRY(no_duplicates(child, err));
    }
    return true;
}

bool json_parse(struct bytes text, cJSON **ret_root, struct err *err)
{
    if (!bytes_are_utf8(text)) {
        return err_set(err, ERR_INPUT, "JSON: not UTF-8");
    }
    if (has_nul_escape(text)) {
        return err_set(err, ERR_INPUT, "JSON: a string with \\u0000");
    }
    const char *end = NULL;
    cJSON *root = text.size == 0
                      ? NULL
                      : cJSON_ParseWithLengthOpts((const char *)text.data, text.size, &end, false);
    if (root == NULL) {
        size_t at = end == NULL ? 0 : (size_t)(end - (const char *)text.data);
        return err_set(err, ERR_INPUT, "JSON: no valid value at byte %zu", at);
    }
    size_t used = (size_t)(end - (const char *)text.data);
    while (used < text.size && strchr(" \t\r\n", text.data[used]) != NULL && text.data[used] != 0) {
        used++;
    }
    if (used != text.size) {
        cJSON_Delete(root);
        return err_set(err, ERR_INPUT, "JSON: bytes after the value, at byte %zu", used);
    }
    if (!no_duplicates(root, err)) {
        cJSON_Delete(root);
        return false;
    }
    *ret_root = root;
    return true;
}

cJSON *json_free(cJSON *root)
{
    cJSON_Delete(root);
    return NULL;
}

void json_auto(cJSON **root)
{
    *root = json_free(*root);
}

struct json json_root(const cJSON *root)
{
    return (struct json){.node = root};
}

/* Root first; `used` grows by what was written. */
static void write_path(const struct json *at, char *text, size_t size, size_t *used)
{
    if (at == NULL) {
        return;
    }
    write_path(at->borrowed_parent, text, size, used);
    int length = 0;
    if (at->borrowed_name != NULL) {
        length = snprintf(text + *used, size - *used, "%s%.60s", *used > 0 ? "." : "",
                          at->borrowed_name);
    } else if (at->borrowed_parent != NULL) {
        length = snprintf(text + *used, size - *used, "[%zu]", at->index);
    }
    *used += (size_t)length;
    if (*used >= size) {
        *used = size - 1;
    }
}

bool json_refuse(const struct json *at, const char *name, struct err *err, const char *format, ...)
{
    char path[200] = "";
    size_t used = 0;
    write_path(at, path, sizeof path, &used);
    if (name != NULL) {
        snprintf(path + used, sizeof path - used, "%s%.60s", used > 0 ? "." : "", name);
    }
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return err_set(err, ERR_INPUT, "%s%s%s", path, path[0] == '\0' ? "" : ": ", message);
}

static const cJSON *member(const struct json *at, const char *name)
{
    if (name == NULL) {
        return at->node;
    }
    return cJSON_IsObject(at->node) ? cJSON_GetObjectItemCaseSensitive(at->node, name) : NULL;
}

static bool missing(const struct json *at, const char *name, struct err *err)
{
    if (!cJSON_IsObject(at->node)) {
        return json_refuse(at, NULL, err, "not an object");
    }
    return json_refuse(at, name, err, "missing");
}

bool json_has(const struct json *at, const char *name)
{
    const cJSON *node = member(at, name);
    return node != NULL && !cJSON_IsNull(node);
}

bool json_object(const struct json *at, const char *name, struct json *out, struct err *err)
{
    const cJSON *node = member(at, name);
    if (node == NULL) {
        return missing(at, name, err);
    }
    if (!cJSON_IsObject(node)) {
        return json_refuse(at, name, err, "not an object");
    }
    *out = (struct json){.node = node, .borrowed_parent = at, .borrowed_name = name};
    return true;
}

bool json_array(const struct json *at, const char *name, size_t count_max, struct json *out,
                size_t *out_count, struct err *err)
{
    const cJSON *node = member(at, name);
    if (node == NULL) {
        return missing(at, name, err);
    }
    if (!cJSON_IsArray(node)) {
        return json_refuse(at, name, err, "not an array");
    }
    size_t count = 0;
    for (const cJSON *item = node->child; item != NULL; item = item->next) {
        count++;
    }
    if (count > count_max) {
        return json_refuse(at, name, err, "%zu items, at most %zu are allowed", count, count_max);
    }
    *out = (struct json){.node = node, .borrowed_parent = at, .borrowed_name = name};
    *out_count = count;
    return true;
}

void json_item(const struct json *array, size_t index, struct json *item)
{
    const cJSON *node = NULL;
    if (item->borrowed_parent == array && item->node != NULL && item->index + 1 == index) {
        node = item->node->next;
    } else {
        node = array->node->child;
        for (size_t i = 0; i < index && node != NULL; i++) {
            node = node->next;
        }
    }
    CHECK(node != NULL);
    *item = (struct json){.node = node, .borrowed_parent = array, .index = index};
}

bool json_text(const struct json *at, const char *name, size_t size_max, const char **out_text,
               struct err *err)
{
    const cJSON *node = member(at, name);
    if (node == NULL) {
        return missing(at, name, err);
    }
    if (!cJSON_IsString(node)) {
        return json_refuse(at, name, err, "not a string");
    }
    if (strlen(node->valuestring) > size_max) {
        return json_refuse(at, name, err, "longer than %zu bytes", size_max);
    }
    *out_text = node->valuestring;
    return true;
}

bool json_bool(const struct json *at, const char *name, bool *out, struct err *err)
{
    const cJSON *node = member(at, name);
    if (node == NULL) {
        return missing(at, name, err);
    }
    if (!cJSON_IsBool(node)) {
        return json_refuse(at, name, err, "neither true nor false");
    }
    *out = cJSON_IsTrue(node);
    return true;
}

/* Digits with an optional minus sign, no leading zeros, as json_put_i64 writes them. */
static bool parse_decimal(const char *text, bool *out_negative, uint64_t *out_magnitude)
{
    bool negative = text[0] == '-';
    const char *digit = text + (negative ? 1 : 0);
    if (*digit == '\0' || (digit[0] == '0' && (digit[1] != '\0' || negative))) {
        return false;
    }
    uint64_t value = 0;
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return false;
        }
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*digit - '0'), &value)) {
            return false;
        }
    }
    *out_negative = negative;
    *out_magnitude = value;
    return true;
}

static bool read_integer(const struct json *at, const char *name, bool *out_negative,
                         uint64_t *out_magnitude, struct err *err)
{
    const cJSON *node = member(at, name);
    if (node == NULL) {
        return missing(at, name, err);
    }
    if (cJSON_IsString(node)) {
        if (!parse_decimal(node->valuestring, out_negative, out_magnitude)) {
            return json_refuse(at, name, err, "not an integer of 64 bits");
        }
        return true;
    }
    if (!cJSON_IsNumber(node)) {
        return json_refuse(at, name, err, "not a number");
    }
    double value = node->valuedouble;
    if (isfinite(value) && fabs(value) > (double)JSON_INTEGER_MAX) {
        return json_refuse(at, name, err,
                           "beyond 2^53 - 1 a number is not exact: write it as a decimal string");
    }
    if (!isfinite(value) || value != (double)(int64_t)value) {
        return json_refuse(at, name, err, "not an integer");
    }
    *out_negative = value < 0;
    *out_magnitude = (uint64_t)fabs(value);
    return true;
}

bool json_i64(const struct json *at, const char *name, int64_t min, int64_t max, int64_t *out,
              struct err *err)
{
    bool negative = false;
    uint64_t magnitude = 0;
    TRY(read_integer(at, name, &negative, &magnitude, err));
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (magnitude > limit) {
        return json_refuse(at, name, err, "not an integer of 64 bits");
    }
    int64_t value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    if (value < min || value > max) {
        return json_refuse(at, name, err, "%lld is not in %lld to %lld", (long long)value,
                           (long long)min, (long long)max);
    }
    *out = value;
    return true;
}

bool json_u64(const struct json *at, const char *name, uint64_t *out, struct err *err)
{
    bool negative = false;
    uint64_t magnitude = 0;
    TRY(read_integer(at, name, &negative, &magnitude, err));
    if (negative) {
        return json_refuse(at, name, err, "negative");
    }
    *out = magnitude;
    return true;
}
