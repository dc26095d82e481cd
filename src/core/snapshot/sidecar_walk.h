/* Every page of a shard file that a sidecar speaks of: a walk through all its B-trees. */
#ifndef TIDEMARK_CORE_SNAPSHOT_SIDECAR_WALK_H
#define TIDEMARK_CORE_SNAPSHOT_SIDECAR_WALK_H

#include "core/snapshot/sqlite_pages.h"

struct sidecar_numbers {
    uint32_t *items;
    size_t count;
    size_t capacity;
};

struct sidecar_chain {
    uint32_t head;
    size_t first; /* in chain_pages */
    size_t count; /* > 0; the head is the first */
};

/* Heap memory; x_done frees it. */
struct sidecar_walk {
    struct sidecar_numbers pages; /* to be in the sidecar, ascending */
    struct sidecar_numbers chain_pages;
    struct sidecar_chain *chains; /* by head */
    size_t chain_count;
    size_t chain_capacity;
};

/* ERR_INPUT: not an SQLite file without reserved bytes, a page that two places lead to, a chain of
 * the wrong length; and the source's errors. On failure, too, `walk` must be done. */
MUST_CHECK bool sidecar_walk(const struct sqlite_pages *pages, struct sidecar_walk *walk,
                             struct err *err);
void sidecar_walk_done(struct sidecar_walk *walk);
void sidecar_walk_auto(struct sidecar_walk *walk); /* for AUTO(sidecar_walk) */

#endif
