/* What a set of sorted rows holds, section by section. */
#include "core/spill/spill_index.h"

#include <stdlib.h>

struct section_source *section_sources_new(uint32_t count)
{
    struct section_source *sources = calloc((size_t)count + 1, sizeof *sources);
    CHECK(sources != NULL);
    for (uint32_t i = 0; i < count; i++) {
        sources[i].source = i;
    }
    return sources;
}

void section_count_row(struct section *section, const struct row *row)
{
    struct section_source *of = &section->sources[row->source];
    bool first = section->rows == 0;
    bool first_value = section->rows == section->tombstones;
    of->offset_min = of->rows == 0 || row->offset < of->offset_min ? row->offset : of->offset_min;
    of->offset_max = of->rows == 0 || row->offset > of->offset_max ? row->offset : of->offset_max;
    of->rows++;
    section->key_bytes += row->key.size;
    section->value_bytes += row->value.size;
    if (first || row->key.size < section->key_size_min) {
        section->key_size_min = row->key.size;
    }
    if (row->key.size > section->key_size_max) {
        section->key_size_max = row->key.size;
    }
    if (first || row->event_time_us < section->event_time_min_us) {
        section->event_time_min_us = row->event_time_us;
    }
    if (first || row->event_time_us > section->event_time_max_us) {
        section->event_time_max_us = row->event_time_us;
    }
    if (row->tombstone) {
        of->tombstones++;
        section->tombstones++;
    } else {
        if (first_value || row->value.size < section->value_size_min) {
            section->value_size_min = row->value.size;
        }
        if (row->value.size > section->value_size_max) {
            section->value_size_max = row->value.size;
        }
    }
    section->rows++;
}

void section_drop_empty_sources(struct section *section)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < section->source_count; i++) {
        if (section->sources[i].rows > 0) {
            section->sources[kept++] = section->sources[i];
        }
    }
    section->source_count = kept;
}

void spill_index_done(struct spill_index *index)
{
    source_table_done(&index->sources);
    arena_free(index->arena);
    *index = (struct spill_index){0};
}

size_t spill_index_lower_bound(const struct spill_index *index, int64_t window, uint32_t group)
{
    size_t low = 0;
    size_t high = index->section_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct section *section = &index->sections[middle];
        if (section->window < window || (section->window == window && section->group < group)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct section *spill_index_find(const struct spill_index *index, int64_t window,
                                       uint32_t group)
{
    size_t at = spill_index_lower_bound(index, window, group);
    if (at == index->section_count) {
        return NULL;
    }
    const struct section *section = &index->sections[at];
    return section->window == window && section->group == group ? section : NULL;
}
