/* Sorted rows -> one spill object in a local file.
 *
 * The happy path: header, the blocks of each section, index, footer, fsync. What can go wrong: the
 * disk is full, the set cannot be read, somebody wants us to stop: the file is removed. A process
 * that dies leaves a file without a footer, which no reader takes for a spill. */
#include "consumer/rows/spill_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "core/spill/block.h"
#include "core/spill/spill_format.h"

enum {
    GATHER_BYTES = 256 * 1024, /* written at once: a system call costs as much as some kilobytes */
    STOP_CHECK_ROWS = 4096,
};

struct spill_writer {
    const char *path;
    int fd;
    const atomic_bool *stop;
    struct buf gathered;
    uint64_t written; /* bytes of the file so far, gathered ones included */
    struct block_writer *blocks;
};

void spill_ref_done(struct spill_ref *ref)
{
    free(ref->path);
    *ref = (struct spill_ref){0};
}

static bool flush(struct spill_writer *writer, struct err *err)
{
    TRY(file_write_all(writer->fd, buf_bytes(&writer->gathered), writer->path, err));
    buf_clear(&writer->gathered);
    return true;
}

static bool put(struct spill_writer *writer, struct bytes bytes, struct err *err)
{
    writer->written += bytes.size;
    if (writer->gathered.size + bytes.size > GATHER_BYTES) {
        TRY(flush(writer, err));
    }
    if (bytes.size >= GATHER_BYTES) {
        return file_write_all(writer->fd, bytes, writer->path, err);
    }
    buf_add_bytes(&writer->gathered, bytes);
    return true;
}

static bool put_block(struct spill_writer *writer, uint64_t *digest, struct err *err)
{
    uint64_t checksum;
    struct bytes block = block_writer_take(writer->blocks, &checksum);
    *digest = spill_digest_add(*digest, checksum);
    return put(writer, block, err);
}

static bool is_stopped(const struct spill_writer *writer)
{
    return writer->stop != NULL && atomic_load_explicit(writer->stop, memory_order_relaxed);
}

static bool put_rows(struct spill_writer *writer, struct row_stream *rows, uint64_t row_count,
                     uint64_t *digest, struct err *err)
{
    struct row row;
    bool more;
    for (uint64_t i = 0;; i++) {
        if (i % STOP_CHECK_ROWS == 0 && is_stopped(writer)) {
            return err_set(err, ERR_STOPPED, "stopped while writing a spill");
        }
        TRY(row_stream_next(rows, &row, &more, err));
        if (!more) {
            CHECK(i == row_count);
            break;
        }
        if (block_writer_add(writer->blocks, &row)) {
            TRY(put_block(writer, digest, err));
        }
    }
    return block_writer_is_empty(writer->blocks) || put_block(writer, digest, err);
}

static bool put_section(struct spill_writer *writer, struct row_set *set, size_t number,
                        struct section *section, struct err *err)
{
    section->place = writer->written;
    struct row_stream *rows = NULL;
    TRY(row_set_open(set, number, &rows, err));
    section->digest = 0;
    bool ok = put_rows(writer, rows, section->rows, &section->digest, err);
    row_stream_free(rows);
    section->stored_bytes = writer->written - section->place;
    return ok;
}

static bool put_end(struct spill_writer *writer, const struct spill_index *index,
                    struct spill_ref *ref, struct err *err)
{
    struct buf encoded;
    buf_init(&encoded, SPILL_INDEX_MAX);
    spill_index_encode(index, &encoded);
    struct spill_footer footer = {
        .index_place = writer->written,
        .index_bytes = encoded.size,
        .rows = index->rows,
        .index_checksum = spill_checksum(buf_bytes(&encoded)),
    };
    uint8_t end[SPILL_FOOTER_BYTES];
    spill_footer_encode(&footer, end);
    bool ok = encoded.overflowed ? err_set(err, ERR_LIMIT, "the index of a spill is too large")
                                 : put(writer, buf_bytes(&encoded), err);
    buf_done(&encoded);
    ref->rows = index->rows;
    ref->digest = footer.index_checksum;
    return ok && put(writer, bytes_of(end, sizeof end), err) && flush(writer, err);
}

/* The set's own index belongs to it: the places go into a copy that borrows all the rest. */
static bool put_all(struct spill_writer *writer, struct row_set *set, struct spill_ref *ref,
                    struct err *err)
{
    uint8_t head[SPILL_HEADER_BYTES];
    spill_header_encode(set->index->order, head);
    TRY(put(writer, bytes_of(head, sizeof head), err));
    struct spill_index index = *set->index;
    size_t size = index.section_count * sizeof *index.sections;
    index.sections = malloc(size + 1);
    CHECK(index.sections != NULL);
    memcpy(index.sections, set->index->sections, size);
    bool ok = true;
    for (size_t i = 0; i < index.section_count && ok; i++) {
        ok = put_section(writer, set, i, &index.sections[i], err);
    }
    ok = ok && put_end(writer, &index, ref, err);
    free(index.sections);
    return ok;
}

static bool sync_file(const struct spill_writer *writer, struct err *err)
{
    if (fsync(writer->fd) != 0) {
        return file_err(err, errno, "sync", writer->path);
    }
    char *folder = strdup(writer->path);
    CHECK(folder != NULL);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    bool ok = file_sync_folder(slash == NULL ? "." : folder, err);
    free(folder);
    return ok;
}

bool spill_write(struct row_set *set, const char *path, bool sync, const atomic_bool *stop,
                 struct spill_ref *ret_ref, struct err *err)
{
    struct spill_writer writer = {.path = path, .stop = stop};
    writer.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (writer.fd < 0) {
        return file_err(err, errno, "create", path);
    }
    buf_init(&writer.gathered, GATHER_BYTES);
    writer.blocks = block_writer_new();
    struct spill_ref ref = {0};
    bool ok = put_all(&writer, set, &ref, err) && (!sync || sync_file(&writer, err));
    block_writer_free(writer.blocks);
    buf_done(&writer.gathered);
    if (close(writer.fd) != 0 && ok) {
        ok = file_err(err, errno, "close", path);
    }
    if (!ok) {
        (void)unlink(path);
        return false;
    }
    ref.bytes = writer.written;
    ref.path = strdup(path);
    CHECK(ref.path != NULL);
    *ret_ref = ref;
    return true;
}
