/* Which bracket or quote of a settings file is wrong. */
#include "consumer/settings/settings_brackets.h"

#include <stdbool.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

struct open_bracket {
    char byte;
    int line;
};

struct scan {
    struct bytes text;
    size_t at;
    int line;
    int stopped_line; /* where the parser stood still */
    int opened_line;  /* of the bracket that a wrong one should close; 0: none */
    int long_line;    /* where texts of several lines begin, each in the last line of another … */
    int long_end;     /* … and their last line; 0: none yet */
    struct open_bracket open[DEPTH_MAX];
    size_t depth;
};

static char next_of(const struct scan *scan)
{
    return scan->at + 1 < scan->text.size ? (char)scan->text.data[scan->at + 1] : '\0';
}

/* Over a comment, to its last byte; the newline behind one of a line is no part of it. */
static void skip_comment(struct scan *scan, bool block)
{
    for (; scan->at < scan->text.size; scan->at++) {
        char byte = (char)scan->text.data[scan->at];
        if (block && byte == '*' && next_of(scan) == '/') {
            scan->at++;
            return;
        }
        if (!block && (scan->at + 1 == scan->text.size || next_of(scan) == '\n')) {
            return;
        }
        scan->line += byte == '\n' ? 1 : 0;
    }
}

/* Over a text, to its second quote, which may be in a line below. Where it was forgotten, the first
 * quote of another text is taken for it, that text is turned inside out, and so on: the parser
 * stands still in the last line of one of them. False: it is such a one. */
static bool skip_text(struct scan *scan)
{
    int begin = scan->line;
    for (scan->at++; scan->at < scan->text.size; scan->at++) {
        char byte = (char)scan->text.data[scan->at];
        if (byte == '"') {
            break;
        }
        scan->line += byte == '\n' ? 1 : 0;
        scan->at += byte == '\\' && next_of(scan) != '\n' ? 1 : 0;
    }
    if (scan->at < scan->text.size && scan->line == begin) {
        return true;
    }
    scan->long_line = scan->long_end == begin ? scan->long_line : begin;
    scan->long_end = scan->line;
    return scan->at < scan->text.size && scan->long_end != scan->stopped_line;
}

static char closer_of(char opener)
{
    return opener == '(' ? ')' : opener == '[' ? ']' : '}';
}

/* NULL: it fits. */
static const char *close_bracket(struct scan *scan, char byte, struct arena *arena)
{
    if (scan->depth == 0) {
        return arena_format(arena, "'%c' closes nothing", byte);
    }
    const struct open_bracket *open = &scan->open[--scan->depth];
    if (byte == closer_of(open->byte)) {
        return NULL;
    }
    scan->opened_line = open->line;
    return arena_format(arena, "'%c' is to be closed by '%c' before this '%c'", open->byte,
                        closer_of(open->byte), byte);
}

/* One byte that is no newline and no quote. NULL: nothing is wrong so far. */
static const char *step(struct scan *scan, struct arena *arena)
{
    char byte = (char)scan->text.data[scan->at];
    if (byte == '#' || (byte == '/' && next_of(scan) == '/')) {
        skip_comment(scan, false);
    } else if (byte == '/' && next_of(scan) == '*') {
        scan->at += 2;
        skip_comment(scan, true);
    } else if (strchr("({[", byte) != NULL && byte != '\0') {
        if (scan->depth == DEPTH_MAX) {
            return "too many brackets in each other";
        }
        scan->open[scan->depth++] = (struct open_bracket){byte, scan->line};
    } else if (strchr(")}]", byte) != NULL && byte != '\0') {
        return close_bracket(scan, byte, arena);
    }
    return NULL;
}

const char *settings_brackets_wrong(struct bytes text, int stopped_line, struct arena *arena,
                                    int *ret_line, int *ret_opened_line)
{
    struct scan scan = {.text = text, .line = 1, .stopped_line = stopped_line};
    for (; scan.at < text.size; scan.at++) {
        if (text.data[scan.at] == '\n') {
            scan.line++;
            continue;
        }
        int line = scan.line;
        bool quote = text.data[scan.at] == '"';
        bool forgotten = quote && !skip_text(&scan);
        const char *wrong = quote ? NULL : step(&scan, arena);
        if (forgotten || (wrong != NULL && line == scan.long_end)) {
            *ret_line = scan.long_line;
            *ret_opened_line = 0;
            return "a text without its second '\"' in the same line";
        }
        if (wrong != NULL) {
            *ret_line = line;
            *ret_opened_line = scan.opened_line;
            return wrong;
        }
    }
    if (scan.depth > 0) {
        const struct open_bracket *open = &scan.open[scan.depth - 1];
        *ret_line = open->line;
        *ret_opened_line = 0;
        return arena_format(arena, "this '%c' is never closed", open->byte);
    }
    return NULL;
}
