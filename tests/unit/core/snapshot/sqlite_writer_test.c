/* Are rows refused that do not come in order, pages numbered as SQLite wants them, errors passed
 * on? (What SQLite itself reads in such files: sqlite_kv_test.) */
#include "core/snapshot/sqlite_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/rng.h"
#include "core/snapshot/sqlite_pages.h"

enum { SMALL_PAGE = 4096, LARGE_PAGE = 65536, LOCK_PAGE = (1 << 30) / LARGE_PAGE + 1 };

struct seen {
    bool came[LOCK_PAGE + 200]; /* by page number */
    uint32_t pages;
    uint32_t last;
    uint32_t highest;
    uint32_t fail_at; /* that page cannot be written; 0: all can */
    uint32_t next;    /* what page LOCK_PAGE - 1, an overflow page, names as the one behind it */
};

static bool see(void *context, uint32_t pageno, const uint8_t *page, struct err *err)
{
    struct seen *seen = context;
    if (pageno == seen->fail_at) {
        return err_set(err, ERR_LIMIT, "the disk is full");
    }
    cr_assert(pageno > 0 && pageno < LENGTH_OF(seen->came) && !seen->came[pageno]);
    seen->came[pageno] = true;
    seen->highest = pageno > seen->highest ? pageno : seen->highest;
    seen->last = pageno;
    seen->pages++;
    if (pageno == LOCK_PAGE - 1) {
        seen->next = get_u32be(page);
    }
    return true;
}

static struct sqlite_writer *writer_to(struct seen *seen, uint32_t page_size)
{
    return sqlite_writer_new(page_size, (struct sqlite_page_sink){.write = see, .context = seen});
}

static bool add_number(struct sqlite_writer *writer, uint64_t number, struct bytes value,
                       struct err *err)
{
    uint8_t key[8];
    put_u64be(key, number);
    return sqlite_writer_add(writer, bytes_of(key, sizeof key), value, err);
}

Test(sqlite_writer, keys_ascend)
{
    static const struct {
        const char *first;
        const char *second;
        bool in_order;
    } pairs[] = {
        {"a", "b", true},  {"", "a", true},      {"a", "aa", true}, {"\x7f", "\x80", true},
        {"a", "a", false}, {"", "", false},      {"b", "a", false}, {"aa", "a", false},
        {"a", "", false},  {"\xff", "b", false},
    };
    for (size_t i = 0; i < LENGTH_OF(pairs); i++) {
        struct seen seen = {0};
        struct err err = {0};
        struct sqlite_writer *writer = writer_to(&seen, SMALL_PAGE);
        struct bytes value = bytes_of_text("v");
        cr_assert(sqlite_writer_add(writer, bytes_of_text(pairs[i].first), value, &err));
        cr_assert_eq(sqlite_writer_add(writer, bytes_of_text(pairs[i].second), value, &err),
                     pairs[i].in_order);
        if (!pairs[i].in_order) {
            cr_assert_eq(err.kind, ERR_CORRUPT);
        }
        sqlite_writer_free(writer);
    }
}

Test(sqlite_writer, every_page_once)
{
    struct seen seen = {0};
    struct err err = {0};
    struct sqlite_writer *writer = writer_to(&seen, SMALL_PAGE);
    uint32_t page_count = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert(add_number(writer, i, bytes_of_text("a value"), &err));
    }
    cr_assert(sqlite_writer_finish(writer, &page_count, &err));
    cr_assert_eq(seen.last, 1);
    cr_assert_eq(page_count, seen.highest);
    cr_assert_eq(seen.pages, page_count);
    cr_assert(sqlite_writer_has_whole_rows(writer));
    sqlite_writer_free(writer);
}

/* The page of byte 2^30 is left out, also within the overflow pages of a row. */
Test(sqlite_writer, the_page_of_locks)
{
    enum { VALUE = 3 << 20 };
    struct seen seen = {0};
    struct err err = {0};
    struct sqlite_writer *writer = writer_to(&seen, LARGE_PAGE);
    uint8_t *value = calloc(1, VALUE);
    uint32_t page_count = 0;
    cr_assert_not_null(value);
    for (uint64_t i = 0; seen.highest < LOCK_PAGE + 100; i++) {
        cr_assert(add_number(writer, i, bytes_of(value, VALUE), &err), "%s", err.message);
    }
    cr_assert(sqlite_writer_finish(writer, &page_count, &err));
    cr_assert_eq(seen.next, LOCK_PAGE + 1);
    cr_assert_not(seen.came[LOCK_PAGE]);
    cr_assert_eq(seen.pages, page_count - 1);
    cr_assert_not(sqlite_writer_has_whole_rows(writer));
    sqlite_writer_free(writer);
    free(value);
}

struct dividers {
    uint32_t all;
    uint32_t overflowing;
};

static bool count_dividers(void *context, uint32_t pageno, const uint8_t *page, struct err *err)
{
    struct dividers *dividers = context;
    struct sqlite_page_header header;
    if (pageno == 1 || page[0] != SQLITE_PAGE_INDEX_INTERIOR) {
        return true;
    }
    cr_assert(sqlite_page_parse(page, pageno, SMALL_PAGE, &header));
    cr_assert_gt(header.cell_count, 0);
    for (uint32_t i = 0; i < header.cell_count; i++) {
        struct sqlite_cell cell;
        cr_assert(sqlite_page_cell(page, SMALL_PAGE, &header, i, &cell, err));
        dividers->overflowing += cell.overflow_page != 0 ? 1 : 0;
    }
    dividers->all += header.cell_count;
    return true;
}

/* One row in four has overflow pages. It is mostly what does not fit any more, but must not be what
 * divides pages: each look-up that passes would read its overflow pages. */
Test(sqlite_writer, small_rows_divide)
{
    static const uint8_t value[9000];
    struct dividers dividers = {0};
    struct err err = {0};
    struct rng rng;
    uint32_t page_count = 0;
    struct sqlite_writer *writer = sqlite_writer_new(
        SMALL_PAGE, (struct sqlite_page_sink){.write = count_dividers, .context = &dividers});
    rng_init(&rng, 3);
    for (uint64_t i = 0; i < 5000; i++) {
        size_t size = rng_below(&rng, 4) == 0 ? sizeof value : 20;
        cr_assert(add_number(writer, i, bytes_of(value, size), &err));
    }
    cr_assert(sqlite_writer_finish(writer, &page_count, &err));
    cr_assert_gt(dividers.all, 100);
    cr_assert_lt(dividers.overflowing, dividers.all / 3, "%u of %u", dividers.overflowing,
                 dividers.all);
    sqlite_writer_free(writer);
}

static bool write_sixty_rows(struct seen *seen, uint32_t *ret_page_count, struct err *err)
{
    uint8_t value[3000] = {0};
    struct sqlite_writer *writer = writer_to(seen, SMALL_PAGE);
    bool ok = true;
    for (uint64_t i = 0; i < 60 && ok; i++) {
        ok = add_number(writer, i, bytes_of(value, i % 2 == 0 ? sizeof value : 900), err);
    }
    ok = ok && sqlite_writer_finish(writer, ret_page_count, err);
    sqlite_writer_free(writer);
    return ok;
}

/* Whatever page it is that cannot be written: of rows, of overflow, the root, the header. */
Test(sqlite_writer, errors_of_the_file)
{
    struct seen all = {0};
    struct err err = {0};
    uint32_t page_count = 0;
    cr_assert(write_sixty_rows(&all, &page_count, &err));
    cr_assert_gt(page_count, 40);
    for (uint32_t fail_at = 1; fail_at <= page_count; fail_at++) {
        struct seen seen = {.fail_at = fail_at};
        uint32_t ignored;
        cr_assert_not(write_sixty_rows(&seen, &ignored, &err), "page %u", fail_at);
        cr_assert_eq(err.kind, ERR_LIMIT);
    }
}

Test(sqlite_writer, rows_that_sqlite_does_not_take)
{
    struct seen seen = {0};
    struct err err = {0};
    struct sqlite_writer *writer = writer_to(&seen, SMALL_PAGE);
    struct bytes value = bytes_of("", SQLITE_WRITER_ROW_MAX); /* its size alone is looked at */
    cr_assert_not(add_number(writer, 1, value, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    cr_assert_not_null(strstr(err.message, "1000000000"), "%s", err.message);
    sqlite_writer_free(writer);
}
