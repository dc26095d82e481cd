/* A finished shard file goes into the store, under a URL that nobody else writes. */
#include "checkpoint/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "adapters/os/log.h"
#include "core/snapshot/names.h"
#include "core/snapshot/sidecar.h"

enum { UPLOAD_SIDECAR_MAX = 1 << 30 };

struct page_file {
    int fd;
    uint32_t page_size;
    const char *path;
};

static bool read_page(void *context, uint32_t pageno, uint8_t *ret_page, struct err *err)
{
    const struct page_file *file = context;
    off_t place = (off_t)(pageno - 1) * file->page_size;
    ssize_t got = pread(file->fd, ret_page, file->page_size, place);
    if (got == (ssize_t)file->page_size) {
        return true;
    }
    return got < 0 ? file_err(err, errno, "read", file->path)
                   : err_set(err, ERR_CORRUPT, "%s ends inside page %u", file->path, pageno);
}

/* The sidecar's body, from the local file: it is gone once it is uploaded. */
static bool make_body(const struct upload_request *request, struct buf *body, struct err *err)
{
    struct page_file file = {.page_size = request->page_size, .path = request->path};
    uint64_t size = 0;
    TRY(file_size(request->path, &size, err));
    file.fd = open(request->path, O_RDONLY | O_CLOEXEC);
    if (file.fd < 0) {
        return file_err(err, errno, "open", request->path);
    }
    struct sqlite_pages pages = {
        .read = read_page,
        .context = &file,
        .page_size = request->page_size,
        .page_count = (uint32_t)(size / request->page_size),
    };
    bool done = sidecar_body_build(&pages, body, err);
    close(file.fd);
    return done;
}

static bool put_sidecar(const struct upload_request *request, struct bytes body,
                        const struct store_etag *etag, struct arena *arena, struct err *err)
{
    AUTO(buf) struct buf object;
    buf_init(&object, UPLOAD_SIDECAR_MAX);
    TRY(sidecar_encode(body, request->page_size, etag->text, &object, err));
    struct store_content content = {.bytes = buf_bytes(&object), .type = NAMES_CONTENT_BYTES};
    return store_put_settled(request->store, names_sidecar_file(request->folder, arena), &content,
                             store_always(), NULL, err);
}

bool upload_shard(const struct upload_request *request, struct err *err)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    AUTO(buf) struct buf body;
    buf_init(&body, UPLOAD_SIDECAR_MAX);
    struct err sidecar_err;
    bool with_sidecar = request->sidecar;
    if (with_sidecar && !make_body(request, &body, &sidecar_err)) {
        log_failure(LOG_WARN, "build", &sidecar_err, "%s goes without a sidecar", request->folder);
        with_sidecar = false;
    }
    struct store_content content = {
        .path = request->path, .take_file = true, .type = NAMES_CONTENT_SQLITE};
    struct store_etag etag;
    TRY(store_put_settled(request->store, names_shard_file(request->folder, arena), &content,
                          store_always(), &etag, err));
    if (with_sidecar && !put_sidecar(request, buf_bytes(&body), &etag, arena, &sidecar_err)) {
        log_failure(LOG_WARN, "build", &sidecar_err, "%s goes without a sidecar", request->folder);
    }
    return true;
}
