/* Rows of all windows and shards on their way in. */
#include "consumer/rows/shard_buffer.h"

#include <stdlib.h>

#include "adapters/os/pages.h"
#include "consumer/rows/row_sort.h"
#include "consumer/rows/sorted_memory.h"

enum {
    ENTRIES_MIN = 4096,
    CHARGE_ROWS = 4096, /* the index is charged in steps of so many rows */
    CELLS_MIN = 64,
    NO_CELL = -1,
};

/* The rows of one window and group from one source: what becomes a section_source, and the share
 * of a section's sums. Kept as rows come in, when they are in the cache anyway. */
struct cell {
    int64_t window;
    uint32_t group;
    uint32_t slot;
    uint32_t group_id; /* of the pair (window, group) */
    struct section_source part;
    uint64_t key_bytes;
    uint64_t value_bytes;
    uint64_t key_size_min;
    uint64_t key_size_max;
    uint64_t value_size_min; /* UINT64_MAX: no row with a value yet */
    uint64_t value_size_max;
    int64_t event_time_min_us;
    int64_t event_time_max_us;
};

struct slot_name {
    char *topic;
    int32_t partition;
};

struct shard_buffer {
    struct row_chunks chunks;
    struct row_entry *entries;
    size_t entry_count;
    size_t entry_capacity;
    uint64_t entry_charge; /* bytes charged for the index and its copy */

    struct slot_name *slots;
    uint32_t slot_count;
    uint32_t slot_capacity;

    struct cell *cells;
    size_t cell_count;
    size_t cell_capacity;
    int32_t *cell_table;    /* by hash of (window, group, slot); NO_CELL: free */
    size_t cell_table_size; /* a power of two, at least twice the cells */
    uint32_t group_count;
    uint64_t cell_charge;
};

static struct budget *budget_of(const struct shard_buffer *buffer)
{
    return buffer->chunks.borrowed_budget;
}

struct shard_buffer *shard_buffer_new(struct budget *borrowed_budget)
{
    struct shard_buffer *buffer = calloc(1, sizeof *buffer);
    CHECK(buffer != NULL);
    buffer->chunks.borrowed_budget = borrowed_budget;
    return buffer;
}

/* Forgets all rows; their memory was handed on or freed. */
static void forget_rows(struct shard_buffer *buffer)
{
    budget_release(budget_of(buffer), buffer->entry_charge + buffer->cell_charge);
    free(buffer->cells);
    free(buffer->cell_table);
    buffer->chunks = (struct row_chunks){.borrowed_budget = budget_of(buffer)};
    buffer->entries = NULL;
    buffer->entry_count = 0;
    buffer->entry_capacity = 0;
    buffer->entry_charge = 0;
    buffer->cells = NULL;
    buffer->cell_count = 0;
    buffer->cell_capacity = 0;
    buffer->cell_table = NULL;
    buffer->cell_table_size = 0;
    buffer->group_count = 0;
    buffer->cell_charge = 0;
}

struct shard_buffer *shard_buffer_free(struct shard_buffer *buffer)
{
    if (buffer == NULL) {
        return NULL;
    }
    row_chunks_done(&buffer->chunks);
    pages_free(buffer->entries, buffer->entry_capacity * sizeof *buffer->entries);
    forget_rows(buffer);
    for (uint32_t i = 0; i < buffer->slot_count; i++) {
        free(buffer->slots[i].topic);
    }
    free(buffer->slots);
    free(buffer);
    return NULL;
}

uint32_t shard_buffer_source(struct shard_buffer *buffer, const char *topic, int32_t partition)
{
    for (uint32_t i = 0; i < buffer->slot_count; i++) {
        if (source_name_compare(buffer->slots[i].topic, buffer->slots[i].partition, topic,
                                partition) == 0) {
            return i;
        }
    }
    if (buffer->slot_count == buffer->slot_capacity) {
        uint32_t capacity = buffer->slot_capacity == 0 ? 16 : buffer->slot_capacity * 2;
        struct slot_name *slots = realloc(buffer->slots, capacity * sizeof *slots);
        CHECK(slots != NULL);
        buffer->slots = slots;
        buffer->slot_capacity = capacity;
    }
    char *copy = strdup(topic);
    CHECK(copy != NULL);
    buffer->slots[buffer->slot_count] = (struct slot_name){.topic = copy, .partition = partition};
    return buffer->slot_count++;
}

uint64_t shard_buffer_rows(const struct shard_buffer *buffer)
{
    return buffer->entry_count;
}

uint64_t shard_buffer_bytes(const struct shard_buffer *buffer)
{
    return buffer->chunks.bytes + buffer->entry_charge + buffer->cell_charge;
}

/* ---- cells ---- */

static uint64_t hash_cell(int64_t window, uint32_t group, uint32_t slot)
{
    uint64_t hash = (uint64_t)window * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= ((uint64_t)group << 32 | slot) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return hash ^ hash >> 29 ^ hash >> 47;
}

/* Where the cell is in the table, or the free place where it belongs. */
static size_t find_place(const struct shard_buffer *buffer, int64_t window, uint32_t group,
                         uint32_t slot)
{
    size_t mask = buffer->cell_table_size - 1;
    size_t at = (size_t)hash_cell(window, group, slot) & mask;
    for (;;) {
        if (buffer->cell_table[at] == NO_CELL) {
            return at;
        }
        const struct cell *cell = &buffer->cells[buffer->cell_table[at]];
        if (cell->group == group && cell->slot == slot && cell->window == window) {
            return at;
        }
        at = (at + 1) & mask;
    }
}

static void grow_cells(struct shard_buffer *buffer)
{
    size_t capacity = buffer->cell_capacity == 0 ? CELLS_MIN : buffer->cell_capacity * 2;
    CHECK(capacity <= INT32_MAX / 4);
    struct cell *cells = realloc(buffer->cells, capacity * sizeof *cells);
    CHECK(cells != NULL);
    buffer->cells = cells;
    buffer->cell_capacity = capacity;
    free(buffer->cell_table);
    buffer->cell_table_size = capacity * 4;
    buffer->cell_table = malloc(buffer->cell_table_size * sizeof *buffer->cell_table);
    CHECK(buffer->cell_table != NULL);
    memset(buffer->cell_table, 0xff, buffer->cell_table_size * sizeof *buffer->cell_table);
    for (size_t i = 0; i < buffer->cell_count; i++) {
        const struct cell *cell = &buffer->cells[i];
        size_t at = find_place(buffer, cell->window, cell->group, cell->slot);
        buffer->cell_table[at] = (int32_t)i;
    }
    uint64_t charge = capacity * (sizeof *cells + 4 * sizeof *buffer->cell_table);
    budget_charge(budget_of(buffer), charge - buffer->cell_charge);
    buffer->cell_charge = charge;
}

enum {
    NO_SLOT = INT32_MAX
}; /* the cell of a pair (window, group) itself: it has the pair's number */

/* The number of (window, group): a cell without a source holds it. False: there are too many. */
static bool find_group(struct shard_buffer *buffer, int64_t window, uint32_t group,
                       uint32_t *ret_group_id)
{
    size_t at = find_place(buffer, window, group, NO_SLOT);
    if (buffer->cell_table[at] == NO_CELL) {
        if (buffer->group_count == SHARD_BUFFER_GROUPS_MAX) {
            return false;
        }
        buffer->cells[buffer->cell_count] = (struct cell){
            .window = window,
            .group = group,
            .slot = NO_SLOT,
            .group_id = buffer->group_count++,
        };
        buffer->cell_table[at] = (int32_t)buffer->cell_count++;
    }
    *ret_group_id = buffer->cells[buffer->cell_table[at]].group_id;
    return true;
}

/* NULL: too many pairs of window and group. */
static struct cell *find_cell(struct shard_buffer *buffer, int64_t window, uint32_t group,
                              const struct row *row)
{
    if (buffer->cell_count + 2 > buffer->cell_capacity) {
        grow_cells(buffer);
    }
    size_t at = find_place(buffer, window, group, row->source);
    if (buffer->cell_table[at] != NO_CELL) {
        return &buffer->cells[buffer->cell_table[at]];
    }
    uint32_t group_id;
    if (!find_group(buffer, window, group, &group_id)) {
        return NULL;
    }
    at = find_place(buffer, window, group, row->source);
    buffer->cell_table[at] = (int32_t)buffer->cell_count;
    struct cell *cell = &buffer->cells[buffer->cell_count++];
    *cell = (struct cell){
        .window = window,
        .group = group,
        .slot = row->source,
        .group_id = group_id,
        .part = {.offset_min = row->offset, .offset_max = row->offset},
        .key_size_min = UINT64_MAX,
        .value_size_min = UINT64_MAX,
        .event_time_min_us = row->event_time_us,
        .event_time_max_us = row->event_time_us,
    };
    return cell;
}

#define KEEP_MIN(to, value) ((to) = (value) < (to) ? (value) : (to))
#define KEEP_MAX(to, value) ((to) = (value) > (to) ? (value) : (to))

static void count_row(struct cell *cell, const struct row *row)
{
    cell->part.rows++;
    cell->key_bytes += row->key.size;
    KEEP_MIN(cell->part.offset_min, row->offset);
    KEEP_MAX(cell->part.offset_max, row->offset);
    KEEP_MIN(cell->key_size_min, row->key.size);
    KEEP_MAX(cell->key_size_max, row->key.size);
    KEEP_MIN(cell->event_time_min_us, row->event_time_us);
    KEEP_MAX(cell->event_time_max_us, row->event_time_us);
    if (row->tombstone) {
        cell->part.tombstones++;
        return;
    }
    cell->value_bytes += row->value.size;
    KEEP_MIN(cell->value_size_min, row->value.size);
    KEEP_MAX(cell->value_size_max, row->value.size);
}

/* ---- rows ---- */

static void grow_entries(struct shard_buffer *buffer)
{
    size_t old_bytes = buffer->entry_capacity * sizeof *buffer->entries;
    size_t capacity = buffer->entry_capacity == 0 ? ENTRIES_MIN : buffer->entry_capacity * 2;
    size_t bytes = capacity * sizeof *buffer->entries;
    buffer->entries = buffer->entries == NULL ? pages_new(bytes)
                                              : pages_grow(buffer->entries, old_bytes, bytes);
    buffer->entry_capacity = capacity;
}

bool shard_buffer_append(struct shard_buffer *buffer, int64_t window, uint32_t group,
                         const struct row *row)
{
    CHECK(row->source < buffer->slot_count);
    CHECK(row->key.size <= SHARD_BUFFER_ROW_MAX &&
          row->value.size <= SHARD_BUFFER_ROW_MAX - row->key.size);
    struct cell *cell = find_cell(buffer, window, group, row);
    if (cell == NULL) {
        return false;
    }
    count_row(cell, row);
    size_t value_size = row->tombstone ? 0 : row->value.size;
    struct stored_row *stored = row_chunks_room(&buffer->chunks, row->key.size + value_size);
    stored->offset = row->offset;
    stored->event_time_us = row->event_time_us;
    stored->key_size = (uint32_t)row->key.size;
    stored->value_size = (uint32_t)value_size;
    stored->slot = row->source;
    stored->tombstone = row->tombstone ? 1 : 0;
    if (row->key.size > 0) {
        memcpy(stored->data, row->key.data, row->key.size);
    }
    if (value_size > 0) {
        memcpy(stored->data + row->key.size, row->value.data, value_size);
    }
    if (buffer->entry_count == buffer->entry_capacity) {
        grow_entries(buffer);
    }
    if (buffer->entry_count % CHARGE_ROWS == 0) {
        uint64_t charge = 2 * CHARGE_ROWS * sizeof(struct row_entry);
        buffer->entry_charge += charge;
        budget_charge(budget_of(buffer), charge);
    }
    buffer->entries[buffer->entry_count++] = (struct row_entry){
        .word = key_prefix(row->key),
        .place = (uint64_t)cell->group_id << ROW_ENTRY_GROUP_SHIFT |
                 (uint64_t)(uintptr_t)stored / STORED_ROW_ALIGN,
    };
    return true;
}

/* ---- sorting ---- */

static int compare_cells(const void *left, const void *right, void *context)
{
    const uint32_t *numbers = context;
    const struct cell *a = left;
    const struct cell *b = right;
    if (a->window != b->window) {
        return a->window < b->window ? -1 : 1;
    }
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    /* The pair's own cell comes first. */
    int64_t number_a = a->slot == NO_SLOT ? -1 : (int64_t)numbers[a->slot];
    int64_t number_b = b->slot == NO_SLOT ? -1 : (int64_t)numbers[b->slot];
    return (number_a > number_b) - (number_a < number_b);
}

/* The sources of the buffer as a table, and their numbers by slot. */
static void number_sources(const struct shard_buffer *buffer, struct sorted_memory *memory)
{
    struct source_table *table = &memory->index.sources;
    for (uint32_t i = 0; i < buffer->slot_count; i++) {
        source_table_add(table, buffer->slots[i].topic, buffer->slots[i].partition);
    }
    memory->numbers = malloc(buffer->slot_count * sizeof *memory->numbers);
    CHECK(memory->numbers != NULL);
    for (uint32_t i = 0; i < buffer->slot_count; i++) {
        memory->numbers[i] =
            source_table_find(table, buffer->slots[i].topic, buffer->slots[i].partition);
    }
}

static void add_cell(struct section *section, const struct cell *cell, const uint32_t *numbers)
{
    struct section_source *part = &section->sources[section->source_count++];
    *part = cell->part;
    part->source = numbers[cell->slot];
    section->rows += part->rows;
    section->tombstones += part->tombstones;
    section->key_bytes += cell->key_bytes;
    section->value_bytes += cell->value_bytes;
    KEEP_MIN(section->key_size_min, cell->key_size_min);
    KEEP_MAX(section->key_size_max, cell->key_size_max);
    KEEP_MIN(section->value_size_min, cell->value_size_min);
    KEEP_MAX(section->value_size_max, cell->value_size_max);
    KEEP_MIN(section->event_time_min_us, cell->event_time_min_us);
    KEEP_MAX(section->event_time_max_us, cell->event_time_max_us);
}

/* Sections from the cells, in order; ranks[group_id] = the section's number. */
static void make_sections(struct shard_buffer *buffer, struct sorted_memory *memory,
                          uint32_t *ranks)
{
    struct spill_index *index = &memory->index;
    index->arena = arena_new(16 * 1024);
    index->rows = buffer->entry_count;
    index->sections = arena_alloc(index->arena, buffer->group_count * sizeof *index->sections);
    struct section_source *parts = arena_alloc(index->arena, buffer->cell_count * sizeof *parts);
    qsort_r(buffer->cells, buffer->cell_count, sizeof *buffer->cells, compare_cells,
            memory->numbers);
    struct section *section = NULL;
    for (size_t i = 0; i < buffer->cell_count; i++) {
        const struct cell *cell = &buffer->cells[i];
        if (cell->slot != NO_SLOT) {
            add_cell(section, cell, memory->numbers);
            continue;
        }
        if (section != NULL) {
            parts += section->source_count;
        }
        ranks[cell->group_id] = (uint32_t)index->section_count;
        section = &index->sections[index->section_count++];
        *section = (struct section){
            .window = cell->window,
            .group = cell->group,
            .sources = parts,
            .key_size_min = UINT64_MAX,
            .value_size_min = UINT64_MAX,
            .event_time_min_us = INT64_MAX,
            .event_time_max_us = INT64_MIN,
        };
    }
    memory->starts = calloc(index->section_count + 1, sizeof *memory->starts);
    CHECK(memory->starts != NULL);
    for (size_t i = 0; i < index->section_count; i++) {
        section = &index->sections[i];
        section->value_size_min = section->value_size_min == UINT64_MAX ? 0
                                                                        : section->value_size_min;
        memory->starts[i + 1] = memory->starts[i] + section->rows;
    }
}

/* Entries from `from` to `to`, section by section, each in the order they came in. */
static void scatter(const struct row_entry *from, struct row_entry *to, size_t count,
                    const uint32_t *ranks, const struct sorted_memory *memory)
{
    size_t sections = memory->index.section_count;
    size_t *at = malloc(sections * sizeof *at);
    CHECK(at != NULL);
    memcpy(at, memory->starts, sections * sizeof *at);
    for (size_t i = 0; i < count; i++) {
        to[at[ranks[row_entry_group(&from[i])]]++] = from[i];
    }
    free(at);
}

struct sorted_rows *shard_buffer_sort(struct shard_buffer *buffer, enum row_order order)
{
    if (buffer->entry_count == 0) {
        return NULL;
    }
    struct sorted_memory *memory = calloc(1, sizeof *memory);
    uint32_t *ranks = malloc(buffer->group_count * sizeof *ranks);
    CHECK(memory != NULL && ranks != NULL);
    memory->index.order = order;
    number_sources(buffer, memory);
    make_sections(buffer, memory, ranks);

    size_t count = buffer->entry_count;
    size_t bytes = pages_round(count * sizeof *buffer->entries);
    struct row_entry *other = pages_new(bytes);
    struct row_entry *entries = buffer->entries;
    size_t entry_capacity = buffer->entry_capacity;
    if (memory->index.section_count > 1) {
        scatter(entries, other, count, ranks, memory);
        /* Now the larger mapping is the spare one: it is cut to size, and they change places. */
        entries = pages_grow(entries, entry_capacity * sizeof *entries, bytes);
        struct row_entry *scattered = other;
        other = entries;
        entries = scattered;
        entry_capacity = bytes / sizeof *entries;
    }
    free(ranks);
    for (size_t i = 0; i < memory->index.section_count; i++) {
        size_t start = memory->starts[i];
        row_sort(order, memory->numbers, entries + start, other + start,
                 memory->starts[i + 1] - start);
    }
    pages_free(entries, entry_capacity * sizeof *entries);
    memory->entries = other;
    memory->entry_bytes = bytes;
    memory->chunks = buffer->chunks;
    forget_rows(buffer);
    budget_charge(budget_of(buffer), bytes);
    return sorted_rows_new(memory);
}
