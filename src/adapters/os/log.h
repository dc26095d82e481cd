/* What happened, one line each, on standard error. */
#ifndef TIDEMARK_ADAPTERS_OS_LOG_H
#define TIDEMARK_ADAPTERS_OS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* Any thread; a line is one write(2), so lines never mix. Never fails: what cannot be written is
 * lost. No secret may be given to it. */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_form {
    LOG_TEXT, /* time=2026-03-14T10:30:00.123Z level=info part=member text="took over" */
    LOG_JSON, /* {"time":"…","level":"info","part":"member","text":"took over"} */
};

/* At the start, before there are other threads. The default is LOG_INFO, LOG_TEXT. */
void log_set(enum log_level level, enum log_form form);

bool log_enabled(enum log_level level);

/* From now on nothing is said: inside of other people's programs. */
void log_silence(void);

/* `part` is the thread or module that speaks: one word. */
void log_error(const char *part, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warn(const char *part, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const char *part, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const char *part, const char *format, ...) PRINTF_LIKE(2, 3);

/* Each line of a text (a machine's trace) as a line of its own. */
void log_debug_lines(const char *part, struct bytes lines);

/* "text: message" with the error's kind as a field of its own: where an error ends (STYLE: the one
 * who gives up logs once). */
void log_failure(enum log_level level, const char *part, const struct err *err, const char *format,
                 ...) PRINTF_LIKE(4, 5);

/* The line as bytes with its newline; `kind` may be NULL. Control characters are escaped, so that
 * no text from outside can look like a line of its own. */
void log_format(struct buf *to, enum log_form form, int64_t now_us, enum log_level level,
                const char *part, const char *kind, const char *text);

#endif
