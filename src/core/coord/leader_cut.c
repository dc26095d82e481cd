/* The leader's cuts: the vector of the next build, and how far event time lets it go (R3, R4, R7).
 */
#include <stdlib.h>

#include "core/coord/leader_state.h"
#include "core/window/watermark.h"

/* Where the first build begins in a partition: where members began to read it, else where the
 * setting `start` says. */
static int64_t first_offset(const struct leader *leader, const struct coord_ends *ends)
{
    struct fold_pair pair;
    if (fold_pair(leader->fold, leader->settings->fingerprint, ends->id, &pair)) {
        return pair.from;
    }
    return ends->start;
}

size_t leader_vector(struct leader *leader, struct close_partition **out)
{
    const struct message_commit *head = fold_head(leader->fold);
    bool first = fold_first_build(leader->fold);
    struct close_partition *vector =
        arena_zero(leader->out->arena, (leader->ends.count + 1) * sizeof *vector);
    for (size_t i = 0; i < leader->ends.count; i++) {
        const struct coord_ends *ends = &leader->ends.list[i];
        const struct commit_partition *before = message_commit_partition(head, ends->id);
        struct close_partition *partition = &vector[i];
        partition->id = ends->id;
        if (before != NULL) {
            /* planted: a build that covers [seen_end, cut) only loses rows of open windows (R1) */
            partition->tail_from = RULE_OFF(1) ? before->cut : before->tail_from;
            partition->seen_end = before->cut;
        } else {
            /* later partitions are read from 0: what retention took is a lost range (R7) */
            int64_t from = first || RULE_OFF(7) ? first_offset(leader, ends) : 0;
            partition->tail_from = from;
            partition->seen_end = from;
            partition->joined = true;
        }
        partition->cut = partition->seen_end;
    }
    *out = vector;
    return leader->ends.count;
}

/* A word of the owner, and not an old one: a partition between owners is not idle (R4a). */
static bool is_idle(const struct leader *leader, const struct fold_pair *pair)
{
    return pair->owner != NULL && pair->state == PROGRESS_IDLE &&
           pair->owner_position == pair->position &&
           leader_broker_now(leader) - pair->owner->timestamp_us <=
               leader->settings->owner_timeout_us;
}

/* The windows that the watermark has closed end at *out_to; with empty windows skipped, the first
 * one that has rows ends there. False: nothing to close. */
static bool next_boundary(const struct leader *leader, int64_t mark_us, int64_t low_us,
                          bool any_read, int64_t *out_to_us)
{
    const struct coord_settings *settings = leader->settings;
    const struct message_commit *head = fold_head(leader->fold);
    int64_t closed_to = head == NULL ? EVENT_TIME_LOW : head->closed_to_us;
    int64_t reached = 0;
    if (__builtin_sub_overflow(mark_us, settings->allowed_lateness_us, &reached)) {
        return false;
    }
    int64_t size = settings->window_size_us;
    int64_t boundary = window_start_us(window_of(reached, size), size);
    if (boundary <= closed_to) {
        return false;
    }
    int64_t from = low_us > closed_to ? low_us : closed_to;
    if (settings->empty == EMPTY_PUBLISH && closed_to != EVENT_TIME_LOW) {
        from = closed_to;
    }
    if (from == EVENT_TIME_LOW || from >= boundary) {
        *out_to_us = boundary; /* windows without rows: only worth a record when something was read
                                */
        return any_read && closed_to != EVENT_TIME_LOW && settings->empty == EMPTY_SKIP;
    }
    *out_to_us = window_start_us(window_of(from, size) + 1, size);
    return true;
}

/* The cuts are the positions of the very records that carried the watermarks (R3, R4), which tell
 * the lowest event time of all below them. */
bool leader_event_time_cut(struct leader *leader, struct close_partition *vector, size_t count,
                           int64_t *out_to_us)
{
    struct watermark_vote *votes = arena_zero(leader->out->arena, (count + 1) * sizeof *votes);
    int64_t low_us = EVENT_TIME_HIGH;
    bool any_read = false;
    for (size_t i = 0; i < count; i++) {
        struct fold_pair pair;
        if (!fold_pair(leader->fold, leader->settings->fingerprint, vector[i].id, &pair)) {
            leader_does(leader, "waits for PROGRESS of every partition");
            return false;
        }
        if (pair.position < vector[i].seen_end && !RULE_OFF(46)) {
            /* begun again at tail_from: a row of an earlier window may come yet */
            leader_does(leader, leader_text(leader, "waits until %s/%d is read again up to %lld",
                                            vector[i].id.topic, vector[i].id.number,
                                            (long long)vector[i].seen_end));
            return false;
        }
        votes[i].watermark_us = pair.watermark_us;
        votes[i].idle = is_idle(leader, &pair);
        low_us = pair.low_us < low_us ? pair.low_us : low_us;
        vector[i].cut = pair.position > vector[i].seen_end ? pair.position : vector[i].seen_end;
        any_read = any_read || vector[i].cut > vector[i].seen_end;
    }
    int64_t mark_us = 0;
    if (!watermark_of_group(votes, count, &mark_us)) {
        leader_does(leader, "waits for the watermark");
        return false;
    }
    return next_boundary(leader, mark_us, low_us, any_read, out_to_us);
}
