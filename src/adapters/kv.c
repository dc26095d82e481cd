/* What is common to all drivers of shard files. */
#include "adapters/kv.h"

#include "core/base/check.h"
#include "core/record/vector.h"

enum { STOP_CHECK_ROWS = 1024 };

/* Rows on their way into a file. */
struct counted_rows {
    struct row_stream stream;
    struct row_stream *rows; /* borrowed, as all here */
    const struct kv *kv;
    const atomic_bool *stop; /* may be NULL */
    struct kv_written *written;
    struct buf *key_min;
};

static bool next_counted(struct row_stream *stream, struct row *ret_row, bool *ret_more,
                         struct err *err)
{
    struct counted_rows *self = (struct counted_rows *)stream;
    struct kv_written *written = self->written;
    if (written->rows % STOP_CHECK_ROWS == 0 && self->stop != NULL &&
        atomic_load_explicit(self->stop, memory_order_relaxed)) {
        return err_set(err, ERR_STOPPED, "stopped while it is written");
    }
    TRY(row_stream_next(self->rows, ret_row, ret_more, err));
    if (*ret_more) {
        if (written->rows == 0) {
            buf_add_bytes(self->key_min, ret_row->key);
        }
        written->rows++;
        written->key_bytes += ret_row->key.size;
        written->value_bytes += self->kv->vector_dim > 0 ? vector_row_value_bytes(ret_row->value)
                                                         : ret_row->value.size;
    }
    return true;
}

bool kv_write(struct kv *kv, const struct kv_write_request *request, struct row_stream *rows,
              struct kv_written *ret_written, struct buf *key_min, struct buf *key_max,
              struct err *err)
{
    static const struct row_stream_ops ops = {.next = next_counted};
    struct kv_written written = {0};
    struct counted_rows counted = {.stream = {.ops = &ops},
                                   .rows = rows,
                                   .kv = kv,
                                   .stop = request->stop,
                                   .written = &written,
                                   .key_min = key_min};
    CHECK(request->path != NULL);
    buf_clear(key_min);
    buf_clear(key_max);
    if (!kv->ops->write(kv, request, &counted.stream, &written, key_max, err)) {
        return err_wrap(err, "shard file %s", request->path);
    }
    *ret_written = written;
    return true;
}

bool kv_open(struct kv *kv, const char *path, struct kv_file **ret_file, struct err *err)
{
    return kv->ops->open(kv, path, ret_file, err) || err_wrap(err, "shard file %s", path);
}

bool kv_open_range(struct kv *kv, struct range_file *take_file, struct kv_file **ret_file,
                   struct err *err)
{
    CHECK(kv->ops->features.range_read);
    return kv->ops->open_range(kv, take_file, ret_file, err);
}

struct kv_file *kv_close(struct kv_file *file)
{
    if (file != NULL) {
        file->ops->close(file);
    }
    return NULL;
}

bool kv_get(struct kv_file *file, struct bytes key, struct buf *value, bool *ret_found,
            struct err *err)
{
    return file->ops->get(file, key, value, ret_found, err);
}

bool kv_rows(struct kv_file *file, struct row_stream **ret_stream, struct err *err)
{
    struct kv_bounds all = {.has_end = false};
    return file->ops->rows(file, &all, ret_stream, err);
}

bool kv_search(struct kv_file *file, struct bytes vector, size_t count, struct arena *arena,
               struct kv_neighbour *ret_neighbours, size_t *ret_count, struct err *err)
{
    CHECK(file->ops->search != NULL && count <= KV_NEIGHBOURS_MAX);
    return file->ops->search(file, vector, count, arena, ret_neighbours, ret_count, err);
}

struct kv *kv_free(struct kv *kv)
{
    if (kv != NULL && kv->ops->free != NULL) {
        kv->ops->free(kv);
    }
    return NULL;
}

bool kv_rows_between(struct kv_file *file, const struct kv_bounds *bounds,
                     struct row_stream **ret_stream, struct err *err)
{
    return file->ops->rows(file, bounds, ret_stream, err);
}
