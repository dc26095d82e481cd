/* Sidecars and shard files of any bytes: an error, or a body that can be read to its end, and a
 * look-up that ends. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/snapshot/page_size.h"
#include "core/snapshot/sidecar.h"
#include "core/snapshot/sqlite_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 1 << 20, PAGE = PAGE_SIZE_MIN };

static void read_body(const struct sidecar_body *body, uint32_t page_size)
{
    uint8_t *page = malloc(page_size);
    CHECK(page != NULL);
    for (size_t i = 0; i < body->page_count; i++) {
        struct err err = {0};
        if (!sidecar_body_page(body, i, page_size, page, &err)) {
            CHECK(err.kind == ERR_INPUT);
        }
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < body->chain_page_count; i++) {
        sum += sidecar_body_u32(body->chain_pages, i);
    }
    CHECK(sum <= (uint64_t)body->chain_page_count * UINT32_MAX);
    free(page);
}

static void try_object(struct bytes object)
{
    struct arena *arena = arena_new(1 << 12);
    struct sidecar sidecar;
    struct err err = {0};
    if (sidecar_decode(object, BODY_MAX, arena, &sidecar, &err)) {
        read_body(&sidecar.body, sidecar.page_size);
    } else {
        CHECK(err.kind == ERR_INPUT);
    }
    arena_free(arena);
}

static void try_body(struct bytes text)
{
    struct sidecar_body body;
    struct err err = {0};
    if (sidecar_body_parse(text, &body, &err)) {
        read_body(&body, PAGE);
    }
}

/* The input is a file of pages; what it lacks is zero. */
static bool read_page(void *context, uint32_t pageno, uint8_t *ret_page, struct err *err)
{
    (void)err;
    const struct bytes *file = context;
    size_t from = (size_t)(pageno - 1) * PAGE;
    size_t size = from >= file->size ? 0 : file->size - from;
    size = size < PAGE ? size : PAGE;
    memset(ret_page, 0, PAGE);
    if (size > 0) {
        memcpy(ret_page, file->data + from, size);
    }
    return true;
}

static void look_up(const struct sqlite_pages *pages, struct bytes key)
{
    uint32_t root = 0;
    bool found = false;
    struct err err = {0};
    AUTO(buf) struct buf value;
    buf_init(&value, BODY_MAX);
    if (!sqlite_tree_root(pages, "kv", &root, &err)) {
        CHECK(err.kind == ERR_INPUT || err.kind == ERR_MISSING);
    } else if (!sqlite_tree_get(pages, root, key, &value, &found, &err)) {
        CHECK(err.kind == ERR_INPUT || err.kind == ERR_LIMIT);
    }
}

static void try_file(struct bytes file)
{
    struct sqlite_pages pages = {
        .read = read_page,
        .context = &file,
        .page_size = PAGE,
        .page_count = (uint32_t)((file.size + PAGE - 1) / PAGE),
    };
    AUTO(buf) struct buf body;
    buf_init(&body, BODY_MAX);
    struct err err = {0};
    if (sidecar_body_build(&pages, &body, &err)) {
        struct sidecar_body parsed;
        CHECK(sidecar_body_parse(buf_bytes(&body), &parsed, &err));
        read_body(&parsed, PAGE);
    } else {
        CHECK(err.kind == ERR_INPUT || err.kind == ERR_LIMIT);
    }
    look_up(&pages, bytes_of_text(""));
    look_up(&pages, bytes_of(file.data, file.size < 8 ? file.size : 8));
    look_up(&pages, bytes_of("\0\0\0\0\0\0\0\5", 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_object(bytes_of(data, size));
    try_body(bytes_of(data, size));
    try_file(bytes_of(data, size));
    return 0;
}
