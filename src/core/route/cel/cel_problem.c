/* What is wrong with an expression, and where. */
#include "core/route/cel/cel_problem.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_BEFORE = 80, SHOWN_AFTER = 60 };

bool cel_problem_set(struct cel_problem *problem, size_t at, const char *format, ...)
{
    problem->at = at;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Long lines are shown in part, around the place. */
void cel_problem_show(struct bytes expression, size_t at, const char *indent, struct buf *out)
{
    at = at > expression.size ? expression.size : at;
    size_t start = at;
    while (start > 0 && expression.data[start - 1] != '\n') {
        start--;
    }
    size_t end = at;
    while (end < expression.size && expression.data[end] != '\n') {
        end++;
    }
    bool cut_start = at - start > SHOWN_BEFORE;
    bool cut_end = end - at > SHOWN_AFTER;
    start = cut_start ? at - SHOWN_BEFORE : start;
    end = cut_end ? at + SHOWN_AFTER : end;
    while (cut_start && start < at && continues(expression.data[start])) {
        start++;
    }
    while (cut_end && end > at && continues(expression.data[end])) {
        end--;
    }
    bool plain = bytes_are_utf8(bytes_of(expression.data + start, end - start));
    buf_add_format(out, "%s%s", indent, cut_start ? "..." : "");
    for (size_t i = start; i < end; i++) {
        uint8_t byte = expression.data[i];
        buf_add_byte(out, byte < ' ' || byte == 0x7f || (byte >= 0x80 && !plain) ? '?' : byte);
    }
    buf_add_format(out, "%s\n%s%s", cut_end ? "..." : "", indent, cut_start ? "   " : "");
    for (size_t i = start; i < at; i++) {
        if (!plain || !continues(expression.data[i])) {
            buf_add_byte(out, ' ');
        }
    }
    buf_add_byte(out, '^');
}
