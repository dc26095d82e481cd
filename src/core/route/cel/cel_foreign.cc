/* What C++ does better for us: regular expressions (RE2), and doubles as text without a locale. */
#include "core/route/cel/cel_foreign.h"

#include <re2/re2.h>

#include <charconv>

struct cel_foreign_pattern {
    cel_foreign_pattern(re2::StringPiece pattern, const RE2::Options &options)
        : regex(pattern, options)
    {
    }
    RE2 regex;
};

static re2::StringPiece piece(const void *text, size_t size)
{
    return re2::StringPiece(size == 0 ? "" : static_cast<const char *>(text), size);
}

/* from_chars leaves the value alone when it is out of range. Is it too large, then, or too small?
 * The place of the first digit that is not 0, moved by the exponent, tells. */
static bool is_large(const char *at, const char *end, bool hex)
{
    long place = 0;
    bool point = false;
    bool found = false;
    for (; at < end && *at != (hex ? 'p' : 'e') && *at != (hex ? 'P' : 'E'); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        found = found || *at != '0';
        place += found && !point;
        place -= !found && point;
    }
    long exponent = 0;
    if (at < end) {
        at++;
        bool negative = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        for (; at < end && exponent < 100000000; at++) {
            exponent = exponent * 10 + (*at - '0');
        }
        exponent = negative ? -exponent : exponent;
    }
    return (hex ? 4 * place : place) + exponent > 0;
}

bool cel_foreign_parse_double(const void *text, size_t size, double *ret)
{
    const char *at = static_cast<const char *>(text);
    const char *end = at + size;
    bool hex = size > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
    at += hex ? 2 : 0;
    if (at == end || *at == '-' || *at == '+') {
        return false;
    }
    double value = 0;
    std::from_chars_result result =
        std::from_chars(at, end, value, hex ? std::chars_format::hex : std::chars_format::general);
    if (result.ptr != end || result.ec == std::errc::invalid_argument) {
        return false;
    }
    if (result.ec == std::errc::result_out_of_range) {
        value = is_large(at, end, hex) ? __builtin_inf() : 0;
    }
    *ret = value;
    return true;
}

size_t cel_foreign_print_double(double value, char to[CEL_FOREIGN_DOUBLE_MAX])
{
    std::to_chars_result result =
        std::to_chars(to, to + CEL_FOREIGN_DOUBLE_MAX, value, std::chars_format::general);
    return static_cast<size_t>(result.ptr - to);
}

struct cel_foreign_pattern *cel_foreign_pattern_new(const void *text, size_t size)
{
    RE2::Options options;
    options.set_log_errors(false);
    auto *made = new cel_foreign_pattern(piece(text, size), options);
    if (!made->regex.ok()) {
        delete made;
        return nullptr;
    }
    return made;
}

void cel_foreign_pattern_free(struct cel_foreign_pattern *pattern)
{
    delete pattern;
}

bool cel_foreign_pattern_find(const struct cel_foreign_pattern *pattern, const void *text,
                              size_t size)
{
    return RE2::PartialMatch(piece(text, size), pattern->regex);
}
