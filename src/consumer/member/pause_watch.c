/* Tells the log, once, when reading has stood still on purpose for a while, and when it goes on. */
#include "consumer/member/pause_watch.h"

#include <string.h>

#include "adapters/os/log.h"

enum { TELL_AFTER_US = 5 * 1000 * 1000 };

/* The worst first: what keeps most of it from being read. */
const char *pause_reason(const struct pause_moment *moment)
{
    if (moment->memory) {
        return moment->disk_full ? "limits.disk_budget" : "limits.memory_budget";
    }
    if (moment->paused[PAUSE_ROOM] > 0) {
        return "limits.disk_budget";
    }
    if (moment->paused[PAUSE_UNPUBLISHED] > 0) {
        return "window.max_unpublished_windows";
    }
    return moment->paused[PAUSE_AHEAD] > 0 ? "window.max_open_windows" : NULL;
}

static void tell(const struct pause_moment *moment, const char *reason)
{
    if (moment->memory && moment->disk_full) {
        log_warn("member",
                 "reading stands still: memory and %s are used up by rows that are in no snapshot; "
                 "it goes on when a build is published. If the open build needs more rows than "
                 "fit, raise %s",
                 reason, reason);
    } else if (moment->memory) {
        log_warn("member", "reading stands still: %s is used up", reason);
    } else if (moment->paused[PAUSE_ROOM] > 0) {
        log_warn("member",
                 "%zu partitions are not read on: rows that are in no snapshot fill most of %s; "
                 "what the open build needs is read, the rest when a build is published",
                 moment->paused[PAUSE_ROOM], reason);
    } else if (moment->paused[PAUSE_UNPUBLISHED] > 0) {
        log_warn("member", "%zu partitions are not read on: %s builds wait under a hold",
                 moment->paused[PAUSE_UNPUBLISHED], reason);
    } else {
        log_info("member",
                 "%zu partitions are not read on: they are %s ahead of the oldest window that is "
                 "not published",
                 moment->paused[PAUSE_AHEAD], reason);
    }
}

void pause_watch_look(struct pause_watch *watch, const struct pause_moment *moment, int64_t mono_us)
{
    const char *reason = pause_reason(moment);
    bool same = reason == NULL ? watch->reason == NULL
                               : watch->reason != NULL && strcmp(reason, watch->reason) == 0;
    if (!same) {
        if (reason == NULL && watch->told) {
            log_info("member", "reading goes on, after %lld s",
                     (long long)((mono_us - watch->since_us) / 1000000));
        }
        watch->since_us = mono_us;
        watch->told = false;
        watch->reason = reason;
    }
    if (reason != NULL && !watch->told && mono_us - watch->since_us >= TELL_AFTER_US) {
        watch->told = true;
        tell(moment, reason);
    }
}
