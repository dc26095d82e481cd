/* The sidecar's body of a local shard file. */
#include "checkpoint/shards/shard_sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "core/base/bytes.h"
#include "core/snapshot/page_size.h"
#include "core/snapshot/sidecar_body.h"

enum {
    HEADER_BYTES = 100,
    PAGE_SIZE_PLACE = 16,     /* big-endian u16; 1 is 65536 */
    AHEAD_BYTES = 256 * 1024, /* read at once, where all is read: pages lie mostly in order */
};

struct page_file {
    const char *path;
    int fd;
    uint32_t page_size;
    uint64_t size;
    uint8_t *ahead;
    size_t ahead_bytes;
    uint64_t ahead_place;
    size_t ahead_size;
};

static bool read_page(void *context, uint32_t pageno, uint8_t *ret_page, struct err *err)
{
    struct page_file *file = context;
    uint64_t place = ((uint64_t)pageno - 1) * file->page_size;
    if (place < file->ahead_place ||
        place + file->page_size > file->ahead_place + file->ahead_size) {
        uint64_t left = file->size - place;
        size_t size = left < file->ahead_bytes ? (size_t)left : file->ahead_bytes;
        file->ahead_size = 0;
        TRY(file_read_at(file->fd, place, file->ahead, size, file->path, err));
        file->ahead_place = place;
        file->ahead_size = size;
    }
    memcpy(ret_page, file->ahead + (place - file->ahead_place), file->page_size);
    return true;
}

static bool open_pages(struct page_file *file, bool whole_rows, struct sqlite_pages *pages,
                       struct err *err)
{
    uint8_t header[HEADER_BYTES];
    TRY(file_read_at(file->fd, 0, header, sizeof header, file->path, err));
    uint32_t page_size = (uint32_t)header[PAGE_SIZE_PLACE] << 8 | header[PAGE_SIZE_PLACE + 1];
    file->page_size = page_size == 1 ? PAGE_SIZE_MAX : page_size;
    if (!page_size_is_valid(file->page_size) || file->size % file->page_size != 0 ||
        file->size / file->page_size > UINT32_MAX) {
        return err_set(err, ERR_INPUT, "%s: %llu bytes in pages of %u", file->path,
                       (unsigned long long)file->size, file->page_size);
    }
    file->ahead_bytes = whole_rows ? file->page_size : AHEAD_BYTES;
    *pages = (struct sqlite_pages){
        .read = read_page,
        .context = file,
        .page_size = file->page_size,
        .page_count = (uint32_t)(file->size / file->page_size),
        .whole_rows = whole_rows,
    };
    return true;
}

bool shard_sidecar_body(const char *path, bool whole_rows, struct buf *to, uint32_t *ret_page_size,
                        struct err *err)
{
    struct page_file file = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) {
        return file_err(err, errno, "open", path);
    }
    struct stat status;
    bool ok = fstat(file.fd, &status) == 0 || file_err(err, errno, "look at", path);
    if (ok) {
        file.size = (uint64_t)status.st_size;
        file.ahead = malloc(AHEAD_BYTES);
        CHECK(file.ahead != NULL);
        struct sqlite_pages pages;
        ok = open_pages(&file, whole_rows, &pages, err) && sidecar_body_build(&pages, to, err);
        free(file.ahead);
    }
    (void)close(file.fd);
    if (ok) {
        *ret_page_size = file.page_size;
    }
    return ok;
}
