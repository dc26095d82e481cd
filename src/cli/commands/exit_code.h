/* The exit codes of `tidemark`, the same for every command. */
#ifndef TIDEMARK_CLI_COMMANDS_EXIT_CODE_H
#define TIDEMARK_CLI_COMMANDS_EXIT_CODE_H

#include <stddef.h>

#include "core/base/err.h"

/* Scripts depend on these numbers: they never change their meaning. docs/exit-codes.md. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,    /* something else; the message says what */
    EXIT_CODE_USAGE = 2,     /* the command line is wrong; nothing was done */
    EXIT_CODE_SETTINGS = 3,  /* a settings file, or a topic, store or permission, must be changed */
    EXIT_CODE_NOT_FOUND = 4, /* no such key, snapshot or run */
    EXIT_CODE_STORE = 5,     /* the store does not answer, or not as it should */
    EXIT_CODE_KAFKA = 6,     /* Kafka does not answer */
    EXIT_CODE_HELD = 7,      /* the service refuses: a hold, a gate, or no leader answered */
    EXIT_CODE_CONFLICT = 8,  /* somebody else changed it first */
    EXIT_CODE_FENCED = 9,    /* another process with the same member_id or group took over */
    EXIT_CODE_STOPPED = 10,  /* asked to stop, or a deadline passed, before it was done */
    EXIT_CODE_LIMIT = 11,    /* a budget is used up: errors, memory, disk */
    EXIT_CODE_CORRUPT = 12,  /* stored bytes are not what was written */
    EXIT_CODE_DIFFERS = 13,  /* what was compared is not the same */
    EXIT_CODE_UNPROVED = 14, /* nothing is known to differ, and not all can be compared any more */
    EXIT_CODE_WARNED = 15,   /* it works, and something should be looked at */
};

struct exit_code_doc {
    enum exit_code code;
    const char *name; /* "not-found" */
    const char *doc;
};

extern const struct exit_code_doc exit_code_docs[]; /* by number */
extern const size_t exit_code_doc_count;

const char *exit_code_name(enum exit_code code);

/* What does not answer decides about TRANSIENT and AMBIGUOUS; where the error does not say it, it
 * is FAILED. */
enum exit_code exit_code_of(const struct err *err);

/* The same, with `unreachable` where the error does not say it. */
enum exit_code exit_code_or(const struct err *err, enum exit_code unreachable);

#endif
