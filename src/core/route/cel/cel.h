/* Expressions of the Common Expression Language that route records (snapshot format, section 5). */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_H

#include "core/route/cel/cel_frame.h"
#include "core/route/cel/cel_problem.h"
#include "core/route/cel/cel_value.h"
#include "core/route/sharding.h"

/* A compiled expression. Read-only once it is made: any thread may evaluate it. */
struct cel;

/* Parses, checks and compiles. Columns are what the expression may name; those it does not name
 * cost nothing. False: what is wrong, and where. Nothing borrowed outlives the call. */
MUST_CHECK bool cel_new(struct bytes expression, const struct sharding_column *columns,
                        size_t column_count, struct cel **ret_cel, struct cel_problem *problem);
struct cel *cel_free(struct cel *cel); /* takes NULL; returns NULL */
void cel_auto(struct cel **cel);

bool cel_uses_column(const struct cel *cel, size_t column);

/* The kind of value it gives; CEL_KINDS: only an evaluation can tell. */
enum cel_kind cel_result_kind(const struct cel *cel);

/* What an evaluation needs. One thread at a time. */
struct cel_scratch;

struct cel_scratch *cel_scratch_new(void);
struct cel_scratch *cel_scratch_free(struct cel_scratch *scratch); /* takes NULL; returns NULL */

/* Room for the texts of bindings, until the next cel_eval() with it has returned its value and that
 * value is used up. Clears what the evaluation before has left. */
struct arena *cel_scratch_arena(struct cel_scratch *scratch);

/* Why the last evaluation failed: "a division by zero (at character 5 of the expression)". */
const char *cel_scratch_fault(const struct cel_scratch *scratch);

/* `bindings`: one a column, in the order of cel_new(). The value lives in the expression, the
 * bindings or the scratch. Without an allocation once the scratch is warm, but for patterns that
 * are not constants. False: cel_scratch_fault(). */
MUST_CHECK bool cel_eval(const struct cel *cel, const struct cel_binding *bindings,
                         struct cel_scratch *scratch, struct cel_value *ret);

/* The bytes that a column's text or bytes count with: up to the first NUL, as readers bind them. */
static inline struct bytes cel_column_bytes(struct bytes bytes)
{
    const void *end = bytes.size == 0 ? NULL : memchr(bytes.data, 0, bytes.size);
    return end == NULL ? bytes : bytes_of(bytes.data, (size_t)((const uint8_t *)end - bytes.data));
}

/* NULL: the name may be a column's. Else why not: it is no name, a word of the language, or there
 * twice in the list before it. */
const char *cel_column_name_fault(struct bytes name);

#endif
