/* The leader's cover: whose contribution counts for which range, compared as sets, never counted
 * (R1, R8). */
#include <stdio.h>

#include "core/coord/leader_state.h"

bool leader_is_alive(const struct leader *leader, const char *member, uint64_t incarnation)
{
    char key[KEY_TEXT_MAX];
    snprintf(key, sizeof key, "progress/%s", member);
    const struct fold_entry *entry = fold_find(leader->fold, key);
    return entry != NULL && !entry->message.progress.leaving &&
           (incarnation == 0 || entry->message.progress.incarnation == incarnation) &&
           leader_broker_now(leader) - entry->timestamp_us <= leader->settings->owner_timeout_us;
}

static const struct ready_partition *find_partition(const struct message_ready *ready,
                                                    struct partition_id id)
{
    size_t low = 0;
    size_t high = ready->partition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = partition_id_compare(ready->partitions[middle].id, id);
        if (order == 0) {
            return &ready->partitions[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* The SKIP that covers [from, to) of a partition whole; NULL: none. */
const struct message_skip *leader_skip(const struct leader *leader, struct partition_id id,
                                       int64_t from, int64_t to)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_SKIP, &at); entry != NULL;
         entry = fold_next(leader->fold, MESSAGE_SKIP, &at)) {
        const struct plan_range *range = &entry->message.skip.range;
        if (partition_id_compare(range->id, id) == 0 && range->from <= from && range->to >= to) {
            return &entry->message.skip;
        }
    }
    return NULL;
}

/* R8: a member of the present assignment, or one whose PART is in the store already. */
static bool may_deliver(const struct leader *leader, const struct message_ready *ready,
                        const struct ready_partition *partition)
{
    struct fold_pair pair;
    bool owns = partition->owned &&
                fold_pair(leader->fold, leader->settings->fingerprint, partition->id, &pair) &&
                pair.owner != NULL &&
                strcmp(pair.owner->message.progress.member, ready->member) == 0 &&
                pair.owner->message.progress.incarnation == ready->incarnation;
    struct plan_range range = {.id = partition->id, .from = partition->from, .to = partition->to};
    return owns || RULE_OFF(8) ||
           fold_part(leader->fold, ready->build, ready->member, ready->incarnation, &range, 1) !=
               NULL;
}

/* One contribution for the whole range, or for all but what a SKIP covers; rows beat SKIP (R25).
 * One of a member that lives beats one of which only the PART is left: its member can build. */
static bool cover_one(const struct leader *leader, const struct message_close *close,
                      const struct close_partition *partition, struct leader_share *share)
{
    *share = (struct leader_share){0};
    if (partition->tail_from == partition->cut) {
        return true; /* nothing to deliver */
    }
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_READY, &at);
         entry != NULL; entry = fold_next(leader->fold, MESSAGE_READY, &at)) {
        const struct message_ready *ready = &entry->message.ready;
        if (ready->build != close->build || strcmp(ready->fingerprint, close->fingerprint) != 0) {
            continue;
        }
        const struct ready_partition *said = find_partition(ready, partition->id);
        if (said == NULL || said->to != partition->cut || !may_deliver(leader, ready, said)) {
            continue;
        }
        const struct message_skip *skip = NULL;
        if (said->from > partition->tail_from) {
            skip = leader_skip(leader, partition->id, partition->tail_from, said->from);
            if ((skip == NULL && !RULE_OFF(25)) ||
                (share->partition != NULL && said->from >= share->partition->from)) {
                continue;
            }
        }
        if (skip == NULL && leader_is_alive(leader, ready->member, ready->incarnation)) {
            *share = (struct leader_share){.ready = ready, .partition = said};
            return true;
        }
        if (skip != NULL || share->partition == NULL || share->skip != NULL) {
            *share = (struct leader_share){.ready = ready, .partition = said, .skip = skip};
        }
    }
    return share->partition != NULL;
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

bool leader_cover(struct leader *leader, const struct message_close *close,
                  struct leader_share *shares, const char **out_missing)
{
    for (size_t i = 0; i < close->partition_count; i++) {
        const struct close_partition *partition = &close->partitions[i];
        if (cover_one(leader, close, partition, &shares[i])) {
            continue;
        }
        const char *refusal = find_refusal(leader, close);
        if (refusal != NULL) {
            leader_alert(leader, "%s", refusal);
        }
        *out_missing =
            leader_text(leader, "waits for %s/%d from %lld to %lld, build %llu",
                        partition->id.topic, partition->id.number, (long long)partition->tail_from,
                        (long long)partition->cut, (unsigned long long)close->build);
        return false;
    }
    return true;
}
