/* What a member says of itself for people: no numbers that change all the time, or each would be a
 * record of the ledger. */
#include "consumer/member_says.h"

#include <stdio.h>

enum { SAYS_MAX = 256 };

static const char *why_paused(const struct poll_thread *poll, const struct member *member,
                              char text[SAYS_MAX])
{
    switch (poll_thread_pause(poll)) {
    case POLL_PAUSE_MEMORY:
        return "memory is short (limits.memory_budget)";
    case POLL_PAUSE_INTAKE:
        return "records come faster than they can be sorted and written";
    case POLL_PAUSE_RATE:
        return "as many records a second as the settings let in (limits.records_per_second, "
               "limits.bytes_per_second)";
    case POLL_PAUSE_NONE:
        break;
    }
    size_t count = member_paused_count(member);
    const struct message_commit *head = fold_head(member_fold(member));
    if (count > 0 && head != NULL && !fold_head_published(member_fold(member))) {
        snprintf(text, SAYS_MAX,
                 "%zu of its partitions: builds wait for the pointer "
                 "(window.max_unpublished_windows)",
                 count);
        return text;
    }
    if (count > 0) {
        snprintf(text, SAYS_MAX,
                 "%zu of its partitions: they are far ahead of the others "
                 "(window.max_open_windows)",
                 count);
        return text;
    }
    return "";
}

void member_says(const struct member_thread_settings *settings, struct member *member)
{
    char text[SAYS_MAX];
    struct leader_state_seen seen;
    leader_thread_seen(settings->leader_seen, &seen);
    member_note(member, why_paused(settings->poll_seen, member, text),
                seen.phase == LEADER_OFF ? "" : seen.doing);
}
