/* A value of a snapshot, printed: raw, readable, or as JSON. */
#include "cli/commands/output_value.h"

#include <unistd.h>

void output_value_raw(struct output *output, struct bytes value)
{
    if (output->json) {
        return;
    }
    if (value.size > 0) {
        fwrite(value.data, 1, value.size, output->results);
    }
    if (isatty(fileno(output->results)) == 1) {
        fputc('\n', output->results);
    }
}

/* RFC 4648, section 4, with padding. */
static void add_base64(struct buf *out, struct bytes value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < value.size; i += 3) {
        size_t left = value.size - i;
        uint32_t group = (uint32_t)value.data[i] << 16;
        group |= left > 1 ? (uint32_t)value.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)value.data[i + 2] : 0;
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '='};
        buf_add(out, text, sizeof text);
    }
}

void output_value_json(cJSON *object, struct bytes value)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    bool readable = bytes_are_utf8(value) &&
                    (value.size == 0 || memchr(value.data, '\0', value.size) == NULL);
    if (readable) {
        buf_add_bytes(&text, value);
    } else {
        add_base64(&text, value);
    }
    json_put_text(object, "encoding", readable ? "utf8" : "base64");
    json_put_text(object, "value", buf_text(&text));
}

enum { ESCAPE_SIZE = 6, PRINTABLE_LEAST = 0xa0 }; /* \uXXXX; below are ASCII and controls */

/* The unit of an escape at `text`; -1: there is none. */
static int32_t unit_of(const char *text)
{
    if (text[0] != '\\' || text[1] != 'u') {
        return -1;
    }
    int32_t unit = 0;
    for (int i = 2; i < ESCAPE_SIZE; i++) {
        int digit = text[i] >= '0' && text[i] <= '9'   ? text[i] - '0'
                    : text[i] >= 'a' && text[i] <= 'f' ? text[i] - 'a' + 10
                    : text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 10
                                                       : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static void add_utf8(struct buf *out, int32_t code)
{
    if (code < 0x800) {
        buf_add_byte(out, (uint8_t)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            buf_add_byte(out, (uint8_t)(0xe0 | code >> 12));
        } else {
            buf_add_byte(out, (uint8_t)(0xf0 | code >> 18));
            buf_add_byte(out, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
        }
        buf_add_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
    }
    buf_add_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
}

void output_value_key(const char *json, struct buf *out)
{
    while (*json != '\0') {
        int32_t code = unit_of(json);
        size_t size = code < 0 ? 1 : ESCAPE_SIZE;
        if (code >= 0xd800 && code < 0xdc00) {
            int32_t low = unit_of(json + ESCAPE_SIZE);
            bool pair = low >= 0xdc00 && low < 0xe000;
            code = pair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
            size = pair ? 2 * ESCAPE_SIZE : ESCAPE_SIZE;
        } else if (code >= 0xdc00 && code < 0xe000) {
            code = -1;
        } else if (json[0] == '\\' && size == 1 && json[1] != '\0') {
            size = 2; /* so that an escaped backslash does not begin an escape */
        }
        if (code >= PRINTABLE_LEAST) {
            add_utf8(out, code);
        } else {
            buf_add_bytes(out, bytes_of(json, size));
        }
        json += size;
    }
}
