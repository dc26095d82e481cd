/* An SQLite database file seen as pages: B-tree headers, cells and overflow chains. */
#include "core/snapshot/sqlite_pages.h"

bool sqlite_page_parse(const uint8_t *page, uint32_t pageno, uint32_t page_size,
                       struct sqlite_page_header *ret_header)
{
    uint32_t base = pageno == 1 ? SQLITE_FILE_HEADER : 0;
    uint8_t type = page[base];
    if (type != SQLITE_PAGE_INDEX_INTERIOR && type != SQLITE_PAGE_TABLE_INTERIOR &&
        type != SQLITE_PAGE_INDEX_LEAF && type != SQLITE_PAGE_TABLE_LEAF) {
        return false;
    }
    struct sqlite_page_header header = {.type = (enum sqlite_page_type)type, .base = base};
    bool interior = sqlite_page_is_interior(&header);
    header.cell_count = get_u16be(page + base + 3);
    header.head_end =
        base + (interior ? SQLITE_INTERIOR_HEADER : SQLITE_LEAF_HEADER) + 2 * header.cell_count;
    header.content_start = get_u16be(page + base + 5);
    if (header.content_start == 0) {
        header.content_start = 65536;
    }
    if (interior) {
        header.right_child = get_u32be(page + base + 8);
    }
    if (header.content_start > page_size || header.head_end > header.content_start) {
        return false;
    }
    *ret_header = header;
    return true;
}

size_t sqlite_page_varint(struct bytes from, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 9 && i < from.size; i++) {
        if (i == 8) {
            *ret_value = value << 8 | from.data[i];
            return 9;
        }
        value = value << 7 | (from.data[i] & 0x7f);
        if ((from.data[i] & 0x80) == 0) {
            *ret_value = value;
            return i + 1;
        }
    }
    return 0;
}

uint32_t sqlite_page_put_varint(uint8_t *to, uint64_t value)
{
    uint32_t size = 1;
    for (uint64_t rest = value >> 7; rest != 0; rest >>= 7) {
        size++;
    }
    for (uint32_t i = size; i > 0; i--) {
        to[i - 1] = (uint8_t)((value & 0x7f) | (i == size ? 0 : 0x80));
        value >>= 7;
    }
    return size;
}

uint64_t sqlite_page_local_size(uint64_t payload, bool table_leaf, uint32_t usable)
{
    uint64_t most = table_leaf ? usable - 35 : (usable - 12) * 64 / 255 - 23;
    if (payload <= most) {
        return payload;
    }
    uint64_t least = (usable - 12) * 32 / 255 - 23;
    uint64_t fitting = least + (payload - least) % (usable - 4);
    return fitting <= most ? fitting : least;
}

/* What follows the left child: payload size, row id of a table leaf, payload, overflow page. */
static bool parse_payload(struct bytes cell, enum sqlite_page_type type, uint32_t page_size,
                          struct sqlite_cell *ret_cell)
{
    uint64_t payload = 0;
    size_t used = sqlite_page_varint(cell, &payload);
    if (used == 0 || payload > INT32_MAX) {
        return false;
    }
    if (type == SQLITE_PAGE_TABLE_LEAF) {
        uint64_t row_id = 0;
        size_t more = sqlite_page_varint(bytes_of(cell.data + used, cell.size - used), &row_id);
        if (more == 0) {
            return false;
        }
        used += more;
    }
    uint64_t local = sqlite_page_local_size(payload, type == SQLITE_PAGE_TABLE_LEAF, page_size);
    bool overflows = local < payload;
    if (cell.size - used < local + (overflows ? 4 : 0)) {
        return false;
    }
    ret_cell->local = bytes_of(cell.data + used, (size_t)local);
    ret_cell->overflow_bytes = payload - local;
    if (overflows) {
        ret_cell->overflow_page = get_u32be(cell.data + used + local);
    }
    return true;
}

bool sqlite_page_cell(const uint8_t *page, uint32_t page_size,
                      const struct sqlite_page_header *header, uint32_t index,
                      struct sqlite_cell *ret_cell, struct err *err)
{
    CHECK(index < header->cell_count);
    uint32_t start = get_u16be(page + header->head_end - 2 * (header->cell_count - index));
    if (start < header->content_start || start >= page_size) {
        return err_set(err, ERR_INPUT, "cell %u begins outside of its page", index);
    }
    struct bytes cell = bytes_of(page + start, page_size - start);
    struct sqlite_cell found = {0};
    if (sqlite_page_is_interior(header)) {
        if (cell.size < 4) {
            return err_set(err, ERR_INPUT, "cell %u ends outside of its page", index);
        }
        found.left_child = get_u32be(cell.data);
        cell = bytes_of(cell.data + 4, cell.size - 4);
    }
    if (header->type != SQLITE_PAGE_TABLE_INTERIOR &&
        !parse_payload(cell, header->type, page_size, &found)) {
        return err_set(err, ERR_INPUT, "cell %u ends outside of its page", index);
    }
    *ret_cell = found;
    return true;
}
