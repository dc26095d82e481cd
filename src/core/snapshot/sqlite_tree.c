/* One key looked up in the table of a shard file, page by page.
 *
 * The happy path: from the root down, in each page the first cell whose key is not below the wanted
 * one; equal: its value, here or on overflow pages; else its left child, or the page's right one.
 *
 * What can go wrong: pages that are not what they should be, and circles: a tree is at most
 * DEPTH_MAX deep, and a chain has as many pages as its cell says. */
#include "core/snapshot/sqlite_tree.h"

#include <stdlib.h>

#include "core/snapshot/sqlite_record.h"

enum {
    DEPTH_MAX = 40, /* of a tree: each page has two children or more */
    KEY_COLUMN = 0,
    VALUE_COLUMN = 1,
    LINK_BYTES = 4,          /* an overflow page begins with the number of the next one */
    SCHEMA_PAGES_MAX = 1000, /* a shard file's schema has one page, or a few */
};

struct search {
    const struct sqlite_pages *pages;
    uint8_t *page;  /* of the tree */
    uint8_t *chain; /* an overflow page */
    unsigned schema_pages;
};

static void search_init(struct search *search, const struct sqlite_pages *pages)
{
    *search = (struct search){
        .pages = pages, .page = malloc(pages->page_size), .chain = malloc(pages->page_size)};
    CHECK(search->page != NULL && search->chain != NULL);
}

static void search_auto(struct search *search)
{
    free(search->page);
    free(search->chain);
}

static bool read_page(const struct search *search, uint32_t pageno, uint8_t *ret_page,
                      struct err *err)
{
    if (pageno == 0 || pageno > search->pages->page_count) {
        return err_set(err, ERR_INPUT, "page %u of a file of %u pages", pageno,
                       search->pages->page_count);
    }
    return search->pages->read(search->pages->context, pageno, ret_page, err);
}

static bool read_tree_page(const struct search *search, uint32_t pageno,
                           struct sqlite_page_header *ret_header, struct err *err)
{
    TRY(read_page(search, pageno, search->page, err));
    return sqlite_page_parse(search->page, pageno, search->pages->page_size, ret_header) ||
           err_set(err, ERR_INPUT, "page %u is no B-tree page", pageno);
}

/* ---- payloads ---- */

/* Adds `size` bytes of the cell's payload from `place` on. */
static bool add_payload(const struct search *search, const struct sqlite_cell *cell, uint64_t place,
                        uint64_t size, struct buf *to, struct err *err)
{
    uint64_t file_bytes = (uint64_t)search->pages->page_count * search->pages->page_size;
    if (place + size > cell->local.size + cell->overflow_bytes ||
        cell->overflow_bytes > file_bytes) {
        return err_set(err, ERR_INPUT,
                       "a row that is longer than its cell, or a cell than the file");
    }
    uint64_t here = place < cell->local.size ? cell->local.size - place : 0;
    here = here < size ? here : size;
    if (here > 0) {
        buf_add(to, cell->local.data + place, (size_t)here);
        place += here;
        size -= here;
    }
    place -= cell->local.size; /* from here on: within the overflow pages */
    uint32_t page_bytes = search->pages->page_size - LINK_BYTES;
    uint32_t pageno = cell->overflow_page;
    uint64_t left = cell->overflow_bytes;
    if (size > 0 && search->pages->ahead != NULL) {
        uint64_t count = (left + page_bytes - 1) / page_bytes;
        search->pages->ahead(search->pages->context, pageno, (uint32_t)count);
    }
    while (size > 0) {
        TRY(read_page(search, pageno, search->chain, err));
        uint64_t in_page = left < page_bytes ? left : page_bytes;
        if (place < in_page) {
            uint64_t taken = in_page - place < size ? in_page - place : size;
            buf_add(to, search->chain + LINK_BYTES + place, (size_t)taken);
            size -= taken;
            place = 0;
        } else {
            place -= in_page;
        }
        left -= in_page;
        pageno = get_u32be(search->chain);
        if (to->overflowed) {
            return err_set(err, ERR_LIMIT, "a value of more than %zu bytes", to->limit);
        }
    }
    return !to->overflowed || err_set(err, ERR_LIMIT, "a value of more than %zu bytes", to->limit);
}

/* The sign of (the cell's key - key). Mostly the begin of the key decides, which is on the page. */
static bool compare_key(const struct search *search, const struct sqlite_cell *cell,
                        struct bytes key, int *ret_order, struct err *err)
{
    struct sqlite_column column;
    TRY(sqlite_record_column(cell->local, KEY_COLUMN, &column, err));
    if (!sqlite_column_is_bytes(&column)) {
        return err_set(err, ERR_INPUT, "a key that is no bytes");
    }
    uint64_t here = column.place < cell->local.size ? cell->local.size - column.place : 0;
    here = here < column.size ? here : column.size;
    struct bytes begin = bytes_of(cell->local.data + column.place, (size_t)here);
    if (here == column.size) {
        *ret_order = bytes_compare(begin, key);
        return true;
    }
    size_t common = begin.size < key.size ? begin.size : key.size;
    int order = common == 0 ? 0 : memcmp(begin.data, key.data, common);
    if (order != 0 || key.size < begin.size) {
        *ret_order = order != 0 ? order : 1;
        return true;
    }
    AUTO(buf) struct buf whole;
    buf_init(&whole, (size_t)column.size);
    TRY(add_payload(search, cell, column.place, column.size, &whole, err));
    *ret_order = bytes_compare(buf_bytes(&whole), key);
    return true;
}

/* ---- a table ---- */

/* The first cell whose key is not below `key`: *ret_index, cell_count when there is none. */
static bool find_in_page(const struct search *search, const struct sqlite_page_header *header,
                         struct bytes key, uint32_t *ret_index, struct sqlite_cell *ret_cell,
                         bool *ret_equal, struct err *err)
{
    uint32_t low = 0;
    uint32_t high = header->cell_count;
    *ret_equal = false;
    while (low < high && !*ret_equal) {
        uint32_t middle = low + (high - low) / 2;
        int order = 0;
        TRY(sqlite_page_cell(search->page, search->pages->page_size, header, middle, ret_cell,
                             err));
        TRY(compare_key(search, ret_cell, key, &order, err));
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
            *ret_equal = order == 0;
        }
    }
    *ret_index = high;
    return *ret_equal || high == header->cell_count ||
           sqlite_page_cell(search->page, search->pages->page_size, header, high, ret_cell, err);
}

static bool get_in_page(const struct search *search, uint32_t pageno, struct bytes key,
                        struct buf *value, bool *ret_found, uint32_t *ret_child, struct err *err)
{
    struct sqlite_page_header header;
    struct sqlite_cell cell = {0};
    uint32_t index = 0;
    TRY(read_tree_page(search, pageno, &header, err));
    if (header.type != SQLITE_PAGE_INDEX_INTERIOR && header.type != SQLITE_PAGE_INDEX_LEAF) {
        return err_set(err, ERR_INPUT, "not a table of keys and values without row ids");
    }
    TRY(find_in_page(search, &header, key, &index, &cell, ret_found, err));
    *ret_child = 0;
    if (*ret_found) {
        struct sqlite_column column;
        TRY(sqlite_record_column(cell.local, VALUE_COLUMN, &column, err));
        if (!sqlite_column_is_bytes(&column)) {
            return err_set(err, ERR_INPUT, "a value that is no bytes");
        }
        return add_payload(search, &cell, column.place, column.size, value, err);
    }
    if (sqlite_page_is_interior(&header)) {
        *ret_child = index < header.cell_count ? cell.left_child : header.right_child;
    }
    return true;
}

bool sqlite_tree_get(const struct sqlite_pages *pages, uint32_t root, struct bytes key,
                     struct buf *value, bool *ret_found, struct err *err)
{
    AUTO(search) struct search search;
    search_init(&search, pages);
    uint32_t pageno = root;
    bool found = false;
    for (int depth = 0; pageno != 0 && !found; depth++) {
        if (depth == DEPTH_MAX) {
            return err_set(err, ERR_INPUT, "a tree of more than %d levels", DEPTH_MAX);
        }
        uint32_t child = 0;
        if (!get_in_page(&search, pageno, key, value, &found, &child, err)) {
            return err_wrap(err, "page %u", pageno);
        }
        pageno = child;
    }
    *ret_found = found;
    return true;
}

/* ---- the schema ---- */

static bool text_is(const struct search *search, const struct sqlite_cell *cell, unsigned column,
                    const char *text, bool *ret_is, struct err *err)
{
    struct sqlite_column found;
    TRY(sqlite_record_column(cell->local, column, &found, err));
    *ret_is = false;
    if (found.size != strlen(text) || !sqlite_column_is_bytes(&found)) {
        return true;
    }
    AUTO(buf) struct buf have;
    buf_init(&have, (size_t)found.size);
    TRY(add_payload(search, cell, found.place, found.size, &have, err));
    *ret_is = bytes_equal(buf_bytes(&have), bytes_of_text(text));
    return true;
}

/* *ret_root 0: it is not in this part of the schema. */
static bool root_in_schema(struct search *search, uint32_t pageno, const char *table, int depth,
                           uint32_t *ret_root, struct err *err)
{
    struct sqlite_page_header header;
    if (depth == DEPTH_MAX || ++search->schema_pages > SCHEMA_PAGES_MAX) {
        return err_set(err, ERR_INPUT, "a schema of more than %d pages", SCHEMA_PAGES_MAX);
    }
    TRY(read_tree_page(search, pageno, &header, err));
    if (header.type != SQLITE_PAGE_TABLE_INTERIOR && header.type != SQLITE_PAGE_TABLE_LEAF) {
        return err_set(err, ERR_INPUT, "page %u is no schema", pageno);
    }
    *ret_root = 0;
    for (uint32_t i = 0; i <= header.cell_count && *ret_root == 0; i++) {
        struct sqlite_cell cell = {.left_child = header.right_child};
        bool interior = sqlite_page_is_interior(&header);
        if (i < header.cell_count) {
            TRY(sqlite_page_cell(search->page, search->pages->page_size, &header, i, &cell, err));
        } else if (!interior) {
            break;
        }
        if (interior) {
            TRY(root_in_schema(search, cell.left_child, table, depth + 1, ret_root, err));
            TRY(read_page(search, pageno, search->page, err)); /* the child took its place */
            continue;
        }
        bool is_table = false;
        bool is_named = false;
        TRY(text_is(search, &cell, SQLITE_SCHEMA_TYPE, "table", &is_table, err));
        TRY(text_is(search, &cell, SQLITE_SCHEMA_NAME, table, &is_named, err));
        if (is_table && is_named) {
            return sqlite_record_u32(cell.local, SQLITE_SCHEMA_ROOT_PAGE, ret_root, err);
        }
    }
    return true;
}

bool sqlite_tree_root(const struct sqlite_pages *pages, const char *table, uint32_t *ret_root,
                      struct err *err)
{
    AUTO(search) struct search search;
    search_init(&search, pages);
    uint32_t root = 0;
    TRY(root_in_schema(&search, 1, table, 0, &root, err));
    if (root == 0) {
        return err_set(err, ERR_MISSING, "there is no table %s", table);
    }
    *ret_root = root;
    return true;
}
