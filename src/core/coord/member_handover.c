/* A partition that goes to another member: what is held of it goes with it. */
#include "core/coord/member_state.h"

/* HANDOVER says where the old owner has put what it held: the new one adopts it as if it had read
 * it, and reads on behind it. Rows are a function of their offset (R2), so it does not matter how
 * old a HANDOVER is, or whether a zombie said it: it is used if it begins at or below what is
 * needed and the head stands on the run that was applied to it, as everything that is held
 * (member_keep.c). READY and PLAN know nothing of it. */

enum {
    HAND_OVER_PAUSE_US = 300 * 1000
}; /* a rebalance that gives back what it took is over then */

static bool wants_handovers(const struct member *member)
{
    return member->settings->handover_wait_us > 0;
}

static bool is_worth_it(const struct member *member, const struct held_partition *partition)
{
    return wants_handovers(member) && partition->has_reading && !partition->dropped &&
           partition->reading.rows > 0 &&
           partition->reading.bytes >= member->settings->handover_bytes;
}

void member_give_up(struct member *member, struct held_partition *partition)
{
    if (partition->kept && is_worth_it(member, partition) && partition->handing == 0) {
        partition->hand_over_us = member->now_us + HAND_OVER_PAUSE_US;
        member->progress_us = 0; /* its next owner waits for it, if it hears of it */
    }
}

bool member_is_handing_over(const struct held_partition *partition)
{
    return partition->hand_over_us > 0 || partition->handing > 0;
}

static void hand_over(struct member *member, struct held_partition *partition)
{
    partition->hand_over_us = 0;
    partition->handing = ++member->handovers;
    struct member_command *command = member_command(member, MEMBER_HAND_OVER);
    command->hand_over.id = partition->id;
    command->hand_over.build = fold_next_build(member->fold);
    command->hand_over.number = partition->handing;
    member_trace(member, "hand over %s/%d", partition->id.topic, partition->id.number);
}

void member_hand_over(struct member *member)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        struct held_partition *partition = &member->partitions[i];
        if (partition->hand_over_us == 0 || partition->handing > 0) {
            continue;
        }
        if (partition->dropped) {
            partition->hand_over_us = 0; /* a COMMIT has let go of it meanwhile */
        } else if (member->now_us >= partition->hand_over_us) {
            hand_over(member, partition);
        }
    }
}

void member_hand_over_all(struct member *member)
{
    for (size_t i = 0; member->settings->handover_at_stop && i < member->partition_count; i++) {
        struct held_partition *partition = &member->partitions[i];
        if (partition->owned && partition->started && is_worth_it(member, partition) &&
            partition->handing == 0) {
            hand_over(member, partition);
        }
    }
}

static const char *topic_id(const struct member *member, const char *topic)
{
    for (size_t i = 0; i < member->settings->topic_count; i++) {
        if (strcmp(member->settings->topics[i].name, topic) == 0) {
            return member->settings->topics[i].id;
        }
    }
    return "";
}

void member_handed_over(struct member *member, const struct member_event *event)
{
    const struct message_handover *given = &event->handed_over.handover;
    struct held_partition *partition = member_find(member, given->id);
    if (partition != NULL && partition->handing == given->number) {
        partition->handing = 0;
        member->progress_us = 0;
    }
    if (!event->handed_over.ok) {
        member_alert(member, "%s/%d is not handed over, and is read again: %s", given->id.topic,
                     given->id.number, event->handed_over.error);
        return;
    }
    struct message message = {.kind = MESSAGE_HANDOVER, .handover = *given};
    message.handover.member = member->name;
    message.handover.incarnation = member->incarnation;
    message.handover.fingerprint = member->settings->fingerprint;
    message.handover.topic_id = topic_id(member, given->id.topic);
    (void)member_send(member, &message);
}

/* ---- the new owner ---- */

static bool fits(const struct member *member, const struct message_handover *handover,
                 struct partition_id id, int64_t needed)
{
    const struct message_commit *head = fold_head(member->fold);
    const char *mine = topic_id(member, id.topic);
    bool same_topic = strcmp(handover->topic_id, mine) == 0;
    bool same_settings = strcmp(handover->fingerprint, member->settings->fingerprint) == 0;
    bool covers = handover->from <= needed && handover->to >= needed;
    return partition_id_compare(handover->id, id) == 0 && same_topic &&
           (same_settings || RULE_OFF(93)) && covers &&
           (head == NULL || handover->build > head->build) && /* else its object may be gone */
           member_stands_on(head, handover->head);
}

/* The HANDOVER that spares most; NULL: none spares anything. */
static const struct fold_entry *best(const struct member *member,
                                     const struct held_partition *partition, int64_t needed,
                                     int64_t have)
{
    const struct fold_entry *found = NULL;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(member->fold, MESSAGE_HANDOVER, &at);
         entry != NULL; entry = fold_next(member->fold, MESSAGE_HANDOVER, &at)) {
        const struct message_handover *handover = &entry->message.handover;
        if (entry->offset > partition->adopted_up_to && handover->to > have &&
            fits(member, handover, partition->id, needed) &&
            (found == NULL || handover->to > found->message.handover.to)) {
            found = entry;
        }
    }
    return found;
}

/* Another member that lives has read more of it, and has not said yet that it hands nothing over.
 */
static bool is_likely(const struct member *member, const struct held_partition *partition,
                      int64_t have)
{
    const struct coord_settings *settings = member->settings;
    int64_t old_us = settings->owner_timeout_us / 3 + 2 * settings->progress_interval_us;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(member->fold, MESSAGE_PROGRESS, &at);
         entry != NULL; entry = fold_next(member->fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        if (strcmp(progress->member, member->name) == 0 || progress->leaving ||
            strcmp(progress->fingerprint, settings->fingerprint) != 0 ||
            entry->timestamp_us + old_us < member->now_us) {
            continue;
        }
        for (size_t i = 0; i < progress->partition_count; i++) {
            const struct progress_partition *said = &progress->partitions[i];
            if (partition_id_compare(said->id, partition->id) == 0 && said->position > have &&
                said->rows > 0 && said->bytes >= settings->handover_bytes &&
                (said->owned || said->handing_over)) {
                return true;
            }
        }
    }
    return false;
}

static void adopt(struct member *member, struct held_partition *partition,
                  const struct fold_entry *entry)
{
    partition->adopting = entry->offset;
    partition->adopted_up_to = entry->offset;
    struct member_command *command = member_command(member, MEMBER_ADOPT);
    command->adopt.offset = entry->offset;
    command->adopt.handover = &entry->message.handover;
    member_trace(member, "adopt %s/%d from %lld to %lld", partition->id.topic, partition->id.number,
                 (long long)entry->message.handover.from, (long long)entry->message.handover.to);
}

bool member_awaits_handover(struct member *member, struct held_partition *partition, int64_t needed)
{
    if (partition->adopting >= 0) {
        return true;
    }
    if (!wants_handovers(member) || needed == MEMBER_START_POLICY) {
        return false;
    }
    bool goes_on = member_goes_on(member, partition, needed);
    int64_t have = goes_on ? partition->kept_to : needed;
    const struct fold_entry *entry = best(member, partition, needed, have);
    if (entry != NULL) {
        adopt(member, partition, entry);
        return true;
    }
    bool waits = member->now_us - partition->assigned_us < member->settings->handover_wait_us &&
                 is_likely(member, partition, have);
    if (waits) {
        member_does(member, "waits for what another member has read of %s/%d", partition->id.topic,
                    partition->id.number);
    }
    return waits;
}

static const struct message_handover *find_handover(const struct member *member, int64_t offset)
{
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(member->fold, MESSAGE_HANDOVER, &at);
         entry != NULL; entry = fold_next(member->fold, MESSAGE_HANDOVER, &at)) {
        if (entry->offset == offset) {
            return &entry->message.handover;
        }
    }
    return NULL;
}

void member_adopted(struct member *member, const struct member_event *event)
{
    struct held_partition *partition = member_find(member, event->adopted.id);
    if (partition == NULL || partition->adopting != event->adopted.offset) {
        return;
    }
    partition->adopting = -1;
    const struct message_handover *handover = find_handover(member, event->adopted.offset);
    if (!event->adopted.ok) {
        member_alert(member, "%s/%d is read again, because a handover cannot be used: %s",
                     event->adopted.id.topic, event->adopted.id.number, event->adopted.error);
        return;
    }
    partition->restored = true; /* whatever was held before is void */
    partition->sealed = false;
    partition->kept = handover != NULL;
    if (handover != NULL) {
        partition->kept_from = handover->from;
        partition->kept_to = handover->to;
        partition->kept_epoch = handover->leader_epoch;
        partition->kept_watermark_us = EVENT_TIME_HIGH;
        memcpy(partition->kept_head, handover->head, strlen(handover->head) + 1);
    }
}
