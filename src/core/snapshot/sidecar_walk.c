/* Every page of a shard file that a sidecar speaks of: a walk through all its B-trees. */
#include "core/snapshot/sidecar_walk.h"

#include <stdlib.h>

#include "core/snapshot/sqlite_record.h"

struct walker {
    const struct sqlite_pages *source;
    struct sidecar_walk *walk;
    uint8_t *page;
    uint8_t *seen;                  /* a bit a page: no page is part of two things */
    struct sidecar_numbers level;   /* of the tree at hand, and ... */
    struct sidecar_numbers below;   /* ... the pages one level lower */
    struct sidecar_numbers heads;   /* of overflow chains, and ... */
    struct sidecar_numbers lengths; /* ... their lengths in pages */
    struct sidecar_numbers roots;   /* of the trees that the schema names */
};

static void push(struct sidecar_numbers *numbers, uint32_t number)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 64 : 2 * numbers->capacity;
        uint32_t *items = realloc(numbers->items, capacity * sizeof *items);
        CHECK(items != NULL);
        numbers->items = items;
        numbers->capacity = capacity;
    }
    numbers->items[numbers->count++] = number;
}

static void push_chain(struct sidecar_walk *walk, struct sidecar_chain chain)
{
    if (walk->chain_count == walk->chain_capacity) {
        size_t capacity = walk->chain_capacity == 0 ? 64 : 2 * walk->chain_capacity;
        struct sidecar_chain *chains = realloc(walk->chains, capacity * sizeof *chains);
        CHECK(chains != NULL);
        walk->chains = chains;
        walk->chain_capacity = capacity;
    }
    walk->chains[walk->chain_count++] = chain;
}

/* Nothing else has led to the page. */
static bool reach_page(struct walker *walker, uint32_t pageno, struct err *err)
{
    if (pageno == 0 || pageno > walker->source->page_count) {
        return err_set(err, ERR_INPUT, "page %u of a file of %u pages", pageno,
                       walker->source->page_count);
    }
    uint8_t bit = (uint8_t)(1 << (pageno % 8));
    if ((walker->seen[pageno / 8] & bit) != 0) {
        return err_set(err, ERR_INPUT, "page %u is in two places", pageno);
    }
    walker->seen[pageno / 8] |= bit;
    return true;
}

static bool read_page(struct walker *walker, uint32_t pageno, struct err *err)
{
    return reach_page(walker, pageno, err) &&
           walker->source->read(walker->source->context, pageno, walker->page, err);
}

/* ---- trees ---- */

static bool take_cell(struct walker *walker, const struct sqlite_page_header *header,
                      uint32_t index, bool is_schema, struct err *err)
{
    uint32_t page_size = walker->source->page_size;
    struct sqlite_cell cell;
    TRY(sqlite_page_cell(walker->page, page_size, header, index, &cell, err));
    if (sqlite_page_is_interior(header)) {
        push(&walker->below, cell.left_child);
    }
    if (cell.overflow_bytes > 0) {
        push(&walker->heads, cell.overflow_page);
        push(&walker->lengths, (uint32_t)((cell.overflow_bytes + page_size - 5) / (page_size - 4)));
    }
    if (is_schema && header->type == SQLITE_PAGE_TABLE_LEAF) {
        uint32_t root = 0;
        TRY(sqlite_record_u32(cell.local, SQLITE_SCHEMA_ROOT_PAGE, &root, err));
        if (root != 0) {
            push(&walker->roots, root);
        }
    }
    return true;
}

static bool take_page(struct walker *walker, uint32_t pageno,
                      const struct sqlite_page_header *header, bool is_schema, struct err *err)
{
    if (is_schema || sqlite_page_is_interior(header)) {
        push(&walker->walk->pages, pageno);
    }
    for (uint32_t i = 0; i < header->cell_count; i++) {
        TRY(take_cell(walker, header, i, is_schema, err));
    }
    if (sqlite_page_is_interior(header)) {
        push(&walker->below, header->right_child);
    }
    return true;
}

/* All leaves of a tree are on its lowest level: the first one tells that all the others are leaves,
 * too, of which nothing is wanted where no row leaves its page. */
static bool walk_level(struct walker *walker, bool is_schema, struct err *err)
{
    bool skip = false;
    for (size_t i = 0; i < walker->level.count; i++) {
        uint32_t pageno = walker->level.items[i];
        if (skip) {
            TRY(reach_page(walker, pageno, err));
            continue;
        }
        TRY(read_page(walker, pageno, err));
        struct sqlite_page_header header;
        if (!sqlite_page_parse(walker->page, pageno, walker->source->page_size, &header)) {
            return err_set(err, ERR_INPUT, "page %u is no B-tree page", pageno);
        }
        if (!take_page(walker, pageno, &header, is_schema, err)) {
            return err_wrap(err, "page %u", pageno);
        }
        skip = walker->source->whole_rows && !is_schema && !sqlite_page_is_interior(&header);
    }
    return true;
}

/* Level by level: the pages of one lie mostly in order, and a file is read from front to back. */
static bool walk_tree(struct walker *walker, uint32_t root, bool is_schema, struct err *err)
{
    walker->level.count = 0;
    push(&walker->level, root);
    while (walker->level.count > 0) {
        walker->below.count = 0;
        TRY(walk_level(walker, is_schema, err));
        struct sidecar_numbers done = walker->level;
        walker->level = walker->below;
        walker->below = done;
    }
    return true;
}

static bool walk_chain(struct walker *walker, uint32_t head, uint32_t length, struct err *err)
{
    struct sidecar_chain chain = {.head = head, .first = walker->walk->chain_pages.count};
    for (uint32_t pageno = head; pageno != 0; chain.count++) {
        if (chain.count == length) {
            return err_set(err, ERR_INPUT, "the overflow chain at page %u is too long", head);
        }
        TRY(read_page(walker, pageno, err));
        push(&walker->walk->chain_pages, pageno);
        pageno = get_u32be(walker->page);
    }
    if (chain.count != length) {
        return err_set(err, ERR_INPUT, "the overflow chain at page %u is too short", head);
    }
    push_chain(walker->walk, chain);
    return true;
}

/* ---- the file ---- */

static bool check_file(struct walker *walker, struct err *err)
{
    const struct sqlite_pages *source = walker->source;
    if (source->page_count == 0) {
        return err_set(err, ERR_INPUT, "an empty file");
    }
    TRY(source->read(source->context, 1, walker->page, err));
    uint32_t page_size = (uint32_t)walker->page[16] << 8 | walker->page[17];
    page_size = page_size == 1 ? 65536 : page_size;
    if (memcmp(walker->page, "SQLite format 3", 16) != 0 || page_size != source->page_size ||
        walker->page[20] != 0) {
        return err_set(err, ERR_INPUT, "not an SQLite file of %u-byte pages without reserved bytes",
                       source->page_size);
    }
    return true;
}

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static int compare_chains(const void *left, const void *right)
{
    const struct sidecar_chain *a = left;
    const struct sidecar_chain *b = right;
    return (a->head > b->head) - (a->head < b->head);
}

static bool walk_file(struct walker *walker, struct err *err)
{
    TRY(check_file(walker, err));
    TRY(walk_tree(walker, 1, true, err));
    for (size_t i = 0; i < walker->roots.count; i++) {
        TRY(walk_tree(walker, walker->roots.items[i], false, err));
    }
    for (size_t i = 0; i < walker->heads.count; i++) {
        TRY(walk_chain(walker, walker->heads.items[i], walker->lengths.items[i], err));
    }
    struct sidecar_walk *walk = walker->walk;
    qsort(walk->pages.items, walk->pages.count, sizeof *walk->pages.items, compare_numbers);
    if (walk->chain_count > 0) {
        qsort(walk->chains, walk->chain_count, sizeof *walk->chains, compare_chains);
    }
    return true;
}

bool sidecar_walk(const struct sqlite_pages *pages, struct sidecar_walk *walk, struct err *err)
{
    *walk = (struct sidecar_walk){0};
    struct walker walker = {
        .source = pages,
        .walk = walk,
        .page = malloc(pages->page_size),
        .seen = calloc(1, pages->page_count / 8 + 1),
    };
    CHECK(walker.page != NULL && walker.seen != NULL);
    bool good = walk_file(&walker, err);
    free(walker.page);
    free(walker.seen);
    free(walker.level.items);
    free(walker.below.items);
    free(walker.heads.items);
    free(walker.lengths.items);
    free(walker.roots.items);
    return good;
}

void sidecar_walk_done(struct sidecar_walk *walk)
{
    free(walk->pages.items);
    free(walk->chain_pages.items);
    free(walk->chains);
    *walk = (struct sidecar_walk){0};
}

void sidecar_walk_auto(struct sidecar_walk *walk)
{
    sidecar_walk_done(walk);
}
