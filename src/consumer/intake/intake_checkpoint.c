/* What the intake holds, as a checkpoint has it: taken, and brought back. */
#include <stdlib.h>
#include <string.h>

#include "consumer/intake/intake_state.h"

/* What a copy of the counts may take: they grow with the windows that records name, and those are
 * as many as whoever writes the records likes. */
enum { TALLY_BYTES_MIN = 1 << 20, TALLY_BYTES_MAX = 900 << 20 /* of a value in SQLite: 10^9 */ };

static size_t tally_bytes_max(const struct intake *intake)
{
    uint64_t share = intake->settings.settings->limits.memory_budget / 4;
    return share < TALLY_BYTES_MIN   ? TALLY_BYTES_MIN
           : share < TALLY_BYTES_MAX ? share
                                     : TALLY_BYTES_MAX;
}

static bool capture(const struct intake *intake, const struct intake_partition *partition,
                    struct arena *arena, struct checkpoint_partition *ret_saved, struct err *err)
{
    AUTO(buf) struct buf tally;
    buf_init(&tally, tally_bytes_max(intake));
    tally_encode(&partition->tally, &tally);
    if (tally.overflowed) {
        return err_set(err, ERR_LIMIT,
                       "%s/%d: counts of %zu event windows take more than %zu MiB (a quarter of "
                       "limits.memory_budget)",
                       partition->topic, (int)partition->number,
                       tally_open_windows(&partition->tally), tally.limit >> 20);
    }
    int64_t from = partition->from > partition->tail_from ? partition->from : partition->tail_from;
    const char *head = partition->head_run == NULL ? "" : partition->head_run;
    *ret_saved = (struct checkpoint_partition){
        .topic = partition->topic,
        .number = partition->number,
        .from = from < partition->position ? from : partition->position,
        .position = partition->position,
        .leader_epoch = partition->leader_epoch,
        .event_time_max_us = partition->watermark.highest_us,
        .head_run = arena_text(arena, bytes_of_text(head)),
        .bytes = partition->bytes,
        .tally = arena_copy(arena, buf_bytes(&tally)),
    };
    ret_saved->witness_count =
        witness_ends(&partition->witnesses, partition->position, ret_saved->witnesses);
    return true;
}

bool intake_capture(const struct intake *intake, struct arena *arena,
                    struct checkpoint_partition **ret_partitions, size_t *ret_count,
                    struct err *err)
{
    struct checkpoint_partition *list =
        arena_zero(arena, (intake->partition_count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < intake->partition_count; i++) {
        const struct intake_partition *partition = intake->partitions[i];
        if (partition->tail_from != INT64_MAX) { /* else another member has it since a COMMIT */
            TRY(capture(intake, partition, arena, &list[count++], err));
        }
    }
    *ret_partitions = list;
    *ret_count = count;
    return true;
}

static bool find_topic(const struct settings *settings, const char *name, uint32_t *ret_topic)
{
    for (size_t i = 0; i < settings->topic_count; i++) {
        if (strcmp(settings->topics[i].name, name) == 0) {
            *ret_topic = (uint32_t)i;
            return true;
        }
    }
    return false;
}

void intake_restore(struct intake *intake, const struct checkpoint_partition *saved,
                    struct tally *take_tally)
{
    struct source_partition id = {.partition = saved->number};
    bool known = find_topic(intake->settings.settings, saved->topic, &id.topic);
    CHECK(known); /* the fingerprint, which has all topics, is the same */
    struct intake_partition *partition = intake_find_or_add(intake, id);
    tally_done(&partition->tally);
    partition->tally = *take_tally;
    *take_tally = (struct tally){0};
    partition->restored = true;
    partition->read_to = saved->position;
    partition->tail_from = 0;
    partition->seen_end = 0;
    partition->future_count = 0;
    partition->from = saved->from;
    partition->position = saved->position;
    partition->leader_epoch = saved->leader_epoch;
    partition->watermark.highest_us = saved->event_time_max_us;
    free(partition->head_run);
    partition->head_run = saved->head_run[0] == '\0' ? NULL : strdup(saved->head_run);
    for (size_t i = 0; i < saved->witness_count; i++) { /* what is known already stays */
        (void)witness_add(&partition->witnesses, saved->witnesses[i]);
    }
    partition->rows = tally_rows(&partition->tally);
    partition->bytes = saved->bytes;
    partition->rejected = offset_set_count(&partition->tally.rejected, 0, INT64_MAX);
}

bool intake_give(struct intake *intake, struct arena *arena, struct message_handover *given,
                 struct bytes *ret_tally, struct contribution **ret_rows, struct err *err)
{
    const struct intake_partition *partition = intake_find(intake, given->id);
    if (partition == NULL || partition->tail_from == INT64_MAX) {
        return err_set(err, ERR_MISSING, "nothing is held of it");
    }
    if (partition->restored || partition->position < partition->read_to) {
        return err_set(err, ERR_CONFLICT, "it is being read again");
    }
    struct held_rows *held = intake->settings.held;
    held_rows_freeze(held);
    struct checkpoint_partition saved;
    TRY(capture(intake, partition, arena, &saved, err));
    given->from = saved.from;
    given->to = saved.position;
    given->leader_epoch = saved.leader_epoch;
    given->event_time_max_us = saved.event_time_max_us;
    given->head = saved.head_run;
    given->witnesses =
        (const struct witness *)(const void *)arena_copy(
            arena, bytes_of(saved.witnesses, saved.witness_count * sizeof saved.witnesses[0]))
            .data;
    given->witness_count = saved.witness_count;
    *ret_tally = saved.tally;
    struct cut_step all = {.from_us = EVENT_TIME_LOW,
                           .to_us = EVENT_TIME_HIGH,
                           .cut = saved.position,
                           .future_bound_us = EVENT_TIME_HIGH};
    struct contribution_partition of = {.id = {partition->topic, partition->number},
                                        .tail_from = saved.from,
                                        .seen_end = saved.from,
                                        .cut = saved.position,
                                        .steps = &all,
                                        .step_count = 1};
    struct filter_policy policy = {.take_late = true, .take_future = true};
    *ret_rows = contribution_new(given->build, intake->settings.settings->snapshot.order, policy,
                                 &of, 1, held_rows_shares(held), held_rows_share_count(held),
                                 held_rows_voided(held));
    return true;
}

bool intake_adopt(struct intake *intake, const struct checkpoint_partition *given,
                  struct row_set *take_set, const char *path, uint64_t bytes, struct err *err)
{
    struct held_rows *held = intake->settings.held;
    struct tally tally;
    struct intake_partition *partition =
        intake_find(intake, (struct partition_id){given->topic, given->number});
    bool ok = (partition == NULL || !partition->owned ||
               err_set(err, ERR_CONFLICT, "it is being read")) &&
              (held_rows_has_room(held, bytes) ||
               err_set(err, ERR_LIMIT, "limits.disk_budget is used up")) &&
              tally_decode(given->tally, &tally, err);
    if (!ok) {
        row_share_drop(row_share_new(take_set, path));
        return false;
    }
    if (partition != NULL && (tally_rows(&partition->tally) > 0 || partition->read_to > 0)) {
        held_rows_void(held, given->topic, given->number);
    }
    held_rows_adopt(held, take_set, path, bytes, NULL);
    intake_restore(intake, given, &tally);
    return true;
}
