/* What the intake holds, as a checkpoint has it: taken, and brought back. */
#include <stdlib.h>
#include <string.h>

#include "consumer/intake_state.h"

enum { TALLY_BYTES_MAX = 1 << 30 };

static struct checkpoint_partition capture(const struct intake_partition *partition,
                                           struct arena *arena)
{
    AUTO(buf) struct buf tally;
    buf_init(&tally, TALLY_BYTES_MAX);
    tally_encode(&partition->tally, &tally);
    CHECK(!tally.overflowed);
    int64_t from = partition->from > partition->tail_from ? partition->from : partition->tail_from;
    const char *head = partition->head_run == NULL ? "" : partition->head_run;
    return (struct checkpoint_partition){
        .topic = partition->topic,
        .number = partition->number,
        .from = from < partition->position ? from : partition->position,
        .position = partition->position,
        .leader_epoch = partition->leader_epoch,
        .event_time_max_us = partition->event_time_max_us,
        .head_run = arena_text(arena, bytes_of_text(head)),
        .bytes = partition->bytes,
        .tally = arena_copy(arena, buf_bytes(&tally)),
    };
}

void intake_capture(const struct intake *intake, struct arena *arena,
                    struct checkpoint_partition **ret_partitions, size_t *ret_count)
{
    struct checkpoint_partition *list =
        arena_zero(arena, (intake->partition_count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < intake->partition_count; i++) {
        const struct intake_partition *partition = intake->partitions[i];
        if (partition->tail_from != INT64_MAX) { /* else another member has it since a COMMIT */
            list[count++] = capture(partition, arena);
        }
    }
    *ret_partitions = list;
    *ret_count = count;
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
    partition->tally = *take_tally;
    *take_tally = (struct tally){0};
    partition->restored = true;
    partition->from = saved->from;
    partition->position = saved->position;
    partition->leader_epoch = saved->leader_epoch;
    partition->event_time_max_us = saved->event_time_max_us;
    partition->head_run = saved->head_run[0] == '\0' ? NULL : strdup(saved->head_run);
    partition->rows = tally_rows(&partition->tally);
    partition->bytes = saved->bytes;
    partition->rejected = offset_set_count(&partition->tally.rejected, 0, INT64_MAX);
}
