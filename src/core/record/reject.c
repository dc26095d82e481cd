/* Why one record cannot be used: the cause that is counted, and a short text of what was seen. */
#include <stdarg.h>
#include <stdio.h>

#include "core/record/reject.h"

static const char *const cause_names[] = {
    [REJECT_NONE] = "none",
    [REJECT_BAD_JSON] = "bad_json",
    [REJECT_NO_KEY] = "no_key",
    [REJECT_KEY_TYPE] = "key_type",
    [REJECT_KEY_RANGE] = "key_range",
    [REJECT_NO_EVENT_TIME] = "no_event_time",
    [REJECT_BAD_EVENT_TIME] = "bad_event_time",
    [REJECT_NO_FIELD] = "no_field",
    [REJECT_TOO_LARGE] = "too_large",
    [REJECT_ROUTE] = "route",
    [REJECT_VECTOR] = "vector",
};
_Static_assert(LENGTH_OF(cause_names) == REJECT_CAUSES, "a name for every cause");

const char *reject_cause_name(enum reject_cause cause)
{
    CHECK((size_t)cause < LENGTH_OF(cause_names));
    return cause_names[cause];
}

bool reject_set(struct reject *reject, enum reject_cause cause, const char *format, ...)
{
    reject->cause = cause;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reject->text, sizeof reject->text, format, arguments);
    va_end(arguments);
    return false;
}

struct reject_excerpt reject_excerpt(struct bytes data)
{
    static const char hex[] = "0123456789abcdef";
    struct reject_excerpt excerpt;
    char *to = excerpt.text;
    for (size_t i = 0; i < data.size && i < REJECT_EXCERPT_MAX; i++) {
        uint8_t byte = data.data[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            *to++ = (char)byte;
        } else {
            *to++ = '\\';
            *to++ = 'x';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
        }
    }
    if (data.size > REJECT_EXCERPT_MAX) {
        memcpy(to, "...", 3);
        to += 3;
    }
    *to = '\0';
    return excerpt;
}
