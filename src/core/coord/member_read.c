/* What the member reads: from where, how far ahead, and what it may forget. */
#include "core/coord/member_state.h"

void member_assigned(struct member *member, const struct member_event *event)
{
    member->generation = event->assignment.generation;
    member->assignment += event->assignment.count > 0;
    for (size_t i = 0; i < event->assignment.count; i++) {
        struct partition_id id = event->assignment.partitions[i];
        struct held_partition *partition = member_find_or_add(member, id);
        if (partition == NULL) {
            continue;
        }
        if (partition->started) {
            member_keep(member, partition); /* given again without having been taken */
        }
        partition->owned = true;
        partition->hand_over_us = 0;
        partition->assigned_us = member->now_us;
        partition->adopted_up_to = -1;
        partition->dropped = false;
        partition->started = false;
        partition->has_reading = false;
        partition->at_end_since_us = 0;
        partition->paused = PAUSE_NOT;
    }
}

void member_revoked(struct member *member, const struct member_event *event)
{
    member->generation = event->assignment.generation;
    member->assignment++;
    for (size_t i = 0; i < event->assignment.count; i++) {
        struct held_partition *partition = member_find(member, event->assignment.partitions[i]);
        if (partition == NULL || !partition->owned) {
            continue;
        }
        partition->owned = false;
        partition->paused = PAUSE_NOT;
        if (partition->started) {
            member_command(member, MEMBER_STOP_PARTITION)->stop = partition->id;
            partition->started = false;
            member_keep(member, partition);
            member_give_up(member, partition);
        }
    }
}

/* Where reading must begin so that nothing is missed: tail_from of the head; before the first
 * build, where its CLOSE or another member began, else where the setting `start` says (R7). */
static int64_t start_offset(const struct member *member, struct partition_id id)
{
    const struct message_commit *head = fold_head(member->fold);
    const struct commit_partition *before = message_commit_partition(head, id);
    if (before != NULL) {
        return RULE_OFF(1) ? before->cut : before->tail_from;
    }
    if (!fold_first_build(member->fold)) {
        return RULE_OFF(7) ? MEMBER_START_POLICY : 0;
    }
    const struct fold_entry *entry = fold_open_close(member->fold);
    const struct message_close *close = entry == NULL ? NULL : &entry->message.close;
    const struct close_partition *closed = message_close_partition(close, id);
    if (closed != NULL) {
        return closed->tail_from;
    }
    struct fold_pair pair;
    if (fold_pair(member->fold, member->settings->fingerprint, id, &pair)) {
        return pair.from;
    }
    return MEMBER_START_POLICY;
}

/* It delivers from behind the gap on only, so what is held in front of it is given up, too (R25).
 */
static void say_lost(struct member *member, const struct held_partition *partition)
{
    int64_t needed = start_offset(member, partition->id);
    bool holds = needed != MEMBER_START_POLICY && needed < partition->start;
    member_alert(member,
                 "%s/%d: offsets %lld to %lld are gone and in no snapshot: restore them, or "
                 "tidemark skip all from %lld to %lld",
                 partition->id.topic, partition->id.number, (long long)partition->start,
                 (long long)partition->reading.lost_to,
                 (long long)(holds ? needed : partition->start),
                 (long long)partition->reading.lost_to);
}

void member_readings(struct member *member, const struct member_event *event)
{
    member->short_of_room = event->progress.short_of_room;
    for (size_t i = 0; i < event->progress.count; i++) {
        const struct member_reading *reading = &event->progress.readings[i];
        struct held_partition *partition = member_find(member, reading->id);
        if (partition == NULL || !partition->started) {
            continue; /* of an assignment that is over */
        }
        bool moved = !partition->has_reading || partition->reading.position != reading->position;
        bool at_end = reading->state == DATA_AT_END && partition->paused == PAUSE_NOT;
        if (!at_end) {
            partition->at_end_since_us = 0;
        } else if (moved || partition->at_end_since_us == 0) {
            partition->at_end_since_us = member->now_us;
        }
        if (!partition->has_reading) {
            bool below = partition->start >= 0 && partition->start < reading->from;
            partition->read_from = below ? partition->start : reading->from;
        }
        partition->reading = *reading;
        partition->reading.id = partition->id;
        partition->has_reading = true;
        if (partition->start >= 0 && reading->lost_to > partition->start && !partition->lost_said) {
            partition->lost_said = true;
            say_lost(member, partition);
        }
    }
}

/* Nobody looked meanwhile: what is known of the end of a partition is old, and it is idle only if
 * nothing comes from now on (R4a). */
void member_slept(struct member *member)
{
    for (size_t i = 0; i < member->partition_count && !RULE_OFF(43); i++) {
        struct held_partition *partition = &member->partitions[i];
        partition->at_end_since_us = partition->at_end_since_us == 0 ? 0 : member->now_us;
    }
}

static void start(struct member *member, struct held_partition *partition, int64_t needed)
{
    bool goes_on = member_goes_on(member, partition, needed);
    struct member_command *command = member_command(member, MEMBER_START_PARTITION);
    command->start.id = partition->id;
    command->start.offset = goes_on ? partition->kept_to : needed;
    command->start.goes_on = goes_on;
    command->start.void_held = !goes_on && (partition->void_held || partition->restored);
    command->start.leader_epoch = goes_on ? partition->kept_epoch : -1;
    command->start.watermark_us = goes_on && !RULE_OFF(44) ? partition->kept_watermark_us
                                                           : EVENT_TIME_HIGH;
    partition->started = true;
    partition->has_reading = false;
    partition->start = command->start.offset;
    partition->held_from = goes_on ? partition->kept_from : needed;
    partition->at_end_since_us = 0;
    partition->lost_said = false;
    partition->sealed = partition->sealed && goes_on; /* its rows come again */
    member_keep_nothing(partition, false);
    partition->void_held = false;
    member_trace(member, "start %s/%d at %lld%s", partition->id.topic, partition->id.number,
                 (long long)command->start.offset, goes_on ? ", goes on" : "");
}

/* Rows that are needed again were not read, or were forgotten (--from-here went back, or another
 * member had begun lower before the first build): read again. */
static bool must_restart(const struct member *member, const struct held_partition *partition)
{
    if (!partition->has_reading) {
        return false;
    }
    int64_t needed = start_offset(member, partition->id);
    int64_t held = partition->held_from == MEMBER_START_POLICY ? partition->reading.from
                                                               : partition->held_from;
    return needed != MEMBER_START_POLICY && needed < held;
}

void member_start_partitions(struct member *member)
{
    if (!member->caught_up || member->stopping) {
        return;
    }
    for (size_t i = 0; i < member->partition_count; i++) {
        struct held_partition *partition = &member->partitions[i];
        if (!partition->owned) {
            continue;
        }
        if (partition->started && must_restart(member, partition)) {
            member_command(member, MEMBER_STOP_PARTITION)->stop = partition->id;
            partition->started = false;
            partition->has_reading = false; /* it may wait for a handover: nothing can be sealed */
            partition->paused = PAUSE_NOT;
            member->assignment++; /* what was sealed must be sealed again */
        }
        int64_t needed = partition->started ? 0 : start_offset(member, partition->id);
        if (!partition->started && !member_awaits_handover(member, partition, needed)) {
            start(member, partition, needed);
        }
    }
}

/* Rows of a COMMIT are in the store: they may be forgotten (also under HOLD). */
static void forget(struct member *member, const struct message_commit *head, bool first)
{
    struct arena *arena = member->out->arena;
    struct member_forget *list = arena_zero(arena, (member->partition_count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < member->partition_count;) {
        struct held_partition *partition = &member->partitions[i];
        const struct commit_partition *said = message_commit_partition(head, partition->id);
        if (said == NULL || (first && partition->restored)) {
            i++; /* its start says what the head has of it */
            continue;
        }
        struct member_forget *one = &list[count++];
        one->id =
            (struct partition_id){.topic = arena_text(arena, bytes_of_text(partition->id.topic)),
                                  .number = partition->id.number};
        /* Its owner has the rest. One that is ours again and not begun (it waits for a handover)
         * was forgotten whole before, or is read again: no part of it may seem to be held. */
        bool held = partition->owned && (partition->started || partition->kept);
        one->tail_from = held ? said->tail_from : INT64_MAX;
        partition->dropped = !partition->owned;
        if (!partition->owned) {
            member_keep_nothing(partition, false);
        }
        struct cut_step *steps = NULL;
        one->step_count = fold_steps(head, NULL, partition->id, arena, &steps);
        one->steps = steps;
        one->cut = said->cut;
        one->has_witness = said->has_witness;
        one->witness = said->witness;
        if (partition->owned) {
            /* begun where the setting `start` said: what is held begins where it was read from */
            if (partition->held_from == MEMBER_START_POLICY && partition->has_reading) {
                partition->held_from = partition->reading.from;
            }
            if (partition->held_from != MEMBER_START_POLICY &&
                said->tail_from > partition->held_from) {
                partition->held_from = said->tail_from;
            }
            i++;
        } else if (!partition->has_reading || said->cut >= partition->reading.position) {
            member_remove(member, i); /* its pair is covered */
        } else {
            i++;
        }
    }
    if (count > 0) {
        struct member_command *command = member_command(member, MEMBER_FORGET);
        command->forget.build = head->build;
        command->forget.run_id = head->run_id;
        command->forget.partitions = list;
        command->forget.count = count;
    }
}

/* --from-here: rows that a build took which is given up now were forgotten, above tail_from, too.
 */
static void read_again(struct member *member)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        struct held_partition *partition = &member->partitions[i];
        member_keep_nothing(partition, true);
        if (partition->started) {
            member_command(member, MEMBER_STOP_PARTITION)->stop = partition->id;
            partition->started = false;
            partition->has_reading = false;
            partition->paused = PAUSE_NOT;
        }
    }
    member->assignment++; /* what was sealed must be sealed again */
}

static void mirror(struct member *member, const struct message_commit *head)
{
    struct trigger_cut *offsets =
        arena_zero(member->out->arena, (member->partition_count + 1) * sizeof *offsets);
    size_t count = 0;
    for (size_t i = 0; i < member->partition_count; i++) {
        const struct commit_partition *said =
            message_commit_partition(head, member->partitions[i].id);
        if ((member->partitions[i].owned || RULE_OFF(230)) && said != NULL) {
            offsets[count++] = (struct trigger_cut){.id = said->id, .cut = said->cut};
        }
    }
    if (count > 0) {
        struct member_command *command = member_command(member, MEMBER_MIRROR_OFFSETS);
        command->mirror.offsets = offsets;
        command->mirror.count = count;
        command->mirror.may_go_back = head->kind == COMMIT_RESUMED;
    }
}

void member_follow_head(struct member *member)
{
    const struct fold_entry *entry = fold_find(member->fold, "commit");
    if (!member->caught_up || entry == NULL) {
        member->followed = member->caught_up;
        return;
    }
    const struct message_commit *head = &entry->message.commit;
    bool first = !member->followed;
    member->followed = true;
    if (entry->offset != member->head_offset) {
        bool same = strcmp(head->run_id, member->head_run) == 0; /* --adopt: another base, no new
                                                                    cuts */
        bool went_back = head->kind == COMMIT_RESUMED && !same && !first;
        member->head_offset = entry->offset;
        memcpy(member->head_run, head->run_id, strlen(head->run_id) + 1);
        if (went_back && !RULE_OFF(50)) {
            read_again(member);
        } else if (!went_back && !same) {
            forget(member, head, first);
        }
    }
    const struct fold_entry *published = fold_find(member->fold, "published");
    if (RULE_OFF(23) && member->published_offset != entry->offset) {
        member->published_offset = entry->offset; /* planted: as soon as it is decided */
        mirror(member, head);
    } else if (!RULE_OFF(23) && published != NULL &&
               published->offset != member->published_offset && fold_head_published(member->fold)) {
        member->published_offset = published->offset;
        mirror(member, head);
    }
}
