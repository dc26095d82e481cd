/* RFC 6901 pointers as one tree, to be walked while a document is scanned. */
#ifndef TIDEMARK_CORE_RECORD_JSON_POINTERS_H
#define TIDEMARK_CORE_RECORD_JSON_POINTERS_H

#include "core/base/err.h"
#include "core/record/json_view.h"

enum { JSON_POINTERS_MAX = 64, JSON_POINTERS_DEPTH_MAX = 256, JSON_POINTERS_STEPS_MAX = 1024 };

/* Read-only once compiled: any thread. */
struct json_pointers;

/* `texts[i]` is a pointer; "" is the whole document. The same one may be given twice. All memory is
 * the arena's. ERR_SETTINGS names the pointer: not empty and not starting with "/", "~" without 0
 * or 1, not UTF-8; or more than the limits above. */
MUST_CHECK bool json_pointers_compile(const char *const *texts, size_t count, struct arena *arena,
                                      struct json_pointers **ret_pointers, struct err *err);

/* ---- for the scanner: places in the tree; the root is the whole document ---- */

enum { JSON_POINTERS_NONE = -1, JSON_POINTERS_ROOT = 0 };

/* The place of a member or an item below `node`, or JSON_POINTERS_NONE. `name` is as it stands in
 * the document (valid, without quotes); `escaped`: with backslashes. */
int json_pointers_member(const struct json_pointers *pointers, int node, struct bytes name,
                         bool escaped);
int json_pointers_item(const struct json_pointers *pointers, int node, size_t index);

/* Sets the values of the pointers that end at `node`. */
void json_pointers_set(const struct json_pointers *pointers, int node,
                       const struct json_view *value, struct json_view *values);

/* Makes the pointers at and below `node` absent. */
void json_pointers_forget(const struct json_pointers *pointers, int node, struct json_view *values);

#endif
