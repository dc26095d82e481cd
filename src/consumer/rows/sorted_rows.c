/* Rows in memory, sorted, that nobody changes any more. */
#include "consumer/rows/sorted_rows.h"

#include <stdlib.h>

#include "adapters/os/pages.h"
#include "consumer/rows/sorted_memory.h"

enum { PREFETCH_ROWS = 12 }; /* how far ahead memory is asked for: rows lie anywhere */

struct sorted_stream {
    struct row_stream stream;
    const struct row_entry *at;
    const struct row_entry *end;
    const uint32_t *borrowed_numbers;
};

static void prefetch(const struct row_entry *entry)
{
    const uint8_t *row = (const uint8_t *)row_entry_row(entry);
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64);
    __builtin_prefetch(row + 128);
}

static bool next(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err)
{
    (void)err;
    struct sorted_stream *self = (struct sorted_stream *)stream;
    if (self->at == self->end) {
        *ret_more = false;
        return true;
    }
    if (self->end - self->at > PREFETCH_ROWS) {
        prefetch(self->at + PREFETCH_ROWS);
    }
    const struct stored_row *row = row_entry_row(self->at++);
    *ret_row = (struct row){
        .key = bytes_of(row->data, row->key_size),
        .value = bytes_of(row->data + row->key_size, row->value_size),
        .event_time_us = row->event_time_us,
        .offset = row->offset,
        .source = self->borrowed_numbers[row->slot],
        .tombstone = row->tombstone != 0,
    };
    *ret_more = true;
    return true;
}

static void free_stream(struct row_stream *stream)
{
    free(stream);
}

static const struct row_stream_ops sorted_stream_ops = {.next = next, .free = free_stream};

static bool open(struct row_set *set, size_t section, struct row_stream **ret_stream,
                 struct err *err)
{
    (void)err;
    const struct sorted_memory *memory = ((struct sorted_rows *)set)->memory;
    struct sorted_stream *self = malloc(sizeof *self);
    CHECK(self != NULL);
    *self = (struct sorted_stream){
        .stream = {.ops = &sorted_stream_ops},
        .at = memory->entries + memory->starts[section],
        .end = memory->entries + memory->starts[section + 1],
        .borrowed_numbers = memory->numbers,
    };
    *ret_stream = &self->stream;
    return true;
}

static void free_rows(struct row_set *set)
{
    struct sorted_rows *rows = (struct sorted_rows *)set;
    struct sorted_memory *memory = rows->memory;
    budget_release(memory->chunks.borrowed_budget, memory->entry_bytes);
    pages_free(memory->entries, memory->entry_bytes);
    row_chunks_done(&memory->chunks);
    spill_index_done(&memory->index);
    free(memory->starts);
    free(memory->numbers);
    free(memory);
    free(rows);
}

static const struct row_set_ops sorted_rows_ops = {.open = open, .free = free_rows};

struct sorted_rows *sorted_rows_new(struct sorted_memory *take_memory)
{
    struct sorted_rows *rows = malloc(sizeof *rows);
    CHECK(rows != NULL);
    *rows = (struct sorted_rows){
        .set = {.ops = &sorted_rows_ops, .index = &take_memory->index},
        .memory = take_memory,
    };
    return rows;
}

uint64_t sorted_rows_bytes(const struct sorted_rows *rows)
{
    return rows->memory->chunks.bytes + rows->memory->entry_bytes;
}
