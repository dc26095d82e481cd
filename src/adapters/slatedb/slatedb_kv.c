/* Shards of SlateDB, written and read through the door of shim/.
 *
 * The happy path: an empty folder, the rows in key order, all of them flushed into files, a
 * checkpoint, closed: then nothing changes the folder any more, and its files can be uploaded one
 * by one. What can go wrong: the disk is full, the stream fails, somebody wants us to stop: the
 * database is given up, and whoever asked for it removes the folder. */
#include "adapters/slatedb/slatedb_kv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/os/file.h"
#include "adapters/os/file_tree.h"
#include "adapters/slatedb/slatedb_shim.h"
#include "core/snapshot/backend.h"

_Static_assert((int)KV_CHECKPOINT_SIZE == (int)SLATEDB_SHIM_CHECKPOINT_SIZE, "32 hex digits");

static bool shim_err(struct err *err, const struct slatedb_shim_error *from)
{
    static const enum err_kind kinds[] = {
        [SLATEDB_SHIM_CORRUPT] = ERR_CORRUPT,
        [SLATEDB_SHIM_FULL] = ERR_LIMIT,
        [SLATEDB_SHIM_TRANSIENT] = ERR_TRANSIENT,
        [SLATEDB_SHIM_BUG] = ERR_TRANSIENT, /* another attempt may do */
    };
    bool known = from->kind > 0 && (size_t)from->kind < LENGTH_OF(kinds);
    return err_set(err, known ? kinds[from->kind] : ERR_TRANSIENT, "SlateDB: %.400s",
                   from->message);
}

/* ---- writing ---- */

/* The merge gives each key once, in order, and the decoder lets no other sizes in. An empty one is
 * before all others, and none of them. */
static bool check_key(struct bytes key, struct bytes before, struct err *err)
{
    if (key.size < SLATEDB_KEY_BYTES_MIN || key.size > SLATEDB_KEY_BYTES_MAX) {
        return err_set(err, ERR_CORRUPT, "a key of %zu bytes: SlateDB's have 1 to 65535", key.size);
    }
    return bytes_compare(before, key) < 0 ||
           err_set(err, ERR_CORRUPT, "a key that comes twice, or not in order");
}

static bool write_rows(struct slatedb_shim_writer *writer, struct row_stream *rows,
                       struct buf *key_max, struct err *err)
{
    for (;;) {
        struct row row;
        bool more = false;
        struct slatedb_shim_error failed;
        TRY(row_stream_next(rows, &row, &more, err));
        if (!more) {
            return true;
        }
        TRY(check_key(row.key, buf_bytes(key_max), err));
        if (!slatedb_shim_put(writer, row.key.data, row.key.size, row.value.data, row.value.size,
                              &failed)) {
            return shim_err(err, &failed);
        }
        buf_clear(key_max);
        buf_add_bytes(key_max, row.key);
    }
}

static bool write_folder(struct kv *kv, const struct kv_write_request *request,
                         struct row_stream *rows, struct kv_written *written, struct buf *key_max,
                         struct err *err)
{
    (void)kv;
    struct slatedb_shim_writer *writer = NULL;
    struct slatedb_shim_error failed;
    if (mkdir(request->path, 0777) != 0) {
        return file_err(err, errno, "make", request->path);
    }
    if (!slatedb_shim_create(request->path, request->cache_bytes, &writer, &failed)) {
        return shim_err(err, &failed);
    }
    if (!write_rows(writer, rows, key_max, err)) {
        slatedb_shim_give_up(writer);
        return false;
    }
    if (!slatedb_shim_finish(writer, &written->checkpoint_id, &failed)) {
        return shim_err(err, &failed);
    }
    return file_tree_size(request->path, &written->file_bytes, err);
}

/* ---- reading ---- */

struct slatedb_file {
    struct kv_file file;
    struct slatedb_shim_reader *reader;
};

static bool open_folder(struct kv *kv, const char *path, struct kv_file **ret_file, struct err *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return file_err(err, errno, "open", path);
    }
    if (!S_ISDIR(status.st_mode)) {
        return err_set(err, ERR_CORRUPT, "not a folder, as a shard of SlateDB is");
    }
    struct slatedb_shim_error failed;
    struct slatedb_shim_reader *reader = NULL;
    if (!slatedb_shim_open(path, &reader, &failed)) {
        return shim_err(err, &failed);
    }
    struct slatedb_file *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    *self = (struct slatedb_file){.file.ops = kv->ops, .reader = reader};
    *ret_file = &self->file;
    return true;
}

static void close_folder(struct kv_file *file)
{
    struct slatedb_file *self = (struct slatedb_file *)file;
    slatedb_shim_close(self->reader);
    free(self);
}

static void take_value(void *to, const uint8_t *data, size_t size)
{
    buf_add_bytes(to, bytes_of(data, size));
}

static bool get_value(struct kv_file *file, struct bytes key, struct buf *value, bool *ret_found,
                      struct err *err)
{
    struct slatedb_file *self = (struct slatedb_file *)file;
    struct slatedb_shim_error failed;
    if (key.size < SLATEDB_KEY_BYTES_MIN || key.size > SLATEDB_KEY_BYTES_MAX) {
        *ret_found = false; /* no shard of SlateDB has such keys */
        return true;
    }
    if (!slatedb_shim_get(self->reader, key.data, key.size, take_value, value, ret_found,
                          &failed)) {
        return shim_err(err, &failed);
    }
    return true;
}

struct slatedb_rows {
    struct row_stream stream;
    struct slatedb_shim_rows *rows; /* NULL: the bounds hold nothing */
};

static bool next_row(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                     struct err *err)
{
    struct slatedb_rows *self = (struct slatedb_rows *)stream;
    struct slatedb_shim_error failed;
    struct bytes key = {0};
    struct bytes value = {0};
    *ret_more = false;
    if (self->rows != NULL && !slatedb_shim_next(self->rows, &key.data, &key.size, &value.data,
                                                 &value.size, ret_more, &failed)) {
        return shim_err(err, &failed);
    }
    if (*ret_more) {
        *ret_row = (struct row){
            .key = key, .value = value, .source = ROW_SOURCE_BASE, .event_time_us = INT64_MIN};
    }
    return true;
}

static void free_rows(struct row_stream *stream)
{
    struct slatedb_rows *self = (struct slatedb_rows *)stream;
    if (self->rows != NULL) {
        slatedb_shim_end(self->rows);
    }
    free(self);
}

static const struct row_stream_ops slatedb_rows_ops = {.next = next_row, .free = free_rows};

static bool scan_rows(struct kv_file *file, const struct kv_bounds *bounds,
                      struct row_stream **ret_stream, struct err *err)
{
    struct slatedb_file *self = (struct slatedb_file *)file;
    struct slatedb_shim_rows *rows = NULL;
    struct slatedb_shim_error failed;
    bool some = !bounds->has_end || bytes_compare(bounds->from, bounds->to) < 0;
    if (some &&
        !slatedb_shim_scan(self->reader, bounds->from.data, bounds->from.size, bounds->to.data,
                           bounds->to.size, bounds->has_end, &rows, &failed)) {
        return shim_err(err, &failed);
    }
    struct slatedb_rows *stream = calloc(1, sizeof *stream);
    CHECK(stream != NULL);
    *stream = (struct slatedb_rows){.stream.ops = &slatedb_rows_ops, .rows = rows};
    *ret_stream = &stream->stream;
    return true;
}

static const struct kv_ops slatedb_kv_ops = {
    .write = write_folder,
    .open = open_folder,
    .close = close_folder,
    .get = get_value,
    .rows = scan_rows,
    .features = {.folder = true,
                 .named_last = "manifest/",
                 .key_bytes_min = SLATEDB_KEY_BYTES_MIN,
                 .key_bytes_max = SLATEDB_KEY_BYTES_MAX},
    .name = "slatedb",
};

const char *slatedb_kv_version(void)
{
    return slatedb_shim_version();
}

struct kv *slatedb_kv(void)
{
    static struct kv driver = {.ops = &slatedb_kv_ops};
    return &driver;
}
