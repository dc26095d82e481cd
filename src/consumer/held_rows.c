/* The sorted rows that a member holds until a COMMIT covers them. */
#include "consumer/held_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/file.h"
#include "adapters/os/log.h"
#include "consumer/spill_thread.h"

struct held_rows {
    struct held_rows_settings settings;
    char *folder;
    struct shard_buffer *buffer;
    struct row_share **shares;
    uint64_t *memory; /* bytes of each share that is in memory; 0: on disk */
    uint64_t *disk;   /* bytes of each share on disk */
    bool **voided;    /* of each share, by source of its index; NULL: all its rows count */
    size_t count;
    size_t capacity;
    struct spill_thread *thread;
    struct row_share *spilling; /* one user; NULL: none is being written */
    uint64_t sequence;
};

bool held_rows_new(const struct held_rows_settings *settings, struct held_rows **ret_held,
                   struct err *err)
{
    /* What another process left is of no use: its rows are read again from Kafka. */
    TRY(file_remove_tree(settings->folder, err));
    TRY(file_make_folders(settings->folder, err));
    struct held_rows *held = calloc(1, sizeof *held);
    CHECK(held != NULL);
    held->settings = *settings;
    held->folder = strdup(settings->folder);
    CHECK(held->folder != NULL);
    held->settings.folder = held->folder;
    held->buffer = shard_buffer_new(settings->borrowed_budget);
    held->thread = spill_thread_new();
    *ret_held = held;
    return true;
}

struct held_rows *held_rows_free(struct held_rows *held)
{
    if (held == NULL) {
        return NULL;
    }
    spill_thread_free(held->thread);
    row_share_drop(held->spilling);
    for (size_t i = 0; i < held->count; i++) {
        row_share_drop(held->shares[i]);
        free(held->voided[i]);
    }
    shard_buffer_free(held->buffer);
    free(held->voided);
    free(held->shares);
    free(held->memory);
    free(held->disk);
    free(held->folder);
    free(held);
    return NULL;
}

uint32_t held_rows_source(struct held_rows *held, const char *topic, int32_t partition)
{
    return shard_buffer_source(held->buffer, topic, partition);
}

static void add_share(struct held_rows *held, struct row_share *share, uint64_t memory,
                      uint64_t disk)
{
    if (held->count == held->capacity) {
        held->capacity = held->capacity * 2 + 8;
        held->shares = realloc(held->shares, held->capacity * sizeof *held->shares);
        held->memory = realloc(held->memory, held->capacity * sizeof *held->memory);
        held->disk = realloc(held->disk, held->capacity * sizeof *held->disk);
        held->voided = realloc(held->voided, held->capacity * sizeof *held->voided);
        CHECK(held->shares != NULL && held->memory != NULL && held->disk != NULL &&
              held->voided != NULL);
    }
    held->voided[held->count] = NULL;
    held->shares[held->count] = share;
    held->memory[held->count] = memory;
    held->disk[held->count] = disk;
    held->count++;
}

void held_rows_freeze(struct held_rows *held)
{
    struct sorted_rows *rows = shard_buffer_sort(held->buffer, held->settings.order);
    if (rows != NULL) {
        uint64_t bytes = sorted_rows_bytes(rows);
        add_share(held, row_share_new(&rows->set, NULL), bytes == 0 ? 1 : bytes, 0);
    }
}

/* A spill that is finished takes the place of the rows in memory, unless these were let go
 * meanwhile. */
static bool collect(struct held_rows *held, bool wait, struct err *err)
{
    struct row_share *spill = NULL;
    uint64_t bytes = 0;
    bool done = false;
    bool ok = spill_thread_take(held->thread, wait, &done, &spill, &bytes, err);
    struct row_share *source = done ? TAKE(held->spilling) : NULL;
    for (size_t i = 0; ok && i < held->count; i++) {
        if (held->shares[i] == source) {
            row_share_drop(held->shares[i]);
            held->shares[i] = TAKE(spill);
            held->memory[i] = 0;
            held->disk[i] = bytes;
        }
    }
    row_share_drop(source);
    row_share_drop(spill);
    return ok || !done;
}

static bool start_spill(struct held_rows *held, size_t index, struct err *err)
{
    uint64_t on_disk = held_rows_spilled_bytes(held);
    if (held->settings.disk_budget > 0 && on_disk >= held->settings.disk_budget) {
        return err_set(err, ERR_LIMIT,
                       "spills in %s hold %llu bytes: limits.disk_budget is used up", held->folder,
                       (unsigned long long)on_disk);
    }
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%020llu.spill", held->folder,
                          (unsigned long long)held->sequence++);
    CHECK(length > 0 && (size_t)length < sizeof path);
    held->spilling = row_share_use(held->shares[index]);
    spill_thread_start(held->thread, held->spilling, path);
    return true;
}

bool held_rows_spill(struct held_rows *held, struct err *err)
{
    struct budget *budget = held->settings.borrowed_budget;
    TRY(collect(held, budget != NULL && budget_used(budget) > budget->pause_mark, err));
    if (spill_thread_busy(held->thread)) {
        return true;
    }
    size_t largest = held->count;
    uint64_t most = shard_buffer_bytes(held->buffer);
    for (size_t i = 0; i < held->count; i++) {
        if (held->memory[i] > most) {
            most = held->memory[i];
            largest = i;
        }
    }
    if (largest == held->count) { /* the buffer itself; frozen, it is the last share */
        if (shard_buffer_rows(held->buffer) == 0) {
            return true;
        }
        held_rows_freeze(held);
    }
    return start_spill(held, largest, err);
}

bool held_rows_append(struct held_rows *held, int64_t window, uint32_t group, const struct row *row,
                      struct err *err)
{
    if (!shard_buffer_append(held->buffer, window, group, row)) {
        held_rows_freeze(held);
        CHECK(shard_buffer_append(held->buffer, window, group, row));
        return held_rows_spill(held, err);
    }
    return true;
}

size_t held_rows_share_count(const struct held_rows *held)
{
    return held->count;
}

struct row_share *const *held_rows_shares(const struct held_rows *held)
{
    return held->shares;
}

void held_rows_void(struct held_rows *held, const char *topic, int32_t partition)
{
    held_rows_freeze(held);
    for (size_t i = 0; i < held->count; i++) {
        const struct source_table *table = &row_share_set(held->shares[i])->index->sources;
        uint32_t source = source_table_find(table, topic, partition);
        if (source == SOURCE_NONE) {
            continue;
        }
        if (held->voided[i] == NULL) {
            held->voided[i] = calloc(table->count, sizeof **held->voided);
            CHECK(held->voided[i] != NULL);
        }
        held->voided[i][source] = true;
    }
}

const bool *const *held_rows_voided(const struct held_rows *held)
{
    return (const bool *const *)held->voided;
}

static bool set_is_over(const struct spill_index *index, const bool *voided,
                        held_rows_is_over is_over, void *context)
{
    for (size_t i = 0; i < index->section_count; i++) {
        const struct section *section = &index->sections[i];
        for (uint32_t k = 0; k < section->source_count; k++) {
            const struct section_source *part = &section->sources[k];
            if ((voided == NULL || !voided[part->source]) &&
                !is_over(context, section, part, &index->sources.names[part->source])) {
                return false;
            }
        }
    }
    return true;
}

void held_rows_forget(struct held_rows *held, held_rows_is_over is_over, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (set_is_over(row_share_set(held->shares[i])->index, held->voided[i], is_over, context)) {
            row_share_drop(held->shares[i]);
            free(held->voided[i]);
            continue;
        }
        held->shares[kept] = held->shares[i];
        held->voided[kept] = held->voided[i];
        held->memory[kept] = held->memory[i];
        held->disk[kept] = held->disk[i];
        kept++;
    }
    held->count = kept;
}

uint64_t held_rows_spilled_bytes(const struct held_rows *held)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < held->count; i++) {
        bytes += held->disk[i];
    }
    return bytes;
}

uint64_t held_rows_spill_count(const struct held_rows *held)
{
    return held->sequence;
}
