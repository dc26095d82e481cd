/* What a set of sorted rows holds, section by section. */
#include "core/spill/spill_index.h"

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
