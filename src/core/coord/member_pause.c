/* When the member stops reading on purpose, and which partitions: nothing that is held in memory or
 * on disk may grow without an end, whoever is stuck. */
#include "core/coord/member.h"
#include "core/coord/member_state.h"
#include "core/window/watermark.h"

/* The lowest event time of all that is in no COMMIT, whoever reads it; EVENT_TIME_HIGH: nothing.
 * Who has other settings (R9), or is not heard of any more, reads nothing for us: what it said once
 * is in a COMMIT by now, and would keep the others from reading for ever. */
static int64_t group_low(const struct member *member)
{
    const struct coord_settings *settings = member->settings;
    int64_t low = EVENT_TIME_HIGH;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(member->fold, MESSAGE_PROGRESS, &at);
         entry != NULL; entry = fold_next(member->fold, MESSAGE_PROGRESS, &at)) {
        const struct message_progress *progress = &entry->message.progress;
        bool counts = strcmp(progress->fingerprint, settings->fingerprint) == 0 &&
                      member->now_us - entry->timestamp_us <= settings->owner_timeout_us;
        for (size_t i = 0; i < progress->partition_count && (counts || RULE_OFF(45)); i++) {
            if (progress->partitions[i].owned && progress->partitions[i].low_us < low) {
                low = progress->partitions[i].low_us;
            }
        }
    }
    return low;
}

/* How many windows ahead of what is open it is; below 0: nothing can be said. */
static int64_t windows_ahead(const struct member *member, const struct held_partition *partition)
{
    const struct coord_settings *settings = member->settings;
    if (!partition->has_reading || partition->reading.watermark_us == EVENT_TIME_LOW) {
        return -1;
    }
    const struct message_commit *head = fold_head(member->fold);
    int64_t closed_to = head == NULL ? EVENT_TIME_LOW : head->closed_to_us;
    int64_t low = group_low(member);
    int64_t base = low > closed_to ? low : closed_to;
    if (base == EVENT_TIME_LOW || base == EVENT_TIME_HIGH) {
        return -1;
    }
    int64_t size = settings->window_size_us;
    int64_t waiting = settings->allowed_lateness_us / size + 1; /* windows that lateness holds open
                                                                 */
    return window_of(partition->reading.watermark_us, size) - window_of(base, size) - waiting;
}

/* -1: the head has nothing of it. */
static int64_t head_cut(const struct member *member, struct partition_id id)
{
    const struct commit_partition *said = message_commit_partition(fold_head(member->fold), id);
    return said == NULL ? -1 : said->cut;
}

/* What the head has is read again, up to its cut: no CLOSE comes before that. */
static bool below_head(const struct member *member, const struct held_partition *partition)
{
    int64_t cut = head_cut(member, partition->id);
    return cut >= 0 && (!partition->has_reading || partition->reading.position < cut);
}

/* No partition runs further ahead than max_open_windows of what is open: memory of a catch-up is
 * that of a quiet day. The slowest is never ahead of itself, so somebody always reads. */
static bool runs_ahead(const struct member *member, const struct held_partition *partition)
{
    const struct coord_settings *settings = member->settings;
    return settings->trigger == TRIGGER_EVENT_TIME && settings->max_open_windows > 0 &&
           !below_head(member, partition) &&
           windows_ahead(member, partition) > (int64_t)settings->max_open_windows;
}

/* Rows of it may be held here that the next build takes. */
static bool holds_for_next(const struct member *member, const struct held_partition *partition)
{
    bool read = partition->has_reading && !partition->dropped;
    if (!read && !partition->kept) {
        return false;
    }
    int64_t cut = head_cut(member, partition->id);
    int64_t from = read ? partition->read_from : partition->kept_from;
    return (read ? partition->reading.position : partition->kept_to) > (cut < 0 ? from : cut);
}

static bool holds_any_for_next(const struct member *member)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        if (holds_for_next(member, &member->partitions[i])) {
            return true;
        }
    }
    return false;
}

/* R29: there is little room left, and it is for what the next build needs. By event time that is
 * its window; else nothing, before its cut is known. Who holds nothing that a build would take
 * reads on: nothing else would ever make room. */
static bool saves_room(const struct member *member)
{
    return member->short_of_room &&
           (member->settings->trigger == TRIGGER_EVENT_TIME || holds_any_for_next(member));
}

static bool takes_room(const struct member *member, const struct held_partition *partition)
{
    return !below_head(member, partition) && (member->settings->trigger != TRIGGER_EVENT_TIME ||
                                              windows_ahead(member, partition) > 0);
}

/* Only where the number of records closes: what is not read any more is not counted either. A tick,
 * a watermark and an operator come all the same. */
uint64_t member_needs_build(const struct member *member)
{
    bool asks = member->short_of_room && member->settings->trigger == TRIGGER_OFFSETS &&
                holds_any_for_next(member);
    return asks ? fold_next_build(member->fold) : 0;
}

/* What an open CLOSE asks for must be read, however far ahead it is. */
static bool below_open_cut(const struct member *member, const struct held_partition *partition)
{
    const struct fold_entry *entry = fold_open_close(member->fold);
    const struct message_close *close = entry == NULL ? NULL : &entry->message.close;
    for (size_t i = 0; close != NULL && i < close->partition_count && !RULE_OFF(29); i++) {
        if (partition_id_compare(close->partitions[i].id, partition->id) == 0) {
            return !partition->has_reading ||
                   partition->reading.position < close->partitions[i].cut;
        }
    }
    return false;
}

/* R5: under HOLD at most max_unpublished_windows builds are committed; then nothing more is read.
 */
static bool too_many_unpublished(const struct member *member)
{
    const struct message_commit *head = fold_head(member->fold);
    return !fold_head_published(member->fold) &&
           head->pending_count + 1 >= member->settings->max_unpublished_windows;
}

static enum member_pause reason_of(const struct member *member,
                                   const struct held_partition *partition, bool unpublished,
                                   bool saves)
{
    if (!partition->owned || !partition->started || below_open_cut(member, partition)) {
        return PAUSE_NOT;
    }
    if (unpublished) {
        return PAUSE_UNPUBLISHED;
    }
    if (saves && takes_room(member, partition)) {
        return PAUSE_ROOM;
    }
    return runs_ahead(member, partition) ? PAUSE_AHEAD : PAUSE_NOT;
}

const char *member_pause_name(enum member_pause reason)
{
    static const char *const names[PAUSE_REASONS] = {
        [PAUSE_NOT] = "",
        [PAUSE_AHEAD] = "max_open_windows",
        [PAUSE_UNPUBLISHED] = "max_unpublished_windows",
        [PAUSE_ROOM] = "disk_budget",
    };
    return names[reason];
}

size_t member_paused(const struct member *member, enum member_pause reason)
{
    size_t count = 0;
    for (size_t i = 0; i < member->partition_count; i++) {
        count += member->partitions[i].paused == reason && member->partitions[i].started;
    }
    return count;
}

static void send_pauses(struct member *member, enum member_command_kind kind,
                        const struct partition_id *partitions, size_t count)
{
    if (count > 0) {
        struct member_command *command = member_command(member, kind);
        command->pause.partitions = partitions;
        command->pause.count = count;
    }
}

void member_pause(struct member *member)
{
    struct arena *arena = member->out->arena;
    struct partition_id *pause = arena_zero(arena, (member->partition_count + 1) * sizeof *pause);
    struct partition_id *unpause =
        arena_zero(arena, (member->partition_count + 1) * sizeof *unpause);
    size_t pause_count = 0;
    size_t unpause_count = 0;
    bool unpublished = too_many_unpublished(member);
    bool saves = saves_room(member);
    for (size_t i = 0; i < member->partition_count; i++) {
        struct held_partition *partition = &member->partitions[i];
        enum member_pause wanted = reason_of(member, partition, unpublished, saves);
        bool was_paused = partition->paused != PAUSE_NOT;
        if (wanted == partition->paused || !partition->started) {
            continue;
        }
        partition->paused = wanted;
        if (wanted != PAUSE_NOT) {
            member_does(member, "reads no further in %s/%d: %s", partition->id.topic,
                        partition->id.number, member_pause_name(wanted));
        }
        if (was_paused == (wanted != PAUSE_NOT)) {
            continue; /* for another reason */
        }
        partition->at_end_since_us = 0; /* a paused partition is not idle */
        if (wanted != PAUSE_NOT) {
            pause[pause_count++] = partition->id;
        } else {
            unpause[unpause_count++] = partition->id;
        }
    }
    send_pauses(member, MEMBER_PAUSE, pause, pause_count);
    send_pauses(member, MEMBER_UNPAUSE, unpause, unpause_count);
}
