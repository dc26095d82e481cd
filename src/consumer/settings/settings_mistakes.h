/* All that is wrong with a settings file, collected in one go. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_MISTAKES_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_MISTAKES_H

#include "core/base/arena.h"
#include "core/base/buf.h"

/* One mistake. Texts are UTF-8 of one line, owned by the list; those that do not apply are NULL.
 * A value that came from the environment or a file, or may be a secret, is never in any of them. */
struct settings_mistake {
    const char *file; /* as the user named it (an included file: as found); "--set" for overrides */
    int line;         /* from 1; 0: the file as a whole */
    const char *path; /* "window.size", "topics[1].key.from"; "" for a syntax error */
    const char *problem; /* "unknown setting", "out of range", … */
    const char *seen;    /* the value, as it was written */
    const char *allowed; /* what would be right */
    const char *nearest; /* a right name or value that was probably meant */
    const char *picture; /* lines that show the place; of these alone newlines are kept */
};

enum { SETTINGS_MISTAKES_MAX = 200 };

/* One thread. Mistakes beyond the limit are counted only. */
struct settings_mistakes {
    struct arena *arena;
    struct settings_mistake items[SETTINGS_MISTAKES_MAX];
    size_t count;   /* of `items` */
    size_t dropped; /* beyond the limit */
};

void settings_mistakes_init(struct settings_mistakes *list);
void settings_mistakes_done(struct settings_mistakes *list);
void settings_mistakes_auto(struct settings_mistakes *list); /* for AUTO(settings_mistakes) */

/* Copies the texts. Control characters are replaced, and long texts cut. */
void settings_mistakes_add(struct settings_mistakes *list, const struct settings_mistake *mistake);

/* By file in order of first appearance, then line, then as found. */
void settings_mistakes_sort(struct settings_mistakes *list);

/* "file:line: path: problem: seen; allowed: …; did you mean 'x'?", without a newline at the end; a
 * picture follows on lines of its own. */
void settings_mistake_print(const struct settings_mistake *mistake, struct buf *out);

#endif
