/* Sorts rows by key, newest first, moving 16 bytes a row. */
#ifndef TIDEMARK_CONSUMER_ROWS_ROW_SORT_H
#define TIDEMARK_CONSUMER_ROWS_ROW_SORT_H

#include "consumer/rows/row_memory.h"

/* Orders `count` entries of `from` (of one group, `word` = key_prefix of the row's key) as
 * row_compare does; `numbers` maps a row's slot to the number of its source. The result is in `to`,
 * which has room for as many; both are overwritten. */
void row_sort(enum row_order order, const uint32_t *numbers, struct row_entry *from,
              struct row_entry *to, size_t count);

#endif
