/* The sorted rows that a member holds until a COMMIT covers them. */
#include "consumer/rows/held_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "adapters/os/log.h"
#include "adapters/os/os_random.h"
#include "checkpoint/spill/spill_reader.h"
#include "consumer/rows/spill_thread.h"

enum { SPACE_RETRY_US = 1000 * 1000 };

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
    uint64_t name;      /* of this process's spills, beside those it has adopted */
    bool spilling_late; /* the spill that is being written is for a checkpoint: memory is not short
                         */
    bool short_of_room;
    bool no_space;    /* the last spill found none on the disk */
    int64_t retry_us; /* then: not before */
    uint64_t changes;
    uint64_t voids;
    char **dropped; /* names of files that were let go */
    size_t dropped_count;
};

bool held_rows_new(const struct held_rows_settings *settings, struct held_rows **ret_held,
                   struct err *err)
{
    TRY(file_make_folders(settings->folder, err));
    struct held_rows *held = calloc(1, sizeof *held);
    CHECK(held != NULL);
    held->settings = *settings;
    held->folder = strdup(settings->folder);
    CHECK(held->folder != NULL);
    held->settings.folder = held->folder;
    held->buffer = shard_buffer_new(settings->borrowed_budget);
    held->thread = spill_thread_new(settings->keeps_files);
    held->name = os_random_u64();
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
        if (held->settings.keeps_files) {
            row_share_keep_file(held->shares[i]);
        }
        row_share_drop(held->shares[i]);
        free(held->voided[i]);
    }
    for (size_t i = 0; i < held->dropped_count; i++) {
        free(held->dropped[i]);
    }
    free(held->dropped);
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
 * meanwhile. One that was begun for a checkpoint, and failed, is an error only to who makes one. */
static bool collect(struct held_rows *held, bool wait, bool late, struct err *err)
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
            held->no_space = false;
        }
    }
    row_share_drop(source);
    row_share_drop(spill);
    if (!ok && done && held->spilling_late && !late) {
        log_failure(LOG_WARN, "spill", err, "no checkpoint");
        return true;
    }
    return ok || !done;
}

/* The disk is full, whatever the budget says: rows stay where they are, and it is tried again. */
static bool wait_for_space(struct held_rows *held, const struct err *err)
{
    if (held->settings.fails_when_full || err->kind != ERR_LIMIT || err->code == 0) {
        return false;
    }
    if (!held->no_space) {
        log_failure(LOG_WARN, "spill", err,
                    "rows stay in memory, and reading pauses, until there is space");
    }
    held->no_space = true;
    held->retry_us = clock_mono_us() + SPACE_RETRY_US;
    return true;
}

static bool start_spill(struct held_rows *held, size_t index, bool late, struct err *err)
{
    uint64_t on_disk = held_rows_spilled_bytes(held);
    if (held->settings.disk_budget > 0 && on_disk >= held->settings.disk_budget) {
        return err_set(err, ERR_LIMIT,
                       "spills in %s hold %llu bytes: limits.disk_budget is used up", held->folder,
                       (unsigned long long)on_disk);
    }
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%016llx-%08llu.spill", held->folder,
                          (unsigned long long)held->name, (unsigned long long)held->sequence++);
    CHECK(length > 0 && (size_t)length < sizeof path);
    held->spilling = row_share_use(held->shares[index]);
    held->spilling_late = late;
    spill_thread_start(held->thread, held->spilling, path);
    return true;
}

bool held_rows_spill(struct held_rows *held, struct err *err)
{
    struct budget *budget = held->settings.borrowed_budget;
    bool wait = budget != NULL && budget_used(budget) > budget->pause_mark;
    if (!collect(held, wait, false, err) && !wait_for_space(held, err)) {
        return false;
    }
    if (spill_thread_busy(held->thread) ||
        (!held->settings.fails_when_full && !held_rows_has_room(held, 1)) ||
        (held->no_space && clock_mono_us() < held->retry_us)) {
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
    return start_spill(held, largest, false, err);
}

bool held_rows_has_room(const struct held_rows *held, uint64_t bytes)
{
    return held->settings.disk_budget == 0 ||
           held_rows_spilled_bytes(held) + bytes <= held->settings.disk_budget;
}

/* Rows wait for space on the disk. When memory is short no more (a COMMIT let go of them), none do,
 * and the next spill finds out whether there is some: until then nobody would try. */
static bool waits_for_space(const struct held_rows *held)
{
    struct budget *memory = held->settings.borrowed_budget;
    return held->no_space &&
           (memory == NULL || (budget_wants_spill(memory) && held_rows_memory_bytes(held) > 0));
}

bool held_rows_disk_full(const struct held_rows *held)
{
    return waits_for_space(held) || !held_rows_has_room(held, 1);
}

bool held_rows_short_of_room(struct held_rows *held)
{
    const struct budget *memory = held->settings.borrowed_budget;
    uint64_t budget = held->settings.disk_budget;
    uint64_t kept = memory == NULL ? 0 : memory->limit;
    kept = kept < budget / 4 ? budget / 4 : kept > budget / 2 ? budget / 2 : kept;
    uint64_t mark = budget - kept - (held->short_of_room ? budget / 8 : 0);
    held->short_of_room = waits_for_space(held) ||
                          (budget > 0 && held_rows_spilled_bytes(held) >= mark);
    return held->short_of_room;
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
    held->changes++;
    held->voids++;
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

static void note_dropped(struct held_rows *held, const struct row_share *share)
{
    const char *path = row_share_path(share);
    if (path == NULL || !held->settings.keeps_files) {
        return;
    }
    held->dropped = realloc(held->dropped, (held->dropped_count + 1) * sizeof *held->dropped);
    CHECK(held->dropped != NULL);
    held->dropped[held->dropped_count] = strdup(strrchr(path, '/') + 1);
    CHECK(held->dropped[held->dropped_count] != NULL);
    held->dropped_count++;
}

void held_rows_forget(struct held_rows *held, held_rows_is_over is_over, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (set_is_over(row_share_set(held->shares[i])->index, held->voided[i], is_over, context)) {
            note_dropped(held, held->shares[i]);
            row_share_drop(held->shares[i]);
            free(held->voided[i]);
            held->changes++;
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

uint64_t held_rows_disk_budget(const struct held_rows *held)
{
    return held->settings.disk_budget;
}

uint64_t held_rows_spill_count(const struct held_rows *held)
{
    return held->sequence;
}

void held_rows_adopt(struct held_rows *held, struct row_set *take_set, const char *path,
                     uint64_t bytes, const bool *voided)
{
    uint32_t sources = take_set->index->sources.count;
    add_share(held, row_share_new(take_set, path), 0, bytes);
    if (voided != NULL) {
        bool *copy = calloc(sources + 1, sizeof *copy);
        CHECK(copy != NULL);
        memcpy(copy, voided, sources * sizeof *copy);
        held->voided[held->count - 1] = copy;
    }
}

uint64_t held_rows_memory_bytes(const struct held_rows *held)
{
    uint64_t bytes = shard_buffer_rows(held->buffer) == 0 ? 0 : shard_buffer_bytes(held->buffer);
    for (size_t i = 0; i < held->count; i++) {
        bytes += held->memory[i];
    }
    return bytes;
}

uint64_t held_rows_changes(const struct held_rows *held)
{
    return held->changes;
}

uint64_t held_rows_voids(const struct held_rows *held)
{
    return held->voids;
}

bool held_rows_to_disk(struct held_rows *held, size_t count, bool wait, bool *ret_done,
                       struct err *err)
{
    CHECK(count <= held->count);
    *ret_done = false;
    for (;;) {
        TRY(collect(held, wait, true, err));
        size_t next = 0;
        while (next < count && held->memory[next] == 0) {
            next++;
        }
        if (next == count) {
            *ret_done = true;
            return true;
        }
        if (!spill_thread_busy(held->thread)) {
            TRY(start_spill(held, next, true, err));
        }
        if (!wait) {
            return true;
        }
    }
}

void held_rows_abort(struct held_rows *held)
{
    spill_thread_abort(held->thread);
}

struct checkpoint_spill *held_rows_spill_names(const struct held_rows *held, size_t count,
                                               struct arena *arena)
{
    struct checkpoint_spill *list = arena_zero(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        const char *path = row_share_path(held->shares[i]);
        CHECK(path != NULL);
        const struct row_set *set = row_share_set(held->shares[i]);
        list[i] = (struct checkpoint_spill){
            .name = arena_text(arena, bytes_of_text(strrchr(path, '/') + 1)),
            .bytes = held->disk[i],
            .digest = spill_digest(set),
        };
        if (held->voided[i] != NULL) {
            uint32_t sources = set->index->sources.count;
            uint8_t *voided = arena_zero(arena, sources);
            for (uint32_t k = 0; k < sources; k++) {
                voided[k] = held->voided[i][k];
            }
            list[i].voided = bytes_of(voided, sources);
        }
    }
    return list;
}

const char *const *held_rows_take_dropped(struct held_rows *held, struct arena *arena,
                                          size_t *ret_count)
{
    const char **names = arena_zero(arena, (held->dropped_count + 1) * sizeof *names);
    for (size_t i = 0; i < held->dropped_count; i++) {
        names[i] = arena_text(arena, bytes_of_text(held->dropped[i]));
        free(held->dropped[i]);
    }
    *ret_count = held->dropped_count;
    held->dropped_count = 0;
    return names;
}
