/* What a member says of itself for people: no numbers that change all the time, or each would be a
 * record of the ledger. */
#include "consumer/member/member_says.h"

#include <stdio.h>

enum { SAYS_MAX = 256 };

static const char *why_paused(const struct poll_thread *poll, const struct pause_moment *moment,
                              char text[SAYS_MAX])
{
    const char *reason = pause_reason(moment);
    size_t count = 0;
    for (unsigned i = PAUSE_NOT + 1; i < PAUSE_REASONS; i++) {
        count += moment->paused[i];
    }
    if (reason != NULL && !moment->memory) {
        snprintf(text, SAYS_MAX, "%zu of its partitions, by %s", count, reason);
        return text;
    }
    switch (poll_thread_pause(poll)) {
    case POLL_PAUSE_MEMORY:
        return moment->disk_full ? "memory and disk are used up (limits.disk_budget)"
                                 : "memory is used up (limits.memory_budget)";
    case POLL_PAUSE_INTAKE:
        return "records come faster than they can be sorted and written";
    case POLL_PAUSE_RATE:
        return "as many records a second as the settings let in (limits.records_per_second, "
               "limits.bytes_per_second)";
    case POLL_PAUSE_NONE:
        break;
    }
    return "";
}

void member_says(const struct member_thread_settings *settings, const struct pause_moment *moment,
                 struct member *member)
{
    char text[SAYS_MAX];
    struct leader_state_seen seen;
    leader_thread_seen(settings->leader_seen, &seen);
    member_note(member, why_paused(settings->poll_seen, moment, text),
                seen.phase == LEADER_OFF ? "" : seen.doing);
}
