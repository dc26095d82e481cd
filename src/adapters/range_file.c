/* A shard file that stays in its store: its pages, asked for by range.
 *
 * The happy path: a page is in the sidecar, or in the cache, or one range with it is read.
 *
 * What can go wrong: the sidecar is missing, damaged or of another file: it is done without. The
 * object was replaced or deleted: CORRUPT, because its manifest says that it is there. */
#include "adapters/range_file.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/lock.h"
#include "core/snapshot/page_size.h"
#include "core/snapshot/sidecar.h"

enum {
    SIDECAR_BYTES_MAX = 512 * 1024 * 1024, /* inner pages are about 1 in 100 */
    FIRST_BYTES = 64 * 1024,               /* read first when there is no sidecar */
    AHEAD_BYTES_MAX = 2 * 1024 * 1024,
    HEADER_BYTES = 100,
    PAGE_SIZE_PLACE = 16, /* big-endian u16; 1 is 65536 */
    PAGE_COUNT_PLACE = 28,
    NEAR_PAGES = 4, /* who leaves out so few reads on */
};

/* A range of pages. */
struct span {
    uint32_t first;
    uint32_t count; /* 0: none */
};

/* A range on its way; on the stack of the thread that asked for it. */
struct fetch {
    struct fetch *next;
    struct span span;
};

struct range_file {
    struct store *borrowed_store;
    struct page_cache *borrowed_cache;
    char *name;
    struct arena *arena; /* of the sidecar */
    struct sidecar sidecar;
    bool has_sidecar;
    uint64_t size;
    uint32_t page_size;
    uint32_t page_count;
    uint32_t cache_file;
    struct lock lock;
    struct {
        struct fetch *fetches;
        struct store_etag etag; /* "" until it is known */
    } locked;
};

/* ---- opening ---- */

static bool set_page_size(struct range_file *file, uint32_t page_size, struct err *err)
{
    if (!page_size_is_valid(page_size) || file->size % page_size != 0 ||
        file->size / page_size > UINT32_MAX || file->size == 0) {
        return err_set(err, ERR_CORRUPT, "%llu bytes in pages of %u: not a shard file",
                       (unsigned long long)file->size, page_size);
    }
    file->page_size = page_size;
    file->page_count = (uint32_t)(file->size / page_size);
    return true;
}

/* What the sidecar's first page says about the file is what the manifest says. */
static bool sidecar_fits(struct range_file *file)
{
    struct err ignored = {0};
    if (!set_page_size(file, file->sidecar.page_size, &ignored)) {
        return false;
    }
    uint8_t *page = malloc(file->page_size);
    CHECK(page != NULL);
    bool fits = sidecar_body_page(&file->sidecar.body, 0, file->page_size, page, &ignored) &&
                get_u32be(page + PAGE_COUNT_PLACE) == file->page_count;
    free(page);
    return fits;
}

/* Reads and checks it; errors are those of the store only. */
static bool take_sidecar(struct range_file *file, const struct range_file_request *request,
                         struct err *err)
{
    AUTO(buf) struct buf object;
    buf_init(&object, SIDECAR_BYTES_MAX);
    struct err unusable = {0};
    if (!store_get(file->borrowed_store, request->sidecar_name, &object, NULL, err)) {
        return err->kind == ERR_MISSING || err->kind == ERR_LIMIT;
    }
    struct bytes kept = arena_copy(file->arena, buf_bytes(&object));
    if (!sidecar_decode(kept, SIDECAR_BYTES_MAX, file->arena, &file->sidecar, &unusable) ||
        !sidecar_fits(file)) {
        return true;
    }
    struct bytes tag = file->sidecar.tag;
    if (tag.size > STORE_ETAG_MAX || memchr(tag.data, '\0', tag.size) != NULL) {
        tag = bytes_of(NULL, 0);
    }
    struct store_etag etag = {{0}};
    if (tag.size > 0) {
        memcpy(etag.text, tag.data, tag.size);
    }
    if (request->check_sidecar) {
        struct store_info info;
        TRY(store_head(file->borrowed_store, file->name, &info, err));
        if (strcmp(etag.text, info.etag.text) != 0) {
            return true;
        }
    }
    file->locked.etag = etag;
    file->has_sidecar = true;
    return true;
}

static bool add_to(void *to, struct bytes bytes, struct err *err)
{
    (void)err;
    buf_add_bytes(to, bytes);
    return true;
}

static bool take_first_pages(struct range_file *file, struct err *err)
{
    AUTO(buf) struct buf begin;
    buf_init(&begin, FIRST_BYTES);
    struct store_sink sink = {add_to, &begin};
    struct store_info info;
    struct store_range range = {.length = file->size < FIRST_BYTES ? file->size : FIRST_BYTES};
    if (range.length < HEADER_BYTES) {
        return set_page_size(file, 0, err);
    }
    TRY(store_read(file->borrowed_store, file->name, range, &sink, &info, err));
    uint32_t page_size =
        (uint32_t)begin.data[PAGE_SIZE_PLACE] << 8 | begin.data[PAGE_SIZE_PLACE + 1];
    TRY(set_page_size(file, page_size == 1 ? PAGE_SIZE_MAX : page_size, err));
    file->locked.etag = info.etag;
    for (uint32_t i = 0; (uint64_t)(i + 1) * file->page_size <= begin.size; i++) {
        page_cache_put(file->borrowed_cache, file->cache_file, i + 1,
                       begin.data + (size_t)i * file->page_size, file->page_size);
    }
    return true;
}

bool range_file_open(const struct range_file_request *request, struct range_file **ret_file,
                     struct err *err)
{
    AUTO(range_file) struct range_file *file = calloc(1, sizeof *file);
    CHECK(file != NULL);
    file->borrowed_store = request->store;
    file->borrowed_cache = request->cache;
    file->name = strdup(request->name);
    file->size = request->size;
    file->arena = arena_new(4096);
    file->cache_file = page_cache_add_file(request->cache);
    lock_init(&file->lock);
    CHECK(file->name != NULL);
    TRY(request->sidecar_name == NULL || take_sidecar(file, request, err));
    TRY(file->has_sidecar || take_first_pages(file, err));
    *ret_file = TAKE(file);
    return true;
}

struct range_file *range_file_free(struct range_file *file)
{
    if (file != NULL) {
        CHECK(file->locked.fetches == NULL);
        page_cache_drop_file(file->borrowed_cache, file->cache_file);
        arena_free(file->arena);
        lock_done(&file->lock);
        free(file->name);
        free(file);
    }
    return NULL;
}

void range_file_auto(struct range_file **file)
{
    *file = range_file_free(*file);
}

const char *range_file_name(const struct range_file *file)
{
    return file->name;
}

uint64_t range_file_size(const struct range_file *file)
{
    return file->size;
}

uint32_t range_file_page_size(const struct range_file *file)
{
    return file->page_size;
}

/* ---- the sidecar's pages and chains ---- */

/* The place of a number in an ascending array; false: it is not there. */
static bool find_number(const uint8_t *array, uint32_t count, uint32_t number, uint32_t *ret_index)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sidecar_body_u32(array, middle) < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_index = low;
    return low < count && sidecar_body_u32(array, low) == number;
}

static bool in_sidecar(const struct range_file *file, uint32_t pageno, uint32_t *ret_index)
{
    return file->has_sidecar && find_number(file->sidecar.body.pagenos,
                                            file->sidecar.body.page_count, pageno, ret_index);
}

/* The pages of the overflow chain with this head; none: the page is no head. A writer of whole rows
 * puts them one behind the other, but for single pages that were free; where they lie far apart,
 * the span is only the begin. */
static struct span chain_span(const struct range_file *file, uint32_t head)
{
    const struct sidecar_body *body = &file->sidecar.body;
    uint32_t index = 0;
    if (!file->has_sidecar || !find_number(body->chain_heads, body->chain_count, head, &index)) {
        return (struct span){0};
    }
    uint32_t first = sidecar_body_u32(body->chain_offsets, index);
    uint32_t end = sidecar_body_u32(body->chain_offsets, index + 1);
    uint32_t low = head;
    uint32_t high = head;
    for (uint32_t i = first + 1; i < end; i++) {
        uint32_t pageno = sidecar_body_u32(body->chain_pages, i);
        uint32_t lower = pageno < low ? pageno : low;
        uint32_t higher = pageno > high ? pageno : high;
        if (pageno == 0 || higher - lower > i - first + NEAR_PAGES + (end - first) / 4) {
            break;
        }
        low = lower;
        high = higher;
    }
    return (struct span){.first = low, .count = high - low + 1};
}

/* ---- ranges ---- */

static bool is_on_its_way(const struct range_file *file, uint32_t pageno)
{
    for (const struct fetch *fetch = file->locked.fetches; fetch != NULL; fetch = fetch->next) {
        if (pageno >= fetch->span.first && pageno - fetch->span.first < fetch->span.count) {
            return true;
        }
    }
    return false;
}

/* With the lock held: what to ask for when this page is wanted. */
static struct span plan(struct range_reader *reader, uint32_t pageno)
{
    const struct range_file *file = reader->borrowed_file;
    uint64_t room = page_cache_bytes_max(file->borrowed_cache) / 2 / file->page_size;
    uint32_t ahead_max = AHEAD_BYTES_MAX / file->page_size;
    bool goes_on = reader->next != 0 && pageno >= reader->next &&
                   pageno - reader->next <= NEAR_PAGES;
    uint32_t ahead = goes_on ? 2 * reader->window : 1;
    ahead = ahead < ahead_max ? ahead : ahead_max;
    if (reader->hint_count > ahead && reader->hint == pageno) {
        ahead = reader->hint_count;
    }
    struct span wanted = chain_span(file, pageno);
    if (wanted.count == 0 || wanted.count > room) {
        wanted = (struct span){.first = pageno, .count = wanted.count == 0 ? 1 : (uint32_t)room};
    }
    uint64_t end = (uint64_t)wanted.first + wanted.count;
    end = end < (uint64_t)pageno + ahead ? (uint64_t)pageno + ahead : end;
    end = end < wanted.first + room ? end : wanted.first + room;
    end = end < (uint64_t)file->page_count + 1 ? end : (uint64_t)file->page_count + 1;
    /* at least the page itself; what others are reading already is not read again */
    while (wanted.first < pageno && is_on_its_way(file, wanted.first)) {
        wanted.first++;
    }
    uint32_t reached = pageno + 1;
    while (reached < end && !is_on_its_way(file, reached)) {
        reached++;
    }
    wanted.count = reached - wanted.first;
    reader->next = reached;
    reader->window = wanted.count;
    reader->hint_count = 0;
    return wanted;
}

static bool read_range(struct range_file *file, uint64_t offset, struct buf *to, struct err *err)
{
    struct store_sink sink = {add_to, to};
    struct store_info info;
    lock_take(&file->lock);
    struct store_etag etag = file->locked.etag;
    lock_give(&file->lock);
    bool known = etag.text[0] != '\0';
    struct store_range range = {
        .offset = offset, .length = to->limit, .if_match = known ? etag.text : NULL};
    if (!store_read(file->borrowed_store, file->name, range, &sink, known ? NULL : &info, err)) {
        if (err->kind == ERR_CONFLICT || err->kind == ERR_MISSING) {
            bool replaced = err->kind == ERR_CONFLICT;
            err->kind = ERR_CORRUPT;
            return err_wrap(err, "the shard file was %s after it was published",
                            replaced ? "replaced" : "deleted");
        }
        return false;
    }
    if (!known) {
        lock_take(&file->lock);
        file->locked.etag = info.etag;
        lock_give(&file->lock);
    }
    return true;
}

/* Into the cache, and the page that is wanted now to its reader. */
static bool read_pages(struct range_file *file, const struct fetch *fetch, uint32_t pageno,
                       uint8_t *ret_page, struct err *err)
{
    AUTO(buf) struct buf pages;
    buf_init(&pages, (size_t)fetch->span.count * file->page_size);
    TRY(read_range(file, (uint64_t)(fetch->span.first - 1) * file->page_size, &pages, err));
    CHECK(pages.size == pages.limit);
    memcpy(ret_page, pages.data + (size_t)(pageno - fetch->span.first) * file->page_size,
           file->page_size);
    for (uint32_t i = 0; i < fetch->span.count; i++) {
        uint32_t index = 0;
        if (!in_sidecar(file, fetch->span.first + i, &index)) {
            page_cache_put(file->borrowed_cache, file->cache_file, fetch->span.first + i,
                           pages.data + (size_t)i * file->page_size, file->page_size);
        }
    }
    return true;
}

static bool fetch_pages(struct range_file *file, struct fetch *fetch, uint32_t pageno,
                        uint8_t *ret_page, struct err *err)
{
    bool ok = read_pages(file, fetch, pageno, ret_page, err);
    lock_take(&file->lock);
    struct fetch **at = &file->locked.fetches;
    while (*at != fetch) {
        at = &(*at)->next;
    }
    *at = fetch->next;
    lock_wake(&file->lock);
    lock_give(&file->lock);
    return ok;
}

bool range_reader_page(struct range_reader *reader, uint32_t pageno, uint8_t *ret_page,
                       struct err *err)
{
    struct range_file *file = reader->borrowed_file;
    CHECK(pageno >= 1 && pageno <= file->page_count);
    uint32_t index = 0;
    if (in_sidecar(file, pageno, &index)) {
        if (!sidecar_body_page(&file->sidecar.body, index, file->page_size, ret_page, err)) {
            err->kind = ERR_CORRUPT;
            return err_wrap(err, "sidecar of %s", file->name);
        }
        return true;
    }
    for (;;) {
        if (page_cache_get(file->borrowed_cache, file->cache_file, pageno, ret_page,
                           file->page_size)) {
            return true;
        }
        lock_take(&file->lock);
        bool wait = is_on_its_way(file, pageno);
        if (wait) {
            lock_wait(&file->lock, -1);
        }
        /* what another thread asked for may have come in between */
        if (wait || page_cache_has(file->borrowed_cache, file->cache_file, pageno)) {
            lock_give(&file->lock);
            continue;
        }
        struct fetch fetch = {.next = file->locked.fetches, .span = plan(reader, pageno)};
        file->locked.fetches = &fetch;
        lock_give(&file->lock);
        return fetch_pages(file, &fetch, pageno, ret_page, err);
    }
}

/* ---- for a search in the tree ---- */

static bool read_page(void *context, uint32_t pageno, uint8_t *ret_page, struct err *err)
{
    return range_reader_page(context, pageno, ret_page, err);
}

static void tell_ahead(void *context, uint32_t pageno, uint32_t count)
{
    struct range_reader *reader = context;
    reader->hint = pageno;
    reader->hint_count = count;
}

struct sqlite_pages range_reader_pages(struct range_reader *reader)
{
    return (struct sqlite_pages){.read = read_page,
                                 .ahead = tell_ahead,
                                 .context = reader,
                                 .page_size = reader->borrowed_file->page_size,
                                 .page_count = reader->borrowed_file->page_count};
}
