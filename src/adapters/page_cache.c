/* Pages of files that are elsewhere, kept in memory: the least recently used ones go first. */
#include "adapters/page_cache.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/os/lock.h"
#include "core/base/check.h"

enum { BUCKETS_FIRST = 1024 };

struct cached_page {
    struct cached_page *next_in_bucket;
    struct cached_page *newer; /* towards `newest` */
    struct cached_page *older;
    uint32_t file;
    uint32_t pageno;
    size_t size;
    uint8_t bytes[];
};

struct page_cache {
    struct lock lock;
    uint64_t bytes_max;
    struct {
        struct cached_page **buckets; /* a power of two */
        size_t bucket_count;
        size_t page_count;
        uint64_t bytes;
        struct cached_page *newest;
        struct cached_page *oldest;
        uint32_t files;
    } locked;
};

struct page_cache *page_cache_new(uint64_t bytes_max)
{
    struct page_cache *cache = calloc(1, sizeof *cache);
    CHECK(cache != NULL);
    cache->bytes_max = bytes_max;
    cache->locked.bucket_count = BUCKETS_FIRST;
    cache->locked.buckets = calloc(BUCKETS_FIRST, sizeof *cache->locked.buckets);
    CHECK(cache->locked.buckets != NULL);
    lock_init(&cache->lock);
    return cache;
}

struct page_cache *page_cache_free(struct page_cache *cache)
{
    if (cache != NULL) {
        struct cached_page *page = cache->locked.newest;
        while (page != NULL) {
            struct cached_page *older = page->older;
            free(page);
            page = older;
        }
        free(cache->locked.buckets);
        lock_done(&cache->lock);
        free(cache);
    }
    return NULL;
}

uint64_t page_cache_bytes_max(const struct page_cache *cache)
{
    return cache->bytes_max;
}

uint32_t page_cache_add_file(struct page_cache *cache)
{
    lock_take(&cache->lock);
    uint32_t file = cache->locked.files++;
    lock_give(&cache->lock);
    return file;
}

/* ---- with the lock held ---- */

static struct cached_page **bucket_of(struct page_cache *cache, uint32_t file, uint32_t pageno)
{
    uint64_t hash = ((uint64_t)file << 32 | pageno) * UINT64_C(0x9e3779b97f4a7c15);
    return &cache->locked.buckets[(hash >> 32) & (cache->locked.bucket_count - 1)];
}

static struct cached_page *find(struct page_cache *cache, uint32_t file, uint32_t pageno)
{
    struct cached_page *page = *bucket_of(cache, file, pageno);
    while (page != NULL && (page->file != file || page->pageno != pageno)) {
        page = page->next_in_bucket;
    }
    return page;
}

static void unlink_page(struct page_cache *cache, struct cached_page *page)
{
    *(page->newer != NULL ? &page->newer->older : &cache->locked.newest) = page->older;
    *(page->older != NULL ? &page->older->newer : &cache->locked.oldest) = page->newer;
}

static void make_newest(struct page_cache *cache, struct cached_page *page)
{
    page->newer = NULL;
    page->older = cache->locked.newest;
    *(page->older != NULL ? &page->older->newer : &cache->locked.oldest) = page;
    cache->locked.newest = page;
}

static void drop(struct page_cache *cache, struct cached_page *page)
{
    struct cached_page **at = bucket_of(cache, page->file, page->pageno);
    while (*at != page) {
        at = &(*at)->next_in_bucket;
    }
    *at = page->next_in_bucket;
    unlink_page(cache, page);
    cache->locked.bytes -= page->size;
    cache->locked.page_count--;
    free(page);
}

static void grow(struct page_cache *cache)
{
    free(cache->locked.buckets);
    cache->locked.bucket_count *= 2;
    cache->locked.buckets = calloc(cache->locked.bucket_count, sizeof *cache->locked.buckets);
    CHECK(cache->locked.buckets != NULL);
    for (struct cached_page *page = cache->locked.newest; page != NULL; page = page->older) {
        struct cached_page **bucket = bucket_of(cache, page->file, page->pageno);
        page->next_in_bucket = *bucket;
        *bucket = page;
    }
}

/* ---- pages ---- */

void page_cache_drop_file(struct page_cache *cache, uint32_t file)
{
    lock_take(&cache->lock);
    struct cached_page *page = cache->locked.newest;
    while (page != NULL) {
        struct cached_page *older = page->older;
        if (page->file == file) {
            drop(cache, page);
        }
        page = older;
    }
    lock_give(&cache->lock);
}

bool page_cache_get(struct page_cache *cache, uint32_t file, uint32_t pageno, uint8_t *ret_page,
                    size_t page_size)
{
    lock_take(&cache->lock);
    struct cached_page *page = find(cache, file, pageno);
    if (page != NULL) {
        CHECK(page->size == page_size);
        memcpy(ret_page, page->bytes, page_size);
        unlink_page(cache, page);
        make_newest(cache, page);
    }
    lock_give(&cache->lock);
    return page != NULL;
}

bool page_cache_has(struct page_cache *cache, uint32_t file, uint32_t pageno)
{
    lock_take(&cache->lock);
    bool there = find(cache, file, pageno) != NULL;
    lock_give(&cache->lock);
    return there;
}

void page_cache_put(struct page_cache *cache, uint32_t file, uint32_t pageno, const uint8_t *page,
                    size_t page_size)
{
    lock_take(&cache->lock);
    if (find(cache, file, pageno) == NULL && page_size <= cache->bytes_max) {
        while (cache->locked.bytes + page_size > cache->bytes_max) {
            drop(cache, cache->locked.oldest);
        }
        if (cache->locked.page_count == 2 * cache->locked.bucket_count) {
            grow(cache);
        }
        struct cached_page *more = malloc(sizeof *more + page_size);
        CHECK(more != NULL);
        *more = (struct cached_page){.file = file, .pageno = pageno, .size = page_size};
        memcpy(more->bytes, page, page_size);
        struct cached_page **bucket = bucket_of(cache, file, pageno);
        more->next_in_bucket = *bucket;
        *bucket = more;
        make_newest(cache, more);
        cache->locked.bytes += page_size;
        cache->locked.page_count++;
    }
    lock_give(&cache->lock);
}
