/* From the text of a literal to its value. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_LITERAL_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_LITERAL_H

#include "core/base/arena.h"
#include "core/route/cel/cel_lex.h"
#include "core/route/cel/cel_value.h"

/* A token of a number, text, bytes, true, false or null (CHECK). `negative`: a '-' stood before a
 * number. Text lives in `arena`. False: out of range, or an escape that names no character. */
MUST_CHECK bool cel_literal_value(const struct cel_token *token, bool negative, struct arena *arena,
                                  struct cel_value *ret, struct cel_problem *problem);

#endif
