/* A set of rows, narrowed to ranges of offsets: what PLAN takes of a contribution. */
#include "checkpoint/spill/range_set.h"

#include <stdlib.h>

#include "core/spill/filter_stream.h"
#include "core/spill/merge.h"

struct range_set {
    struct row_set set;
    struct row_set *of;
    struct filter filter;
    struct filter_build build;
    struct filter_source *sources;
    uint32_t *map; /* every source to itself */
};

static bool open_section(struct row_set *set, size_t section, struct row_stream **ret_stream,
                         struct err *err)
{
    struct range_set *view = (struct range_set *)set;
    TRY(filter_stream_open(&view->filter, view->of, section, view->map, NULL, ret_stream, err));
    if (*ret_stream == NULL) {
        *ret_stream = merge_new(set->index->order, NULL, 0);
    }
    return true;
}

static void free_view(struct row_set *set)
{
    struct range_set *view = (struct range_set *)set;
    free(view->sources);
    free(view->map);
    free(view);
}

struct row_set *range_set_new(struct row_set *borrowed_set, const struct plan_range *ranges,
                              size_t count, const uint32_t *map)
{
    static const struct row_set_ops ops = {.open = open_section, .free = free_view};
    const struct source_table *table = &borrowed_set->index->sources;
    struct range_set *view = calloc(1, sizeof *view);
    CHECK(view != NULL);
    view->set = (struct row_set){.ops = &ops, .index = borrowed_set->index};
    view->of = borrowed_set;
    view->build = (struct filter_build){.window = INT64_MAX, .future_bound_us = INT64_MAX};
    view->sources = calloc((size_t)table->count + 1, sizeof *view->sources);
    view->map = calloc((size_t)table->count + 1, sizeof *view->map);
    CHECK(view->sources != NULL && view->map != NULL);
    for (uint32_t i = 0; i < table->count; i++) {
        view->map[i] = i;
        view->sources[i].first_build = true;
        view->sources[i].cuts = &view->sources[i].to;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t source = source_table_find(table, ranges[i].id.topic, ranges[i].id.number);
        if (source != SOURCE_NONE && (map == NULL || map[source] != SOURCE_NONE)) {
            view->sources[source].tail_from = ranges[i].from;
            view->sources[source].from = ranges[i].from;
            view->sources[source].to = ranges[i].to;
        }
    }
    view->filter = (struct filter){
        .builds = &view->build,
        .build_count = 1,
        .closed_before = INT64_MIN,
        .sources = view->sources,
        .source_count = table->count,
        .policy = {.take_late = true, .take_future = true},
    };
    return &view->set;
}
