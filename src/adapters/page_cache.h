/* Pages of files that are elsewhere, kept in memory: the least recently used ones go first. */
#ifndef TIDEMARK_ADAPTERS_PAGE_CACHE_H
#define TIDEMARK_ADAPTERS_PAGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One budget for all files that share it. Any thread; none of it blocks for long. */
struct page_cache;

struct page_cache *page_cache_new(uint64_t bytes_max);
struct page_cache *page_cache_free(struct page_cache *cache); /* takes NULL; returns NULL */

uint64_t page_cache_bytes_max(const struct page_cache *cache);

/* A number for one more file; its pages are of one size. */
uint32_t page_cache_add_file(struct page_cache *cache);
void page_cache_drop_file(struct page_cache *cache, uint32_t file); /* and all its pages */

/* False: the page is not there. */
bool page_cache_get(struct page_cache *cache, uint32_t file, uint32_t pageno, uint8_t *ret_page,
                    size_t page_size);
bool page_cache_has(struct page_cache *cache, uint32_t file, uint32_t pageno);
void page_cache_put(struct page_cache *cache, uint32_t file, uint32_t pageno, const uint8_t *page,
                    size_t page_size);

#endif
