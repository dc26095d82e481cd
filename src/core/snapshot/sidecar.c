/* Page-cache sidecar, version 8: the inner pages of a shard file in one object (snapshot format,
 * section 7). */
#include "core/snapshot/sidecar.h"

#include <zstd.h>

#include "core/snapshot/page_size.h"

enum { MAGIC_SIZE = 4, PREFIX_SIZE = MAGIC_SIZE + 1 + 8 + 4 + 1, FRAME_CHECKSUM_FLAG = 4 };

static const char magic[] = "SQPC";

/* ---- writing ---- */

static void add_prefix(struct bytes body, uint32_t page_size, struct bytes tag, struct buf *out)
{
    uint8_t prefix[PREFIX_SIZE];
    memcpy(prefix, magic, MAGIC_SIZE);
    prefix[4] = SIDECAR_VERSION;
    put_u64le(prefix + 5, body.size);
    put_u32le(prefix + 13, page_size);
    prefix[17] = (uint8_t)tag.size;
    buf_add(out, prefix, sizeof prefix);
    buf_add_bytes(out, tag);
}

bool sidecar_encode(struct bytes body, uint32_t page_size, const char *etag, struct buf *out,
                    struct err *err)
{
    struct bytes tag = bytes_of_text(etag);
    if (tag.size > SIDECAR_TAG_MAX) {
        tag = bytes_of("", 0);
    }
    add_prefix(body, page_size, tag, out);
    size_t bound = ZSTD_compressBound(body.size);
    uint8_t *frame = buf_grow(out, bound);
    if (frame == NULL) {
        return err_set(err, ERR_LIMIT, "a sidecar of more than %zu bytes", out->limit);
    }
    ZSTD_CCtx *context = ZSTD_createCCtx();
    CHECK(context != NULL);
    CHECK(!ZSTD_isError(
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, SIDECAR_ZSTD_LEVEL)));
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)));
    size_t size = ZSTD_compress2(context, frame, bound, body.data, body.size);
    ZSTD_freeCCtx(context);
    CHECK(!ZSTD_isError(size)); /* there was room, and memory */
    out->size -= bound - size;
    out->data[out->size] = '\0';
    return true;
}

/* ---- reading ---- */

static bool decompress(struct bytes frame, uint64_t body_size, struct arena *arena,
                       struct bytes *ret_body, struct err *err)
{
    /* a frame's descriptor follows its magic number (RFC 8878, section 3.1.1.1.1) */
    if (frame.size < 5 || (frame.data[4] & FRAME_CHECKSUM_FLAG) == 0 ||
        ZSTD_getFrameContentSize(frame.data, frame.size) != body_size) {
        return err_set(err, ERR_INPUT, "a zstd frame without checksum or of another size");
    }
    if (ZSTD_findFrameCompressedSize(frame.data, frame.size) != frame.size) {
        return err_set(err, ERR_INPUT, "not one zstd frame");
    }
    uint8_t *body = arena_alloc(arena, (size_t)body_size + 1);
    size_t size = ZSTD_decompress(body, (size_t)body_size, frame.data, frame.size);
    if (ZSTD_isError(size) || size != body_size) {
        return err_set(err, ERR_INPUT, "a zstd frame that is damaged");
    }
    *ret_body = bytes_of(body, size);
    return true;
}

bool sidecar_decode(struct bytes object, size_t body_max, struct arena *arena,
                    struct sidecar *ret_sidecar, struct err *err)
{
    if (object.size < PREFIX_SIZE || memcmp(object.data, magic, MAGIC_SIZE) != 0) {
        return err_set(err, ERR_INPUT, "not a sidecar");
    }
    if (object.data[4] != SIDECAR_VERSION) {
        return err_set(err, ERR_INPUT, "a sidecar of version %u, only %d is known", object.data[4],
                       SIDECAR_VERSION);
    }
    uint64_t body_size = get_u64le(object.data + 5);
    struct sidecar sidecar = {.page_size = get_u32le(object.data + 13)};
    size_t tag_size = object.data[17];
    if (!page_size_is_valid(sidecar.page_size) || object.size - PREFIX_SIZE < tag_size) {
        return err_set(err, ERR_INPUT, "a sidecar with a bad page size or tag");
    }
    if (body_size > body_max) {
        return err_set(err, ERR_INPUT, "a sidecar of %llu bytes, at most %zu are taken",
                       (unsigned long long)body_size, body_max);
    }
    sidecar.tag = bytes_of(object.data + PREFIX_SIZE, tag_size);
    struct bytes frame =
        bytes_of(sidecar.tag.data + tag_size, object.size - PREFIX_SIZE - tag_size);
    if (!bytes_are_utf8(sidecar.tag)) {
        return err_set(err, ERR_INPUT, "a sidecar with a bad page size or tag");
    }
    TRY(decompress(frame, body_size, arena, &sidecar.body_bytes, err));
    TRY(sidecar_body_parse(sidecar.body_bytes, &sidecar.body, err));
    *ret_sidecar = sidecar;
    return true;
}
