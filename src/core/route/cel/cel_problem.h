/* What is wrong with an expression, and where. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_PROBLEM_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_PROBLEM_H

#include "core/base/buf.h"
#include "core/base/bytes.h"

enum { CEL_PROBLEM_MAX = 256 };

struct cel_problem {
    size_t at; /* byte of the expression */
    char text[CEL_PROBLEM_MAX];
};

/* Fills `problem` and returns false. */
bool cel_problem_set(struct cel_problem *problem, size_t at, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The line of the expression with a caret under the place, each line behind `indent`, a newline
 * between the two and none at the end. Control characters and what is no UTF-8 print as '?'. */
void cel_problem_show(struct bytes expression, size_t at, const char *indent, struct buf *out);

#endif
