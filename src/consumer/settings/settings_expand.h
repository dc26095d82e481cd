/* ${NAME}, ${NAME:-default} and ${file:path} in the texts of a settings file. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_EXPAND_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_EXPAND_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* `${NAME}` is the environment variable; `${NAME:-default}` is the default when it is unset or
 * empty;
 * `${file:path}` is a file's content without one newline at its end (for mounted secrets), a
 * relative path counting from the folder of `file`; `$${` is `${`. The result is in `arena`, and
 * *ret_outside tells whether anything of it came from outside the settings file: then it may be a
 * secret and is never shown. Errors, ERR_SETTINGS: name the variable or file, never a value. */
enum { SETTINGS_EXPAND_MAX = 64 << 10 };
MUST_CHECK bool settings_expand(struct arena *arena, const char *text, const char *file,
                                const char **ret_text, bool *ret_outside, struct err *err);

#endif
