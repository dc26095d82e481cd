/* Tells the log, once, when reading has stood still on purpose for a while, and when it goes on. */
#ifndef TIDEMARK_CONSUMER_MEMBER_PAUSE_WATCH_H
#define TIDEMARK_CONSUMER_MEMBER_PAUSE_WATCH_H

#include "core/coord/member.h"

/* What stands still now, and for want of what. */
struct pause_moment {
    size_t paused[PAUSE_REASONS]; /* partitions, by the member machine's reasons */
    bool memory;                  /* all of them: memory is used up to its mark */
    bool disk_full;               /* and no spill can make room in it */
    uint64_t disk_bytes;          /* of rows that are in no snapshot */
    uint64_t disk_budget;         /* how many these may be */
};

/* All 0 at first. One thread. */
struct pause_watch {
    const char *reason;
    int64_t since_us;
    bool told;
};

/* The setting that is the bound; NULL: everything is read. */
const char *pause_reason(const struct pause_moment *moment);

enum { PAUSE_TEXT_MAX = 400 };
/* What the log says of a moment that has a reason. */
void pause_text(const struct pause_moment *moment, char text[PAUSE_TEXT_MAX]);

/* Again and again; `mono_us` by the steady clock. A pause that is over soon is not worth a line. */
void pause_watch_look(struct pause_watch *watch, const struct pause_moment *moment,
                      int64_t mono_us);

#endif
