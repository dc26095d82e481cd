/* A settings file with its @include lines replaced by the files they name, and where each line is
 * from. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_TEXT_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_TEXT_H

#include "consumer/settings/settings_mistakes.h"

/* libconfig's own @include looks in one folder for every file and stops at the first mistake; ours
 * is relative to the file that has the line. */

enum {
    SETTINGS_TEXT_MAX = 4 << 20,  /* bytes of all files together */
    SETTINGS_TEXT_DEPTH_MAX = 10, /* files that include each other */
    SETTINGS_TEXT_RUNS_MAX = 1024,
};

/* Lines of `text` from `first_line` on are lines of `file` from `file_line` on. */
struct settings_text_run {
    const char *file;
    int first_line;
    int file_line;
};

struct settings_text {
    struct arena *borrowed_arena;
    struct buf text;
    int lines; /* newlines in `text` so far */
    struct settings_text_run runs[SETTINGS_TEXT_RUNS_MAX];
    size_t run_count;
};

void settings_text_init(struct settings_text *text, struct arena *arena);
void settings_text_done(struct settings_text *text);

/* Adds the file at `path`, or `content` under that name, with all that it includes. False:
 * something was added to `mistakes`. */
MUST_CHECK bool settings_text_add_file(struct settings_text *text, const char *path,
                                       struct settings_mistakes *mistakes);
MUST_CHECK bool settings_text_add(struct settings_text *text, struct bytes content,
                                  const char *path, struct settings_mistakes *mistakes);

/* Where a line (from 1) of the whole text is from. */
void settings_text_place(const struct settings_text *text, int line, const char **ret_file,
                         int *ret_line);

/* `name` as seen from the file `from`: unchanged when absolute, else in that file's folder. */
const char *settings_text_resolve(struct arena *arena, const char *from, const char *name);

#endif
