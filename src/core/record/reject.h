/* Why one record cannot be used: the cause that is counted, and a short text of what was seen. */
#ifndef TIDEMARK_CORE_RECORD_REJECT_H
#define TIDEMARK_CORE_RECORD_REJECT_H

#include "core/base/check.h"
#include "core/record/record.h"

enum { REJECT_TEXT_MAX = 200, REJECT_EXCERPT_MAX = 48 };

struct reject {
    enum reject_cause cause;
    char text[REJECT_TEXT_MAX]; /* one line of printable ASCII; never more than an excerpt of data
                                 */
};

/* "bad_json", "no_key", …: for counters, dead letters and JSON. "none" for REJECT_NONE. */
const char *reject_cause_name(enum reject_cause cause);

/* Fills `reject` and returns false, so that `return reject_set(why, …)` reads well. Data of users
 * goes in through reject_excerpt only. */
bool reject_set(struct reject *reject, enum reject_cause cause, const char *format, ...)
    PRINTF_LIKE(3, 4);

struct reject_excerpt {
    char text[4 * REJECT_EXCERPT_MAX + 4];
};

/* The first bytes of `data` as printable ASCII, others as \xhh, "..." at the end when cut. */
struct reject_excerpt reject_excerpt(struct bytes data);

#endif
