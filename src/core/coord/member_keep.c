/* What a member holds of a partition that it does not read: after a restart, and between two
 * assignments. */
#include "core/coord/member_state.h"

/* A row is a function of its partition and offset (R2), so rows that are held are good, whoever has
 * owned the partition meanwhile. What could be wrong with them is only what is not there: a gap in
 * front, or rows that were forgotten because of a COMMIT which the head does not stand on any more
 * (R5). */

void member_held(struct member *member, const struct member_event *event)
{
    for (size_t i = 0; i < event->held.count; i++) {
        const struct member_held *held = &event->held.list[i];
        CHECK(held->from <= held->position &&
              (held->head[0] == '\0' || message_name_ok(held->head)));
        struct held_partition *partition = member_find_or_add(member, held->id);
        if (partition == NULL) {
            continue; /* it is read again */
        }
        CHECK(!partition->owned);
        partition->kept = true;
        partition->restored = true;
        partition->kept_from = held->from;
        partition->kept_to = held->position;
        partition->kept_epoch = held->leader_epoch;
        partition->kept_watermark_us = EVENT_TIME_HIGH;
        memcpy(partition->kept_head, held->head, strlen(held->head) + 1);
        member_trace(member, "holds %s/%d from %lld to %lld", held->id.topic, held->id.number,
                     (long long)held->from, (long long)held->position);
    }
}

void member_keep(struct member *member, struct held_partition *partition)
{
    const struct member_reading *reading = &partition->reading;
    if (!partition->has_reading || partition->dropped) {
        return;
    }
    int64_t from = reading->from > partition->held_from ? reading->from : partition->held_from;
    partition->kept = from <= reading->position;
    partition->kept_from = from;
    partition->kept_to = reading->position;
    partition->kept_epoch = reading->leader_epoch;
    partition->kept_watermark_us = reading->watermark_us;
    memcpy(partition->kept_head, member->head_run, strlen(member->head_run) + 1);
}

void member_keep_nothing(struct held_partition *partition, bool void_held)
{
    partition->kept = false;
    partition->restored = false;
    partition->void_held = partition->void_held || void_held;
}

bool member_stands_on(const struct message_commit *head, const char *run)
{
    if (run[0] == '\0') {
        return true; /* nothing was forgotten */
    }
    if (head == NULL) {
        return false;
    }
    bool found = strcmp(head->run_id, run) == 0 || strcmp(head->parent, run) == 0;
    for (size_t i = 0; !found && i < head->ancestor_count; i++) {
        found = strcmp(head->ancestors[i], run) == 0;
    }
    return found;
}

bool member_goes_on(const struct member *member, const struct held_partition *partition,
                    int64_t needed)
{
    const struct message_commit *head = fold_head(member->fold);
    if (!partition->kept) {
        return false;
    }
    if (needed == MEMBER_START_POLICY) { /* nobody has said anything: where we began counts */
        return head == NULL && partition->kept_head[0] == '\0';
    }
    bool covers = partition->kept_from <= needed && needed <= partition->kept_to;
    return covers && (member_stands_on(head, partition->kept_head) || RULE_OFF(91));
}
