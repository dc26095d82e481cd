/* A value found in a JSON document: a view of its exact text. */
#include "core/record/json_view.h"

static uint32_t hex4(const uint8_t *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value = value << 4 | (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t put_utf8(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

/* The bytes that stand for the byte or escape at *at, which is moved behind it. Returns how many.
 */
static size_t take_character(const uint8_t **at, uint8_t out[4])
{
    const uint8_t *from = *at;
    if (from[0] != '\\') {
        *at = from + 1;
        out[0] = from[0];
        return 1;
    }
    if (from[1] != 'u') {
        static const char names[] = "\"\\/bfnrt";
        static const char characters[] = "\"\\/\b\f\n\r\t";
        *at = from + 2;
        out[0] = (uint8_t)characters[strchr(names, from[1]) - names];
        return 1;
    }
    uint32_t code = hex4(from + 2);
    *at = from + 6;
    if (code >= 0xd800 && code < 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(from + 8) - 0xdc00);
        *at = from + 12;
    }
    return put_utf8(code, out);
}

bool json_view_equals(struct bytes escaped, struct bytes plain)
{
    const uint8_t *at = escaped.data;
    const uint8_t *end = escaped.data + escaped.size;
    size_t used = 0;
    while (at < end) {
        uint8_t character[4];
        size_t size = take_character(&at, character);
        if (plain.size - used < size || memcmp(plain.data + used, character, size) != 0) {
            return false;
        }
        used += size;
    }
    return used == plain.size;
}

struct bytes json_view_text(const struct json_view *view, struct arena *arena)
{
    CHECK(view->type == JSON_VIEW_STRING);
    struct bytes inside = bytes_of(view->raw.data + 1, view->raw.size - 2);
    if (!view->escaped) {
        return inside;
    }
    uint8_t *text = arena_alloc(arena, inside.size + 4); /* an escape is never shorter */
    size_t used = 0;
    const uint8_t *end = inside.data + inside.size;
    for (const uint8_t *at = inside.data; at < end;) {
        used += take_character(&at, text + used);
    }
    return bytes_of(text, used);
}
