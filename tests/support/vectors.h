/* Reads the golden vectors: whole files, lines, hex. For tests; failures end the test. */
#ifndef TIDEMARK_TESTS_SUPPORT_VECTORS_H
#define TIDEMARK_TESTS_SUPPORT_VECTORS_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "core/base/json.h"

/* The file's content with a NUL behind it; `path` is relative to tests/vectors. */
static inline struct bytes vectors_read(const char *path, struct arena *arena)
{
    const char *full = arena_format(arena, "%s/vectors/%s", TESTS_FOLDER, path);
    FILE *file = fopen(full, "rb");
    cr_assert_not_null(file, "%s", full);
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = arena_alloc(arena, size + 1);
    cr_assert_eq(fread(data, 1, size, file), size);
    data[size] = 0;
    fclose(file);
    return bytes_of(data, size);
}

/* The next line without its end; false when there is none. */
static inline bool vectors_line(struct bytes *rest, struct bytes *line)
{
    if (rest->size == 0) {
        return false;
    }
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    *line = bytes_of(rest->data, size);
    size_t used = end == NULL ? size : size + 1;
    *rest = bytes_of(rest->data + used, rest->size - used);
    return true;
}

static inline cJSON *vectors_json(struct bytes text)
{
    cJSON *root = cJSON_ParseWithLength((const char *)text.data, text.size);
    cr_assert_not_null(root, "%.*s", (int)text.size, (const char *)text.data);
    return root;
}

static inline const cJSON *vectors_member(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert_not_null(member, "no %s", name);
    return member;
}

/* The text of a string member; NULL for JSON null. */
static inline const char *vectors_text(const cJSON *object, const char *name)
{
    const cJSON *member = vectors_member(object, name);
    cr_assert(cJSON_IsString(member) || cJSON_IsNull(member), "%s", name);
    return cJSON_IsNull(member) ? NULL : member->valuestring;
}

/* cJSON has doubles: 2^63 - 1 arrives as 2^63, and is made what it was. */
static inline int64_t vectors_integer(const cJSON *object, const char *name)
{
    const cJSON *member = vectors_member(object, name);
    cr_assert(cJSON_IsNumber(member), "%s", name);
    return member->valuedouble >= 0x1p63 ? INT64_MAX : (int64_t)member->valuedouble;
}

static inline struct bytes vectors_hex(struct bytes digits, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, digits.size / 2 + 1);
    for (size_t i = 0; i + 1 < digits.size; i += 2) {
        char pair[3] = {(char)digits.data[i], (char)digits.data[i + 1], '\0'};
        data[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return bytes_of(data, digits.size / 2);
}

#endif
