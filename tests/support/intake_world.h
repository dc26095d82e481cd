/* An intake with a topic of its own, fed by hand, and a look at what a builder would store. */
#ifndef TIDEMARK_TESTS_SUPPORT_INTAKE_WORLD_H
#define TIDEMARK_TESTS_SUPPORT_INTAKE_WORLD_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "consumer/intake/intake.h"
#include "core/spill/dedupe.h"
#include "core/spill/filter_stream.h"
#include "core/spill/merge.h"

static const struct intake_head NO_HEAD = {.closed_to_us = EVENT_TIME_LOW};

enum { SHARDS = 3, WINDOW = 10, ROWS = 400 };

struct world {
    struct topic_settings topic;
    struct settings settings;
    struct router router;
    struct budget budget;
    char *folder;
    struct held_rows *held;
    struct dead_letters *letters;
    struct intake *intake;
    struct arena *arena;
    struct source_batch *batch;
};

static struct world *open_world(uint32_t shards, uint64_t memory, enum late_policy late,
                                const char *dead_path)
{
    struct world *world = calloc(1, sizeof *world);
    struct err err;
    world->topic = (struct topic_settings){
        .name = "t",
        .key = {.source = FIELD_KEY},
        .key_encoding = KEY_ENCODING_RAW,
        .event_time = {.source = FIELD_TIMESTAMP},
        .time_unit = TIME_MS,
    };
    world->settings = (struct settings){
        .topics = &world->topic,
        .topic_count = 1,
        .window = {.trigger = TRIGGER_EVENT_TIME,
                   .size_us = WINDOW * 1000,
                   .max_future_skew_us = 100 * 1000,
                   .late = late},
        .snapshot = {.order = ROW_ORDER_OFFSET, .shards = shards},
        .dead_letter = {.policy = dead_path == NULL ? DEAD_LETTER_DROP : DEAD_LETTER_FILE,
                        .path = dead_path},
        .limits = {.max_key_bytes = 100, .max_value_bytes = 1000},
    };
    struct sharding sharding = {.strategy = SHARDING_HASH};
    cr_assert(route_init(&world->router, &sharding, shards, shards == 0 ? 1 : 0, false, &err));
    budget_init(&world->budget, memory);
    cr_assert(file_temp_folder("/tmp", "intake", &world->folder, &err));
    struct held_rows_settings held = {
        .folder = world->folder, .order = ROW_ORDER_OFFSET, .borrowed_budget = &world->budget};
    cr_assert(held_rows_new(&held, &world->held, &err), "%s", err.message);
    cr_assert(dead_letters_new(&world->settings.dead_letter, NULL, &world->letters, &err));
    struct intake_settings intake = {.settings = &world->settings,
                                     .router = &world->router,
                                     .budget = &world->budget,
                                     .held = world->held,
                                     .letters = world->letters};
    cr_assert(intake_new(&intake, &world->intake, &err), "%s", err.message);
    world->arena = arena_new(1 << 16);
    world->batch = source_batch_new(ROWS);
    return world;
}

static void close_world(struct world *world)
{
    struct err err;
    intake_free(world->intake);
    held_rows_free(world->held);
    dead_letters_free(world->letters);
    cr_assert_eq(budget_used(&world->budget), 0);
    budget_done(&world->budget);
    cr_assert(file_remove_tree(world->folder, &err));
    free(world->folder);
    source_batch_free(world->batch);
    arena_free(world->arena);
    free(world);
}

static inline void begin(struct world *world, struct source_partition id, int64_t offset,
                         const struct intake_head *head)
{
    struct err err;
    cr_assert(intake_start(world->intake, id, offset, head, &err), "%s", err.message);
}

/* One record; time -1: without a key, so that it cannot be used. */
static void add(struct world *world, int32_t partition, int64_t offset, const char *key,
                int64_t time_ms)
{
    struct source_message *message = &world->batch->messages[world->batch->message_count++];
    *message = (struct source_message){
        .partition = partition,
        .offset = offset,
        .timestamp_ms = time_ms < 0 ? 0 : time_ms,
        .has_key = time_ms >= 0,
        .has_value = true,
        .key = arena_copy(world->arena, bytes_of_text(key)),
        .value = bytes_of_text(arena_format(world->arena, "%d@%d", (int)partition, (int)offset)),
    };
}

static void take(struct world *world, int64_t now_ms)
{
    struct err err;
    cr_assert(intake_take(world->intake, world->batch, now_ms * 1000, &err), "%s", err.message);
    source_batch_clear(world->batch);
}

/* What a builder would store of a contribution, as one text "key=value …" in order. */
static inline const char *stored(struct world *world, uint32_t shards,
                                 struct contribution *contribution, struct dedupe_source *counts)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 20);
    struct filter filter = contribution_filter(contribution, world->arena);
    const struct source_table *table = contribution_sources(contribution);
    for (uint32_t shard = 0; shard < shards; shard++) {
        struct row_stream *streams[1000];
        size_t count = 0;
        struct err err;
        for (size_t i = 0; i < contribution_share_count(contribution); i++) {
            struct row_set *set = row_share_set(contribution_share(contribution, i));
            const uint32_t *map = contribution_map(contribution, i, world->arena);
            for (size_t k = 0; k < set->index->section_count; k++) {
                struct row_stream *stream = NULL;
                if (set->index->sections[k].group == shard) {
                    cr_assert(filter_stream_open(&filter, set, k, map, NULL, &stream, &err));
                }
                if (stream != NULL) {
                    streams[count++] = stream;
                }
            }
        }
        struct dedupe_counts dedupe = {.sources = counts, .source_count = table->count};
        struct row_stream *rows = dedupe_new(merge_new(ROW_ORDER_OFFSET, streams, count), &dedupe);
        struct row row;
        bool more = false;
        while (row_stream_next(rows, &row, &more, &err) && more) {
            buf_add_format(&text, "%u:%.*s=%.*s ", shard, (int)row.key.size,
                           (const char *)row.key.data, (int)row.value.size,
                           (const char *)row.value.data);
        }
        row_stream_free(rows);
    }
    return arena_text(world->arena, buf_bytes(&text));
}

#endif
