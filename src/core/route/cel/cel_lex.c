/* The tokens of a CEL expression. */
#include "core/route/cel/cel_lex.h"

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The byte `ahead` of the lexer's place, -1 behind the end. */
static int peek(const struct cel_lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->text.size ? lexer->text.data[at] : -1;
}

bool cel_lex_is_name(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_name_start(text.data[i]) && (i == 0 || !is_digit(text.data[i]))) {
            return false;
        }
    }
    return text.size > 0;
}

bool cel_lex_is_reserved(struct bytes name)
{
    static const char *const words[] = {
        "as",       "break",   "const",  "continue", "else", "false", "for",
        "function", "if",      "import", "in",       "let",  "loop",  "namespace",
        "null",     "package", "return", "true",     "var",  "void",  "while",
    };
    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        if (bytes_equal(name, bytes_of_text(words[i]))) {
            return true;
        }
    }
    return false;
}

static void skip_blanks(struct cel_lexer *lexer)
{
    for (;;) {
        int c = peek(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f') {
            lexer->at++;
        } else if (c == '/' && peek(lexer, 1) == '/') {
            while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n') {
                lexer->at++;
            }
        } else {
            return;
        }
    }
}

static size_t digits(const struct cel_lexer *lexer, size_t from)
{
    size_t end = from;
    while (is_digit(peek(lexer, end))) {
        end++;
    }
    return end;
}

/* The end of an exponent that begins at `from`; `from` when there is none. */
static size_t exponent(const struct cel_lexer *lexer, size_t from)
{
    int c = peek(lexer, from);
    if (c != 'e' && c != 'E') {
        return from;
    }
    size_t first = from + 1;
    if (peek(lexer, first) == '+' || peek(lexer, first) == '-') {
        first++;
    }
    size_t end = digits(lexer, first);
    return end == first ? from : end;
}

static bool is_uint_end(int c)
{
    return c == 'u' || c == 'U';
}

static size_t number(const struct cel_lexer *lexer, enum cel_token_kind *out_kind)
{
    size_t end = 0;
    *out_kind = CEL_TOKEN_INT;
    if (peek(lexer, 0) == '0' && peek(lexer, 1) == 'x' && is_hex(peek(lexer, 2))) {
        end = 2;
        while (is_hex(peek(lexer, end))) {
            end++;
        }
    } else {
        end = digits(lexer, 0);
        size_t whole = end;
        if (peek(lexer, end) == '.' && is_digit(peek(lexer, end + 1))) {
            end = digits(lexer, end + 1);
        }
        end = exponent(lexer, end);
        if (end > whole) {
            *out_kind = CEL_TOKEN_DOUBLE;
            return end;
        }
    }
    if (is_uint_end(peek(lexer, end))) {
        *out_kind = CEL_TOKEN_UINT;
        end++;
    }
    return end;
}

/* Bytes of the escape behind a backslash at `at`; 0: there is no such escape. */
static size_t escape(const struct cel_lexer *lexer, size_t at)
{
    int c = peek(lexer, at + 1);
    if (c > 0 && strchr("abfnrtv\"'\\?`", c) != NULL) {
        return 2;
    }
    size_t hex = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    for (size_t i = 0; i < hex; i++) {
        if (!is_hex(peek(lexer, at + 2 + i))) {
            return 0;
        }
    }
    if (hex > 0) {
        return 2 + hex;
    }
    for (size_t i = 0; i < 3; i++) {
        int digit = peek(lexer, at + 1 + i);
        if (digit < '0' || digit > (i == 0 ? '3' : '7')) {
            return 0;
        }
    }
    return 4;
}

/* The end of a text whose prefix (b, r) ends at `quote_at`. */
static bool text_end(const struct cel_lexer *lexer, size_t quote_at, bool raw, size_t *out_end,
                     struct cel_problem *problem)
{
    int quote = peek(lexer, quote_at);
    size_t quotes = peek(lexer, quote_at + 1) == quote && peek(lexer, quote_at + 2) == quote ? 3
                                                                                             : 1;
    size_t at = quote_at + quotes;
    for (;;) {
        int c = peek(lexer, at);
        if (c < 0 || (quotes == 1 && (c == '\n' || c == '\r'))) {
            return cel_problem_set(problem, lexer->at, "a text that does not end");
        }
        if (c == quote &&
            (quotes == 1 || (peek(lexer, at + 1) == quote && peek(lexer, at + 2) == quote))) {
            *out_end = at + quotes;
            return true;
        }
        size_t size = 1;
        if (c == '\\' && !raw) {
            size = escape(lexer, at);
            if (size == 0) {
                return cel_problem_set(problem, lexer->at + at, "no such escape in a text");
            }
        }
        at += size;
    }
}

/* Bytes of a text's prefix, its quote not included; false when no text begins here. */
static bool text_prefix(const struct cel_lexer *lexer, size_t *out_size, bool *out_raw,
                        bool *out_bytes)
{
    size_t size = 0;
    *out_bytes = peek(lexer, 0) == 'b' || peek(lexer, 0) == 'B';
    size += *out_bytes;
    *out_raw = peek(lexer, size) == 'r' || peek(lexer, size) == 'R';
    size += *out_raw;
    *out_size = size;
    return peek(lexer, size) == '"' || peek(lexer, size) == '\'';
}

static bool quoted_name_end(const struct cel_lexer *lexer, size_t *out_end,
                            struct cel_problem *problem)
{
    size_t end = 1;
    for (;; end++) {
        int c = peek(lexer, end);
        if (c == '`' && end > 1) {
            *out_end = end + 1;
            return true;
        }
        if (c <= 0 || (!is_name_start(c) && !is_digit(c) && strchr(".-/ ", c) == NULL)) {
            return cel_problem_set(problem, lexer->at, "not a name in backticks");
        }
    }
}

static enum cel_token_kind word_kind(struct bytes text)
{
    static const struct {
        const char *word;
        enum cel_token_kind kind;
    } words[] = {{"in", CEL_TOKEN_IN},
                 {"true", CEL_TOKEN_TRUE},
                 {"false", CEL_TOKEN_FALSE},
                 {"null", CEL_TOKEN_NULL}};
    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        if (bytes_equal(text, bytes_of_text(words[i].word))) {
            return words[i].kind;
        }
    }
    return CEL_TOKEN_NAME;
}

/* Operators of two characters, then those of one. 0: none begins here. */
static size_t mark(const struct cel_lexer *lexer, enum cel_token_kind *out_kind)
{
    static const struct {
        char text[3];
        enum cel_token_kind kind;
    } marks[] = {{"==", CEL_TOKEN_EQUAL},      {"!=", CEL_TOKEN_NOT_EQUAL},
                 {"<=", CEL_TOKEN_LESS_EQUAL}, {">=", CEL_TOKEN_MORE_EQUAL},
                 {"&&", CEL_TOKEN_AND},        {"||", CEL_TOKEN_OR},
                 {"<", CEL_TOKEN_LESS},        {">", CEL_TOKEN_MORE}};
    for (size_t i = 0; i < LENGTH_OF(marks); i++) {
        if (peek(lexer, 0) == marks[i].text[0] &&
            (marks[i].text[1] == '\0' || peek(lexer, 1) == marks[i].text[1])) {
            *out_kind = marks[i].kind;
            return strlen(marks[i].text);
        }
    }
    *out_kind = CEL_TOKEN_MARK;
    int c = peek(lexer, 0);
    return c > 0 && strchr("()[]{}.,-!?:+*/%", c) != NULL ? 1 : 0;
}

static bool token_end(struct cel_lexer *lexer, enum cel_token_kind *out_kind, size_t *out_end,
                      struct cel_problem *problem)
{
    int c = peek(lexer, 0);
    size_t prefix = 0;
    bool raw = false;
    bool bytes = false;
    if (c < 0) {
        *out_kind = CEL_TOKEN_END;
        *out_end = 0;
        return true;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        *out_end = number(lexer, out_kind);
        return true;
    }
    if (text_prefix(lexer, &prefix, &raw, &bytes)) {
        *out_kind = bytes ? CEL_TOKEN_BYTES : CEL_TOKEN_STRING;
        return text_end(lexer, prefix, raw, out_end, problem);
    }
    if (c == '`') {
        *out_kind = CEL_TOKEN_QUOTED_NAME;
        return quoted_name_end(lexer, out_end, problem);
    }
    if (is_name_start(c)) {
        size_t end = 1;
        while (is_name_start(peek(lexer, end)) || is_digit(peek(lexer, end))) {
            end++;
        }
        *out_kind = word_kind(bytes_of(lexer->text.data + lexer->at, end));
        *out_end = end;
        return true;
    }
    *out_end = mark(lexer, out_kind);
    return *out_end > 0 || cel_problem_set(problem, lexer->at, "no such character in CEL");
}

bool cel_lex_next(struct cel_lexer *lexer, struct cel_token *ret_token, struct cel_problem *problem)
{
    skip_blanks(lexer);
    enum cel_token_kind kind = CEL_TOKEN_END;
    size_t size = 0;
    if (!token_end(lexer, &kind, &size, problem)) {
        return false;
    }
    *ret_token = (struct cel_token){
        .kind = kind,
        .mark = kind == CEL_TOKEN_MARK ? (char)lexer->text.data[lexer->at] : '\0',
        .at = lexer->at,
        .text = bytes_of(lexer->text.data + lexer->at, size),
    };
    lexer->at += size;
    return true;
}
