/* What a command prints: for people, or as JSON for scripts. */
#include "cli/commands/output.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { JSON_MAX = 1 << 30 };

static bool wants_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return (no_colour == NULL || no_colour[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

void output_init(struct output *output, bool json)
{
    *output = (struct output){
        .results = stdout,
        .messages = stderr,
        .json = json,
        .colour = !json && isatty(STDOUT_FILENO) == 1 && wants_colour(),
        .progress = !json && isatty(STDERR_FILENO) == 1,
    };
}

bool output_finish(struct output *output)
{
    fflush(output->messages);
    return fflush(output->results) == 0 && ferror(output->results) == 0;
}

bool output_reader_left(const struct output *output)
{
    struct pollfd end = {.fd = fileno(output->results), .events = POLLOUT};
    return poll(&end, 1, 0) == 1 && (end.revents & (POLLERR | POLLHUP)) != 0;
}

void output_print(struct output *output, const char *format, ...)
{
    if (output->json) {
        return;
    }
    va_list args;
    va_start(args, format);
    vfprintf(output->results, format, args);
    va_end(args);
}

static void print_json(FILE *stream, const cJSON *value)
{
    AUTO(buf) struct buf text;
    buf_init(&text, JSON_MAX);
    json_print(value, &text);
    CHECK(!text.overflowed);
    fwrite(text.data, 1, text.size, stream);
    fputc('\n', stream);
}

void output_json(struct output *output, const cJSON *value)
{
    if (output->json) {
        print_json(output->results, value);
    }
}

void output_message(struct output *output, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (output->json) {
        AUTO(json) cJSON *root = json_new_object();
        json_put_text(root, "message", text);
        print_json(output->messages, root);
    } else {
        fprintf(output->messages, "tidemark: %s\n", text);
    }
}

void output_error(struct output *output, const struct err *err)
{
    if (output->json) {
        AUTO(json) cJSON *root = json_new_object();
        cJSON *error = json_put_object(root, "error");
        json_put_text(error, "kind", err_kind_name(err->kind));
        json_put_text(error, "message", err->message);
        print_json(output->messages, root);
    } else {
        fprintf(output->messages, "tidemark: %s\n", err->message);
    }
}

const char *output_colour(const struct output *output, enum output_colour colour)
{
    if (!output->colour) {
        return "";
    }
    switch (colour) {
    case OUTPUT_PLAIN:
        return "\033[0m";
    case OUTPUT_BOLD:
        return "\033[1m";
    case OUTPUT_DIM:
        return "\033[2m";
    case OUTPUT_RED:
        return "\033[31m";
    case OUTPUT_GREEN:
        return "\033[32m";
    case OUTPUT_YELLOW:
        return "\033[33m";
    }
    return "";
}

void output_print_foreign(struct output *output, struct bytes text)
{
    bool utf8 = bytes_are_utf8(text);
    for (size_t i = 0; i < text.size && !output->json; i++) {
        uint8_t byte = text.data[i];
        /* U+0080 to U+009F are controls too: c2 80 to c2 9f */
        bool control = byte < 0x20 || byte == 0x7f ||
                       (byte == 0xc2 && i + 1 < text.size && text.data[i + 1] < 0xa0) ||
                       (byte < 0xa0 && i > 0 && text.data[i - 1] == 0xc2);
        if (control || byte == '\\' || (byte >= 0x80 && !utf8)) {
            fprintf(output->results, byte == '\\' ? "\\\\" : "\\x%02x", byte);
        } else {
            fputc(byte, output->results);
        }
    }
}
