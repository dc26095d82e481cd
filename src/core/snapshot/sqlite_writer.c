/* A new SQLite database file of one table, made of rows that come in the order of their keys
 * (https://www.sqlite.org/fileformat2.html, sections 1.3, 1.6 and 2).
 *
 * The happy path: a row is a cell of the leaf that is being filled. The one that does not fit any
 * more divides this leaf from the next: when something follows, the leaf is written, and the
 * divider goes up, with the leaf as its left child, into an interior page that is filled alike.
 * A row with overflow pages does so only if the leaf's last row is no smaller: what does not fit
 * is mostly large, and a look-up reads the overflow pages of all dividers that it compares.
 *
 * What can go wrong: nothing follows a divider. A page must not be empty then, so the full page
 * gives its last cell up as the divider, and the old divider begins the page. */
#include "core/snapshot/sqlite_writer.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/snapshot/page_size.h"
#include "core/snapshot/sqlite_pages.h"

enum {
    POINTER_SIZE = 2,          /* of a cell, in the page's array */
    PAGENO_SIZE = 4,           /* a left child; what an overflow page begins with */
    VARINT_MAX = 9,            /* bytes */
    LEVELS_MAX = 24,           /* a page has four cells or more */
    PAGES_MAX = INT32_MAX - 1, /* what every SQLite takes */
    SCHEMA_PAGE = 1,           /* with the file's header */
    FIRST_READER = 3008002,    /* the SQLite that brought tables WITHOUT ROWID */
    LOCK_PLACE = 1 << 30,      /* the page of this byte is never used: SQLite locks there */
};

/* One level of the tree, the leaves being level 0. */
struct level {
    uint8_t *page;   /* is being filled */
    uint32_t pageno; /* has a cell: where it will lie */
    uint32_t cells;
    uint32_t content; /* where its cells begin; they grow down */

    uint8_t *full; /* waits for what follows its divider */
    uint32_t full_pageno;
    uint32_t full_cells;
    uint32_t full_content;
    uint32_t full_right; /* its right child; 0: a leaf */
    uint8_t *divider;    /* a cell without left child */
    uint32_t divider_size;
    bool waiting;
};

struct sqlite_writer {
    uint32_t page_size;
    uint32_t lock_page;
    struct sqlite_page_sink sink;
    struct level levels[LEVELS_MAX];
    uint32_t level_count;
    uint32_t last_page; /* the highest number in use */
    uint8_t *overflow;  /* one page */
    bool overflows;
    struct buf last_key;
    bool has_last;
};

static uint8_t *new_page(uint32_t page_size)
{
    uint8_t *page = calloc(1, page_size);
    CHECK(page != NULL);
    return page;
}

struct sqlite_writer *sqlite_writer_new(uint32_t page_size, struct sqlite_page_sink sink)
{
    struct sqlite_writer *writer = calloc(1, sizeof *writer);
    CHECK(writer != NULL);
    writer->page_size = page_size;
    CHECK(page_size_is_valid(page_size));
    writer->lock_page = LOCK_PLACE / page_size + 1;
    writer->sink = sink;
    writer->last_page = SCHEMA_PAGE;
    writer->overflow = new_page(page_size);
    buf_init(&writer->last_key, SQLITE_WRITER_ROW_MAX);
    return writer;
}

struct sqlite_writer *sqlite_writer_free(struct sqlite_writer *writer)
{
    if (writer != NULL) {
        for (uint32_t i = 0; i < writer->level_count; i++) {
            free(writer->levels[i].page);
            free(writer->levels[i].full);
            free(writer->levels[i].divider);
        }
        free(writer->overflow);
        buf_done(&writer->last_key);
        free(writer);
    }
    return NULL;
}

struct bytes sqlite_writer_last_key(const struct sqlite_writer *writer)
{
    return buf_bytes(&writer->last_key);
}

bool sqlite_writer_has_whole_rows(const struct sqlite_writer *writer)
{
    return !writer->overflows;
}

static uint64_t blob_type(size_t size)
{
    return 12 + 2 * (uint64_t)size;
}

/* ---- pages ---- */

static bool next_page(struct sqlite_writer *writer, uint32_t *ret_pageno, struct err *err)
{
    uint32_t pageno = writer->last_page + 1;
    pageno += pageno == writer->lock_page ? 1 : 0;
    if (pageno > PAGES_MAX) {
        return err_set(err, ERR_LIMIT, "a shard file has %d pages of %u bytes at most", PAGES_MAX,
                       writer->page_size);
    }
    writer->last_page = pageno;
    *ret_pageno = pageno;
    return true;
}

static bool write_page(const struct sqlite_writer *writer, uint32_t pageno, const uint8_t *page,
                       struct err *err)
{
    return writer->sink.write(writer->sink.context, pageno, page, err);
}

static uint32_t header_size(const struct sqlite_writer *writer, const struct level *level)
{
    return level == &writer->levels[0] ? SQLITE_LEAF_HEADER : SQLITE_INTERIOR_HEADER;
}

/* What stands before a cell's payload: its left child. */
static uint32_t cell_skip(const struct sqlite_writer *writer, const struct level *level)
{
    return level == &writer->levels[0] ? 0 : PAGENO_SIZE;
}

/* What stands before a page's cells; `right`: of an interior page. */
static void put_header(uint8_t *page, bool is_leaf, uint32_t cells, uint32_t content,
                       uint32_t right)
{
    page[0] = is_leaf ? SQLITE_PAGE_INDEX_LEAF : SQLITE_PAGE_INDEX_INTERIOR;
    put_u16be(page + 3, cells);
    put_u16be(page + 5, content); /* 65536 is written as 0 */
    if (!is_leaf) {
        put_u32be(page + 8, right);
    }
}

static struct level *level_at(struct sqlite_writer *writer, uint32_t index)
{
    CHECK(index <= writer->level_count && index < LEVELS_MAX);
    struct level *level = &writer->levels[index];
    if (index == writer->level_count) {
        *level = (struct level){.page = new_page(writer->page_size),
                                .full = new_page(writer->page_size),
                                .divider = new_page(writer->page_size),
                                .content = writer->page_size};
        writer->level_count++;
    }
    return level;
}

/* ---- cells ---- */

static void begin_page(const struct sqlite_writer *writer, struct level *level)
{
    memset(level->page, 0, writer->page_size);
    level->pageno = 0;
    level->cells = 0;
    level->content = writer->page_size;
}

/* Where the page will lie: before what its rows have on overflow pages, so that a scan reads on. */
static bool place_page(struct sqlite_writer *writer, struct level *level, struct err *err)
{
    return level->pageno != 0 || next_page(writer, &level->pageno, err);
}

/* Room for a cell in the page, which has it. */
static uint8_t *append_cell(const struct sqlite_writer *writer, struct level *level, uint32_t left,
                            uint32_t size)
{
    uint32_t skip = cell_skip(writer, level);
    level->content -= size + skip;
    put_u16be(level->page + header_size(writer, level) + POINTER_SIZE * level->cells,
              level->content);
    level->cells++;
    uint8_t *cell = level->page + level->content;
    if (skip > 0) {
        put_u32be(cell, left);
    }
    return cell + skip;
}

static bool fits(const struct sqlite_writer *writer, const struct level *level, uint32_t size)
{
    uint32_t used = header_size(writer, level) + POINTER_SIZE * (level->cells + 1);
    return used + size + cell_skip(writer, level) <= level->content;
}

/* Where the array of a full page, which has two cells or more, names its last cell. */
static uint8_t *last_pointer(const struct sqlite_writer *writer, const struct level *level)
{
    CHECK(level->full_cells > 1);
    return level->full + header_size(writer, level) +
           (size_t)POINTER_SIZE * (level->full_cells - 1);
}

/* What a cell begins with, behind its left child. */
static uint64_t payload_size(const uint8_t *cell, uint32_t size)
{
    uint64_t payload;
    CHECK(sqlite_page_varint(bytes_of(cell, size), &payload) != 0);
    return payload;
}

static uint64_t last_payload(const struct sqlite_writer *writer, const struct level *level)
{
    uint32_t start = level->full_content + cell_skip(writer, level);
    return payload_size(level->full + start, writer->page_size - start);
}

/* The last cell of the full page becomes the divider. */
static void divide_by_last(const struct sqlite_writer *writer, struct level *level)
{
    uint8_t *last = level->full + level->full_content;
    uint8_t *pointer = last_pointer(writer, level);
    uint32_t size = get_u16be(pointer - POINTER_SIZE) - level->full_content;
    uint32_t skip = cell_skip(writer, level);
    level->full_right = skip == 0 ? 0 : get_u32be(last);
    level->divider_size = size - skip;
    memcpy(level->divider, last + skip, level->divider_size);
    memset(last, 0, size);
    memset(pointer, 0, POINTER_SIZE);
    level->full_cells--;
    level->full_content += size;
}

static bool release(struct sqlite_writer *writer, uint32_t index, struct err *err);

/* *ret_to: where to put a cell of `size` bytes, which follows all others of its level. */
static bool reserve(struct sqlite_writer *writer, uint32_t index, uint32_t left, uint64_t payload,
                    uint32_t size, uint8_t **ret_to, struct err *err)
{
    struct level *level = level_at(writer, index);
    if (level->waiting) {
        TRY(release(writer, index, err));
    }
    if (fits(writer, level, size)) {
        TRY(place_page(writer, level, err));
        *ret_to = append_cell(writer, level, left, size);
        return true;
    }
    uint8_t *page = level->page;
    level->page = level->full;
    level->full = page;
    level->full_pageno = level->pageno;
    level->full_cells = level->cells;
    level->full_content = level->content;
    level->full_right = left;
    level->divider_size = size;
    level->waiting = true;
    begin_page(writer, level);
    if (payload > size && last_payload(writer, level) < payload) { /* it overflows */
        divide_by_last(writer, level);
        TRY(release(writer, index, err));
        TRY(place_page(writer, level, err));
        *ret_to = append_cell(writer, level, left, size);
        return true;
    }
    *ret_to = level->divider;
    return true;
}

/* The full page is written, and its divider goes up. */
static bool release(struct sqlite_writer *writer, uint32_t index, struct err *err)
{
    struct level *level = &writer->levels[index];
    uint8_t *to;
    put_header(level->full, index == 0, level->full_cells, level->full_content, level->full_right);
    TRY(write_page(writer, level->full_pageno, level->full, err));
    level->waiting = false;
    TRY(reserve(writer, index + 1, level->full_pageno,
                payload_size(level->divider, level->divider_size), level->divider_size, &to, err));
    memcpy(to, level->divider, level->divider_size);
    return true;
}

/* Nothing followed the divider: it becomes the first cell of the page, and the last cell of the
 * full page divides them. */
static void take_back(const struct sqlite_writer *writer, struct level *level)
{
    uint8_t *to = append_cell(writer, level, level->full_right, level->divider_size);
    memcpy(to, level->divider, level->divider_size);
    divide_by_last(writer, level);
}

/* ---- rows ---- */

/* A payload in pieces: the record's header, key and value. */
struct payload {
    struct bytes pieces[3];
    uint32_t piece; /* of what is left … */
    size_t at;      /* … and where in it */
};

static void take_payload(struct payload *payload, uint8_t *to, size_t size)
{
    while (size > 0) {
        struct bytes piece = payload->pieces[payload->piece];
        size_t here = piece.size - payload->at;
        here = here < size ? here : size;
        if (here > 0) {
            memcpy(to, piece.data + payload->at, here);
        }
        to += here;
        size -= here;
        payload->at += here;
        if (payload->at == piece.size) {
            payload->piece++;
            payload->at = 0;
        }
    }
}

/* The rest of the payload, on pages of its own, one behind the other; *ret_first: the first. */
static bool write_overflow(struct sqlite_writer *writer, struct payload *payload, uint64_t left,
                           uint32_t *ret_first, struct err *err)
{
    uint32_t room = writer->page_size - PAGENO_SIZE;
    uint32_t pageno;
    TRY(next_page(writer, &pageno, err));
    *ret_first = pageno;
    while (left > 0) {
        uint32_t here = left < room ? (uint32_t)left : room;
        uint32_t next = 0;
        take_payload(payload, writer->overflow + PAGENO_SIZE, here);
        memset(writer->overflow + PAGENO_SIZE + here, 0, room - here);
        left -= here;
        if (left > 0) {
            TRY(next_page(writer, &next, err));
        }
        put_u32be(writer->overflow, next);
        TRY(write_page(writer, pageno, writer->overflow, err));
        pageno = next;
    }
    writer->overflows = true;
    return true;
}

/* A record of the columns k and v (section 2.1): its header. */
static uint32_t record_header(struct bytes key, struct bytes value, uint8_t *to)
{
    uint32_t size = 1; /* of the header: one byte is enough for its own size */
    size += sqlite_page_put_varint(to + size, blob_type(key.size));
    size += sqlite_page_put_varint(to + size, blob_type(value.size));
    to[0] = (uint8_t)size;
    return size;
}

static bool check_row(const struct sqlite_writer *writer, struct bytes key, struct bytes value,
                      struct err *err)
{
    if (writer->has_last && bytes_compare(buf_bytes(&writer->last_key), key) >= 0) {
        return err_set(err, ERR_CORRUPT, "a key that is not above the one before it");
    }
    uint64_t size = (uint64_t)key.size + value.size;
    return size <= SQLITE_WRITER_ROW_MAX - 2 * VARINT_MAX ||
           err_set(err, ERR_INPUT, "a row of %llu bytes: a shard file takes %d",
                   (unsigned long long)size, SQLITE_WRITER_ROW_MAX);
}

bool sqlite_writer_add(struct sqlite_writer *writer, struct bytes key, struct bytes value,
                       struct err *err)
{
    TRY(check_row(writer, key, value, err));
    buf_clear(&writer->last_key);
    buf_add_bytes(&writer->last_key, key);
    writer->has_last = true;

    uint8_t head[1 + 2 * VARINT_MAX];
    struct payload payload = {.pieces = {{.data = head}, key, value}};
    payload.pieces[0].size = record_header(key, value, head);
    uint64_t size = (uint64_t)payload.pieces[0].size + key.size + value.size;
    uint32_t local = (uint32_t)sqlite_page_local_size(size, false, writer->page_size);

    uint8_t length[VARINT_MAX];
    uint32_t length_size = sqlite_page_put_varint(length, size);
    uint32_t cell_size = length_size + local + (local < size ? PAGENO_SIZE : 0);
    uint8_t *cell;
    TRY(reserve(writer, 0, 0, size, cell_size, &cell, err));
    memcpy(cell, length, length_size);
    take_payload(&payload, cell + length_size, local);
    if (local < size) {
        uint32_t first;
        TRY(write_overflow(writer, &payload, size - local, &first, err));
        put_u32be(cell + length_size + local, first);
    }
    return true;
}

/* ---- the end ---- */

/* The schema: one row of sqlite_schema (section 2.6). */
static void put_schema(uint8_t *page, uint32_t page_size, uint32_t root)
{
    static const char sql[] = "CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID";
    static const char texts[] = "tablekvkv"; /* type, name, tbl_name */
    uint8_t record[sizeof texts + sizeof sql + 16];
    uint32_t size = 1;
    size += sqlite_page_put_varint(record + size, 13 + 2 * strlen("table"));
    size += sqlite_page_put_varint(record + size, 13 + 2 * strlen("kv"));
    size += sqlite_page_put_varint(record + size, 13 + 2 * strlen("kv"));
    uint32_t root_size = root < 1 << 7 ? 1 : root < 1 << 15 ? 2 : root < 1 << 23 ? 3 : 4;
    record[size++] = (uint8_t)root_size; /* an integer of so many bytes, with a sign */
    size += sqlite_page_put_varint(record + size, 13 + 2 * (sizeof sql - 1));
    record[0] = (uint8_t)size;
    memcpy(record + size, texts, sizeof texts - 1);
    size += sizeof texts - 1;
    for (uint32_t i = root_size; i > 0; i--) {
        record[size++] = (uint8_t)(root >> 8 * (i - 1));
    }
    memcpy(record + size, sql, sizeof sql - 1);
    size += sizeof sql - 1;

    uint8_t head[VARINT_MAX];
    uint32_t head_size = sqlite_page_put_varint(head, size);
    uint32_t content = page_size - size - head_size - 1;
    uint8_t *cell = page + content;
    memcpy(cell, head, head_size);
    cell[head_size] = 1; /* the row id */
    memcpy(cell + head_size + 1, record, size);
    uint8_t *header = page + SQLITE_FILE_HEADER;
    header[0] = SQLITE_PAGE_TABLE_LEAF;
    put_u16be(header + 3, 1);
    put_u16be(header + 5, content);
    put_u16be(header + SQLITE_LEAF_HEADER, content);
}

/* Section 1.3. The two counters that must be equal say that the page count is right. */
static void put_file_header(uint8_t *page, uint32_t page_size, uint32_t page_count)
{
    memcpy(page, "SQLite format 3", 16);
    put_u16be(page + 16, page_size == PAGE_SIZE_MAX ? 1 : page_size);
    page[18] = 1; /* a rollback journal, for writers and readers */
    page[19] = 1;
    page[21] = 64; /* payload fractions, which are fixed */
    page[22] = 32;
    page[23] = 32;
    put_u32be(page + 24, 1); /* change counter */
    put_u32be(page + 28, page_count);
    put_u32be(page + 40, 1); /* schema cookie */
    put_u32be(page + 44, 4); /* schema format */
    put_u32be(page + 56, 1); /* UTF-8 */
    put_u32be(page + 92, 1); /* the change counter that the next number is valid for */
    put_u32be(page + 96, FIRST_READER);
}

/* What is left of a level; `right`: the last page of the one below. */
static bool finish_level(struct sqlite_writer *writer, uint32_t index, uint32_t right,
                         struct err *err)
{
    struct level *level = &writer->levels[index];
    TRY(place_page(writer, level, err));
    if (level->waiting) {
        take_back(writer, level);
        TRY(release(writer, index, err));
    }
    put_header(level->page, index == 0, level->cells, level->content, right);
    return write_page(writer, level->pageno, level->page, err);
}

bool sqlite_writer_finish(struct sqlite_writer *writer, uint32_t *ret_page_count, struct err *err)
{
    uint32_t index = 0;
    uint32_t root = 0;
    (void)level_at(writer, 0); /* without rows, too */
    do {
        TRY(finish_level(writer, index, root, err));
        root = writer->levels[index].pageno;
        index++;
    } while (index < writer->level_count);
    memset(writer->overflow, 0, writer->page_size);
    put_schema(writer->overflow, writer->page_size, root);
    put_file_header(writer->overflow, writer->page_size, writer->last_page);
    *ret_page_count = writer->last_page;
    return write_page(writer, SCHEMA_PAGE, writer->overflow, err);
}
