/* The order object of a shard.
 *
 * Which sources occur is known at the end. Mostly all do; where some do not, the file, which has no
 * values and is small, is written once more with the numbers of those that do. */
#include "checkpoint/spill/order_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "checkpoint/spill/spill_out.h"
#include "checkpoint/spill/spill_reader.h"

struct order_writer {
    char *path;
    struct spill_out *out;
    enum row_order order;
    struct source_table sources;
    bool some_unknown; /* source 0 is theirs, and all others go up by one */
    struct section section;
};

bool order_writer_new(const char *path, enum row_order order, uint32_t shard,
                      const struct source_table *borrowed_sources, bool some_unknown,
                      struct order_writer **ret_writer, struct err *err)
{
    struct spill_out *out = NULL;
    TRY(spill_out_open(path, order, &out, err));
    struct order_writer *writer = calloc(1, sizeof *writer);
    CHECK(writer != NULL);
    *writer = (struct order_writer){.path = strdup(path),
                                    .out = out,
                                    .order = order,
                                    .some_unknown = some_unknown,
                                    .section = {.group = shard}};
    CHECK(writer->path != NULL);
    if (some_unknown) {
        source_table_add(&writer->sources, ORDER_UNKNOWN_TOPIC, 0);
    }
    source_table_add_all(&writer->sources, borrowed_sources);
    CHECK(writer->sources.count == borrowed_sources->count + some_unknown);
    writer->section.sources = section_sources_new(writer->sources.count);
    *ret_writer = writer;
    return true;
}

struct order_writer *order_writer_free(struct order_writer *writer)
{
    if (writer != NULL) {
        spill_out_free(writer->out);
        source_table_done(&writer->sources);
        free(writer->section.sources);
        free(writer->path);
        free(writer);
    }
    return NULL;
}

bool order_writer_add(struct order_writer *writer, const struct row *row, struct err *err)
{
    struct row kept = *row;
    kept.value = bytes_of(NULL, 0);
    kept.of_base = false;
    if (row->source == ROW_SOURCE_BASE) {
        CHECK(writer->some_unknown);
        kept.source = 0;
    } else {
        kept.source += writer->some_unknown;
        CHECK(kept.source < writer->sources.count);
    }
    section_count_row(&writer->section, &kept); /* until the end all sources have a place */
    return spill_out_row(writer->out, &kept, err);
}

/* ---- the end ---- */

static bool finish(struct spill_out *out, enum row_order order, struct source_table sources,
                   struct section *section, uint64_t *ret_bytes, struct err *err)
{
    struct spill_index index = {.sources = sources,
                                .order = order,
                                .sections = section,
                                .section_count = 1,
                                .rows = section->rows};
    struct spill_out_end end;
    TRY(spill_out_section(out, section, err) && spill_out_finish(out, &index, false, &end, err));
    *ret_bytes = end.bytes;
    return true;
}

/* Leaves the sources that occur, and says which number each has then. */
static void leave_used(struct order_writer *writer, struct source_table *used, uint32_t *map)
{
    struct section *section = &writer->section;
    for (uint32_t i = 0; i < writer->sources.count; i++) {
        if (section->sources[i].rows > 0) {
            const struct source_name *name = &writer->sources.names[i];
            source_table_add(used, name->topic, name->partition);
            map[i] = section->source_count;
            section->sources[section->source_count++] = section->sources[i];
        }
    }
}

static bool copy_rows(struct row_set *set, const uint32_t *map, struct spill_out *out,
                      struct err *err)
{
    struct row_stream *rows = NULL;
    TRY(row_set_open(set, 0, &rows, err));
    bool ok = true;
    for (bool more = true; ok && more;) {
        struct row row;
        ok = row_stream_next(rows, &row, &more, err);
        if (ok && more) {
            row.source = map[row.source];
            ok = spill_out_row(out, &row, err);
        }
    }
    row_stream_free(rows);
    return ok;
}

static bool write_again(struct order_writer *writer, const struct source_table *used,
                        const uint32_t *map, uint64_t *ret_bytes, struct err *err)
{
    char *path = NULL;
    CHECK(asprintf(&path, "%s.again", writer->path) > 0);
    (void)unlink(path); /* of an attempt before */
    struct row_set *set = NULL;
    struct spill_out *out = NULL;
    struct section section = writer->section;
    for (uint32_t i = 0; i < section.source_count; i++) {
        section.sources[i].source = i;
    }
    bool ok = spill_open_file(writer->path, &set, err) &&
              spill_out_open(path, writer->order, &out, err) && copy_rows(set, map, out, err) &&
              finish(out, writer->order, *used, &section, ret_bytes, err);
    row_set_free(set);
    spill_out_free(out);
    ok = ok && (rename(path, writer->path) == 0 || file_err(err, errno, "rename", path));
    if (!ok) {
        (void)unlink(path);
        (void)unlink(writer->path);
    }
    free(path);
    return ok;
}

bool order_writer_finish(struct order_writer *writer, uint64_t *ret_rows, uint64_t *ret_bytes,
                         struct err *err)
{
    *ret_rows = 0;
    *ret_bytes = 0;
    if (writer->section.rows == 0) {
        writer->out = spill_out_free(writer->out);
        return true;
    }
    struct source_table used = {0};
    uint32_t *map = calloc(writer->sources.count, sizeof *map);
    CHECK(map != NULL);
    leave_used(writer, &used, map);
    uint64_t bytes = 0;
    bool ok = finish(writer->out, writer->order, writer->sources, &writer->section, &bytes, err) &&
              (used.count == writer->sources.count || write_again(writer, &used, map, &bytes, err));
    source_table_done(&used);
    free(map);
    TRY(ok);
    *ret_rows = writer->section.rows;
    *ret_bytes = bytes;
    return true;
}

bool order_file_open(const char *path, struct row_set **ret_set, struct err *err)
{
    struct row_set *set = NULL;
    TRY(spill_open_file(path, &set, err));
    if (set->index->section_count != 1) {
        row_set_free(set);
        return err_set(err, ERR_CORRUPT, "%s: a spill, and not an order object", path);
    }
    *ret_set = set;
    return true;
}
