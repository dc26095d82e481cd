/* A stored spill as a row_set. */
#include "checkpoint/spill/spill_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/os/file.h"
#include "core/spill/block.h"
#include "core/spill/spill_format.h"

enum {
    WINDOW_BYTES = BLOCK_TARGET_BYTES + 32 * 1024
}; /* asked for at once: mostly a whole block */

struct spill {
    struct row_set set;
    struct spill_index index;
    struct spill_bytes bytes;
    uint64_t digest;
    char *name;
};

/* One section, read a piece at a time. The block in hand lies whole in `window`. */
struct spill_stream {
    struct row_stream stream;
    const struct spill *borrowed_spill;
    const struct section *borrowed_section;
    struct block_reader *block;
    uint8_t *window;
    size_t window_capacity;
    size_t window_start; /* of what is not used yet */
    size_t window_end;
    uint64_t place; /* of window_end in the object */
    uint64_t end;   /* of the section */
    uint64_t rows;  /* given so far */
    uint64_t digest;
    bool ended;
};

static bool name_place(const struct spill_stream *self, struct err *err)
{
    const struct section *section = self->borrowed_section;
    return err_wrap(err, "spill %s, window %lld, group %u, at %llu", self->borrowed_spill->name,
                    (long long)section->window, section->group,
                    (unsigned long long)(self->place - (self->window_end - self->window_start)));
}

/* Makes at least `size` bytes lie at window_start. */
static bool fill(struct spill_stream *self, size_t size, struct err *err)
{
    size_t have = self->window_end - self->window_start;
    if (have >= size) {
        return true;
    }
    if (size - have > self->end - self->place) {
        return err_set(err, ERR_CORRUPT, "a block goes on behind the end of its section");
    }
    memmove(self->window, self->window + self->window_start, have);
    self->window_start = 0;
    self->window_end = have;
    if (size > self->window_capacity) {
        uint8_t *grown = realloc(self->window, size);
        CHECK(grown != NULL);
        self->window = grown;
        self->window_capacity = size;
    }
    size_t wanted = self->window_capacity - have;
    if (wanted > self->end - self->place) {
        wanted = (size_t)(self->end - self->place);
    }
    const struct spill_bytes *bytes = &self->borrowed_spill->bytes;
    TRY(bytes->read(bytes->context, self->place, self->window + have, wanted, err));
    self->window_end += wanted;
    self->place += wanted;
    return true;
}

static bool check_end(struct spill_stream *self, struct err *err)
{
    const struct section *section = self->borrowed_section;
    if (self->rows != section->rows || self->digest != section->digest) {
        return err_set(err, ERR_CORRUPT, "%llu rows, %llu by the index; or their digest differs",
                       (unsigned long long)self->rows, (unsigned long long)section->rows);
    }
    self->ended = true;
    return true;
}

static bool next_block(struct spill_stream *self, struct err *err)
{
    if (self->place == self->end && self->window_start == self->window_end) {
        return check_end(self, err);
    }
    TRY(fill(self, BLOCK_HEADER_BYTES, err));
    struct block_header header;
    TRY(block_header_decode(self->window + self->window_start, &header, err));
    size_t size = (size_t)BLOCK_HEADER_BYTES + header.stored_bytes;
    TRY(fill(self, size, err));
    TRY(block_reader_start(self->block, bytes_of(self->window + self->window_start, size), err));
    self->digest = spill_digest_add(self->digest, header.checksum);
    self->window_start += size;
    return true;
}

static bool next(struct row_stream *stream, struct row *ret_row, bool *ret_more, struct err *err)
{
    struct spill_stream *self = (struct spill_stream *)stream;
    bool more = false;
    while (!self->ended) {
        if (!block_reader_next(self->block, ret_row, &more, err)) {
            return name_place(self, err);
        }
        if (more) {
            if (ret_row->source >= self->borrowed_spill->index.sources.count) {
                (void)err_set(err, ERR_CORRUPT, "a row of source %u", ret_row->source);
                return name_place(self, err);
            }
            self->rows++;
            break;
        }
        if (!next_block(self, err)) {
            return name_place(self, err);
        }
    }
    *ret_more = more;
    return true;
}

static void free_stream(struct row_stream *stream)
{
    struct spill_stream *self = (struct spill_stream *)stream;
    block_reader_free(self->block);
    free(self->window);
    free(self);
}

static const struct row_stream_ops spill_stream_ops = {.next = next, .free = free_stream};

static bool open_section(struct row_set *set, size_t section, struct row_stream **ret_stream,
                         struct err *err)
{
    (void)err;
    const struct spill *spill = (const struct spill *)set;
    struct spill_stream *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->stream.ops = &spill_stream_ops;
    self->borrowed_spill = spill;
    self->borrowed_section = &spill->index.sections[section];
    self->place = self->borrowed_section->place;
    self->end = self->place + self->borrowed_section->stored_bytes;
    self->block = block_reader_new();
    size_t whole = self->borrowed_section->stored_bytes;
    size_t window = spill->bytes.window_bytes > WINDOW_BYTES ? spill->bytes.window_bytes
                                                             : WINDOW_BYTES;
    self->window_capacity = whole < window ? whole : window;
    self->window = malloc(self->window_capacity);
    CHECK(self->window != NULL);
    *ret_stream = &self->stream;
    return true;
}

static void free_spill(struct row_set *set)
{
    struct spill *spill = (struct spill *)set;
    if (spill->bytes.free != NULL) {
        spill->bytes.free(spill->bytes.context);
    }
    spill_index_done(&spill->index);
    free(spill->name);
    free(spill);
}

static const struct row_set_ops spill_ops = {.open = open_section, .free = free_spill};

static bool read_index(struct spill *spill, struct err *err)
{
    const struct spill_bytes *bytes = &spill->bytes;
    if (bytes->size < SPILL_HEADER_BYTES + SPILL_FOOTER_BYTES) {
        return err_set(err, ERR_CORRUPT, "%llu bytes are no spill",
                       (unsigned long long)bytes->size);
    }
    uint8_t head[SPILL_HEADER_BYTES];
    uint8_t end[SPILL_FOOTER_BYTES];
    enum row_order order;
    struct spill_footer footer;
    TRY(bytes->read(bytes->context, 0, head, sizeof head, err));
    TRY(spill_header_decode(head, &order, err));
    TRY(bytes->read(bytes->context, bytes->size - sizeof end, end, sizeof end, err));
    TRY(spill_footer_decode(end, bytes->size, &footer, err));
    uint8_t *data = malloc(footer.index_bytes + 1);
    CHECK(data != NULL);
    struct bytes encoded = bytes_of(data, footer.index_bytes);
    bool ok = bytes->read(bytes->context, footer.index_place, data, footer.index_bytes, err);
    if (ok && spill_checksum(encoded) != footer.index_checksum) {
        ok = err_set(err, ERR_CORRUPT, "the index's checksum does not match");
    }
    ok = ok && spill_index_decode(encoded, order, footer.index_place, &spill->index, err);
    free(data);
    if (ok && spill->index.rows != footer.rows) {
        ok = err_set(err, ERR_CORRUPT, "%llu rows by the index, %llu by the footer",
                     (unsigned long long)spill->index.rows, (unsigned long long)footer.rows);
    }
    spill->digest = footer.index_checksum;
    return ok;
}

bool spill_open(const char *name, struct spill_bytes take_bytes, struct row_set **ret_set,
                struct err *err)
{
    struct spill *spill = calloc(1, sizeof *spill);
    CHECK(spill != NULL);
    spill->set = (struct row_set){.ops = &spill_ops, .index = &spill->index};
    spill->bytes = take_bytes;
    spill->name = strdup(name);
    CHECK(spill->name != NULL);
    if (!read_index(spill, err)) {
        row_set_free(&spill->set);
        return err_wrap(err, "spill %s", name);
    }
    *ret_set = &spill->set;
    return true;
}

static bool verify_section(struct spill_stream *self, struct err *err)
{
    const struct section *section = self->borrowed_section;
    while (self->place < self->end || self->window_start < self->window_end) {
        if (!next_block(self, err)) {
            return name_place(self, err);
        }
    }
    if (self->digest != section->digest) {
        (void)err_set(err, ERR_CORRUPT, "the digest of a section differs");
        return name_place(self, err);
    }
    return true;
}

bool spill_verify(struct row_set *spill, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < spill->index->section_count; i++) {
        struct row_stream *stream = NULL;
        ok = row_set_open(spill, i, &stream, err) &&
             verify_section((struct spill_stream *)stream, err);
        row_stream_free(stream);
    }
    return ok;
}

uint64_t spill_digest(const struct row_set *spill)
{
    return ((const struct spill *)spill)->digest;
}

/* ---- a local file ---- */

struct spill_file {
    int fd;
    char *path;
};

static bool read_file(void *context, uint64_t place, uint8_t *to, size_t size, struct err *err)
{
    const struct spill_file *file = context;
    return file_read_at(file->fd, place, to, size, file->path, err);
}

static void free_file(void *context)
{
    struct spill_file *file = context;
    (void)close(file->fd);
    free(file->path);
    free(file);
}

bool spill_open_file(const char *path, struct row_set **ret_set, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open", path);
    }
    struct stat status;
    if (fstat(fd, &status) != 0) {
        int number = errno;
        (void)close(fd);
        return file_err(err, number, "look at", path);
    }
    struct spill_file *file = malloc(sizeof *file);
    CHECK(file != NULL);
    *file = (struct spill_file){.fd = fd, .path = strdup(path)};
    CHECK(file->path != NULL);
    struct spill_bytes bytes = {
        .read = read_file,
        .free = free_file,
        .context = file,
        .size = (uint64_t)status.st_size,
    };
    return spill_open(path, bytes, ret_set, err);
}
