/* The file of a spill in the making: rows in, blocks, index and footer out. */
#include "checkpoint/spill/spill_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "core/spill/block.h"
#include "core/spill/spill_format.h"

enum {
    GATHER_BYTES = 256 * 1024, /* written at once: a system call costs as much as some kilobytes */
};

struct spill_out {
    char *path;
    int fd; /* -1: finished and closed */
    bool finished;
    struct buf gathered;
    uint64_t written; /* bytes of the file so far, gathered ones included */
    uint64_t section; /* where the section in hand begins */
    uint64_t digest;  /* of the section in hand */
    struct block_writer *blocks;
};

static bool flush(struct spill_out *out, struct err *err)
{
    TRY(file_write_all(out->fd, buf_bytes(&out->gathered), out->path, err));
    buf_clear(&out->gathered);
    return true;
}

static bool put(struct spill_out *out, struct bytes bytes, struct err *err)
{
    out->written += bytes.size;
    if (out->gathered.size + bytes.size > GATHER_BYTES) {
        TRY(flush(out, err));
    }
    if (bytes.size >= GATHER_BYTES) {
        return file_write_all(out->fd, bytes, out->path, err);
    }
    buf_add_bytes(&out->gathered, bytes);
    return true;
}

bool spill_out_open(const char *path, enum row_order order, struct spill_out **ret_out,
                    struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return file_err(err, errno, "create", path);
    }
    struct spill_out *out = calloc(1, sizeof *out);
    CHECK(out != NULL);
    out->fd = fd;
    out->path = strdup(path);
    CHECK(out->path != NULL);
    buf_init(&out->gathered, GATHER_BYTES);
    out->blocks = block_writer_new();
    uint8_t head[SPILL_HEADER_BYTES];
    spill_header_encode(order, head);
    if (!put(out, bytes_of(head, sizeof head), err)) {
        spill_out_free(out);
        return false;
    }
    out->section = out->written;
    *ret_out = out;
    return true;
}

static bool put_block(struct spill_out *out, struct err *err)
{
    uint64_t checksum;
    struct bytes block = block_writer_take(out->blocks, &checksum);
    out->digest = spill_digest_add(out->digest, checksum);
    return put(out, block, err);
}

bool spill_out_row(struct spill_out *out, const struct row *row, struct err *err)
{
    return !block_writer_add(out->blocks, row) || put_block(out, err);
}

bool spill_out_section(struct spill_out *out, struct section *section, struct err *err)
{
    TRY(block_writer_is_empty(out->blocks) || put_block(out, err));
    section->place = out->section;
    section->stored_bytes = out->written - out->section;
    section->digest = out->digest;
    out->section = out->written;
    out->digest = 0;
    return true;
}

static bool put_end(struct spill_out *out, const struct spill_index *index,
                    struct spill_out_end *end, struct err *err)
{
    AUTO(buf) struct buf encoded;
    buf_init(&encoded, SPILL_INDEX_MAX);
    spill_index_encode(index, &encoded);
    if (encoded.overflowed) {
        return err_set(err, ERR_LIMIT, "the index of a spill is too large");
    }
    struct spill_footer footer = {
        .index_place = out->written,
        .index_bytes = encoded.size,
        .rows = index->rows,
        .index_checksum = spill_checksum(buf_bytes(&encoded)),
    };
    uint8_t footer_bytes[SPILL_FOOTER_BYTES];
    spill_footer_encode(&footer, footer_bytes);
    TRY(put(out, buf_bytes(&encoded), err) &&
        put(out, bytes_of(footer_bytes, sizeof footer_bytes), err) && flush(out, err));
    *end = (struct spill_out_end){.bytes = out->written, .digest = footer.index_checksum};
    return true;
}

static bool sync_all(const struct spill_out *out, struct err *err)
{
    return (fsync(out->fd) == 0 || file_err(err, errno, "sync", out->path)) &&
           file_sync_parent(out->path, err);
}

bool spill_out_finish(struct spill_out *out, const struct spill_index *index, bool sync,
                      struct spill_out_end *ret_end, struct err *err)
{
    struct spill_out_end end = {0};
    TRY(put_end(out, index, &end, err) && (!sync || sync_all(out, err)));
    int fd = out->fd;
    out->fd = -1;
    if (close(fd) != 0) {
        return file_err(err, errno, "close", out->path);
    }
    out->finished = true;
    *ret_end = end;
    return true;
}

struct spill_out *spill_out_free(struct spill_out *out)
{
    if (out == NULL) {
        return NULL;
    }
    if (out->fd >= 0) {
        (void)close(out->fd);
    }
    if (!out->finished) {
        (void)unlink(out->path);
    }
    block_writer_free(out->blocks);
    buf_done(&out->gathered);
    free(out->path);
    free(out);
    return NULL;
}
