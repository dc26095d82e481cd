/* Why nobody can deliver a partition of an open CLOSE yet. */
#include "core/coord/leader_lack.h"

#include <inttypes.h>

/* The answer of one incarnation to the CLOSE, but READY. */
static const struct message_refused *find_refusal(const struct fold *fold,
                                                  const struct message_close *close,
                                                  const struct message_progress *owner)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_REFUSED, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_REFUSED, &at)) {
        const struct message_refused *refused = &entry->message.refused;
        if (refused->build == close->build && refused->incarnation == owner->incarnation &&
            strcmp(refused->member, owner->member) == 0) {
            return refused;
        }
    }
    return NULL;
}

/* What the owner can deliver, up to the cut, but not from tail_from on; NULL: no such word of it.
 */
static const struct ready_partition *find_short(const struct fold *fold,
                                                const struct message_close *close,
                                                const struct close_partition *partition,
                                                const struct message_progress *owner)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_READY, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_READY, &at)) {
        const struct message_ready *ready = &entry->message.ready;
        const struct ready_partition *said = leader_look_promise(ready, partition->id);
        if (ready->build == close->build && ready->incarnation == owner->incarnation &&
            strcmp(ready->member, owner->member) == 0 && said != NULL &&
            said->to == partition->cut && said->from > partition->tail_from) {
            return said;
        }
    }
    return NULL;
}

struct leader_lack leader_lack_find(const struct leader_look *look,
                                    const struct message_close *close,
                                    const struct close_partition *partition)
{
    const struct fold *fold = look->fold;
    struct fold_pair pair;
    struct leader_lack lack = {.kind = LEADER_LACK_OWNER, .position = -1};
    bool known = fold_pair(fold, look->fingerprint, partition->id, &pair);
    lack.position = known ? pair.position : -1;
    const struct fold_entry *entry = known ? pair.owner : NULL;
    if (entry == NULL) {
        entry = fold_any_owner(fold, partition->id);
        if (entry == NULL) {
            return lack;
        }
        lack.kind = LEADER_LACK_SETTINGS;
    } else {
        lack.position = pair.owner_position;
    }
    const struct message_progress *owner = &entry->message.progress;
    const struct message_refused *refused = find_refusal(fold, close, owner);
    const struct ready_partition *shorter = find_short(fold, close, partition, owner);
    lack.owner = owner->member;
    if (look->now_us - entry->timestamp_us > look->quiet_us) {
        lack.kind = LEADER_LACK_SILENT;
        lack.silent_us = look->now_us - entry->timestamp_us;
    } else if (refused != NULL) {
        lack.kind = LEADER_LACK_REFUSED;
        lack.reason = refused->reason;
    } else if (lack.kind == LEADER_LACK_SETTINGS) {
        return lack;
    } else if (shorter != NULL) {
        lack.kind = LEADER_LACK_RANGE;
        lack.from = shorter->from;
    } else {
        lack.kind = lack.position < partition->cut ? LEADER_LACK_READING : LEADER_LACK_READY;
    }
    return lack;
}

const char *leader_lack_name(enum leader_lack_kind kind)
{
    switch (kind) {
    case LEADER_LACK_OWNER:
        return "no_owner";
    case LEADER_LACK_SETTINGS:
        return "other_settings";
    case LEADER_LACK_SILENT:
        return "silent";
    case LEADER_LACK_REFUSED:
        return "refused";
    case LEADER_LACK_READING:
        return "reading";
    case LEADER_LACK_RANGE:
        return "lost_range";
    case LEADER_LACK_READY:
        return "sealing";
    }
    return "unknown";
}

void leader_lack_print(const struct leader_lack *lack, struct buf *out)
{
    switch (lack->kind) {
    case LEADER_LACK_OWNER:
        buf_add_text(out, "nobody owns it");
        if (lack->position >= 0) {
            buf_add_format(out, ", and it was read up to %" PRId64 " before", lack->position);
        }
        break;
    case LEADER_LACK_SETTINGS:
        buf_add_format(out, "%s owns it, and runs with other settings than the leader",
                       lack->owner);
        break;
    case LEADER_LACK_SILENT:
        buf_add_format(out, "%s owns it, and was not heard of for %" PRId64 " s", lack->owner,
                       lack->silent_us / 1000000);
        break;
    case LEADER_LACK_REFUSED:
        buf_add_format(out, "%s refuses: %s", lack->owner, lack->reason);
        break;
    case LEADER_LACK_READING:
        buf_add_format(out, "%s has read up to %" PRId64, lack->owner, lack->position);
        break;
    case LEADER_LACK_RANGE:
        buf_add_format(out,
                       "%s can deliver it from %" PRId64
                       " on only: what is below is not in the topic any more, and `tidemark skip` "
                       "would give it up",
                       lack->owner, lack->from);
        break;
    case LEADER_LACK_READY:
        buf_add_format(out, "%s has read it, and counts its rows", lack->owner);
        break;
    }
}
