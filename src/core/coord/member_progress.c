/* What the member says of itself, again and again: PROGRESS. */
#include "core/coord/member_state.h"

#include <stdio.h>

enum { PROGRESS_BYTES_MAX = 8 << 20, KEY_BYTES_MAX = 4 * MESSAGE_NAME_MAX };

/* Idle is decided here, where the broker's word and the time between two of them are known (R4a).
 */
static enum progress_state state_of(const struct member *member,
                                    const struct held_partition *partition)
{
    if (partition->reading.state == DATA_BLOCKED) {
        return RULE_OFF(40) ? PROGRESS_IDLE : PROGRESS_BLOCKED;
    }
    bool idle = partition->reading.state == DATA_AT_END && partition->at_end_since_us > 0 &&
                partition->paused == PAUSE_NOT &&
                member->now_us - partition->at_end_since_us >= member->settings->idle_after_us;
    return idle ? PROGRESS_IDLE : PROGRESS_READING;
}

static size_t fill_partitions(const struct member *member, bool leaving,
                              struct progress_partition *list)
{
    size_t count = 0;
    for (size_t i = 0; i < member->partition_count; i++) {
        const struct held_partition *partition = &member->partitions[i];
        const struct member_reading *reading = &partition->reading;
        if (!partition->has_reading) {
            continue;
        }
        list[count++] =
            (struct progress_partition){.id = partition->id,
                                        .owned = partition->owned && !leaving,
                                        .from = partition->read_from,
                                        .position = reading->position,
                                        .watermark_us = reading->watermark_us,
                                        .low_us = reading->low_us,
                                        .state = state_of(member, partition),
                                        .rows = reading->rows,
                                        .bytes = reading->bytes,
                                        .handing_over = member_is_handing_over(partition)};
    }
    return count;
}

/* One of each topic of which the head has none: the next CLOSE is told by it (R9). */
static size_t fill_witnesses(const struct member *member, struct topic_witness *list)
{
    const struct message_commit *head = fold_head(member->fold);
    const char *before = ""; /* partitions are sorted: each topic is looked up once */
    size_t count = 0;
    for (size_t i = 0; i < member->partition_count && count < TOPICS_MAX; i++) {
        const struct held_partition *partition = &member->partitions[i];
        const char *topic = partition->id.topic;
        if (!partition->has_reading || !partition->reading.has_witness ||
            strcmp(before, topic) == 0) {
            continue;
        }
        before = topic;
        if (message_commit_witness(head, topic) == NULL) {
            list[count++] = (struct topic_witness){partition->id, partition->reading.witness};
        }
    }
    return count;
}

static void fill(struct member *member, bool leaving, struct message *message)
{
    struct progress_partition *list =
        arena_zero(member->out->arena, (member->partition_count + 1) * sizeof *list);
    struct topic_witness *witnesses =
        arena_zero(member->out->arena, (member->partition_count + 1) * sizeof *witnesses);
    *message =
        (struct message){.kind = MESSAGE_PROGRESS,
                         .progress = {.member = member->name,
                                      .incarnation = member->incarnation,
                                      .generation = member->generation,
                                      .fingerprint = member->settings->fingerprint,
                                      .leaving = leaving,
                                      .needs_build = leaving ? 0 : member_needs_build(member),
                                      .doing = member->noted ? member->doing : "",
                                      .paused = member->paused,
                                      .leading = member->leading,
                                      .topics = member->settings->topics,
                                      .topic_count = member->settings->topic_count,
                                      .partitions = list,
                                      .witnesses = witnesses}};
    message->progress.partition_count = fill_partitions(member, leaving, list);
    message->progress.witness_count = fill_witnesses(member, witnesses);
}

bool member_is_own_progress(const struct member *member, struct bytes key)
{
    char own[KEY_BYTES_MAX];
    snprintf(own, sizeof own, "progress/%s", member->name);
    return bytes_equal(key, bytes_of_text(own));
}

static bool knows_all_owned(const struct member *member)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        const struct held_partition *partition = &member->partitions[i];
        if (partition->owned && !partition->has_reading) {
            return false;
        }
    }
    return true;
}

/* READY was said for this assignment, and no PROGRESS has named its partitions yet: without it the
 * READY does not count (R8). */
static bool is_owed(const struct member *member)
{
    return member->seal.done && member->seal.assignment == member->assignment &&
           member->progress_assignment != member->assignment && knows_all_owned(member);
}

/* At most one in every progress_interval, but for one that is owed, and the same words again only
 * to say that we live: a member without partitions, too, because it can build (R8). */
void member_progress(struct member *member)
{
    const struct coord_settings *settings = member->settings;
    int64_t since = member->now_us - member->progress_us;
    char key[KEY_BYTES_MAX];
    snprintf(key, sizeof key, "progress/%s", member->name);
    bool too_soon = since < settings->progress_interval_us && !is_owed(member);
    if (!member->caught_up || member->stopping || too_soon || member_sending(member, key)) {
        return;
    }
    if (knows_all_owned(member)) {
        member->progress_assignment = member->assignment;
    }
    struct message message;
    fill(member, false, &message);
    AUTO(buf) struct buf value;
    buf_init(&value, PROGRESS_BYTES_MAX);
    message_encode(&message, &value);
    if (bytes_equal(buf_bytes(&value), buf_bytes(&member->progress_said)) &&
        since < settings->owner_timeout_us / 3) {
        return;
    }
    buf_clear(&member->progress_said);
    buf_add_bytes(&member->progress_said, buf_bytes(&value));
    member->progress_us = member->now_us;
    member_send_encoded(member, key, buf_bytes(&value));
}

void member_goodbye(struct member *member)
{
    if (!member->stopping || member->left) {
        return;
    }
    for (size_t i = 0; i < member->partition_count; i++) {
        if (member_is_handing_over(&member->partitions[i])) {
            member_does(member, "hands over %s/%d", member->partitions[i].id.topic,
                        member->partitions[i].id.number);
            return; /* within the time that a stop may take */
        }
    }
    char key[KEY_BYTES_MAX];
    snprintf(key, sizeof key, "progress/%s", member->name);
    if (!member->goodbye_said) {
        member->goodbye_said = true;
        struct message message;
        fill(member, true, &message);
        (void)member_send(member, &message);
        return;
    }
    if (!member_sending(member, key)) {
        member->left = true;
        member_command(member, MEMBER_LEAVE);
        member_does(member, "has left");
    }
}
