/* Whether a service with these settings could work here: tried, not guessed. */
#ifndef TIDEMARK_CONSUMER_DOCTOR_DOCTOR_H
#define TIDEMARK_CONSUMER_DOCTOR_DOCTOR_H

#include "core/base/arena.h"
#include "core/settings.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

/* One line: what was tried, how it went, and, unless it is right, what to change. */
struct doctor_line {
    enum doctor_level level;
    const char *check; /* "topic orders" */
    const char *text;
};

enum { DOCTOR_LINES_MAX = 256 };

struct doctor {
    struct arena *arena; /* owns the texts */
    struct doctor_line lines[DOCTOR_LINES_MAX];
    size_t count;
    enum doctor_level worst;
    /* Is told each line when its check is done; NULL: nobody is. */
    void (*tell)(void *context, const struct doctor_line *line);
    void *tell_context;
};

/* Adds a line; for doctor_*.c. */
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *check,
                const char *format, ...) PRINTF_LIKE(4, 5);

/* The client library, brokers, topics and their retention, rights to read them, the ledger, the
 * dead-letter topic; the store, its conditional writes, its clock; the work folder, status.listen.
 * A check that fails is a line, and ends those that need it. Nothing joins a group, leads, or is
 * written but probes that are deleted again: so the right to write the ledger and to use its
 * transactional id is not tried, since that would fence a leader. Blocks for up to some minutes. */
void doctor_run(const struct settings *settings, struct doctor *doctor);

/* At least `retention_ms` is needed for a window of the settings; 0: they do not say how long one
 * is. Pure. */
int64_t doctor_retention_us(const struct window_settings *window);

#endif
