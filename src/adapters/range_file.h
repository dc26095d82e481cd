/* A shard file that stays in its store: its pages, asked for by range. */
#ifndef TIDEMARK_ADAPTERS_RANGE_FILE_H
#define TIDEMARK_ADAPTERS_RANGE_FILE_H

#include "adapters/page_cache.h"
#include "adapters/store.h"
#include "core/snapshot/sqlite_pages.h"

/* Opening it reads the sidecar (snapshot format, section 7), which has all inner pages of all
 * B-trees and knows the chains of overflow pages. So a look-up of a key asks for one range, the
 * leaf, and one more where the value lies on overflow pages: a chain is asked for as a whole.
 * Pages that were read stay in the cache while there is room.
 *
 * Without a sidecar, or with one that is of another file, everything works and costs more requests.
 *
 * All ranges are of one version of the object: the one that the sidecar names, or the first that
 * was read. Threads: any, at once; one range is asked for once, and the others wait for it. */
struct range_file;

struct range_file_request {
    struct store *store; /* borrowed, as is the cache */
    struct page_cache *cache;
    const char *name;         /* of the shard file */
    const char *sidecar_name; /* NULL: there is none */
    bool check_sidecar;       /* ask first whether it is of this very object: objects that were
                                 copied may have other tags */
    uint64_t size;            /* of the shard file, by its manifest */
};

/* Errors: those of the store; CORRUPT: a size or begin that no SQLite file has. */
MUST_CHECK bool range_file_open(const struct range_file_request *request,
                                struct range_file **ret_file, struct err *err);
struct range_file *range_file_free(struct range_file *file); /* takes NULL; returns NULL */
void range_file_auto(struct range_file **file);

const char *range_file_name(const struct range_file *file);
uint64_t range_file_size(const struct range_file *file);
uint32_t range_file_page_size(const struct range_file *file);

/* One who reads on: who reads pages one behind the other gets more at once. {0} at the start; one
 * thread at a time. */
struct range_reader {
    struct range_file *borrowed_file;
    uint32_t next;       /* the page behind what was asked for last */
    uint32_t window;     /* pages that were asked for last */
    uint32_t hint;       /* from this page on … */
    uint32_t hint_count; /* … so many are wanted; 0: nobody said so */
};

/* One page. CORRUPT: the object was replaced, or ends before its size. */
MUST_CHECK bool range_reader_page(struct range_reader *reader, uint32_t pageno, uint8_t *ret_page,
                                  struct err *err);

/* The pages for core/snapshot/sqlite_tree; borrows the reader. */
struct sqlite_pages range_reader_pages(struct range_reader *reader);

#endif
