/* What a contribution gives to a build, as one set: the content of a part. */
#include "checkpoint/spill/part_set.h"

#include <stdlib.h>

#include "checkpoint/spill/narrow.h"
#include "core/spill/filter_stream.h"
#include "core/spill/merge.h"

enum { PART_STOP_CHECK_ROWS = 4096 };

struct part_set {
    struct row_set set;
    struct spill_index index;
    struct contribution *from;
    struct filter filter;
    struct arena *arena;
    const char *path;
    const atomic_bool *stop;
    const uint32_t **maps; /* of each share's sources to the contribution's */
};

static bool open_section(struct row_set *set, size_t number, struct row_stream **ret_stream,
                         struct err *err);
static void free_set(struct row_set *set);

/* All rows of one (window, group) that the build takes, in order. */
static bool open_pair(struct part_set *part, int64_t window, uint32_t group,
                      struct row_stream **ret_stream, struct err *err)
{
    size_t count = contribution_share_count(part->from);
    struct row_stream **streams = calloc(count + 1, sizeof(void *));
    CHECK(streams != NULL);
    size_t used = 0;
    bool done = true;
    for (size_t i = 0; done && i < count; i++) {
        struct row_set *set = row_share_set(contribution_share(part->from, i));
        const struct section *section = spill_index_find(set->index, window, group);
        if (section != NULL) {
            done = filter_stream_open(&part->filter, set, (size_t)(section - set->index->sections),
                                      part->maps[i], NULL, &streams[used], err);
            used += done && streams[used] != NULL;
        }
    }
    struct narrow_request narrow = {.order = part->index.order,
                                    .sources = &part->index.sources,
                                    .path = part->path,
                                    .stop = part->stop};
    struct narrowed narrowed = {0};
    done = done && narrow_streams(&narrow, streams, &used, &narrowed, err);
    narrowed_done(&narrowed);
    if (done) {
        *ret_stream = merge_new(part->index.order, streams, used);
    }
    for (size_t i = 0; !done && i < used; i++) {
        row_stream_free(streams[i]);
    }
    free(streams);
    return done;
}

static bool open_section(struct row_set *set, size_t number, struct row_stream **ret_stream,
                         struct err *err)
{
    const struct section *section = &set->index->sections[number];
    return open_pair((struct part_set *)set, section->window, section->group, ret_stream, err);
}

static void free_set(struct row_set *set)
{
    struct part_set *part = (struct part_set *)set;
    free(part->index.sections);
    source_table_done(&part->index.sources);
    arena_free(part->arena);
    free(part);
}

static bool count_section(struct part_set *part, struct section *section, struct err *err)
{
    section->source_count = part->index.sources.count;
    section->sources = arena_zero(part->arena, section->source_count * sizeof *section->sources);
    for (uint32_t i = 0; i < section->source_count; i++) {
        section->sources[i].source = i;
    }
    struct row_stream *rows = NULL;
    TRY(open_pair(part, section->window, section->group, &rows, err));
    struct row row;
    bool more = true;
    bool done = true;
    for (uint64_t i = 1; (done = row_stream_next(rows, &row, &more, err)) && more; i++) {
        section_count_row(section, &row);
        if (i % PART_STOP_CHECK_ROWS == 0 && part->stop != NULL && atomic_load(part->stop)) {
            done = err_set(err, ERR_STOPPED, "stopped while counting a part");
            break;
        }
    }
    row_stream_free(rows);
    section_drop_empty_sources(section);
    return done;
}

static int compare_pairs(const void *left, const void *right)
{
    const struct section *a = left;
    const struct section *b = right;
    if (a->window != b->window) {
        return a->window < b->window ? -1 : 1;
    }
    return (a->group > b->group) - (a->group < b->group);
}

/* Every (window, group) that some set has, once. */
static void collect_pairs(struct part_set *part)
{
    size_t room = 0;
    size_t shares = contribution_share_count(part->from);
    for (size_t i = 0; i < shares; i++) {
        room += row_share_set(contribution_share(part->from, i))->index->section_count;
    }
    struct section *sections = calloc(room + 1, sizeof *sections);
    CHECK(sections != NULL);
    size_t count = 0;
    for (size_t i = 0; i < shares; i++) {
        const struct spill_index *index = row_share_set(contribution_share(part->from, i))->index;
        for (size_t k = 0; k < index->section_count; k++) {
            sections[count++] = (struct section){.window = index->sections[k].window,
                                                 .group = index->sections[k].group};
        }
    }
    qsort(sections, count, sizeof *sections, compare_pairs);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare_pairs(&sections[kept - 1], &sections[i]) != 0) {
            sections[kept++] = sections[i];
        }
    }
    part->index.sections = sections;
    part->index.section_count = kept;
}

static bool fill_index(struct part_set *part, struct err *err)
{
    collect_pairs(part);
    size_t kept = 0;
    for (size_t i = 0; i < part->index.section_count; i++) {
        struct section section = part->index.sections[i];
        TRY(count_section(part, &section, err));
        if (section.rows > 0) {
            part->index.rows += section.rows;
            part->index.sections[kept++] = section;
        }
    }
    part->index.section_count = kept;
    return true;
}

bool part_set_new(struct contribution *borrowed_contribution, const char *borrowed_path,
                  const atomic_bool *stop, struct row_set **ret_set, struct err *err)
{
    static const struct row_set_ops ops = {.open = open_section, .free = free_set};
    struct part_set *part = calloc(1, sizeof *part);
    CHECK(part != NULL);
    part->set = (struct row_set){.ops = &ops, .index = &part->index};
    part->from = borrowed_contribution;
    part->path = borrowed_path;
    part->stop = stop;
    part->arena = arena_new(16 * 1024);
    part->filter = contribution_filter(borrowed_contribution, part->arena);
    part->index.order = contribution_order(borrowed_contribution);
    source_table_add_all(&part->index.sources, contribution_sources(borrowed_contribution));
    size_t shares = contribution_share_count(borrowed_contribution);
    part->maps = arena_alloc(part->arena, (shares + 1) * sizeof(void *));
    for (size_t i = 0; i < shares; i++) {
        part->maps[i] = contribution_map(borrowed_contribution, i, part->arena);
    }
    if (!fill_index(part, err)) {
        free_set(&part->set);
        return false;
    }
    *ret_set = &part->set;
    return true;
}
