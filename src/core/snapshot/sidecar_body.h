/* The body of a sidecar: which pages of a shard file are in it, and how they are laid out. */
#ifndef TIDEMARK_CORE_SNAPSHOT_SIDECAR_BODY_H
#define TIDEMARK_CORE_SNAPSHOT_SIDECAR_BODY_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/snapshot/sqlite_pages.h"

/* Every interior page of every B-tree, every page of the schema B-tree, and the chains of overflow
 * pages. Reads every page that is in use once, and interior pages twice; with `whole_rows` of the
 * leaves of a tree one. ERR_INPUT: not an SQLite file that a writer of this format makes;
 * ERR_LIMIT: the body does not fit into `out`; and the source's errors. */
MUST_CHECK bool sidecar_body_build(const struct sqlite_pages *pages, struct buf *out,
                                   struct err *err);

/* Views; the u32 arrays are little-endian in the bytes: read them with sidecar_body_u32. */
struct sidecar_body {
    uint32_t page_count;
    const uint8_t *pagenos; /* page_count × u32, strictly ascending */
    const uint8_t *offsets; /* (page_count + 1) × u32, into pages */
    uint32_t chain_count;
    const uint8_t *chain_heads;   /* chain_count × u32, ascending */
    const uint8_t *chain_offsets; /* (chain_count + 1) × u32, in pages of chain_pages */
    const uint8_t *chain_pages;   /* × u32, each chain's head first */
    uint32_t chain_page_count;
    struct bytes pages; /* gap-stripped */
};

static inline uint32_t sidecar_body_u32(const uint8_t *array, size_t index)
{
    return get_u32le(array + 4 * index);
}

/* ERR_INPUT: not a body. */
MUST_CHECK bool sidecar_body_parse(struct bytes text, struct sidecar_body *ret_body,
                                   struct err *err);

/* Page `index` as it is in the file, `page_size` bytes, with zeros in the gap. ERR_INPUT. */
MUST_CHECK bool sidecar_body_page(const struct sidecar_body *body, size_t index, uint32_t page_size,
                                  uint8_t *ret_page, struct err *err);

#endif
