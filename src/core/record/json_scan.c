/* One strict pass over a JSON document that finds the values of some pointers, exact to the byte.
 */
#include "core/record/json_scan.h"

/* An array or object that is open. */
struct frame {
    const uint8_t *start;
    size_t index; /* of the array's item */
    int node;     /* of the pointers' tree; JSON_POINTERS_NONE: no pointer leads here */
    bool is_array;
};

struct scanner {
    const struct json_pointers *pointers;
    const uint8_t *at;
    const uint8_t *end;
    struct json_view *values;
    const char *problem;
    int depth;
    struct frame frames[JSON_SCAN_DEPTH_MAX];
};

static bool refuse(struct scanner *scanner, const char *problem)
{
    scanner->problem = problem;
    return false;
}

static void skip_blanks(struct scanner *scanner)
{
    const uint8_t *at = scanner->at;
    while (at < scanner->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        at++;
    }
    scanner->at = at;
}

/* The next byte, 0 at the end (a NUL byte in the document is wrong wherever this is asked). */
static uint8_t peek(const struct scanner *scanner)
{
    return scanner->at < scanner->end ? *scanner->at : 0;
}

/* ---- scalars ---- */

/* Bit 7 of each byte that ends the plain part of a string: a quote, a backslash, a control
 * character, anything beyond ASCII. False alarms above the first hit do no harm. */
static uint64_t string_stops(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = UINT64_C(0x8080808080808080);
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    uint64_t control = (word - ones * 0x20) & ~word;
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | control | word) & tops;
}

static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        if (string_stops(word) != 0) {
            break;
        }
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

/* The bytes of one UTF-8 character at `at`, which begins at 0x80 or above; 0: it is none. */
static size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
    size_t length = *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    if ((size_t)(end - at) < length || !bytes_are_utf8(bytes_of(at, length))) {
        return 0;
    }
    return length;
}

static bool is_hex(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

/* Four hex digits after "\u"; -1: they are none. */
static int hex4(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 4) {
        return -1;
    }
    int value = 0;
    for (int i = 0; i < 4; i++) {
        if (!is_hex(at[i])) {
            return -1;
        }
        value = value << 4 | (at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    }
    return value;
}

/* What follows a backslash. */
static bool scan_escape(struct scanner *scanner)
{
    const uint8_t *at = scanner->at + 1;
    if (at == scanner->end) {
        return refuse(scanner, "a string without its end");
    }
    if (*at != 'u') {
        if (*at == 0 || strchr("\"\\/bfnrt", *at) == NULL) {
            return refuse(scanner, "an unknown escape in a string");
        }
        scanner->at = at + 1;
        return true;
    }
    int code = hex4(at + 1, scanner->end);
    if (code < 0) {
        return refuse(scanner, "\\u without four hex digits");
    }
    at += 5;
    if (code >= 0xd800 && code < 0xe000) {
        bool pair = code < 0xdc00 && scanner->end - at >= 6 && at[0] == '\\' && at[1] == 'u';
        int low = pair ? hex4(at + 2, scanner->end) : -1;
        if (low < 0xdc00 || low >= 0xe000) {
            return refuse(scanner, "half of a surrogate pair");
        }
        at += 6;
    }
    scanner->at = at;
    return true;
}

/* From the opening quote to behind the closing one. */
static bool scan_string(struct scanner *scanner, bool *ret_escaped)
{
    *ret_escaped = false;
    scanner->at++;
    for (;;) {
        const uint8_t *at = skip_plain(scanner->at, scanner->end);
        scanner->at = at;
        if (at == scanner->end) {
            return refuse(scanner, "a string without its end");
        }
        if (*at == '"') {
            scanner->at++;
            return true;
        }
        if (*at == '\\') {
            *ret_escaped = true;
            TRY(scan_escape(scanner));
        } else if (*at < 0x20) {
            return refuse(scanner, "a control character in a string");
        } else {
            size_t length = utf8_length(at, scanner->end);
            if (length == 0) {
                return refuse(scanner, "not UTF-8");
            }
            scanner->at += length;
        }
    }
}

/* At least one digit. */
static bool scan_digits(struct scanner *scanner)
{
    const uint8_t *start = scanner->at;
    while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9') {
        scanner->at++;
    }
    return scanner->at > start || refuse(scanner, "a number without its digits");
}

static bool scan_number(struct scanner *scanner)
{
    if (peek(scanner) == '-') {
        scanner->at++;
    }
    if (peek(scanner) == '0') {
        scanner->at++;
        if (peek(scanner) >= '0' && peek(scanner) <= '9') {
            return refuse(scanner, "a number with a leading zero");
        }
    } else {
        TRY(scan_digits(scanner));
    }
    if (peek(scanner) == '.') {
        scanner->at++;
        TRY(scan_digits(scanner));
    }
    if (peek(scanner) == 'e' || peek(scanner) == 'E') {
        scanner->at++;
        if (peek(scanner) == '+' || peek(scanner) == '-') {
            scanner->at++;
        }
        TRY(scan_digits(scanner));
    }
    return true;
}

static bool scan_word(struct scanner *scanner, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scanner->end - scanner->at) < size || memcmp(scanner->at, word, size) != 0) {
        return refuse(scanner, "not a JSON value");
    }
    scanner->at += size;
    return true;
}

static bool scan_scalar(struct scanner *scanner, struct json_view *ret_value)
{
    const uint8_t *start = scanner->at;
    struct json_view value = {0};
    switch (peek(scanner)) {
    case '"':
        value.type = JSON_VIEW_STRING;
        TRY(scan_string(scanner, &value.escaped));
        break;
    case 't':
        value.type = JSON_VIEW_TRUE;
        TRY(scan_word(scanner, "true"));
        break;
    case 'f':
        value.type = JSON_VIEW_FALSE;
        TRY(scan_word(scanner, "false"));
        break;
    case 'n':
        value.type = JSON_VIEW_NULL;
        TRY(scan_word(scanner, "null"));
        break;
    default:
        if (peek(scanner) != '-' && (peek(scanner) < '0' || peek(scanner) > '9')) {
            return refuse(scanner, scanner->at == scanner->end ? "the document ends too early"
                                                               : "not a JSON value");
        }
        value.type = JSON_VIEW_NUMBER;
        TRY(scan_number(scanner));
    }
    value.raw = bytes_of(start, (size_t)(scanner->at - start));
    *ret_value = value;
    return true;
}

/* ---- arrays and objects: a stack instead of recursion ---- */

/* A member's name and colon; its place in the pointers' tree. */
static bool scan_name(struct scanner *scanner, int node, int *ret_child)
{
    skip_blanks(scanner);
    if (peek(scanner) != '"') {
        return refuse(scanner, "a member without a name");
    }
    const uint8_t *start = scanner->at;
    bool escaped = false;
    TRY(scan_string(scanner, &escaped));
    struct bytes name = bytes_of(start + 1, (size_t)(scanner->at - start) - 2);
    *ret_child = node == JSON_POINTERS_NONE
                     ? JSON_POINTERS_NONE
                     : json_pointers_member(scanner->pointers, node, name, escaped);
    skip_blanks(scanner);
    if (peek(scanner) != ':') {
        return refuse(scanner, "a member without a colon");
    }
    scanner->at++;
    return true;
}

/* What comes next in the open array or object: the place of its value. */
static bool enter_next(struct scanner *scanner, int *ret_node)
{
    struct frame *frame = &scanner->frames[scanner->depth - 1];
    if (!frame->is_array) {
        return scan_name(scanner, frame->node, ret_node);
    }
    *ret_node = frame->node == JSON_POINTERS_NONE
                    ? JSON_POINTERS_NONE
                    : json_pointers_item(scanner->pointers, frame->node, frame->index);
    return true;
}

static bool open_container(struct scanner *scanner, int node, bool *ret_empty)
{
    if (scanner->depth == JSON_SCAN_DEPTH_MAX) {
        return refuse(scanner, "nested too deeply");
    }
    bool is_array = *scanner->at == '[';
    scanner->frames[scanner->depth++] =
        (struct frame){.start = scanner->at, .node = node, .is_array = is_array};
    scanner->at++;
    skip_blanks(scanner);
    *ret_empty = peek(scanner) == (is_array ? ']' : '}');
    return true;
}

static void close_container(struct scanner *scanner)
{
    struct frame *frame = &scanner->frames[--scanner->depth];
    scanner->at++;
    if (frame->node != JSON_POINTERS_NONE) {
        struct json_view value = {
            .type = frame->is_array ? JSON_VIEW_ARRAY : JSON_VIEW_OBJECT,
            .raw = bytes_of(frame->start, (size_t)(scanner->at - frame->start)),
        };
        json_pointers_set(scanner->pointers, frame->node, &value, scanner->values);
    }
}

/* After a value: closes what ends here, until a comma or the document's end. */
static bool leave_ended(struct scanner *scanner)
{
    while (scanner->depth > 0) {
        struct frame *frame = &scanner->frames[scanner->depth - 1];
        skip_blanks(scanner);
        uint8_t byte = peek(scanner);
        if (byte == ',') {
            scanner->at++;
            frame->index++;
            return true;
        }
        if (byte != (frame->is_array ? ']' : '}')) {
            return refuse(scanner, frame->is_array ? "an array without a comma or its end"
                                                   : "an object without a comma or its end");
        }
        close_container(scanner);
    }
    return true;
}

/* One value at `node`: a scalar, or the start of a container. *ret_open: its first part follows. */
static bool scan_value(struct scanner *scanner, int node, bool *ret_open)
{
    *ret_open = false;
    skip_blanks(scanner);
    if (node != JSON_POINTERS_NONE) {
        json_pointers_forget(scanner->pointers, node, scanner->values);
    }
    if (peek(scanner) == '{' || peek(scanner) == '[') {
        bool empty = false;
        TRY(open_container(scanner, node, &empty));
        if (empty) {
            close_container(scanner);
        }
        *ret_open = !empty;
        return true;
    }
    struct json_view value;
    TRY(scan_scalar(scanner, &value));
    if (node != JSON_POINTERS_NONE) {
        json_pointers_set(scanner->pointers, node, &value, scanner->values);
    }
    return true;
}

static bool scan_document(struct scanner *scanner)
{
    int node = JSON_POINTERS_ROOT;
    for (;;) {
        bool open = false;
        TRY(scan_value(scanner, node, &open));
        if (!open) {
            TRY(leave_ended(scanner));
        }
        if (scanner->depth == 0) {
            break;
        }
        TRY(enter_next(scanner, &node));
    }
    skip_blanks(scanner);
    return scanner->at == scanner->end || refuse(scanner, "bytes after the value");
}

bool json_scan(const struct json_pointers *pointers, struct bytes document,
               struct json_view *values, const char **ret_problem, size_t *ret_offset)
{
    struct scanner scanner; /* not cleared: its stack of frames is large */
    scanner.pointers = pointers;
    scanner.at = document.size == 0 ? (const uint8_t *)"" : document.data;
    const uint8_t *start = scanner.at;
    scanner.end = start + document.size;
    scanner.values = values;
    scanner.problem = NULL;
    scanner.depth = 0;
    if (scan_document(&scanner)) {
        return true;
    }
    *ret_problem = scanner.problem;
    *ret_offset = (size_t)(scanner.at - start);
    return false;
}
