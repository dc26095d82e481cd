/* Sorted rows of many sets -> one shard file.
 *
 * The happy path: a stream for every section of the shard that the filter lets in (few of many:
 * narrow.h), one merge, one row a key, one file. With `page_size` auto the size must be known
 * first: mostly the smallest and largest sizes in the sections' statistics decide it; where they do
 * not, the rows are merged twice. What can go wrong: a spill does not check, the disk is full,
 * somebody wants us to stop: no file is left. */
#include "checkpoint/shards/build.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/file.h"
#include "checkpoint/shards/build_sources.h"
#include "checkpoint/spill/narrow.h"
#include "checkpoint/spill/order_file.h"
#include "checkpoint/spill/spill_reader.h"
#include "core/record/vector.h"
#include "core/snapshot/page_size.h"
#include "core/spill/filter_stream.h"
#include "core/spill/merge.h"

enum { STOP_CHECK_ROWS = 4096 };

/* What the statistics of the sections say about the rows that will be stored. */
struct bounds {
    uint64_t key_size_min;
    uint64_t key_size_max;
    uint64_t value_size_min;
    uint64_t value_size_max;
    bool some_stored; /* at least one row certainly is: no tombstones anywhere, one section whole */
    bool tombstones;
};

struct inputs {
    const struct build_request *request;
    struct build_sources sources;
    uint32_t **maps;      /* of each set's sources */
    uint32_t **base_maps; /* of each base file's, where its order is known */
    struct row_stream **streams;
    size_t stream_count;
    size_t stream_capacity;
    struct narrowed narrowed; /* what the first pass merged, for the second */
    bool is_narrowed;
};

/* ---- the sections of one shard ---- */

/* The next section of the shard at or behind `from`; section_count at the end. Sections are sorted
 * by (window, group): two searches a window, however many shards there are. */
static size_t next_section(const struct spill_index *index, uint32_t shard, size_t from)
{
    while (from < index->section_count) {
        const struct section *section = &index->sections[from];
        if (section->group == shard) {
            return from;
        }
        if (section->group < shard) {
            from = spill_index_lower_bound(index, section->window, shard);
        } else if (section->window == INT64_MAX) {
            return index->section_count;
        } else {
            from = spill_index_lower_bound(index, section->window + 1, shard);
        }
    }
    return from;
}

static uint32_t *map_sources(const struct inputs *inputs, const struct row_set *set)
{
    uint32_t *map = calloc((size_t)set->index->sources.count + 1, sizeof *map);
    CHECK(map != NULL);
    (void)source_table_map(&set->index->sources, inputs->sources.table, map);
    return map;
}

static void inputs_init(struct inputs *inputs, const struct build_request *request)
{
    *inputs = (struct inputs){.request = request};
    build_sources_init(&inputs->sources, request);
    inputs->maps = calloc(request->set_count + 1, sizeof *inputs->maps);
    inputs->base_maps = calloc(request->base_count + 1, sizeof *inputs->base_maps);
    CHECK(inputs->maps != NULL && inputs->base_maps != NULL);
    for (size_t i = 0; i < request->set_count; i++) {
        CHECK(request->sets[i]->index->order == request->order);
        inputs->maps[i] = map_sources(inputs, request->sets[i]);
    }
    for (size_t i = 0; i < request->base_count; i++) {
        if (request->base[i].order != NULL) {
            inputs->base_maps[i] = map_sources(inputs, request->base[i].order);
        }
    }
}

static void close_streams(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->stream_count; i++) {
        row_stream_free(inputs->streams[i]);
    }
    inputs->stream_count = 0;
}

static void inputs_done(struct inputs *inputs)
{
    close_streams(inputs);
    narrowed_done(&inputs->narrowed);
    for (size_t i = 0; i < inputs->request->set_count; i++) {
        free(inputs->maps[i]);
    }
    for (size_t i = 0; i < inputs->request->base_count; i++) {
        free(inputs->base_maps[i]);
    }
    free(inputs->maps);
    free(inputs->base_maps);
    free(inputs->streams);
    build_sources_done(&inputs->sources);
}

static void add_stream(struct inputs *inputs, struct row_stream *take_stream)
{
    if (inputs->stream_count == inputs->stream_capacity) {
        size_t capacity = inputs->stream_capacity == 0 ? 16 : inputs->stream_capacity * 2;
        struct row_stream **streams = realloc(inputs->streams, capacity * sizeof *streams);
        CHECK(streams != NULL);
        inputs->streams = streams;
        inputs->stream_capacity = capacity;
    }
    inputs->streams[inputs->stream_count++] = take_stream;
}

/* Before those of the base: what is merged before loses who is of it. */
static bool narrow(struct inputs *inputs, struct err *err)
{
    struct narrow_request request = {.order = inputs->request->order,
                                     .sources = inputs->sources.table,
                                     .path = inputs->request->path,
                                     .stop = inputs->request->stop};
    TRY(narrow_streams(&request, inputs->streams, &inputs->stream_count, &inputs->narrowed, err));
    inputs->is_narrowed = true;
    return true;
}

static bool is_wanted(const struct inputs *inputs, size_t set, const struct section *section)
{
    const struct filter *filter = inputs->sources.filter;
    enum filter_verdict verdict = filter_section(filter, section, inputs->maps[set]);
    return verdict == FILTER_MIXED || filter_takes(filter, verdict);
}

/* A stream for each section but the first `skipped` that have one. */
static bool open_sections(struct inputs *inputs, size_t skipped, struct err *err)
{
    const struct build_request *request = inputs->request;
    size_t nth = 0;
    for (size_t i = 0; i < request->set_count; i++) {
        struct row_set *set = request->sets[i];
        size_t at = next_section(set->index, request->shard, 0);
        for (; at < set->index->section_count;
             at = next_section(set->index, request->shard, at + 1)) {
            if (!is_wanted(inputs, i, &set->index->sections[at]) || nth++ < skipped) {
                continue;
            }
            struct row_stream *stream = NULL;
            TRY(filter_stream_open(inputs->sources.filter, set, at, inputs->maps[i], NULL, &stream,
                                   err));
            add_stream(inputs, stream);
        }
    }
    return true;
}

/* What an earlier pass merged is read from where it is. */
static bool open_narrowed(struct inputs *inputs, struct err *err)
{
    TRY(open_sections(inputs, inputs->narrowed.merged, err));
    for (size_t i = 0; i < inputs->narrowed.count; i++) {
        struct row_stream *stream = NULL;
        TRY(narrowed_open(&inputs->narrowed, i, &stream, err));
        add_stream(inputs, stream);
    }
    return true;
}

static bool open_streams(struct inputs *inputs, struct err *err)
{
    const struct build_request *request = inputs->request;
    TRY(inputs->is_narrowed ? open_narrowed(inputs, err)
                            : open_sections(inputs, 0, err) && narrow(inputs, err));
    for (size_t i = 0; i < request->base_count; i++) {
        struct row_stream *stream = NULL;
        TRY(base_rows_open(&request->base[i], inputs->base_maps[i], request->base_rule, &stream,
                           err));
        add_stream(inputs, stream);
    }
    return true;
}

static bool merge_inputs(struct inputs *inputs, struct row_stream **ret_rows, struct err *err)
{
    if (!open_streams(inputs, err)) {
        close_streams(inputs);
        return false;
    }
    *ret_rows = merge_new(inputs->request->order, inputs->streams, inputs->stream_count);
    inputs->stream_count = 0;
    return true;
}

/* All rows to be stored, in order; counts are filled as they pass. */
static bool open_merged(struct inputs *inputs, struct dedupe_counts *counts,
                        struct row_stream **ret_rows, struct err *err)
{
    uint32_t source_count = inputs->sources.table->count;
    memset(counts->sources, 0, source_count * sizeof *counts->sources);
    *counts = (struct dedupe_counts){.sources = counts->sources, .source_count = source_count};
    struct row_stream *merged = NULL;
    TRY(merge_inputs(inputs, &merged, err));
    *ret_rows = dedupe_new(merged, counts);
    return true;
}

/* ---- the page size ---- */

static void add_bounds(struct bounds *bounds, const struct section *section,
                       enum filter_verdict verdict)
{
    bounds->tombstones = bounds->tombstones || section->tombstones > 0;
    bounds->some_stored = bounds->some_stored || verdict != FILTER_MIXED;
    if (section->key_size_min < bounds->key_size_min) {
        bounds->key_size_min = section->key_size_min;
    }
    if (section->key_size_max > bounds->key_size_max) {
        bounds->key_size_max = section->key_size_max;
    }
    if (section->tombstones == section->rows) {
        return;
    }
    if (section->value_size_min < bounds->value_size_min) {
        bounds->value_size_min = section->value_size_min;
    }
    if (section->value_size_max > bounds->value_size_max) {
        bounds->value_size_max = section->value_size_max;
    }
}

static void find_bounds(const struct inputs *inputs, struct bounds *bounds)
{
    const struct build_request *request = inputs->request;
    *bounds = (struct bounds){.key_size_min = UINT64_MAX, .value_size_min = UINT64_MAX};
    for (size_t i = 0; i < request->set_count; i++) {
        const struct spill_index *index = request->sets[i]->index;
        size_t at = next_section(index, request->shard, 0);
        for (; at < index->section_count; at = next_section(index, request->shard, at + 1)) {
            const struct section *section = &index->sections[at];
            enum filter_verdict verdict =
                filter_section(inputs->sources.filter, section, inputs->maps[i]);
            if (verdict == FILTER_MIXED || filter_takes(inputs->sources.filter, verdict)) {
                add_bounds(bounds, section, verdict);
            }
        }
    }
}

/* True: whichever rows of the sections are stored, their page size is *ret_page_size. It never
 * falls when sizes grow, and is the smallest for no rows at all. */
static bool page_size_from_bounds(const struct bounds *bounds, uint32_t *ret_page_size)
{
    uint32_t most = page_size_for(bounds->value_size_max, bounds->key_size_max);
    *ret_page_size = most;
    if (most == PAGE_SIZE_MIN) {
        return true;
    }
    return bounds->some_stored && !bounds->tombstones &&
           page_size_for(bounds->value_size_min, bounds->key_size_min) == most;
}

static bool is_stopped(const struct build_request *request)
{
    return request->stop != NULL && atomic_load_explicit(request->stop, memory_order_relaxed);
}

/* What of a row is in the `v` column. */
static uint64_t value_bytes(const struct build_request *request, const struct row *row)
{
    return request->kv->vector_dim > 0 ? vector_row_value_bytes(row->value) : row->value.size;
}

static bool count_sizes(const struct build_request *request, struct row_stream *rows,
                        struct page_size_stats *stats, struct err *err)
{
    for (;;) {
        struct row row;
        bool more;
        if (stats->rows % STOP_CHECK_ROWS == 0 && is_stopped(request)) {
            return err_set(err, ERR_STOPPED, "stopped while reading rows");
        }
        TRY(row_stream_next(rows, &row, &more, err));
        if (!more) {
            return true;
        }
        page_size_add(stats, row.key.size, value_bytes(request, &row));
    }
}

static bool choose_page_size(struct inputs *inputs, struct build_result *result, struct err *err)
{
    const struct build_request *request = inputs->request;
    result->page_size = request->page_size;
    if (request->page_size != 0 || request->kv->ops->features.folder) {
        return true;
    }
    struct bounds bounds;
    find_bounds(inputs, &bounds);
    /* the sections know the sizes of rows with all that is packed into them */
    bool known = request->base_count == 0 && request->kv->vector_dim == 0;
    if (known && page_size_from_bounds(&bounds, &result->page_size)) {
        return true;
    }
    int64_t start = clock_mono_us();
    struct row_stream *rows = NULL;
    TRY(open_merged(inputs, &result->counts, &rows, err));
    struct page_size_stats *stats = calloc(1, sizeof *stats);
    CHECK(stats != NULL);
    bool ok = count_sizes(request, rows, stats, err);
    result->page_size = page_size_auto(stats, request->kv->vector_dim);
    free(stats);
    row_stream_free(rows);
    result->sizes_us = clock_mono_us() - start;
    return ok;
}

/* ---- the file ---- */

static bool keep_order(void *context, const struct row *row, struct err *err)
{
    return order_writer_add(context, row, err);
}

static bool write_rows(struct inputs *inputs, struct order_writer *order,
                       struct build_result *result, struct err *err)
{
    const struct build_request *request = inputs->request;
    int64_t start = clock_mono_us();
    struct row_stream *rows = NULL;
    TRY(open_merged(inputs, &result->counts, &rows, err));
    if (order != NULL) {
        dedupe_listen(rows, (struct dedupe_listener){.newest = keep_order, .context = order});
    }
    struct kv_write_request write = {
        .path = request->path,
        .page_size = result->page_size,
        .cache_bytes = request->cache_bytes,
        .stop = request->stop,
    };
    struct kv_written written;
    bool ok =
        kv_write(request->kv, &write, rows, &written, &result->key_min, &result->key_max, err);
    row_stream_free(rows);
    if (!ok) {
        return false;
    }
    result->rows = written.rows;
    result->file_bytes = written.file_bytes;
    result->value_bytes = written.value_bytes;
    result->whole_rows = written.whole_rows;
    memcpy(result->checkpoint_id, written.checkpoint_id, sizeof result->checkpoint_id);
    result->write_us = clock_mono_us() - start;
    return true;
}

/* The order object is made on the way: it has the keys that the file has, and the deleted ones. */
static bool write_file(struct inputs *inputs, struct build_result *result, struct err *err)
{
    const struct build_request *request = inputs->request;
    struct order_writer *order = NULL;
    uint64_t order_rows = 0;
    if (request->order_path != NULL) {
        TRY(order_writer_new(request->order_path, request->order, request->shard,
                             inputs->sources.table, inputs->sources.some_unknown, &order, err));
    }
    bool ok = write_rows(inputs, order, result, err) &&
              (order == NULL || order_writer_finish(order, &order_rows, &result->order_bytes, err));
    order_writer_free(order);
    CHECK(!ok || order == NULL || order_rows >= result->rows);
    return ok;
}

static void remove_files(const struct build_request *request)
{
    file_discard(request->path);
    if (request->order_path != NULL) {
        file_discard(request->order_path);
    }
}

static void result_init(struct build_result *result, const struct inputs *inputs)
{
    *result = (struct build_result){0};
    buf_init(&result->key_min, SIZE_MAX);
    buf_init(&result->key_max, SIZE_MAX);
    result->counts.sources =
        calloc((size_t)inputs->sources.table->count + 1, sizeof *result->counts.sources);
    CHECK(result->counts.sources != NULL);
}

void build_result_done(struct build_result *result)
{
    free(result->counts.sources);
    buf_done(&result->key_min);
    buf_done(&result->key_max);
    *result = (struct build_result){0};
}

bool build_shard(const struct build_request *request, struct build_result *ret_result,
                 struct err *err)
{
    CHECK(request->filter->source_count == request->sources->count);
    CHECK(request->exact || request->order_path == NULL);
    struct inputs inputs;
    struct build_result result;
    inputs_init(&inputs, request);
    result_init(&result, &inputs);
    remove_files(request); /* of an attempt before; what cannot be removed fails to open */
    bool ok = choose_page_size(&inputs, &result, err) && write_file(&inputs, &result, err);
    if (ok) {
        build_sources_fold(&inputs.sources, request->sources->count, &result.counts);
    }
    inputs_done(&inputs);
    if (!ok) {
        remove_files(request);
        build_result_done(&result);
        return false;
    }
    *ret_result = result;
    return true;
}

/* ---- all rows, for who compares ---- */

struct merged_rows {
    struct row_stream stream;
    struct inputs inputs;
    struct row_stream *rows;
};

static bool next_merged(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                        struct err *err)
{
    struct merged_rows *self = (struct merged_rows *)stream;
    TRY(row_stream_next(self->rows, ret_row, ret_more, err));
    if (*ret_more && ret_row->source != ROW_SOURCE_BASE) {
        ret_row->source =
            ret_row->of_base
                ? ROW_SOURCE_BASE
                : build_sources_back(&self->inputs.sources, self->inputs.request->sources->count,
                                     ret_row->source);
    }
    return true;
}

static void free_merged(struct row_stream *stream)
{
    struct merged_rows *self = (struct merged_rows *)stream;
    row_stream_free(self->rows);
    inputs_done(&self->inputs);
    free(self);
}

static const struct row_stream_ops merged_rows_ops = {.next = next_merged, .free = free_merged};

bool build_merged(const struct build_request *request, struct row_stream **ret_rows,
                  struct err *err)
{
    struct merged_rows *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->stream.ops = &merged_rows_ops;
    inputs_init(&self->inputs, request);
    if (!merge_inputs(&self->inputs, &self->rows, err)) {
        free_merged(&self->stream);
        return false;
    }
    *ret_rows = &self->stream;
    return true;
}
