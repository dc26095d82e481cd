/* Bytes that grow, up to a limit given at the start. */
#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){.limit = limit};
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_auto(struct buf *buf)
{
    buf_done(buf);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->overflowed = false;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

uint8_t *buf_grow(struct buf *buf, size_t size)
{
    if (size > buf->limit - buf->size) {
        buf->overflowed = true;
        return NULL;
    }
    size_t needed = buf->size + size + 1;
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
        while (capacity < needed) {
            capacity *= 2;
        }
        uint8_t *data = realloc(buf->data, capacity);
        CHECK(data != NULL);
        buf->data = data;
        buf->capacity = capacity;
    }
    uint8_t *at = buf->data + buf->size;
    buf->size += size;
    buf->data[buf->size] = '\0';
    return at;
}

void buf_add(struct buf *buf, const void *data, size_t size)
{
    uint8_t *at = buf_grow(buf, size);
    if (at != NULL && size > 0) {
        memcpy(at, data, size);
    }
}

void buf_add_bytes(struct buf *buf, struct bytes bytes)
{
    buf_add(buf, bytes.data, bytes.size);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_byte(struct buf *buf, uint8_t byte)
{
    buf_add(buf, &byte, 1);
}

void buf_add_format(struct buf *buf, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    CHECK(length >= 0);
    if ((size_t)length < sizeof small) {
        buf_add(buf, small, (size_t)length);
    } else {
        uint8_t *at = buf_grow(buf, (size_t)length);
        if (at != NULL) {
            vsnprintf((char *)at, (size_t)length + 1, format, again);
        }
    }
    va_end(again);
}

void buf_add_hex(struct buf *buf, struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        buf_add_byte(buf, (uint8_t)digits[bytes.data[i] >> 4]);
        buf_add_byte(buf, (uint8_t)digits[bytes.data[i] & 15]);
    }
}

const char *buf_text(const struct buf *buf)
{
    return buf->data == NULL ? "" : (const char *)buf->data;
}
