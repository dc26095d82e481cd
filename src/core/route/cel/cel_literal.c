/* From the text of a literal to its value. */
#include "core/route/cel/cel_literal.h"

#include "core/route/cel/cel_foreign.h"

static unsigned hex_digit(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10u;
}

static bool magnitude_of(struct bytes text, uint64_t *ret)
{
    bool hex = text.size > 2 && text.data[1] == 'x';
    uint64_t base = hex ? 16 : 10;
    uint64_t value = 0;
    for (size_t i = hex ? 2 : 0; i < text.size; i++) {
        uint64_t digit = hex ? hex_digit(text.data[i]) : text.data[i] - (uint64_t)'0';
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    *ret = value;
    return true;
}

static bool number_value(const struct cel_token *token, bool negative, struct cel_value *ret,
                         struct cel_problem *problem)
{
    uint64_t magnitude = 0;
    struct bytes text = token->text;
    if (token->kind == CEL_TOKEN_DOUBLE) {
        double real = 0;
        CHECK(cel_foreign_parse_double(text.data, text.size, &real)); /* the lexer has seen to its
                                                                         form */
        *ret = cel_value_double(negative ? -real : real);
        return true;
    }
    if (token->kind == CEL_TOKEN_UINT) {
        text.size--;
        if (!magnitude_of(text, &magnitude)) {
            return cel_problem_set(problem, token->at, "more than a uint can hold");
        }
        *ret = cel_value_uint(magnitude);
        return true;
    }
    if (!magnitude_of(text, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative) {
        return cel_problem_set(problem, token->at, "outside of what an int can hold");
    }
    *ret = cel_value_int(negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
    return true;
}

static size_t put_code_point(uint8_t *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        to[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    to[0] = (uint8_t)((0xf00u >> size) | code);
    return size;
}

static uint32_t number_in(const uint8_t *digits, size_t count, unsigned bits)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << bits | hex_digit(digits[i]);
    }
    return value;
}

/* One escape, whose form the lexer has accepted. Moves *at behind it. */
static bool put_escape(const struct cel_token *token, const uint8_t *text, size_t *at, uint8_t *to,
                       size_t *size, struct cel_problem *problem)
{
    static const char letters[] = "abfnrtv";
    static const char meanings[] = "\a\b\f\n\r\t\v";
    bool bytes = token->kind == CEL_TOKEN_BYTES;
    const uint8_t *escape = text + *at + 1;
    uint8_t c = escape[0];
    const char *letter = strchr(letters, c);
    if (letter != NULL) {
        to[(*size)++] = (uint8_t)meanings[letter - letters];
        *at += 2;
        return true;
    }
    if (strchr("\"'\\?`", c) != NULL) {
        to[(*size)++] = c;
        *at += 2;
        return true;
    }
    size_t count = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 3;
    bool octal = c <= '9';
    uint32_t code = number_in(escape + !octal, count, octal ? 3 : 4);
    if (bytes && count > 3) {
        return cel_problem_set(problem, token->at, "bytes have no \\u and no \\U");
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return cel_problem_set(problem, token->at, "\\%c%0*x is no character", c, (int)count,
                               (unsigned)code);
    }
    if (bytes) {
        to[(*size)++] = (uint8_t)code;
    } else {
        *size += put_code_point(to + *size, code);
    }
    *at += 1 + (size_t)!octal + count;
    return true;
}

/* No escape is shorter than what it stands for. A line's end is one '\n', however it is written. */
static bool text_value(const struct cel_token *token, struct arena *arena, struct cel_value *ret,
                       struct cel_problem *problem)
{
    const uint8_t *text = token->text.data;
    size_t at = token->kind == CEL_TOKEN_BYTES;
    bool raw = (text[at] | 0x20) == 'r';
    at += raw;
    size_t quotes =
        token->text.size - at >= 6 && text[at] == text[at + 1] && text[at] == text[at + 2] ? 3 : 1;
    at += quotes;
    size_t end = token->text.size - quotes;
    uint8_t *to = arena_alloc(arena, token->text.size);
    size_t size = 0;
    while (at < end) {
        if (text[at] == '\\' && !raw) {
            if (!put_escape(token, text, &at, to, &size, problem)) {
                return false;
            }
        } else if (text[at] == '\r') {
            to[size++] = '\n';
            at += at + 1 < end && text[at + 1] == '\n' ? 2 : 1;
        } else {
            to[size++] = text[at++];
        }
    }
    struct bytes value = bytes_of(to, size);
    *ret = token->kind == CEL_TOKEN_BYTES ? cel_value_bytes(value) : cel_value_string(value);
    return true;
}

bool cel_literal_value(const struct cel_token *token, bool negative, struct arena *arena,
                       struct cel_value *ret, struct cel_problem *problem)
{
    switch ((int)token->kind) {
    case CEL_TOKEN_TRUE:
    case CEL_TOKEN_FALSE:
        *ret = cel_value_bool(token->kind == CEL_TOKEN_TRUE);
        return true;
    case CEL_TOKEN_NULL:
        *ret = (struct cel_value){.kind = CEL_NULL};
        return true;
    case CEL_TOKEN_STRING:
    case CEL_TOKEN_BYTES:
        return text_value(token, arena, ret, problem);
    default:
        return number_value(token, negative, ret, problem);
    }
}
