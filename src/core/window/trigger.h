/* What closes a window and what becomes of its rows: words that settings and the ledger
 * share. The names are indexed by the enum; they are part of both formats. */
#ifndef TIDEMARK_CORE_WINDOW_TRIGGER_H
#define TIDEMARK_CORE_WINDOW_TRIGGER_H

enum close_trigger { TRIGGER_EVENT_TIME, TRIGGER_SCHEDULE, TRIGGER_OFFSETS, TRIGGER_MANUAL };
extern const char *const close_trigger_names[TRIGGER_MANUAL + 1]; /* "event_time", … */

/* window: the rows of the window; state: the newest row of every key so far (docs/design.md). */
enum contents { CONTENTS_WINDOW, CONTENTS_STATE };
extern const char *const contents_names[CONTENTS_STATE + 1];

/* A row whose own window was closed before its offset was below a cut (PROTOCOL R2). */
enum late_policy {
    LATE_NEXT,        /* it goes into the next build */
    LATE_DROP,        /* counted, not stored */
    LATE_DEAD_LETTER, /* counted, handed to the dead letters */
};
extern const char *const late_policy_names[LATE_DEAD_LETTER + 1];

/* A row dated further ahead than max_future_skew (PROTOCOL R24). */
enum future_policy { FUTURE_KEEP, FUTURE_DEAD_LETTER };
extern const char *const future_policy_names[FUTURE_DEAD_LETTER + 1];

/* A window without rows. */
enum empty_policy { EMPTY_SKIP, EMPTY_PUBLISH };

#endif
