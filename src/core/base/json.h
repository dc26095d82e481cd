/* JSON with strict, typed access: what is wrong is named by its path, and integers are exact. */
#ifndef TIDEMARK_CORE_BASE_JSON_H
#define TIDEMARK_CORE_BASE_JSON_H

#include <cjson/cJSON.h>

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/err.h"

/* The parser is cJSON, whose numbers are doubles: an integer is exact up to here and refused above
 * (2^53 itself may be a rounded 2^53 + 1). Larger ones travel as decimal strings. */
enum { JSON_INTEGER_MAX_BITS = 53 };
#define JSON_INTEGER_MAX ((INT64_C(1) << JSON_INTEGER_MAX_BITS) - 1)

/* A place in a document: what is read there, and how one came there (for messages such as
 * "pairs[3].offset: not an integer"). Lives on the reader's stack; a child borrows its parent. */
struct json {
    const cJSON *node;
    const struct json *borrowed_parent;
    const char *borrowed_name; /* member of an object; NULL: item of an array, or the root */
    size_t index;
};

/* ---- reading. All refuse with ERR_INPUT and name the path; nothing is written on failure. ---- */

/* One whole document. Refuses what is not UTF-8, bytes after the end, a member twice in one object,
 * and \u0000 (which C strings cannot hold). `ret_root` ends with json_free. */
MUST_CHECK bool json_parse(struct bytes text, cJSON **ret_root, struct err *err);
cJSON *json_free(cJSON *root); /* takes NULL; returns NULL */
void json_auto(cJSON **root);  /* for AUTO(json) cJSON *root = NULL; */

struct json json_root(const cJSON *root);

bool json_has(const struct json *at, const char *name); /* there, and not null */
MUST_CHECK bool json_object(const struct json *at, const char *name, struct json *out,
                            struct err *err);
/* An array of at most `count_max` items; `out_count` items can be had with json_item. */
MUST_CHECK bool json_array(const struct json *at, const char *name, size_t count_max,
                           struct json *out, size_t *out_count, struct err *err);
/* Item `index` (< count). Walking a whole array with it is linear: it goes on from `*item` when
 * that is the item before. Set *item to (struct json){0} at first. */
void json_item(const struct json *array, size_t index, struct json *item);

/* `out_text` is borrowed from the document. `size_max` in bytes. */
MUST_CHECK bool json_text(const struct json *at, const char *name, size_t size_max,
                          const char **out_text, struct err *err);
MUST_CHECK bool json_bool(const struct json *at, const char *name, bool *out, struct err *err);
/* A number or a decimal string, exactly an integer of the range. With name NULL: `at` itself (an
 * item of an array). */
MUST_CHECK bool json_i64(const struct json *at, const char *name, int64_t min, int64_t max,
                         int64_t *out, struct err *err);
MUST_CHECK bool json_u64(const struct json *at, const char *name, uint64_t *out, struct err *err);

/* Fills `err` with ERR_INPUT, "path.name: message". Returns false. */
bool json_refuse(const struct json *at, const char *name, struct err *err, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* ---- writing. Out of memory is a CHECK. ---- */

cJSON *json_new_object(void);
cJSON *json_new_array(void);
cJSON *json_put_object(cJSON *object, const char *name); /* the new member, borrowed */
cJSON *json_put_array(cJSON *object, const char *name);
void json_put_text(cJSON *object, const char *name, const char *text);
void json_put_optional(cJSON *object, const char *name, const char *text); /* NULL: null */
void json_put_bool(cJSON *object, const char *name, bool value);
void json_put_null(cJSON *object, const char *name);
/* A number up to JSON_INTEGER_MAX, else a decimal string. */
void json_put_i64(cJSON *object, const char *name, int64_t value);
void json_put_u64(cJSON *object, const char *name, uint64_t value);
cJSON *json_add_object(cJSON *array);
cJSON *json_add_array(cJSON *array);
void json_add_i64(cJSON *array, int64_t value);
void json_add_text(cJSON *array, const char *text);
void json_put(cJSON *object, const char *name, cJSON *take_value);

/* The one stable form (snapshot format, sections 2 and 3): compact, members sorted by code point,
 * ASCII with \u escapes in lower-case hex; what json.dumps(sort_keys, separators=(",", ":")) of
 * Python gives. A number that is not finite is printed as null; a byte that is not UTF-8 as \ufffd.
 */
void json_print(const cJSON *value, struct buf *out);

/* A text as a JSON string, quotes and escapes included. */
void json_print_text(struct bytes text, struct buf *out);

#endif
