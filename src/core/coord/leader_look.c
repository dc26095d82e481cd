/* Whose contribution counts for which range: compared as sets, never counted (R1, R8). */
#include "core/coord/leader_look.h"

#include <stdio.h>

#include "core/coord/rules.h"

enum { KEY_TEXT_MAX = 4 * MESSAGE_NAME_MAX };

bool leader_look_alive(const struct leader_look *look, const char *member, uint64_t incarnation)
{
    char key[KEY_TEXT_MAX];
    snprintf(key, sizeof key, "progress/%s", member);
    const struct fold_entry *entry = fold_find(look->fold, key);
    return entry != NULL && !entry->message.progress.leaving &&
           (incarnation == 0 || entry->message.progress.incarnation == incarnation) &&
           look->now_us - entry->timestamp_us <= look->quiet_us;
}

const struct ready_partition *leader_look_promise(const struct message_ready *ready,
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

const struct message_skip *leader_look_skip(const struct fold *fold, struct partition_id id,
                                            int64_t from, int64_t to)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_SKIP, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_SKIP, &at)) {
        const struct plan_range *range = &entry->message.skip.range;
        if (partition_id_compare(range->id, id) == 0 && range->from <= from && range->to >= to) {
            return &entry->message.skip;
        }
    }
    return NULL;
}

/* R8: a member of the present assignment, or one whose PART is in the store already. */
static bool may_deliver(const struct leader_look *look, const struct message_ready *ready,
                        const struct ready_partition *partition)
{
    struct fold_pair pair;
    bool owns =
        partition->owned && fold_pair(look->fold, look->fingerprint, partition->id, &pair) &&
        pair.owner != NULL && strcmp(pair.owner->message.progress.member, ready->member) == 0 &&
        pair.owner->message.progress.incarnation == ready->incarnation;
    struct plan_range range = {.id = partition->id, .from = partition->from, .to = partition->to};
    return owns || RULE_OFF(8) ||
           fold_part(look->fold, ready->build, ready->member, ready->incarnation, &range, 1) !=
               NULL;
}

/* One contribution for the whole range, or for all but what a SKIP covers; rows beat SKIP (R25).
 * One of a member that lives beats one of which only the PART is left: its member can build. */
bool leader_look_cover(const struct leader_look *look, const struct message_close *close,
                       const struct close_partition *partition, struct leader_share *out)
{
    *out = (struct leader_share){0};
    if (partition->tail_from == partition->cut) {
        return true; /* nothing to deliver */
    }
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(look->fold, MESSAGE_READY, &at); entry != NULL;
         entry = fold_next(look->fold, MESSAGE_READY, &at)) {
        const struct message_ready *ready = &entry->message.ready;
        if (ready->build != close->build || strcmp(ready->fingerprint, close->fingerprint) != 0) {
            continue;
        }
        const struct ready_partition *said = leader_look_promise(ready, partition->id);
        if (said == NULL || said->to != partition->cut || !may_deliver(look, ready, said)) {
            continue;
        }
        const struct message_skip *skip = NULL;
        if (said->from > partition->tail_from) {
            skip = leader_look_skip(look->fold, partition->id, partition->tail_from, said->from);
            if ((skip == NULL && !RULE_OFF(25)) ||
                (out->partition != NULL && said->from >= out->partition->from)) {
                continue;
            }
        }
        if (skip == NULL && leader_look_alive(look, ready->member, ready->incarnation)) {
            *out = (struct leader_share){.ready = ready, .partition = said};
            return true;
        }
        if (skip != NULL || out->partition == NULL || out->skip != NULL) {
            *out = (struct leader_share){.ready = ready, .partition = said, .skip = skip};
        }
    }
    return out->partition != NULL;
}
