/* The right name that somebody probably meant. */
#ifndef TIDEMARK_CORE_NEAREST_H
#define TIDEMARK_CORE_NEAREST_H

#include <stddef.h>

/* The one of `names` with the least edit distance to `name` (insert, delete, replace, swap of two
 * neighbours, each 1; letters compared without case), the earlier one of equals; NULL when none is
 * close: a third of the longer name, at least 1 (2 from 5 letters on), may differ. Pure; any
 * thread. Names longer than NEAREST_NAME_MAX bytes are never near. */
enum { NEAREST_NAME_MAX = 64 };
const char *nearest_name(const char *name, const char *const *names, size_t count);

/* For callers that walk a table of their own: start with *best = NULL. */
void nearest_offer(const char *name, const char *candidate, const char **best,
                   size_t *best_distance);

#endif
