/* What closes a window, and what a snapshot is made of: words that settings and the ledger share. */
#ifndef TIDEMARK_CORE_WINDOW_TRIGGER_H
#define TIDEMARK_CORE_WINDOW_TRIGGER_H

enum close_trigger { TRIGGER_EVENT_TIME, TRIGGER_SCHEDULE, TRIGGER_OFFSETS, TRIGGER_MANUAL };

/* window: the rows of the window; state: the newest row of every key so far (docs/design.md). */
enum contents { CONTENTS_WINDOW, CONTENTS_STATE };

#endif
