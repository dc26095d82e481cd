/* What happened, one line each, on standard error. */
#include "adapters/os/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"

enum { TEXT_MAX = 2048, LINE_MAX_BYTES = 16384 };

static _Atomic(enum log_level) lowest = LOG_INFO;
static _Atomic(enum log_form) chosen_form = LOG_TEXT;
static atomic_bool silent;

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

void log_set(enum log_level level, enum log_form form)
{
    atomic_store(&lowest, level);
    atomic_store(&chosen_form, form);
}

bool log_enabled(enum log_level level)
{
    return level <= atomic_load(&lowest) && !atomic_load(&silent);
}

void log_silence(void)
{
    atomic_store(&silent, true);
}

/* The escapes of JSON, which logfmt readers know too. */
static void add_quoted(struct buf *to, const char *text)
{
    buf_add_byte(to, '"');
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            buf_add_byte(to, '\\');
            buf_add_byte(to, *at);
        } else if (*at == '\n') {
            buf_add_text(to, "\\n");
        } else if (*at < 0x20 || *at == 0x7f) {
            buf_add_format(to, "\\u%04x", *at);
        } else {
            buf_add_byte(to, *at);
        }
    }
    buf_add_byte(to, '"');
}

static void add_field(struct buf *to, enum log_form form, const char *name, const char *value,
                      bool bare)
{
    if (form == LOG_JSON) {
        buf_add_format(to, "%s\"%s\":", to->size == 1 ? "" : ",", name);
        add_quoted(to, value);
        return;
    }
    buf_add_format(to, "%s%s=", to->size == 0 ? "" : " ", name);
    if (bare) {
        buf_add_text(to, value);
    } else {
        add_quoted(to, value);
    }
}

void log_format(struct buf *to, enum log_form form, int64_t now_us, enum log_level level,
                const char *part, const char *kind, const char *text)
{
    char time[CLOCK_TEXT_MAX];
    /* JSON text must be UTF-8; foreign bytes are shown as '?' rather than break the reader. */
    char clean[TEXT_MAX];
    snprintf(clean, sizeof clean, "%s", text);
    if (!bytes_are_utf8(bytes_of_text(clean))) {
        for (char *at = clean; *at != '\0'; at++) {
            *at = (unsigned char)*at < 0x80 ? *at : '?';
        }
    }
    if (form == LOG_JSON) {
        buf_add_byte(to, '{');
    }
    add_field(to, form, "time", clock_text_ms(now_us, time), true);
    add_field(to, form, "level", level_names[level], true);
    add_field(to, form, "part", part, true);
    if (kind != NULL) {
        add_field(to, form, "kind", kind, true);
    }
    add_field(to, form, "text", clean, false);
    buf_add_text(to, form == LOG_JSON ? "}\n" : "\n");
}

static void write_line(enum log_level level, const char *part, const char *kind, const char *text)
{
    AUTO(buf) struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    log_format(&line, atomic_load(&chosen_form), clock_now_us(), level, part, kind, text);
    ssize_t written = write(STDERR_FILENO, line.data, line.size);
    (void)written; /* there is no place left to complain to */
}

PRINTF_LIKE(3, 0)
static void say(enum log_level level, const char *part, const char *format, va_list args)
{
    if (log_enabled(level)) {
        char text[TEXT_MAX];
        vsnprintf(text, sizeof text, format, args);
        write_line(level, part, NULL, text);
    }
}

#define DEFINE_LOG(name, level)                                                                    \
    void name(const char *part, const char *format, ...)                                           \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        say(level, part, format, args);                                                            \
        va_end(args);                                                                              \
    }

DEFINE_LOG(log_error, LOG_ERROR)
DEFINE_LOG(log_warn, LOG_WARN)
DEFINE_LOG(log_info, LOG_INFO)
DEFINE_LOG(log_debug, LOG_DEBUG)

void log_failure(enum log_level level, const char *part, const struct err *err, const char *format,
                 ...)
{
    if (!log_enabled(level)) {
        return;
    }
    char context[TEXT_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%s: %s", context, err->message);
    write_line(level, part, err_kind_name(err->kind), text);
}

void log_debug_lines(const char *part, struct bytes lines)
{
    if (!log_enabled(LOG_DEBUG)) {
        return;
    }
    while (lines.size > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        size_t size = end == NULL ? lines.size : (size_t)(end - lines.data);
        log_debug(part, "%.*s", (int)size, (const char *)lines.data);
        size_t skip = end == NULL ? size : size + 1;
        lines = bytes_of(lines.data + skip, lines.size - skip);
    }
}
