/* What went wrong, and what the caller must do about it. */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct err *err, enum err_kind kind, int code, const char *format, va_list args)
    PRINTF_LIKE(4, 0);

static void fill(struct err *err, enum err_kind kind, int code, const char *format, va_list args)
{
    /* The arguments may point into err->message itself (err_set(err, k, "x: %s", err->message)). */
    char text[ERR_MESSAGE_MAX];
    vsnprintf(text, sizeof text, format, args);
    memcpy(err->message, text, sizeof text);
    err->kind = kind;
    err->place = ERR_ANYWHERE;
    err->code = code;
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, kind, 0, format, args);
    va_end(args);
    return false;
}

bool err_set_code(struct err *err, enum err_kind kind, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, kind, code, format, args);
    va_end(args);
    return false;
}

bool err_place(struct err *err, enum err_place place)
{
    err->place = place;
    return false;
}

bool err_wrap(struct err *err, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text - 2, format, args);
    va_end(args);
    size_t used = strlen(text);
    memcpy(text + used, ": ", 3);
    used += 2;
    size_t room = sizeof text - used - 1;
    size_t length = strnlen(err->message, room);
    memcpy(text + used, err->message, length);
    text[used + length] = '\0';
    memcpy(err->message, text, sizeof text);
    return false;
}

const char *err_kind_name(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return "none";
    case ERR_TRANSIENT:
        return "transient";
    case ERR_AMBIGUOUS:
        return "ambiguous";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_FENCED:
        return "fenced";
    case ERR_MISSING:
        return "missing";
    case ERR_INPUT:
        return "input";
    case ERR_CORRUPT:
        return "corrupt";
    case ERR_LIMIT:
        return "limit";
    case ERR_SETTINGS:
        return "settings";
    case ERR_STOPPED:
        return "stopped";
    }
    return "unknown";
}
