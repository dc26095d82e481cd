/* Tells the log, once, when reading has stood still on purpose for a while, and when it goes on. */
#include "consumer/member/pause_watch.h"

#include <stdio.h>
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

void pause_text(const struct pause_moment *moment, char text[PAUSE_TEXT_MAX])
{
    const char *reason = pause_reason(moment);
    unsigned long long held_mib = moment->disk_bytes >> 20;
    unsigned long long budget_mib = moment->disk_budget >> 20;
    if (moment->memory && moment->disk_full) {
        snprintf(text, PAUSE_TEXT_MAX,
                 "reading stands still: memory and %s are used up by rows that are in no snapshot "
                 "(%llu MiB on the disk, at most %llu MiB); it goes on when a build is published. "
                 "If the open build needs more rows than fit, raise %s",
                 reason, held_mib, budget_mib, reason);
    } else if (moment->memory) {
        snprintf(text, PAUSE_TEXT_MAX, "reading stands still: %s is used up", reason);
    } else if (moment->paused[PAUSE_ROOM] > 0) {
        snprintf(text, PAUSE_TEXT_MAX,
                 "%zu partitions are not read on: rows that are in no snapshot fill most of %s "
                 "(%llu of %llu MiB); what the open build needs is read, the rest when a build is "
                 "published",
                 moment->paused[PAUSE_ROOM], reason, held_mib, budget_mib);
    } else if (moment->paused[PAUSE_UNPUBLISHED] > 0) {
        snprintf(text, PAUSE_TEXT_MAX,
                 "%zu partitions are not read on: %s builds wait under a hold",
                 moment->paused[PAUSE_UNPUBLISHED], reason);
    } else {
        snprintf(text, PAUSE_TEXT_MAX,
                 "%zu partitions are not read on: they are %s ahead of the oldest window that is "
                 "not published",
                 moment->paused[PAUSE_AHEAD], reason);
    }
}

static void tell(const struct pause_moment *moment, const char *reason)
{
    char text[PAUSE_TEXT_MAX];
    pause_text(moment, text);
    if (strcmp(reason, "window.max_open_windows") == 0) { /* it is always so while it catches up */
        log_info("member", "%s", text);
    } else {
        log_warn("member", "%s", text);
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
