/* Shard files of SQLite. */
#include "adapters/sqlite/sqlite_kv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/sqlite/db.h"
#include "adapters/sqlite/sqlite_read.h"
#include "core/snapshot/sqlite_writer.h"

enum { GATHER_BYTES = 256 * 1024 };

/* ---- writing ---- */

/* The file, and pages that lie one behind the other and are not written yet. */
struct page_file {
    const char *path;
    int fd;
    uint32_t page_size;
    uint8_t *bytes;
    size_t size;
    uint64_t place; /* of bytes[0] */
};

static bool flush_pages(struct page_file *file, struct err *err)
{
    size_t size = file->size;
    file->size = 0;
    return file_write_at(file->fd, file->place, bytes_of(file->bytes, size), file->path, err);
}

static bool write_page(void *context, uint32_t pageno, const uint8_t *page, struct err *err)
{
    struct page_file *file = context;
    uint64_t place = (uint64_t)(pageno - 1) * file->page_size;
    if (place < file->place + file->size) {
        return file_write_at(file->fd, place, bytes_of(page, file->page_size), file->path, err);
    }
    if (place != file->place + file->size || file->size + file->page_size > GATHER_BYTES) {
        TRY(flush_pages(file, err));
        file->place = place;
    }
    memcpy(file->bytes + file->size, page, file->page_size);
    file->size += file->page_size;
    return true;
}

static bool write_rows(struct row_stream *rows, struct sqlite_writer *writer, struct err *err)
{
    for (;;) {
        struct row row;
        bool more;
        TRY(row_stream_next(rows, &row, &more, err));
        if (!more) {
            return true;
        }
        TRY(sqlite_writer_add(writer, row.key, row.value, err));
    }
}

static bool fill_file(struct page_file *file, struct row_stream *rows, struct kv_written *written,
                      struct buf *key_max, struct err *err)
{
    struct sqlite_page_sink sink = {.write = write_page, .context = file};
    struct sqlite_writer *writer = sqlite_writer_new(file->page_size, sink);
    uint32_t page_count = 0;
    bool ok = write_rows(rows, writer, err) && sqlite_writer_finish(writer, &page_count, err) &&
              flush_pages(file, err);
    buf_add_bytes(key_max, sqlite_writer_last_key(writer));
    written->file_bytes = (uint64_t)page_count * file->page_size;
    written->whole_rows = sqlite_writer_has_whole_rows(writer);
    sqlite_writer_free(writer);
    return ok;
}

static bool write_file(struct kv *kv, const struct kv_write_request *request,
                       struct row_stream *rows, struct kv_written *written, struct buf *key_max,
                       struct err *err)
{
    (void)kv;
    struct page_file file = {.path = request->path, .page_size = request->page_size};
    file.fd = open(request->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.fd < 0) {
        return file_err(err, errno, "create", request->path);
    }
    file.bytes = malloc(GATHER_BYTES);
    CHECK(file.bytes != NULL);
    bool ok = fill_file(&file, rows, written, key_max, err);
    free(file.bytes);
    if (close(file.fd) != 0 && ok) {
        ok = file_err(err, errno, "close", request->path);
    }
    return ok;
}

/* ---- reading ---- */

static bool open_file(struct kv *kv, const char *path, struct kv_file **ret_file, struct err *err)
{
    return sqlite_read_open(kv->ops, path, ret_file, err);
}

static bool open_range(struct kv *kv, struct range_file *take_file, struct kv_file **ret_file,
                       struct err *err)
{
    return sqlite_read_open_range(kv->ops, take_file, ret_file, err);
}

static const struct kv_ops sqlite_kv_ops = {
    .write = write_file,
    .open = open_file,
    .open_range = open_range,
    .close = sqlite_read_close,
    .get = sqlite_read_get,
    .rows = sqlite_read_rows,
    .features = {.same_bytes = true, .range_read = true},
    .name = "sqlite",
};

struct kv *sqlite_kv(void)
{
    static struct kv driver = {.ops = &sqlite_kv_ops};
    return &driver;
}

const char *sqlite_kv_version(void)
{
    return sqlite3_libversion();
}
