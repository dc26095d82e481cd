/* Memory straight from the kernel: it goes back at once when it is given back. */
#ifndef TIDEMARK_ADAPTERS_OS_PAGES_H
#define TIDEMARK_ADAPTERS_OS_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* Any thread. Out of memory is a CHECK, as everywhere. Sizes are rounded up to whole pages; memory
 * counts against the process only once it is touched. */

void *pages_new(size_t bytes);                                     /* zeroed */
void *pages_grow(void *pages, size_t old_bytes, size_t new_bytes); /* may move; the content stays */
void pages_free(void *pages, size_t bytes); /* the size it was made or grown with; takes NULL */

size_t pages_round(size_t bytes); /* up to whole pages */

#endif
