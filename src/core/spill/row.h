/* A row on its way from a record to a shard file, and the one total order of rows. */
#ifndef TIDEMARK_CORE_SPILL_ROW_H
#define TIDEMARK_CORE_SPILL_ROW_H

#include "core/base/bytes.h"

/* `source` numbers (topic, partition) pairs: the index in the table of sources that travels with a
 * spill, sorted by topic name and partition, so that comparing numbers compares pairs. */
struct row {
    struct bytes key;   /* stored bytes */
    struct bytes value; /* empty for a tombstone */
    int64_t event_time_us;
    int64_t offset;
    uint32_t source;
    bool tombstone;
    bool of_base; /* it was in the snapshot before: not of the build's account. Where its order is
                     not known, `source` is ROW_SOURCE_BASE, too (PROTOCOL R6) */
};

/* Which of two rows of one key is newer (DESIGN section 3). */
enum row_order {
    ROW_ORDER_OFFSET,     /* (source, offset) */
    ROW_ORDER_EVENT_TIME, /* (event time, source, offset) */
};

/* < 0: `a` is older. Never 0 for two different rows of one key: (source, offset) is unique. */
static inline int row_compare_age(enum row_order order, const struct row *a, const struct row *b)
{
    if (order == ROW_ORDER_EVENT_TIME && a->event_time_us != b->event_time_us) {
        return a->event_time_us < b->event_time_us ? -1 : 1;
    }
    if (a->source != b->source) {
        return a->source < b->source ? -1 : 1;
    }
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The order of every sorted stream: key ascending (memcmp), then newest first. */
static inline int row_compare(enum row_order order, const struct row *a, const struct row *b)
{
    int by_key = bytes_compare(a->key, b->key);
    return by_key != 0 ? by_key : row_compare_age(order, b, a);
}

#endif
