/* The leader retires members: the PROGRESS of one that is gone is taken out of the ledger when no
 * rule needs it any more, so that members whose names never come back leave nothing behind. */
#include "core/coord/leader_state.h"

/* Silent for so long that it is planned around anyway. */
static bool is_silent(const struct leader *leader, const struct fold_entry *entry)
{
    return leader_broker_now(leader) - entry->timestamp_us > leader->settings->owner_timeout_us;
}

static bool is_read(const struct coord_settings *settings, const char *topic)
{
    for (size_t i = 0; i < settings->topic_count; i++) {
        if (strcmp(settings->topics[i].name, topic) == 0) {
            return true;
        }
    }
    return false;
}

/* A COMMIT has the pair: nothing that was said at or below its cut can move another cut. */
static bool is_covered(const struct message_commit *head, const struct progress_partition *said)
{
    const struct commit_partition *in_head = message_commit_partition(head, said->id);
    return in_head != NULL && in_head->cut >= said->position;
}

static const struct progress_partition *find_said(const struct fold_entry *entry,
                                                  struct partition_id id)
{
    const struct message_progress *progress = &entry->message.progress;
    for (size_t i = 0; i < progress->partition_count; i++) {
        if (partition_id_compare(progress->partitions[i].id, id) == 0) {
            return &progress->partitions[i];
        }
    }
    return NULL;
}

/* R4b: its present owner, another one, has read all that this one had, and so speaks for all of it:
 * the position (R4), the lowest row (the first window that has rows), where the first build begins
 * (R7), and the watermark, unless a COMMIT made that one history. */
static bool is_said_by_owner(const struct leader *leader, const struct fold_entry *entry,
                             const struct progress_partition *said)
{
    struct fold_pair pair;
    if (!fold_pair(leader->fold, leader->settings->fingerprint, said->id, &pair) ||
        pair.owner == NULL || pair.owner == entry) {
        return false;
    }
    const struct progress_partition *owner = find_said(pair.owner, said->id);
    bool begins = !fold_first_build(leader->fold) || owner->from <= said->from;
    bool marks = owner->watermark_us >= said->watermark_us ||
                 is_covered(fold_head(leader->fold), said);
    return owner->position >= said->position && begins && marks;
}

static bool is_needed(const struct leader *leader, const struct fold_entry *entry)
{
    const struct message_progress *progress = &entry->message.progress;
    bool counts = strcmp(progress->fingerprint, leader->settings->fingerprint) == 0;
    for (size_t i = 0; i < progress->partition_count && !RULE_OFF(41); i++) {
        const struct progress_partition *said = &progress->partitions[i];
        /* of other settings it counts only if they come back (R9), and not what is covered */
        bool gone = counts ? is_said_by_owner(leader, entry, said)
                           : is_covered(fold_head(leader->fold), said);
        if (!gone && is_read(leader->settings, said->id.topic)) {
            return true;
        }
    }
    return false;
}

/* One that only slept says it again when it reads the tombstone: it is late, and loses nothing. */
bool leader_duty_retire(struct leader *leader)
{
    if (fold_resume(leader->fold) != NULL || RULE_OFF(42)) {
        return false;
    }
    const char **keys = arena_alloc(leader->out->arena, TOMBSTONES_A_TIME * sizeof(char *));
    size_t count = 0;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at);
         entry != NULL && count < TOMBSTONES_A_TIME;
         entry = fold_next(leader->fold, MESSAGE_PROGRESS, &at)) {
        if (is_silent(leader, entry) && !is_needed(leader, entry)) {
            keys[count++] = entry->key;
        }
    }
    if (count == 0) {
        return false;
    }
    leader->had_others = true; /* parts of theirs may still be in the store */
    leader_append(leader, FOR_RECORDS, NULL, 0, keys, count);
    return true;
}
