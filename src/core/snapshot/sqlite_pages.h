/* An SQLite database file seen as pages: B-tree headers, cells and overflow chains. */
#ifndef TIDEMARK_CORE_SNAPSHOT_SQLITE_PAGES_H
#define TIDEMARK_CORE_SNAPSHOT_SQLITE_PAGES_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* A file's pages by number, from 1. `read` fills `page_size` bytes; its errors are passed on.
 * `ahead` (may be NULL) is told that `count` pages will be read from `pageno` on, if they are one
 * behind the other, as they mostly are. */
struct sqlite_pages {
    bool (*read)(void *context, uint32_t pageno, uint8_t *ret_page, struct err *err);
    void (*ahead)(void *context, uint32_t pageno, uint32_t count);
    void *context;
    uint32_t page_size;
    uint32_t page_count;
    bool whole_rows; /* whoever wrote the file says that no row of it has overflow pages */
};

/* https://www.sqlite.org/fileformat2.html, section 1.6 */
enum sqlite_page_type {
    SQLITE_PAGE_INDEX_INTERIOR = 2,
    SQLITE_PAGE_TABLE_INTERIOR = 5,
    SQLITE_PAGE_INDEX_LEAF = 10,
    SQLITE_PAGE_TABLE_LEAF = 13,
};

/* Bytes: of the file's header (section 1.3), which page 1 begins with, and of a page's. */
enum { SQLITE_FILE_HEADER = 100, SQLITE_LEAF_HEADER = 8, SQLITE_INTERIOR_HEADER = 12 };

/* What of a B-tree page is used: [0, head_end) and [content_start, page_size). */
struct sqlite_page_header {
    enum sqlite_page_type type;
    uint32_t base; /* 100 on page 1, else 0 */
    uint32_t cell_count;
    uint32_t head_end; /* end of the cell pointer array */
    uint32_t content_start;
    uint32_t right_child; /* interior pages; else 0 */
};

/* `page` has page_size bytes. False: not a B-tree page (an overflow page, say). */
bool sqlite_page_parse(const uint8_t *page, uint32_t pageno, uint32_t page_size,
                       struct sqlite_page_header *ret_header);

static inline bool sqlite_page_is_interior(const struct sqlite_page_header *header)
{
    return header->type == SQLITE_PAGE_INDEX_INTERIOR || header->type == SQLITE_PAGE_TABLE_INTERIOR;
}

/* SQLite's variable-length integer, 1 to 9 bytes: how many; 0: it does not end in `from`. */
size_t sqlite_page_varint(struct bytes from, uint64_t *ret_value);

/* The same to `to`, of a value below 2^56: how many bytes, 8 at most. */
uint32_t sqlite_page_put_varint(uint8_t *to, uint64_t value);

/* Bytes of a payload that stay on its page, without overflow pages (section 1.6): of a leaf of a
 * table, or of any page of an index. */
uint64_t sqlite_page_local_size(uint64_t payload, bool table_leaf, uint32_t page_size);

/* One cell: where it leads. */
struct sqlite_cell {
    uint32_t left_child;     /* interior pages; else 0 */
    uint32_t overflow_page;  /* 0: all of its payload is on the page */
    uint64_t overflow_bytes; /* of the payload, not on the page */
    struct bytes local;      /* the part of the payload that is on the page */
};

/* Cell `index` of a page. ERR_INPUT: it does not lie inside the page. */
MUST_CHECK bool sqlite_page_cell(const uint8_t *page, uint32_t page_size,
                                 const struct sqlite_page_header *header, uint32_t index,
                                 struct sqlite_cell *ret_cell, struct err *err);

#endif
