/* What the intake holds of a partition: when it is started, stopped, and forgotten. */
#include <stdlib.h>
#include <string.h>

#include "consumer/intake/intake_state.h"

/* The history is copied: it says which rows below its cuts were taken already. */
static void set_steps(struct intake_partition *partition, const struct cut_step *steps,
                      size_t count)
{
    free(partition->steps);
    partition->steps = NULL;
    partition->judged_below = 0;
    partition->step_count = count;
    if (count > 0) {
        partition->steps = malloc(count * sizeof *steps);
        CHECK(partition->steps != NULL);
        memcpy(partition->steps, steps, count * sizeof *steps);
        partition->judged_below = steps[count - 1].cut;
    }
}

static void start_over(struct intake *intake, struct intake_partition *partition)
{
    tally_done(&partition->tally);
    partition->future_count = 0;
    partition->rows = 0;
    partition->bytes = 0;
    partition->rejected = 0;
    partition->read_to = 0;
    held_rows_void(intake->settings.held, partition->topic, partition->number);
}

static void set_head_run(struct intake_partition *partition, const char *run)
{
    free(partition->head_run);
    partition->head_run = run == NULL || run[0] == '\0' ? NULL : strdup(run);
}

/* The head's history says what of the partition is in builds. */
static void apply_head(struct intake_partition *partition, const struct cut_step *steps,
                       size_t count, int64_t tail_from, const char *run)
{
    set_steps(partition, steps, count);
    set_head_run(partition, run);
    partition->tail_from = tail_from;
    partition->seen_end = partition->judged_below > tail_from ? partition->judged_below : tail_from;
    for (size_t i = 0; i < count; i++) {
        struct tally_cut cut = {.cut = steps[i].cut, .to_us = steps[i].to_us};
        tally_commit(&partition->tally, &cut, NULL, 0);
    }
    struct tally_cut none = {.to_us = EVENT_TIME_LOW};
    for (size_t i = 0; i < partition->future_count; i++) {
        if (partition->futures[i].offset < partition->judged_below) {
            tally_commit(&partition->tally, &none, &partition->futures[i], 1);
        }
    }
    tally_forget_below(&partition->tally, tail_from);
    uint64_t rows = tally_rows(&partition->tally);
    partition->bytes =
        partition->rows == 0
            ? 0
            : (uint64_t)((double)partition->bytes * (double)rows / (double)partition->rows);
    partition->rows = rows;
    partition->rejected = offset_set_count(&partition->tally.rejected, 0, INT64_MAX);
}

/* A row that is dated beyond the bound of a build belongs to it whatever its window (R24), which a
 * tally of windows cannot tell. */
static bool settle_section(struct intake_partition *partition, const struct cut_step *steps,
                           size_t count, struct row_set *set, size_t section, uint32_t source,
                           struct err *err)
{
    struct row_stream *stream = NULL;
    TRY(row_set_open(set, section, &stream, err));
    struct tally_cut none = {.to_us = EVENT_TIME_LOW};
    struct row row;
    bool more = true;
    bool done = true;
    while ((done = row_stream_next(stream, &row, &more, err)) && more) {
        if (row.source == source &&
            cut_judge(steps, count, row.offset, row.event_time_us).class == CUT_FUTURE) {
            struct tally_future future = {set->index->sections[section].window, row.offset};
            tally_commit(&partition->tally, &none, &future, 1);
        }
    }
    row_stream_free(stream);
    return done;
}

/* The lowest bound of the builds; without event time there is none. */
static int64_t future_bound(const struct cut_step *steps, size_t count)
{
    int64_t bound_us = EVENT_TIME_HIGH;
    for (size_t i = 0; i < count; i++) {
        int64_t one = steps[i].future_bound_us;
        bound_us = one < bound_us ? one : bound_us;
    }
    return bound_us;
}

/* Rows that have seen no seal of their build, because a checkpoint brought them back, or another
 * member had the partition then and this one has read it again: the future ones are looked for. */
static bool settle_futures(struct intake *intake, struct intake_partition *partition,
                           const struct cut_step *steps, size_t count, struct err *err)
{
    int64_t bound_us = future_bound(steps, count);
    if (tally_high_us(&partition->tally) < bound_us - intake->settings.settings->window.size_us) {
        return true;
    }
    held_rows_freeze(intake->settings.held);
    for (size_t i = 0; i < held_rows_share_count(intake->settings.held); i++) {
        struct row_set *set = row_share_set(held_rows_shares(intake->settings.held)[i]);
        uint32_t source =
            source_table_find(&set->index->sources, partition->topic, partition->number);
        for (size_t k = 0; source != SOURCE_NONE && k < set->index->section_count; k++) {
            if (set->index->sections[k].event_time_max_us > bound_us) {
                TRY(settle_section(partition, steps, count, set, k, source, err));
            }
        }
    }
    return true;
}

/* A section of a window that a build closed is over below that build's cut. */
static bool is_over(void *context, const struct section *section, const struct section_source *part,
                    const struct source_name *name)
{
    struct intake_partition *partition =
        intake_find(context, (struct partition_id){name->topic, name->partition});
    CHECK(partition != NULL);
    if (part->offset_max < partition->tail_from) {
        return true;
    }
    if (partition->step_count == 0) {
        return false;
    }
    const struct cut_step *last = &partition->steps[partition->step_count - 1];
    return section->window < last->to_us && part->offset_max < last->cut;
}

bool intake_start(struct intake *intake, struct source_partition id, int64_t offset,
                  const struct intake_head *head, struct err *err)
{
    struct intake_partition *partition = intake_find_or_add(intake, id);
    TRY(intake_start_witnesses(partition, head, err));
    if (head->goes_on) {
        CHECK(partition->position >= offset);
        TRY(settle_futures(intake, partition, head->steps, head->step_count, err));
        apply_head(partition, head->steps, head->step_count, head->tail_from, head->run);
        watermark_lower(&partition->watermark, head->watermark_us,
                        intake->settings.settings->window.out_of_orderness_us);
        held_rows_forget(intake->settings.held, is_over, intake);
    } else {
        if (head->void_held || head->seen_end < partition->seen_end) {
            start_over(intake, partition);
            partition->tail_from = offset;
            held_rows_forget(intake->settings.held, is_over, intake); /* what is void alone */
        }
        if (offset < partition->tail_from) {
            partition->tail_from = offset; /* all from here on is needed */
        }
        partition->from = offset;
        partition->watermark.highest_us = EVENT_TIME_LOW;
        set_steps(partition, head->steps, head->step_count);
        set_head_run(partition, head->run);
    }
    partition->seen_end = head->seen_end;
    intake->boundary_us = head->closed_to_us;
    intake->window_us = INT64_MAX;
    partition->owned = true;
    partition->position = offset;
    partition->state = DATA_READING;
    partition->lost_to = 0;
    partition->restored = false;
    return true;
}

void intake_start_behind_lost(struct intake *intake, struct source_partition id, int64_t offset)
{
    struct intake_partition *partition = intake_find(intake, intake_partition_id(intake, id));
    if (partition != NULL && partition->owned) {
        partition->position = offset;
        partition->from = offset;
        partition->state = DATA_READING;
        partition->lost_to = offset;
    }
}

void intake_read_on(struct intake *intake, struct source_partition id)
{
    struct intake_partition *partition = intake_find(intake, intake_partition_id(intake, id));
    if (partition != NULL) {
        partition->lost_to = 0;
        partition->state = DATA_READING; /* its end is told once more */
    }
}

void intake_stop(struct intake *intake, struct source_partition id)
{
    struct intake_partition *partition = intake_find(intake, intake_partition_id(intake, id));
    if (partition != NULL) {
        partition->owned = false;
        partition->state = DATA_READING;
    }
}

bool intake_forget(struct intake *intake, const struct member_forget *partitions, size_t count,
                   const char *run, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct member_forget *forget = &partitions[i];
        struct intake_partition *partition = intake_find(intake, forget->id);
        if (partition != NULL) {
            TRY(settle_futures(intake, partition, forget->steps, forget->step_count, err));
            apply_head(partition, forget->steps, forget->step_count, forget->tail_from, run);
            intake_forget_witnesses(partition, forget, run);
        }
    }
    held_rows_forget(intake->settings.held, is_over, intake);
    return true;
}
