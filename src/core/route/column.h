/* A column of a routing expression, from where a record or a reader has it (snapshot format,
 * section 5: binding). */
#ifndef TIDEMARK_CORE_ROUTE_COLUMN_H
#define TIDEMARK_CORE_ROUTE_COLUMN_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/record/field.h"
#include "core/record/key.h"
#include "core/route/cel/cel_frame.h"
#include "core/route/sharding.h"

/* All give a value of the column's type, or the fault that an evaluation meets there. Texts are
 * views, or in the arena, and end before their first NUL.
 *
 * From JSON: int takes integers, and true and false as 1 and 0; uint the same without negative
 * ones; double any number and true and false; bool, string: their own; bytes: nothing. Null is a
 * fault. From bytes of a header or message key: int and uint in decimal, double, "true" and
 * "false"; string wants UTF-8. From a record's coordinates: int, uint, double. */
struct cel_binding column_of_field(enum column_type type, const struct field_value *field,
                                   struct arena *arena);

/* Integer keys: int or uint; text: string; bytes: bytes. */
struct cel_binding column_of_key(enum column_type type, const struct logical_key *key);

/* As a user types it: text, numbers in decimal, bytes as 0x… or plain. ERR_INPUT. */
MUST_CHECK bool column_of_argument(enum column_type type, const char *text, struct arena *arena,
                                   struct cel_binding *ret_binding, struct err *err);

/* May a key of that encoding be a column of that type? */
bool column_takes_key(enum column_type type, enum key_encoding encoding);

#endif
