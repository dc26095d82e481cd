/* What C++ does better for us: regular expressions (RE2), and doubles as text without a locale. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_FOREIGN_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/* Plain pointers: the rest of our headers is C alone. A text of size 0 may be NULL. */
#ifdef __cplusplus
extern "C" {
#endif

enum { CEL_FOREIGN_DOUBLE_MAX = 32 };

/* The whole of `text` as a double, rounded to the nearest: decimal or 0x hexadecimal, "inf",
 * "infinity", "nan" in any case, no sign, no blanks. Too large is infinity, too small is 0. */
bool cel_foreign_parse_double(const void *text, size_t size, double *ret);

/* The shortest text that reads back as the same double; an exponent below 1e-04 and from 1e+06 on.
 * Returns its size. */
size_t cel_foreign_print_double(double value, char to[CEL_FOREIGN_DOUBLE_MAX]);

/* A compiled pattern. Any thread may match with it. */
struct cel_foreign_pattern;

/* NULL: it is none. */
struct cel_foreign_pattern *cel_foreign_pattern_new(const void *text, size_t size);
void cel_foreign_pattern_free(struct cel_foreign_pattern *pattern); /* takes NULL */

/* Is there a match anywhere in `text`? */
bool cel_foreign_pattern_find(const struct cel_foreign_pattern *pattern, const void *text,
                              size_t size);

#ifdef __cplusplus
}
#endif

#endif
