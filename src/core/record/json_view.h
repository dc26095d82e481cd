/* A value found in a JSON document: a view of its exact text. */
#ifndef TIDEMARK_CORE_RECORD_JSON_VIEW_H
#define TIDEMARK_CORE_RECORD_JSON_VIEW_H

#include "core/base/arena.h"

enum json_view_type {
    JSON_VIEW_ABSENT = 0,
    JSON_VIEW_NULL,
    JSON_VIEW_FALSE,
    JSON_VIEW_TRUE,
    JSON_VIEW_NUMBER,
    JSON_VIEW_STRING,
    JSON_VIEW_ARRAY,
    JSON_VIEW_OBJECT,
};

struct json_view {
    enum json_view_type type;
    bool escaped;     /* a string with a backslash in it */
    struct bytes raw; /* quotes and brackets included; the document's memory */
};

/* The characters of a string: a view into the document, or into `arena` when it has escapes. May
 * hold NUL bytes (\u0000). `view` must be a string that the scanner has accepted (CHECK). */
struct bytes json_view_text(const struct json_view *view, struct arena *arena);

/* Is the inside of an accepted string, escapes and all, the text `plain`? */
bool json_view_equals(struct bytes escaped, struct bytes plain);

#endif
