/* Rows of the key vectors, which hold NUL characters and 64-bit integers: read by our own scanner.
 */
#ifndef TIDEMARK_TESTS_SUPPORT_KEY_VECTORS_H
#define TIDEMARK_TESTS_SUPPORT_KEY_VECTORS_H

#include "core/record/json_scan.h"
#include "core/record/key.h"
#include "tests/support/vectors.h"

struct key_vectors_row {
    struct json_view views[16];
    struct arena *arena;
};

static inline struct json_pointers *key_vectors_compile(const char *const *names, size_t count,
                                                        struct arena *arena)
{
    struct json_pointers *pointers = NULL;
    struct err err = {0};
    cr_assert(json_pointers_compile(names, count, arena, &pointers, &err), "%s", err.message);
    return pointers;
}

/* The text of a string, the digits of a number, "" when absent. */
static inline struct bytes key_vectors_get(const struct key_vectors_row *row, size_t slot)
{
    const struct json_view *view = &row->views[slot];
    if (view->type == JSON_VIEW_STRING) {
        return json_view_text(view, row->arena);
    }
    return view->type == JSON_VIEW_ABSENT ? bytes_of("", 0) : view->raw;
}

/* From the members `type` and `key`. False: an integer that does not fit into 64 bits. */
static inline bool key_vectors_key(struct bytes type, struct bytes key, struct arena *arena,
                                   struct logical_key *ret_key)
{
    if (bytes_equal(type, bytes_of_text("int"))) {
        enum reject_cause cause = key_parse_integer(key, ret_key);
        cr_assert(cause == REJECT_NONE || cause == REJECT_KEY_RANGE);
        return cause == REJECT_NONE;
    }
    if (bytes_equal(type, bytes_of_text("str"))) {
        *ret_key = key_of_text(key);
        return true;
    }
    cr_assert(bytes_equal(type, bytes_of_text("bytes")));
    *ret_key = key_of_bytes(vectors_hex(key, arena));
    return true;
}

#endif
