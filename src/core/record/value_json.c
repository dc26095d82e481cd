/* The value column as a JSON object made of chosen fields. */
#include <inttypes.h>

#include "core/record/value_json.h"

/* A JSON string with no more escapes than RFC 8259 asks for; `text` is UTF-8. */
static void add_string(struct bytes text, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";
    buf_add_byte(out, '"');
    size_t plain = 0; /* where the bytes begin that are not copied yet */
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        buf_add(out, text.data + plain, i - plain);
        plain = i + 1;
        if (byte >= 0x20) {
            buf_add_byte(out, '\\');
            buf_add_byte(out, byte);
        } else {
            const char escape[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
            buf_add(out, escape, sizeof escape);
        }
    }
    if (plain < text.size) {
        buf_add(out, text.data + plain, text.size - plain);
    }
    buf_add_byte(out, '"');
}

/* RFC 4648 section 4, with padding. */
static void add_base64(struct bytes data, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < data.size; i += 3) {
        size_t left = data.size - i;
        uint32_t group = (uint32_t)data.data[i] << 16;
        group |= left > 1 ? (uint32_t)data.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)data.data[i + 2] : 0;
        const char text[] = {
            digits[group >> 18],
            digits[group >> 12 & 63],
            left > 1 ? digits[group >> 6 & 63] : '=',
            left > 2 ? digits[group & 63] : '=',
        };
        buf_add(out, text, sizeof text);
    }
}

static void add_bytes(struct bytes data, struct buf *out)
{
    if (bytes_are_utf8(data)) {
        add_string(data, out);
        return;
    }
    buf_add_text(out, "{\"base64\":\"");
    add_base64(data, out);
    buf_add_text(out, "\"}");
}

struct bytes value_json_name(const char *name, struct arena *arena)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    add_string(bytes_of_text(name), &text);
    buf_add_byte(&text, ':');
    return arena_copy(arena, buf_bytes(&text));
}

bool value_json_build(const struct value_member *members, size_t count,
                      const struct field_record *record, bool payload_is_json, struct buf *out,
                      struct reject *ret_why)
{
    for (size_t i = 0; i < count; i++) {
        const struct value_member *member = &members[i];
        struct field_value found = field_find(&member->field, record);
        if (found.kind == FIELD_ABSENT && member->borrowed_settings->required) {
            return reject_set(ret_why, REJECT_NO_FIELD, "no %s for the field %.60s",
                              field_label(&member->borrowed_settings->from).text,
                              member->borrowed_settings->name);
        }
        buf_add_byte(out, i == 0 ? '{' : ',');
        buf_add_bytes(out, member->name_json);
        switch (found.kind) {
        case FIELD_ABSENT:
            buf_add_text(out, "null");
            break;
        case FIELD_INTEGER:
            buf_add_format(out, "%" PRId64, found.integer);
            break;
        case FIELD_TEXT:
            add_string(found.bytes, out);
            break;
        case FIELD_DOCUMENT:
            buf_add_bytes(out, found.view.raw);
            break;
        case FIELD_BYTES:
            if (member->field.source == FIELD_VALUE && payload_is_json) {
                buf_add_bytes(out, found.bytes);
            } else {
                add_bytes(found.bytes, out);
            }
            break;
        }
    }
    buf_add_text(out, count == 0 ? "{}" : "}");
    return true;
}
