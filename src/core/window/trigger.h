/* What closes a window and what becomes of its rows: words that settings and the ledger share. */
#ifndef TIDEMARK_CORE_WINDOW_TRIGGER_H
#define TIDEMARK_CORE_WINDOW_TRIGGER_H

enum close_trigger { TRIGGER_EVENT_TIME, TRIGGER_SCHEDULE, TRIGGER_OFFSETS, TRIGGER_MANUAL };

/* window: the rows of the window; state: the newest row of every key so far (docs/design.md). */
enum contents { CONTENTS_WINDOW, CONTENTS_STATE };

/* A row whose own window was closed before its offset was below a cut (PROTOCOL R2). */
enum late_policy {
    LATE_NEXT,        /* it goes into the next build */
    LATE_DROP,        /* counted, not stored */
    LATE_DEAD_LETTER, /* counted, handed to the dead letters */
};

/* A row dated further ahead than max_future_skew (PROTOCOL R24). */
enum future_policy { FUTURE_KEEP, FUTURE_DEAD_LETTER };

/* A window without rows. */
enum empty_policy { EMPTY_SKIP, EMPTY_PUBLISH };

#endif
