/* The body of a sidecar: which pages of a shard file are in it, and how they are laid out. */
#include "core/snapshot/sidecar_body.h"

#include <stdlib.h>

#include "core/snapshot/page_size.h"
#include "core/snapshot/sidecar_walk.h"

static void add_u32(struct buf *out, size_t value)
{
    CHECK(value <= UINT32_MAX);
    uint8_t bytes[4];
    put_u32le(bytes, (uint32_t)value);
    buf_add(out, bytes, sizeof bytes);
}

/* ---- writing ---- */

static bool add_page(const struct sqlite_pages *pages, uint32_t pageno, uint8_t *page,
                     struct buf *out, struct err *err)
{
    TRY(pages->read(pages->context, pageno, page, err));
    struct sqlite_page_header header;
    if (!sqlite_page_parse(page, pageno, pages->page_size, &header)) {
        return err_set(err, ERR_INPUT, "page %u has changed", pageno);
    }
    buf_add(out, page, header.head_end);
    buf_add(out, page + header.content_start, pages->page_size - header.content_start);
    return true;
}

/* The gap-stripped pages one after the other, and where each begins and ends. */
static bool add_pages(const struct sqlite_pages *pages, const struct sidecar_walk *walk,
                      struct buf *offsets, struct buf *contents, struct err *err)
{
    uint8_t *page = malloc(pages->page_size);
    CHECK(page != NULL);
    add_u32(offsets, 0);
    bool good = true;
    for (size_t i = 0; good && i < walk->pages.count; i++) {
        good = add_page(pages, walk->pages.items[i], page, contents, err);
        if (good && contents->overflowed) {
            good = err_set(err, ERR_LIMIT, "a sidecar of more than %zu bytes", contents->limit);
        }
        add_u32(offsets, good ? contents->size : 0);
    }
    free(page);
    return good;
}

static void add_chains(const struct sidecar_walk *walk, struct buf *out)
{
    add_u32(out, walk->chain_count);
    for (size_t i = 0; i < walk->chain_count; i++) {
        add_u32(out, walk->chains[i].head);
    }
    size_t end = 0;
    add_u32(out, 0);
    for (size_t i = 0; i < walk->chain_count; i++) {
        end += walk->chains[i].count;
        add_u32(out, end);
    }
    for (size_t i = 0; i < walk->chain_count; i++) {
        for (size_t j = 0; j < walk->chains[i].count; j++) {
            add_u32(out, walk->chain_pages.items[walk->chains[i].first + j]);
        }
    }
}

bool sidecar_body_build(const struct sqlite_pages *pages, struct buf *out, struct err *err)
{
    CHECK(page_size_is_valid(pages->page_size));
    AUTO(sidecar_walk) struct sidecar_walk walk = {0};
    TRY(sidecar_walk(pages, &walk, err));
    AUTO(buf) struct buf offsets;
    AUTO(buf) struct buf contents;
    buf_init(&offsets, SIZE_MAX);
    buf_init(&contents, out->limit < UINT32_MAX ? out->limit : UINT32_MAX);
    TRY(add_pages(pages, &walk, &offsets, &contents, err));
    add_u32(out, walk.pages.count);
    for (size_t i = 0; i < walk.pages.count; i++) {
        add_u32(out, walk.pages.items[i]);
    }
    buf_add_bytes(out, buf_bytes(&offsets));
    add_chains(&walk, out);
    buf_add_bytes(out, buf_bytes(&contents));
    return !out->overflowed ||
           err_set(err, ERR_LIMIT, "a sidecar of more than %zu bytes", out->limit);
}

/* ---- reading ---- */

/* The next `count` numbers of the text. */
static bool take_array(struct bytes *rest, uint64_t count, const uint8_t **ret_array)
{
    if (count > rest->size / 4) {
        return false;
    }
    *ret_array = rest->data;
    *rest = bytes_of(rest->data + 4 * count, rest->size - 4 * (size_t)count);
    return true;
}

static bool take_count(struct bytes *rest, uint32_t *ret_count)
{
    const uint8_t *at = NULL;
    if (!take_array(rest, 1, &at)) {
        return false;
    }
    *ret_count = get_u32le(at);
    return true;
}

static bool is_ascending(const uint8_t *array, size_t count, bool strictly)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t before = sidecar_body_u32(array, i - 1);
        uint32_t here = sidecar_body_u32(array, i);
        if (here < before || (strictly && here == before)) {
            return false;
        }
    }
    return true;
}

static bool parse_chains(struct bytes *rest, struct sidecar_body *body)
{
    if (!take_count(rest, &body->chain_count) ||
        !take_array(rest, body->chain_count, &body->chain_heads) ||
        !take_array(rest, (uint64_t)body->chain_count + 1, &body->chain_offsets) ||
        !is_ascending(body->chain_heads, body->chain_count, true) ||
        sidecar_body_u32(body->chain_offsets, 0) != 0 ||
        !is_ascending(body->chain_offsets, (size_t)body->chain_count + 1, true)) {
        return false;
    }
    body->chain_page_count = sidecar_body_u32(body->chain_offsets, body->chain_count);
    if (!take_array(rest, body->chain_page_count, &body->chain_pages)) {
        return false;
    }
    for (size_t i = 0; i < body->chain_count; i++) {
        uint32_t first = sidecar_body_u32(body->chain_offsets, i);
        if (sidecar_body_u32(body->chain_pages, first) != sidecar_body_u32(body->chain_heads, i)) {
            return false;
        }
    }
    return true;
}

bool sidecar_body_parse(struct bytes text, struct sidecar_body *ret_body, struct err *err)
{
    struct sidecar_body body = {0};
    struct bytes rest = text;
    if (!take_count(&rest, &body.page_count) || body.page_count == 0 ||
        !take_array(&rest, body.page_count, &body.pagenos) ||
        !take_array(&rest, (uint64_t)body.page_count + 1, &body.offsets) ||
        sidecar_body_u32(body.pagenos, 0) != 1 ||
        !is_ascending(body.pagenos, body.page_count, true) ||
        sidecar_body_u32(body.offsets, 0) != 0 ||
        !is_ascending(body.offsets, (size_t)body.page_count + 1, false)) {
        return err_set(err, ERR_INPUT, "the pages of a sidecar that is none");
    }
    if (!parse_chains(&rest, &body)) {
        return err_set(err, ERR_INPUT, "the overflow chains of a sidecar that is none");
    }
    if (rest.size != sidecar_body_u32(body.offsets, body.page_count)) {
        return err_set(err, ERR_INPUT, "a sidecar whose pages have another length");
    }
    body.pages = rest;
    *ret_body = body;
    return true;
}

bool sidecar_body_page(const struct sidecar_body *body, size_t index, uint32_t page_size,
                       uint8_t *ret_page, struct err *err)
{
    CHECK(index < body->page_count);
    uint32_t pageno = sidecar_body_u32(body->pagenos, index);
    uint32_t first = sidecar_body_u32(body->offsets, index);
    uint32_t size = sidecar_body_u32(body->offsets, index + 1) - first;
    const uint8_t *stored = body->pages.data + first;
    if (size > page_size) {
        return err_set(err, ERR_INPUT, "page %u has %u bytes", pageno, size);
    }
    memcpy(ret_page, stored, size);
    memset(ret_page + size, 0, page_size - size);
    struct sqlite_page_header header;
    if (size == page_size) {
        return true;
    }
    if (!sqlite_page_parse(ret_page, pageno, page_size, &header)) {
        return err_set(err, ERR_INPUT, "page %u is not whole", pageno);
    }
    uint32_t tail = page_size - header.content_start;
    if (header.head_end + tail != size) {
        return err_set(err, ERR_INPUT, "page %u has %u bytes", pageno, size);
    }
    memset(ret_page + header.head_end, 0, page_size - header.head_end);
    memcpy(ret_page + header.content_start, stored + header.head_end, tail);
    return true;
}
