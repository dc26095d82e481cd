/* One strict pass over a JSON document that finds the values of some pointers, exact to the byte. */
#ifndef TIDEMARK_CORE_RECORD_JSON_SCAN_H
#define TIDEMARK_CORE_RECORD_JSON_SCAN_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* Why not cJSON, which reads our own documents: its numbers are doubles, so a 64-bit key would
 * change on its way; and it makes a tree of every record to look at one member. Here a number stays
 * the text it is, the document is only walked, and nothing is allocated.
 *
 * The whole document is checked against RFC 8259: one value, UTF-8 throughout, nothing after it but
 * white space. Refused though the grammar has them: an escaped surrogate without its other half
 * (it is no character), and nesting deeper than JSON_SCAN_DEPTH_MAX. No byte order mark.
 * A member given twice: the last one counts, as in JavaScript and Python; the pointers into the one
 * before are forgotten, also those into parts that the last one does not have. */
enum { JSON_SCAN_POINTERS_MAX = 64, JSON_SCAN_DEPTH_MAX = 256, JSON_SCAN_NAMES_MAX = 1024 };

enum json_scan_type {
    JSON_SCAN_ABSENT = 0,
    JSON_SCAN_NULL,
    JSON_SCAN_FALSE,
    JSON_SCAN_TRUE,
    JSON_SCAN_NUMBER,
    JSON_SCAN_STRING,
    JSON_SCAN_ARRAY,
    JSON_SCAN_OBJECT,
};

/* A value found: a view of its exact text in the document, quotes and brackets included. */
struct json_scan_value {
    enum json_scan_type type;
    bool escaped; /* a string with a backslash in it */
    struct bytes raw;
};

/* RFC 6901 pointers, compiled into a tree once. Read-only afterwards: any thread. */
struct json_scan;

/* Value i of a scan belongs to pointers[i]; "" is the whole document. All memory is the arena's.
 * ERR_SETTINGS names the pointer: not empty and not starting with "/", "~" without 0 or 1, not
 * UTF-8; or more than JSON_SCAN_POINTERS_MAX pointers or JSON_SCAN_NAMES_MAX steps together. */
MUST_CHECK bool json_scan_compile(const char *const *pointers, size_t count, struct arena *arena,
                                  struct json_scan **ret_scan, struct err *err);

/* False: not JSON; *ret_problem (a constant text) at byte *ret_offset, and `values` are undefined.
 * `values` has one entry per pointer; a pointer that leads nowhere is JSON_SCAN_ABSENT. */
MUST_CHECK bool json_scan(const struct json_scan *scan, struct bytes document,
                          struct json_scan_value *values, const char **ret_problem,
                          size_t *ret_offset);

/* The characters of a string value: a view into the document, or into `arena` when it has escapes.
 * May hold NUL bytes (\u0000). `value` must be a string (CHECK). */
struct bytes json_scan_text(const struct json_scan_value *value, struct arena *arena);

#endif
