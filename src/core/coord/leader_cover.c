/* The leader's cover of an open CLOSE, and what it says while there is none. */

#include "core/coord/leader_lack.h"
#include "core/coord/leader_state.h"

static struct leader_look own_look(const struct leader *leader)
{
    return (struct leader_look){.fold = leader->fold,
                                .fingerprint = leader->settings->fingerprint,
                                .now_us = leader_broker_now(leader),
                                .quiet_us = leader->settings->owner_timeout_us};
}

bool leader_is_alive(const struct leader *leader, const char *member, uint64_t incarnation)
{
    struct leader_look look = own_look(leader);
    return leader_look_alive(&look, member, incarnation);
}

/* The refusal of a member of the present assignment, for the operator to see (R9). */
static const char *find_refusal(struct leader *leader, const struct message_close *close)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_REFUSED, &at);
         entry != NULL; entry = fold_next(leader->fold, MESSAGE_REFUSED, &at)) {
        const struct message_refused *refused = &entry->message.refused;
        if (refused->build == close->build) {
            return leader_text(leader, "member %s refuses build %llu: %s", refused->member,
                               (unsigned long long)close->build, refused->reason);
        }
    }
    return NULL;
}

static const char *say_missing(struct leader *leader, const struct message_close *close,
                               const struct close_partition *partition)
{
    struct leader_look look = own_look(leader);
    struct leader_lack lack = leader_lack_find(&look, close, partition);
    AUTO(buf) struct buf why;
    buf_init(&why, 2 * MESSAGE_TEXT_MAX);
    leader_lack_print(&lack, &why);
    return leader_text(leader, "build %llu waits for %s/%d from %lld to %lld: %s",
                       (unsigned long long)close->build, partition->id.topic, partition->id.number,
                       (long long)partition->tail_from, (long long)partition->cut, buf_text(&why));
}

bool leader_cover(struct leader *leader, const struct message_close *close,
                  struct leader_share *shares, const char **out_missing)
{
    struct leader_look look = own_look(leader);
    for (size_t i = 0; i < close->partition_count; i++) {
        const struct close_partition *partition = &close->partitions[i];
        if (leader_look_cover(&look, close, partition, &shares[i])) {
            continue;
        }
        const char *refusal = find_refusal(leader, close);
        if (refusal != NULL) {
            leader_alert(leader, "%s", refusal);
        }
        *out_missing = say_missing(leader, close, partition);
        return false;
    }
    return true;
}
