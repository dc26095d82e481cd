/* The functions of CEL: which types each takes, and what carries it out. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_LIBRARY_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_LIBRARY_H

#include "core/base/bytes.h"
#include "core/route/cel/cel_frame.h"

/* A signature is "arguments>result", one letter a type: i int, u uint, d double, b bool, s string,
 * y bytes, n null, t timestamp, r duration, ? dyn, T type, A and B free, L list(A), M map(A, B). */
struct cel_overload {
    const char *name;
    const char *signature;
    bool is_member; /* the first argument is the receiver */
};

/* All overloads, those of one name together. */
extern const struct cel_overload cel_library_overloads[];
extern const size_t cel_library_overload_count;

/* What carries a function out, by name and number of arguments; NULL when there is none. */
cel_function *cel_library_function(struct bytes name, size_t argument_count);

#endif
