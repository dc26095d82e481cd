/* Bytes that grow, up to a limit given at the start. */
#ifndef TIDEMARK_CORE_BASE_BUF_H
#define TIDEMARK_CORE_BASE_BUF_H

#include "core/base/bytes.h"
#include "core/base/check.h"

/* Not thread-safe: one owner. Out of memory is a CHECK; going over the limit sets `overflowed`,
 * drops what did not fit, and is for the writer to look at once, at the end. */
struct buf {
    uint8_t *data; /* always followed by a NUL byte once anything was added */
    size_t size;
    size_t capacity;
    size_t limit;
    bool overflowed;
};

void buf_init(struct buf *buf, size_t limit);
void buf_done(struct buf *buf);  /* frees; the buf may be initialised again */
void buf_auto(struct buf *buf);  /* for AUTO(buf) */
void buf_clear(struct buf *buf); /* size 0, memory kept */

void buf_add(struct buf *buf, const void *data, size_t size);
void buf_add_bytes(struct buf *buf, struct bytes bytes);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_add_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_add_hex(struct buf *buf, struct bytes bytes); /* lower case */

/* Room for `size` more bytes, to be filled by the caller; NULL when over the limit. */
uint8_t *buf_grow(struct buf *buf, size_t size);

/* The content as text; "" when empty. Valid until the next change. */
const char *buf_text(const struct buf *buf);

static inline struct bytes buf_bytes(const struct buf *buf)
{
    return bytes_of(buf->data, buf->size);
}

#endif
