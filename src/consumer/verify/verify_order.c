/* The order object of a stored shard against the one that its records make. */
#include "consumer/verify/verify_order.h"

#include <inttypes.h>
#include <unistd.h>

#include "checkpoint/spill/order_file.h"
#include "core/record/key.h"
#include "core/snapshot/names.h"

static void add(const struct verify_order_request *request, const char *what)
{
    struct verify_finding finding = verify_finding(VERIFY_FILE);
    finding.shard = request->shard;
    finding.what = what;
    verify_report_add(request->report, &finding);
}

/* A broken one is said, and is no failure of ours. */
static bool say_broken(const struct verify_order_request *request, struct err *err)
{
    if (err->kind != ERR_CORRUPT && err->kind != ERR_MISSING && err->kind != ERR_INPUT) {
        return false;
    }
    AUTO(arena) struct arena *arena = arena_new(1024);
    add(request, arena_format(arena, "its order object: %s", err->message));
    *err = (struct err){0};
    return true;
}

static bool same_record(const struct row_set *made, const struct row *a,
                        const struct row_set *stored, const struct row *b)
{
    const struct source_name *left = &made->index->sources.names[a->source];
    const struct source_name *right = &stored->index->sources.names[b->source];
    return bytes_equal(a->key, b->key) && a->tombstone == b->tombstone && a->offset == b->offset &&
           a->event_time_us == b->event_time_us &&
           source_name_compare(left->topic, left->partition, right->topic, right->partition) == 0;
}

static const char *row_text(const struct row_set *set, const struct row *row, struct arena *arena)
{
    const struct source_name *name = &set->index->sources.names[row->source];
    return arena_format(arena, "%s/%d offset %" PRId64 "%s", name->topic, (int)name->partition,
                        row->offset, row->tombstone ? ", deleted" : "");
}

/* The first row that differs: all behind it may be moved by one. */
static void add_difference(const struct verify_order_request *request, const struct row_set *made,
                           const struct row *expected, const struct row_set *stored,
                           const struct row *found)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    AUTO(buf) struct buf key;
    buf_init(&key, SIZE_MAX);
    key_print(request->manifest->key_encoding, expected != NULL ? expected->key : found->key, &key);
    struct verify_finding finding = verify_finding(VERIFY_FILE);
    finding.shard = request->shard;
    finding.what = "its order object";
    finding.key = buf_text(&key);
    finding.expected = expected == NULL ? "no such key" : row_text(made, expected, arena);
    finding.found = found == NULL ? "no such key" : row_text(stored, found, arena);
    verify_report_add(request->report, &finding);
}

struct side {
    struct row_set *set;
    struct row_stream *rows;
    struct row row;
    bool more;
};

static bool advance(struct side *side, struct err *err)
{
    side->more = false;
    return side->rows == NULL || row_stream_next(side->rows, &side->row, &side->more, err);
}

static bool compare(const struct verify_order_request *request, struct side *made,
                    struct side *stored, bool *ret_broken, struct err *err)
{
    for (;;) {
        TRY(advance(made, err));
        *ret_broken = true;
        TRY(advance(stored, err));
        *ret_broken = false;
        if (!made->more && !stored->more) {
            return true;
        }
        if (!made->more || !stored->more ||
            !same_record(made->set, &made->row, stored->set, &stored->row)) {
            bool made_first = made->more &&
                              (!stored->more || bytes_compare(made->row.key, stored->row.key) <= 0);
            bool stored_first = stored->more &&
                                (!made->more || bytes_compare(stored->row.key, made->row.key) <= 0);
            add_difference(request, made->set, made_first ? &made->row : NULL, stored->set,
                           stored_first ? &stored->row : NULL);
            return true;
        }
    }
}

static bool open_side(const char *path, struct side *side, struct err *err)
{
    return order_file_open(path, &side->set, err) && row_set_open(side->set, 0, &side->rows, err);
}

static void close_side(struct side *side)
{
    row_stream_free(side->rows);
    row_set_free(side->set);
}

static bool compare_files(const struct verify_order_request *request, const char *stored_path,
                          struct err *err)
{
    struct side made = {0};
    struct side stored = {0};
    bool broken = true;
    bool done = stored_path == NULL || open_side(stored_path, &stored, err);
    if (done) {
        broken = false;
        done = (request->made == NULL || open_side(request->made, &made, err)) &&
               compare(request, &made, &stored, &broken, err);
    }
    close_side(&made);
    close_side(&stored);
    return done || (broken && say_broken(request, err));
}

bool verify_order(const struct verify_order_request *request, struct err *err)
{
    if (request->attempt == NULL) {
        return compare_files(request, NULL, err);
    }
    AUTO(arena) struct arena *arena = arena_new(4096);
    const char *name = NULL;
    const char *path = arena_format(arena, "%s/stored.order", request->folder);
    (void)unlink(path);
    if (!catalog_name_of(request->catalog, names_order_file(request->attempt, arena),
                         request->manifest->s3_prefix, arena, &name, err) ||
        !store_get_to_file(request->catalog->borrowed_store, name, path, NULL, err)) {
        return say_broken(request, err);
    }
    bool done = compare_files(request, path, err);
    (void)unlink(path);
    return done;
}
