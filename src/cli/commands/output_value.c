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

void output_value_base64(struct bytes value, struct buf *out)
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
        output_value_base64(value, &text);
    }
    json_put_text(object, "encoding", readable ? "utf8" : "base64");
    json_put_text(object, "value", buf_text(&text));
}
