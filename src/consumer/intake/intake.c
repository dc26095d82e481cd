/* THE HOT PATH: a record is decoded, gets its window and shard, and is held. */
#include "consumer/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/log.h"
#include "consumer/intake/intake_state.h"

bool intake_new(const struct intake_settings *settings, struct intake **ret_intake, struct err *err)
{
    struct intake *intake = calloc(1, sizeof *intake);
    CHECK(intake != NULL);
    intake->settings = *settings;
    intake->scratch = arena_new(64 * 1024);
    intake->routing = route_scratch_new(settings->router);
    intake->boundary_us = EVENT_TIME_LOW;
    intake->window_us = INT64_MAX;
    size_t topics = settings->settings->topic_count;
    intake->decoders = calloc(topics, sizeof(void *));
    CHECK(intake->decoders != NULL);
    bool slatedb = settings->settings->kv.backend == BACKEND_SLATEDB;
    struct decode_limits limits = {.key_bytes_min = slatedb ? SLATEDB_KEY_BYTES_MIN : 0,
                                   .key_bytes_max = settings->settings->limits.max_key_bytes,
                                   .value_bytes_max = settings->settings->limits.max_value_bytes};
    for (size_t i = 0; i < topics; i++) {
        if (!decoder_new(&settings->settings->topics[i], &limits, &intake->decoders[i], err)) {
            err_wrap(err, "topic \"%s\"", settings->settings->topics[i].name);
            intake_free(intake);
            return false;
        }
    }
    *ret_intake = intake;
    return true;
}

struct intake *intake_free(struct intake *intake)
{
    if (intake == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < intake->partition_count; i++) {
        tally_done(&intake->partitions[i]->tally);
        free(intake->partitions[i]->steps);
        free(intake->partitions[i]->futures);
        free(intake->partitions[i]->head_run);
        free(intake->partitions[i]->head_witness_run);
        free(intake->partitions[i]);
    }
    for (size_t i = 0; i < intake->settings.settings->topic_count; i++) {
        decoder_free(intake->decoders[i]);
    }
    free(intake->decoders);
    free(intake->partitions);
    route_scratch_free(intake->routing);
    arena_free(intake->scratch);
    free(intake);
    return NULL;
}

bool intake_wants_headers(const struct intake *intake)
{
    for (size_t i = 0; i < intake->settings.settings->topic_count; i++) {
        if (decoder_wants_headers(intake->decoders[i])) {
            return true;
        }
    }
    return false;
}

static int compare(const struct intake_partition *partition, struct partition_id id)
{
    return partition_id_compare((struct partition_id){partition->topic, partition->number}, id);
}

static size_t lower_bound(const struct intake *intake, struct partition_id id)
{
    size_t low = 0;
    size_t high = intake->partition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(intake->partitions[middle], id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct intake_partition *intake_find(struct intake *intake, struct partition_id id)
{
    size_t at = lower_bound(intake, id);
    return at < intake->partition_count && compare(intake->partitions[at], id) == 0
               ? intake->partitions[at]
               : NULL;
}

struct partition_id intake_partition_id(const struct intake *intake,
                                        struct source_partition partition)
{
    CHECK(partition.topic < intake->settings.settings->topic_count);
    return (struct partition_id){intake->settings.settings->topics[partition.topic].name,
                                 partition.partition};
}

struct intake_partition *intake_find_or_add(struct intake *intake,
                                            struct source_partition partition)
{
    struct partition_id id = intake_partition_id(intake, partition);
    size_t at = lower_bound(intake, id);
    if (at < intake->partition_count && compare(intake->partitions[at], id) == 0) {
        return intake->partitions[at];
    }
    if (intake->partition_count == intake->partition_capacity) {
        intake->partition_capacity = intake->partition_capacity * 2 + 16;
        intake->partitions =
            realloc(intake->partitions, intake->partition_capacity * sizeof(void *));
        CHECK(intake->partitions != NULL);
    }
    struct intake_partition *added = calloc(1, sizeof *added);
    CHECK(added != NULL);
    *added = (struct intake_partition){
        .topic = id.topic,
        .topic_index = partition.topic,
        .number = id.number,
        .source = held_rows_source(intake->settings.held, id.topic, id.number),
        .watermark = {.highest_us = EVENT_TIME_LOW},
        .leader_epoch = -1,
        .head_witness = -1,
    };
    memmove(intake->partitions + at + 1, intake->partitions + at,
            (intake->partition_count - at) * sizeof(void *));
    intake->partitions[at] = added;
    intake->partition_count++;
    return added;
}

/* The start of the event window; 0 for triggers that do not close by event time. */
static int64_t window_for(struct intake *intake, int64_t event_time_us)
{
    const struct window_settings *window = &intake->settings.settings->window;
    if (window->trigger != TRIGGER_EVENT_TIME) {
        return 0;
    }
    if (event_time_us < intake->window_us || event_time_us >= intake->window_end_us) {
        intake->window_us = window_bucket_us(event_time_us, window->size_us, intake->boundary_us);
        int64_t start = window_of(event_time_us, window->size_us);
        int64_t end = window_start_us(start + 1, window->size_us);
        bool split = intake->boundary_us > event_time_us && intake->boundary_us < end;
        intake->window_end_us = split ? intake->boundary_us : end;
    }
    return intake->window_us;
}

bool intake_check_budget(struct intake *intake, struct err *err)
{
    uint64_t limit = intake->settings.settings->dead_letter.max_errors;
    uint64_t rejected = 0;
    for (size_t i = 0; i < intake->partition_count; i++) {
        rejected += intake->partitions[i]->rejected;
    }
    if (limit > 0 && rejected > limit) {
        return err_set(err, ERR_SETTINGS,
                       "%llu records of this build cannot be used: dead_letter.max_errors is %llu",
                       (unsigned long long)rejected, (unsigned long long)limit);
    }
    return true;
}

/* It is in builds, or given up: a member that began before it knew the head reads it again. */
static bool is_below_tail(const struct intake_partition *partition, int64_t offset)
{
    return offset < partition->tail_from;
}

static bool take_rejected(struct intake *intake, struct intake_partition *partition,
                          const struct source_message *message, const struct reject *why,
                          struct err *err)
{
    if (message->offset < partition->judged_below || is_below_tail(partition, message->offset) ||
        !tally_add_rejected(&partition->tally, message->offset)) {
        intake->counters.passed_over++;
        return true;
    }
    partition->rejected++;
    intake->counters.rejected[why->cause]++;
    struct dead_letter letter = {
        .topic = partition->topic,
        .partition = partition->number,
        .offset = message->offset,
        .timestamp_ms = message->timestamp_ms,
        .cause = reject_cause_name(why->cause),
        .detail = why->text,
        .has_key = message->has_key,
        .has_value = message->has_value,
        .key = message->key,
        .value = message->value,
    };
    TRY(dead_letters_send(intake->settings.letters, &letter, err));
    return intake_check_budget(intake, err);
}

static struct raw_record raw_of(struct intake *intake, const struct source_message *message)
{
    struct raw_record raw = {
        .place = {message->topic, message->partition, message->offset},
        .timestamp_ms = message->timestamp_ms,
        .key = message->has_key ? message->key : bytes_of(NULL, 0),
        .value = message->has_value ? message->value : bytes_of(NULL, 0),
        .header_count = message->header_count,
    };
    if (message->header_count > 0) {
        struct header_view *headers =
            arena_alloc(intake->scratch, message->header_count * sizeof *headers);
        for (size_t i = 0; i < message->header_count; i++) {
            headers[i].name = message->headers[i].name;
            headers[i].value = message->headers[i].is_null ? bytes_of(NULL, 0)
                                                           : message->headers[i].value;
        }
        raw.headers = headers;
    }
    return raw;
}

static bool take_message(struct intake *intake, struct intake_partition *partition,
                         const struct source_message *message, int64_t now_us, struct err *err)
{
    if (message->offset < partition->compare_below) {
        TRY(intake_compare(partition, message, err));
    }
    if (message->offset < partition->position) {
        return true;
    }
    partition->position = message->offset + 1;
    partition->leader_epoch = message->leader_epoch;
    partition->read_to = partition->position > partition->read_to ? partition->position
                                                                  : partition->read_to;
    partition->state = DATA_READING;
    intake->counters.records++;
    intake->counters.bytes += message->key.size + message->value.size;
    struct raw_record raw = raw_of(intake, message);
    struct record record;
    struct reject why;
    uint64_t token = 0;
    if (!decode_record(intake->decoders[message->topic], &raw, intake->scratch, &record, &why) ||
        !route_record(intake->settings.router, intake->routing, &record, &token, &why)) {
        return take_rejected(intake, partition, message, &why, err);
    }
    if (!watermark_add(&partition->watermark, record.event_time_us, now_us,
                       intake->settings.settings->window.max_future_skew_us)) {
        intake->counters.future_seen++;
    }
    int64_t window = window_for(intake, record.event_time_us);
    bool taken =
        is_below_tail(partition, message->offset) ||
        (message->offset < partition->judged_below &&
         cut_judge(partition->steps, partition->step_count, message->offset, record.event_time_us)
                 .class
             != CUT_OPEN);
    if (taken || !tally_add_row(&partition->tally, message->offset, window)) {
        intake->counters.passed_over++;
        return true;
    }
    partition->rows++;
    partition->bytes += record.key.size + record.value.size;
    struct row row = {
        .key = record.key,
        .value = record.value,
        .event_time_us = record.event_time_us,
        .offset = message->offset,
        .source = partition->source,
        .tombstone = record.tombstone,
    };
    uint32_t group = route_group(intake->settings.router, token);
    return held_rows_append(intake->settings.held, window, group, &row, err);
}

static void take_end(struct intake *intake, const struct source_event *event)
{
    struct intake_partition *partition =
        intake_find(intake, intake_partition_id(intake, event->partition));
    if (partition == NULL || !partition->owned) {
        return;
    }
    if (event->kind == SOURCE_LOST_RANGE) {
        partition->lost_to = INTAKE_LOST;
        return;
    }
    if (event->position < partition->position) {
        partition->lost_to = INTAKE_LOST; /* a log ends below what was read: is it the same? */
        return;
    }
    partition->position = event->position;
    partition->state = event->high < 0                  ? DATA_READING
                       : event->high == event->position ? DATA_AT_END
                                                        : DATA_BLOCKED;
    partition->high = event->high;
}

static void take_events(struct intake *intake, const struct source_batch *batch, size_t *at,
                        size_t before)
{
    for (; *at < batch->event_count && batch->events[*at].message_index <= before; (*at)++) {
        const struct source_event *event = &batch->events[*at];
        if (event->kind == SOURCE_END || event->kind == SOURCE_LOST_RANGE) {
            take_end(intake, event);
        }
    }
}

bool intake_take(struct intake *intake, const struct source_batch *batch, int64_t now_us,
                 struct err *err)
{
    arena_reset(intake->scratch);
    size_t event = 0;
    for (size_t i = 0; i < batch->message_count; i++) {
        take_events(intake, batch, &event, i);
        const struct source_message *message = &batch->messages[i];
        struct intake_partition *partition = intake->last;
        if (partition == NULL || partition->number != message->partition ||
            partition->topic_index != message->topic) {
            if (i > 0 && partition != NULL) {
                intake_keep_witness(partition, &batch->messages[i - 1]);
            }
            struct source_partition id = {message->topic, message->partition};
            partition = intake_find(intake, intake_partition_id(intake, id));
            if (partition == NULL) {
                continue;
            }
            intake->last = partition;
        }
        if (partition->owned) {
            TRY(take_message(intake, partition, message, now_us, err));
            if (witness_is_first(&partition->witnesses, message->offset)) {
                intake_keep_witness(partition, message);
            }
        }
    }
    if (batch->message_count > 0 && intake->last != NULL) {
        intake_keep_witness(intake->last, &batch->messages[batch->message_count - 1]);
    }
    take_events(intake, batch, &event, batch->message_count);
    return intake_tend(intake, err);
}

bool intake_tend(struct intake *intake, struct err *err)
{
    budget_trim(intake->settings.budget);
    return !budget_wants_spill(intake->settings.budget) ||
           held_rows_spill(intake->settings.held, err);
}

void intake_rest(struct intake *intake)
{
    budget_drop_spare(intake->settings.budget);
}

void intake_readings(struct intake *intake, struct arena *arena,
                     struct member_reading **ret_readings, size_t *ret_count)
{
    struct member_reading *readings =
        arena_alloc(arena, (intake->partition_count + 1) * sizeof *readings);
    size_t count = 0;
    int64_t out_of_orderness = intake->settings.settings->window.out_of_orderness_us;
    for (size_t i = 0; i < intake->partition_count; i++) {
        const struct intake_partition *partition = intake->partitions[i];
        if (!partition->owned) {
            continue;
        }
        const struct witness *witness = witness_below(&partition->witnesses, partition->position);
        readings[count++] = (struct member_reading){
            .id = {partition->topic, partition->number},
            .from = partition->from,
            .position = partition->position,
            .watermark_us = watermark_us(&partition->watermark, out_of_orderness),
            .low_us = tally_low_us(&partition->tally),
            .state = partition->state,
            .rows = partition->rows,
            .bytes = partition->bytes,
            .lost_to = partition->lost_to == 0 && intake_is_too_short(partition)
                           ? INTAKE_LOST
                           : partition->lost_to,
            .leader_epoch = partition->leader_epoch,
            .has_witness = witness != NULL,
            .witness = witness == NULL ? (struct witness){0} : *witness,
        };
    }
    *ret_readings = readings;
    *ret_count = count;
}

bool intake_short_of_room(const struct intake *intake)
{
    return held_rows_short_of_room(intake->settings.held);
}

void intake_counters(const struct intake *intake, struct intake_counters *ret_counters)
{
    *ret_counters = intake->counters;
    ret_counters->spills = held_rows_spill_count(intake->settings.held);
    ret_counters->disk_bytes = held_rows_spilled_bytes(intake->settings.held);
    ret_counters->disk_budget = held_rows_disk_budget(intake->settings.held);
    ret_counters->disk_full = held_rows_disk_full(intake->settings.held);
    ret_counters->rows = 0;
    for (size_t i = 0; i < intake->partition_count; i++) {
        ret_counters->rows += intake->partitions[i]->rows;
    }
}
