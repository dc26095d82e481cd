/* What went wrong, and what the caller must do about it. */
#ifndef TIDEMARK_CORE_BASE_ERR_H
#define TIDEMARK_CORE_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/check.h"

/* The kind is the caller's next step, not the library's opinion. */
enum err_kind {
    ERR_NONE = 0,
    ERR_TRANSIENT, /* the same call again, after a pause */
    ERR_AMBIGUOUS, /* it may have happened: read back before anything else */
    ERR_CONFLICT,  /* somebody else changed it first: look, then decide */
    ERR_FENCED,    /* another leader has taken over: step down */
    ERR_MISSING,   /* it is not there */
    ERR_INPUT,     /* this record or argument is bad: reject it, count it, go on */
    ERR_CORRUPT,   /* bytes that should be ours are not what we wrote */
    ERR_LIMIT,     /* a budget or a bound is used up */
    ERR_SETTINGS,  /* an operator must change something */
    ERR_STOPPED,   /* we were asked to stop */
};

/* Who did not do what was asked: for the exit code, and for nothing else. */
enum err_place {
    ERR_ANYWHERE,
    ERR_OF_STORE,
    ERR_OF_KAFKA,
};

enum { ERR_MESSAGE_MAX = 512 };

struct err {
    enum err_kind kind;
    enum err_place place;
    int code; /* the number of the library below (HTTP status, rd_kafka_resp_err_t, SQLite code); 0:
                 none */
    char message[ERR_MESSAGE_MAX]; /* one line, no secrets, no trailing newline */
};

/* Fills `err` and returns false, so that `return err_set(err, ERR_INPUT, "…")` reads well.
 * Any thread. `err` may not be NULL. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);
bool err_set_code(struct err *err, enum err_kind kind, int code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Says whose failure it is; kind, code and message stay. Returns false. */
bool err_place(struct err *err, enum err_place place);

/* Puts "context: " in front of the message; kind and code stay. Returns false. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* "transient", "conflict", …: for logs and JSON. */
const char *err_kind_name(enum err_kind kind);

/* Returns false from the calling function when `call` does. The only macro that returns. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        if (!(call)) {                                                                             \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

#endif
