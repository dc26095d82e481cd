/* Sorted rows that can be opened as streams, section by section, any number of times. */
#ifndef TIDEMARK_CORE_SPILL_ROW_SET_H
#define TIDEMARK_CORE_SPILL_ROW_SET_H

#include "core/spill/row_stream.h"
#include "core/spill/spill_index.h"

struct row_set;

struct row_set_ops {
    /* The rows of section `section` (an index into set->index->sections), in the order that the
     * index names. `row.source` is a number of the index's own table. Errors: CORRUPT, MISSING,
     * TRANSIENT, as reading has them. May block. From several threads at once. */
    bool (*open)(struct row_set *set, size_t section, struct row_stream **ret_stream,
                 struct err *err);
    void (*free)(struct row_set *set);
};

/* First member of every implementation: a spill (checkpoint/spill/spill_reader.h), rows in memory
 * (consumer/rows/sorted_rows.h). Does not change once it is made. */
struct row_set {
    const struct row_set_ops *ops;
    const struct spill_index *index; /* owned by the set */
};

MUST_CHECK static inline bool row_set_open(struct row_set *set, size_t section,
                                           struct row_stream **ret_stream, struct err *err)
{
    CHECK(section < set->index->section_count);
    return set->ops->open(set, section, ret_stream, err);
}

/* No stream of it may be open. Takes NULL; returns NULL. */
static inline struct row_set *row_set_free(struct row_set *set)
{
    if (set != NULL) {
        set->ops->free(set);
    }
    return NULL;
}

#endif
