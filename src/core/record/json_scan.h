/* One strict pass over a JSON document that finds the values of some pointers, exact to the byte.
 */
#ifndef TIDEMARK_CORE_RECORD_JSON_SCAN_H
#define TIDEMARK_CORE_RECORD_JSON_SCAN_H

#include "core/record/json_pointers.h"

/* Why not cJSON, which reads our own documents: its numbers are doubles, so a 64-bit key would
 * change on its way; and it makes a tree of every record to look at one member. Here a number stays
 * the text it is, the document is only walked, and nothing is allocated.
 *
 * The whole document is checked against RFC 8259: one value, UTF-8 throughout, nothing after it but
 * white space. Refused though the grammar has them: an escaped surrogate without its other half
 * (it is no character), and nesting deeper than JSON_SCAN_DEPTH_MAX. No byte order mark.
 * A member given twice: the last one counts, as in JavaScript and Python; what the pointers found
 * in the one before is forgotten, also the parts that the last one does not have. */
enum { JSON_SCAN_DEPTH_MAX = 256 };

/* `values` has one entry per pointer; a pointer that leads nowhere is JSON_VIEW_ABSENT. False: not
 * JSON; *ret_problem (a constant text) at byte *ret_offset, and `values` are undefined. */
MUST_CHECK bool json_scan(const struct json_pointers *pointers, struct bytes document,
                          struct json_view *values, const char **ret_problem, size_t *ret_offset);

#endif
