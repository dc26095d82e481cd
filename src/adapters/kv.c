/* What is common to all drivers of shard files. */
#include "adapters/kv.h"

#include "core/base/check.h"

bool kv_write(struct kv *kv, const struct kv_write_request *request, struct row_stream *rows,
              struct kv_written *ret_written, struct buf *key_min, struct buf *key_max,
              struct err *err)
{
    CHECK(request->path != NULL);
    buf_clear(key_min);
    buf_clear(key_max);
    return kv->ops->write(kv, request, rows, ret_written, key_min, key_max, err) ||
           err_wrap(err, "shard file %s", request->path);
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
