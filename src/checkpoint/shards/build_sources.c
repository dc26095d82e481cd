/* Which source is which in one build. */
#include "checkpoint/shards/build_sources.h"

#include <stdlib.h>

#include "checkpoint/shards/build.h"
#include "checkpoint/spill/order_file.h"

/* All sources of a base that are known: of removed topics, too. */
static void add_base(struct build_sources *sources, const struct build_request *request)
{
    for (size_t i = 0; i < request->base_count; i++) {
        const struct row_set *order = request->base[i].order;
        sources->some_unknown = sources->some_unknown || order == NULL;
        for (uint32_t k = 0; order != NULL && k < order->index->sources.count; k++) {
            const struct source_name *name = &order->index->sources.names[k];
            if (strcmp(name->topic, ORDER_UNKNOWN_TOPIC) == 0) {
                sources->some_unknown = true;
            } else {
                source_table_add(&sources->owned.table, name->topic, name->partition);
            }
        }
    }
}

/* A source of the base alone has no records in the build: no offset is below its cut. */
static void widen_filter(struct build_sources *sources, const struct build_request *request)
{
    uint32_t count = sources->owned.table.count;
    const struct filter *of = request->filter;
    struct filter_source *widened = calloc((size_t)count + 1, sizeof *widened);
    int64_t *no_cuts = calloc(of->build_count + 1, sizeof *no_cuts);
    CHECK(widened != NULL && no_cuts != NULL);
    for (uint32_t i = 0; i < count; i++) {
        widened[i].cuts = no_cuts;
    }
    for (uint32_t i = 0; i < request->sources->count; i++) {
        widened[sources->owned.numbers[i]] = of->sources[i];
    }
    sources->owned.sources = widened;
    sources->owned.no_cuts = no_cuts;
    sources->owned.filter = *of;
    sources->owned.filter.sources = widened;
    sources->owned.filter.source_count = count;
}

void build_sources_init(struct build_sources *sources, const struct build_request *request)
{
    *sources = (struct build_sources){.table = request->sources, .filter = request->filter};
    if (!request->exact) {
        return;
    }
    source_table_add_all(&sources->owned.table, request->sources);
    add_base(sources, request);
    sources->owned.numbers = calloc((size_t)request->sources->count + 1, sizeof(uint32_t));
    CHECK(sources->owned.numbers != NULL);
    if (!source_table_map(request->sources, &sources->owned.table, sources->owned.numbers) ||
        sources->owned.table.count != request->sources->count) {
        widen_filter(sources, request);
        sources->table = &sources->owned.table;
        sources->filter = &sources->owned.filter;
        sources->numbers = sources->owned.numbers;
    }
}

void build_sources_done(struct build_sources *sources)
{
    source_table_done(&sources->owned.table);
    free(sources->owned.sources);
    free(sources->owned.no_cuts);
    free(sources->owned.numbers);
}

void build_sources_fold(const struct build_sources *sources, uint32_t count,
                        struct dedupe_counts *counts)
{
    for (uint32_t i = 0; sources->numbers != NULL && i < count; i++) { /* numbers ascend */
        counts->sources[i] = counts->sources[sources->numbers[i]];
    }
    counts->source_count = count;
}

uint32_t build_sources_back(const struct build_sources *sources, uint32_t count, uint32_t source)
{
    if (sources->numbers == NULL) {
        return source;
    }
    for (uint32_t i = 0; i < count && sources->numbers[i] <= source; i++) {
        if (sources->numbers[i] == source) {
            return i;
        }
    }
    return SOURCE_NONE;
}
