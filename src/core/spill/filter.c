/* Which build a row belongs to. */
#include "core/spill/filter.h"

#include "core/base/check.h"

/* The first build whose cut for the source is above `offset`; the last one when none is (then the
 * offset is outside, which the caller has looked at). */
static size_t first_above(const struct filter *filter, const struct filter_source *source,
                          int64_t offset)
{
    size_t build = filter->build_count - 1;
    while (build > 0 && source->cuts[build - 1] > offset) {
        build--;
    }
    return build;
}

static bool is_outside(const struct filter *filter, const struct filter_source *source,
                       int64_t offset)
{
    return offset < source->tail_from || offset >= source->cuts[filter->build_count - 1] ||
           offset < source->from || offset >= source->to;
}

/* The verdict on a row of which the first build with a cut above it is known. */
static enum filter_verdict judge(const struct filter *filter, const struct filter_source *source,
                                 size_t first, int64_t window, int64_t event_time_us)
{
    size_t last = filter->build_count - 1;
    if (event_time_us > filter->builds[first].future_bound_us) {
        return first == last ? FILTER_FUTURE : FILTER_PUBLISHED;
    }
    for (size_t build = first; build < last; build++) {
        if (filter->builds[build].window >= window) {
            return FILTER_PUBLISHED;
        }
    }
    if (filter->builds[last].window < window) {
        return FILTER_LATER;
    }
    return window <= filter->closed_before && !source->first_build ? FILTER_LATE : FILTER_TAKE;
}

enum filter_verdict filter_row(const struct filter *filter, int64_t window, uint32_t source,
                               int64_t offset, int64_t event_time_us)
{
    CHECK(source < filter->source_count);
    const struct filter_source *of = &filter->sources[source];
    if (is_outside(filter, of, offset)) {
        return FILTER_OUTSIDE;
    }
    return judge(filter, of, first_above(filter, of, offset), window, event_time_us);
}

/* The verdict on the part of a section that came from one source. */
static enum filter_verdict judge_part(const struct filter *filter, const struct section *section,
                                      const struct section_source *part, uint32_t source)
{
    if (source == SOURCE_NONE) {
        return FILTER_OUTSIDE;
    }
    CHECK(source < filter->source_count);
    const struct filter_source *of = &filter->sources[source];
    int64_t cut = of->cuts[filter->build_count - 1];
    int64_t from = of->tail_from > of->from ? of->tail_from : of->from;
    int64_t to = cut < of->to ? cut : of->to;
    if (from >= to || part->offset_max < from || part->offset_min >= to) {
        return FILTER_OUTSIDE;
    }
    if (part->offset_min < from || part->offset_max >= to) {
        return FILTER_MIXED;
    }
    size_t first = first_above(filter, of, part->offset_min);
    int64_t bound = filter->builds[first].future_bound_us;
    if (first != first_above(filter, of, part->offset_max) ||
        (section->event_time_min_us <= bound) != (section->event_time_max_us <= bound)) {
        return FILTER_MIXED;
    }
    return judge(filter, of, first, section->window, section->event_time_min_us);
}

enum filter_verdict filter_section(const struct filter *filter, const struct section *section,
                                   const uint32_t *map)
{
    enum filter_verdict all = FILTER_MIXED;
    for (uint32_t i = 0; i < section->source_count; i++) {
        const struct section_source *part = &section->sources[i];
        enum filter_verdict verdict = judge_part(filter, section, part, map[part->source]);
        if (verdict == FILTER_MIXED || (i > 0 && verdict != all)) {
            return FILTER_MIXED;
        }
        all = verdict;
    }
    return all;
}
