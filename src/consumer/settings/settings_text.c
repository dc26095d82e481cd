/* A settings file with its @include lines replaced by the files they name, and where each line is
 * from. */
#include "consumer/settings/settings_text.h"

#include "adapters/os/file.h"

/* Where a scan is inside the language of libconfig. */
enum scan_state { SCAN_PLAIN, SCAN_LINE_COMMENT, SCAN_BLOCK_COMMENT, SCAN_STRING };

struct scan {
    struct bytes content;
    size_t at;
    int line;
    enum scan_state state;
    int opened_line; /* of the comment or text that the scan is in */
    const char *path;
    const struct scan *parent; /* of the file that includes this one */
    int depth;
};

void settings_text_init(struct settings_text *text, struct arena *arena)
{
    text->borrowed_arena = arena;
    buf_init(&text->text, SETTINGS_TEXT_MAX);
    text->lines = 0;
    text->run_count = 0;
}

void settings_text_done(struct settings_text *text)
{
    buf_done(&text->text);
}

static bool refuse(struct settings_mistakes *mistakes, const char *path, int line,
                   const char *problem, const char *seen)
{
    struct settings_mistake mistake = {
        .file = path, .line = line, .problem = problem, .seen = seen};
    settings_mistakes_add(mistakes, &mistake);
    return false;
}

static bool start_run(struct settings_text *text, const char *file, int file_line)
{
    if (text->run_count == SETTINGS_TEXT_RUNS_MAX) {
        return false;
    }
    text->runs[text->run_count++] = (struct settings_text_run){
        .file = file, .first_line = text->lines + 1, .file_line = file_line};
    return true;
}

static void add_byte(struct settings_text *text, uint8_t byte)
{
    buf_add_byte(&text->text, byte);
    text->lines += byte == '\n';
}

static bool is_digit(uint8_t c, bool hex)
{
    return (c >= '0' && c <= '9') || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

static bool is_name(uint8_t c, bool first)
{
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*';
    return letter || (!first && (is_digit(c, false) || c == '-' || c == '_'));
}

static uint8_t byte_at(const struct scan *scan, size_t at)
{
    return at < scan->content.size ? scan->content.data[at] : 0;
}

static void copy_to(struct scan *scan, struct settings_text *text, size_t end)
{
    while (scan->at < end) {
        add_byte(text, scan->content.data[scan->at++]);
    }
}

/* Past the fraction and the exponent of a number whose digits before them end at `at`. */
static size_t end_of_real(const struct scan *scan, size_t at)
{
    for (;;) {
        uint8_t byte = byte_at(scan, at);
        bool sign = (byte == '+' || byte == '-') && (byte_at(scan, at - 1) | 0x20) == 'e';
        if (!is_digit(byte, false) && byte != '.' && (byte | 0x20) != 'e' && !sign) {
            return at;
        }
        at++;
    }
}

/* Takes a whole name or number over. False: neither begins here. libconfig cuts integers without an
 * "L" to 32 bits and says nothing, and offsets are often longer: long ones get their "L" here. */
static bool step_word(struct scan *scan, struct settings_text *text)
{
    size_t end = scan->at;
    if (is_name(byte_at(scan, end), true)) {
        while (is_name(byte_at(scan, end), false)) {
            end++;
        }
        copy_to(scan, text, end);
        return true;
    }
    if (!is_digit(byte_at(scan, end), false) && byte_at(scan, end) != '.') {
        return false;
    }
    bool hex = byte_at(scan, end) == '0' && (byte_at(scan, end + 1) | 0x20) == 'x';
    end += hex ? 2 : 0;
    size_t start = end;
    while (is_digit(byte_at(scan, end), hex)) {
        end++;
    }
    bool whole = strchr(".eEL", byte_at(scan, end)) == NULL || byte_at(scan, end) == 0;
    bool is_long = end - start >= (hex ? 8 : 10);
    copy_to(scan, text, whole ? end : end_of_real(scan, end));
    if (whole && is_long) {
        add_byte(text, 'L');
    }
    return true;
}

/* Takes one byte, or the two that belong together, over into the text. */
static void step(struct scan *scan, struct settings_text *text)
{
    const uint8_t *data = scan->content.data;
    uint8_t byte = data[scan->at];
    uint8_t next = scan->at + 1 < scan->content.size ? data[scan->at + 1] : 0;
    bool pair = false;
    switch (scan->state) {
    case SCAN_PLAIN:
        if (step_word(scan, text)) {
            return;
        }
        scan->opened_line = scan->line;
        if (byte == '"') {
            scan->state = SCAN_STRING;
        } else if (byte == '#' || (byte == '/' && next == '/')) {
            scan->state = SCAN_LINE_COMMENT;
        } else if (byte == '/' && next == '*') {
            scan->state = SCAN_BLOCK_COMMENT;
            pair = true;
        }
        break;
    case SCAN_LINE_COMMENT:
        scan->state = byte == '\n' ? SCAN_PLAIN : SCAN_LINE_COMMENT;
        break;
    case SCAN_BLOCK_COMMENT:
        if (byte == '*' && next == '/') {
            scan->state = SCAN_PLAIN;
            pair = true;
        }
        break;
    case SCAN_STRING:
        if (byte == '\\' && scan->at + 1 < scan->content.size) {
            pair = true;
        } else if (byte == '"') {
            scan->state = SCAN_PLAIN;
        }
        break;
    }
    for (int i = 0; i < (pair ? 2 : 1); i++) {
        scan->line += data[scan->at] == '\n';
        add_byte(text, data[scan->at]);
        scan->at++;
    }
}

/* At the start of a line: the name in `@include "name"`, and where the line goes on after it. */
static bool find_include(const struct scan *scan, struct bytes *ret_name, size_t *ret_after)
{
    static const char word[] = "@include";
    struct bytes content = scan->content;
    size_t at = scan->at;
    while (at < content.size && (content.data[at] == ' ' || content.data[at] == '\t')) {
        at++;
    }
    if (content.size - at < sizeof(word) ||
        memcmp(content.data + at, word, sizeof(word) - 1) != 0) {
        return false;
    }
    at += sizeof(word) - 1;
    while (at < content.size && (content.data[at] == ' ' || content.data[at] == '\t')) {
        at++;
    }
    if (at == content.size || content.data[at] != '"') {
        return false; /* libconfig calls that a syntax error */
    }
    size_t start = ++at;
    while (at < content.size && content.data[at] != '"' && content.data[at] != '\n') {
        at++;
    }
    if (at == content.size || content.data[at] != '"') {
        return false;
    }
    *ret_name = bytes_of(content.data + start, at - start);
    *ret_after = at + 1;
    return true;
}

const char *settings_text_resolve(struct arena *arena, const char *from, const char *name)
{
    const char *slash = strrchr(from, '/');
    if (name[0] == '/' || slash == NULL) {
        return arena_text(arena, bytes_of_text(name));
    }
    return arena_format(arena, "%.*s%s", (int)(slash - from + 1), from, name);
}

static bool add(struct settings_text *text, struct bytes content, const char *path,
                const struct scan *parent, struct settings_mistakes *mistakes);

static bool add_file(struct settings_text *text, const char *path, const struct scan *parent,
                     struct settings_mistakes *mistakes)
{
    AUTO(buf) struct buf content;
    buf_init(&content, SETTINGS_TEXT_MAX);
    struct err err = {0};
    if (!file_read(path, &content, &err)) {
        return refuse(mistakes, parent == NULL ? path : parent->path,
                      parent == NULL ? 0 : parent->line, err.message, NULL);
    }
    return add(text, buf_bytes(&content), path, parent, mistakes);
}

static bool include(struct settings_text *text, struct scan *scan, struct bytes name, size_t after,
                    struct settings_mistakes *mistakes)
{
    const char *path = settings_text_resolve(text->borrowed_arena, scan->path,
                                             arena_text(text->borrowed_arena, name));
    bool good = true;
    const struct scan *same = scan;
    while (same != NULL && strcmp(same->path, path) != 0) {
        same = same->parent;
    }
    if (same != NULL) {
        good = refuse(mistakes, scan->path, scan->line, "a file that includes itself", path);
    } else if (scan->depth + 1 >= SETTINGS_TEXT_DEPTH_MAX) {
        good = refuse(mistakes, scan->path, scan->line, "@include goes too deep", path);
    } else {
        good = add_file(text, path, scan, mistakes);
    }
    if (text->text.size > 0 && text->text.data[text->text.size - 1] != '\n') {
        add_byte(text, '\n');
    }
    scan->at = after;
    return start_run(text, scan->path, scan->line) && good;
}

static bool add(struct settings_text *text, struct bytes content, const char *path,
                const struct scan *parent, struct settings_mistakes *mistakes)
{
    path = arena_text(text->borrowed_arena, bytes_of_text(path));
    bool good = start_run(text, path, 1);
    if (content.size > 0 && memchr(content.data, 0, content.size) != NULL) {
        return refuse(mistakes, path, 0, "not a text file: it has a zero byte", NULL);
    }
    struct scan scan = {
        .content = content,
        .line = 1,
        .path = path,
        .parent = parent,
        .depth = parent == NULL ? 0 : parent->depth + 1,
    };
    bool line_start = true;
    while (scan.at < content.size && !text->text.overflowed) {
        struct bytes name = {0};
        size_t after = 0;
        if (scan.state == SCAN_PLAIN && line_start && find_include(&scan, &name, &after)) {
            good = include(text, &scan, name, after, mistakes) && good;
            continue;
        }
        step(&scan, text);
        line_start = content.data[scan.at - 1] == '\n';
    }
    if (text->text.overflowed || text->run_count == SETTINGS_TEXT_RUNS_MAX) {
        return refuse(mistakes, path, scan.line, "the settings are too large", NULL);
    }
    if (scan.state == SCAN_STRING || scan.state == SCAN_BLOCK_COMMENT) {
        return refuse(mistakes, path, scan.opened_line,
                      scan.state == SCAN_STRING
                          ? "a text has no closing \" up to the file's end"
                          : "a comment has no closing */ up to the file's end",
                      NULL);
    }
    return good;
}

bool settings_text_add_file(struct settings_text *text, const char *path,
                            struct settings_mistakes *mistakes)
{
    return add_file(text, path, NULL, mistakes);
}

bool settings_text_add(struct settings_text *text, struct bytes content, const char *path,
                       struct settings_mistakes *mistakes)
{
    return add(text, content, path, NULL, mistakes);
}

void settings_text_place(const struct settings_text *text, int line, const char **ret_file,
                         int *ret_line)
{
    CHECK(text->run_count > 0);
    size_t i = text->run_count - 1;
    while (i > 0 && text->runs[i].first_line > line) {
        i--;
    }
    *ret_file = text->runs[i].file;
    *ret_line = line < text->runs[i].first_line
                    ? 0
                    : line - text->runs[i].first_line + text->runs[i].file_line;
}
