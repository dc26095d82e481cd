/* What carries out the functions of CEL, by subject. Each looks at the kinds of its values itself:
 * behind dyn() the checker cannot. There are always two arguments; the kind of one that was not
 * given is CEL_KINDS. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_FUNCTIONS_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_FUNCTIONS_H

#include "core/route/cel/cel_frame.h"

/* cel_arithmetic.c */
cel_function cel_arithmetic_add, cel_arithmetic_subtract, cel_arithmetic_multiply,
    cel_arithmetic_divide, cel_arithmetic_modulo, cel_arithmetic_negate, cel_arithmetic_not;

/* cel_compare.c */
cel_function cel_compare_equal, cel_compare_not_equal, cel_compare_less, cel_compare_less_equal,
    cel_compare_more, cel_compare_more_equal;

/* cel_convert.c */
cel_function cel_convert_bool, cel_convert_int, cel_convert_uint, cel_convert_double,
    cel_convert_string, cel_convert_bytes, cel_convert_dyn, cel_convert_type, cel_convert_hash;

/* cel_text.c */
cel_function cel_text_contains, cel_text_starts_with, cel_text_ends_with, cel_text_matches;

/* cel_container.c */
cel_function cel_container_size, cel_container_index, cel_container_in;

/* cel_time.c */
cel_function cel_time_timestamp, cel_time_duration, cel_time_year, cel_time_month,
    cel_time_day_of_year, cel_time_day_of_month, cel_time_date, cel_time_day_of_week,
    cel_time_hours, cel_time_minutes, cel_time_seconds, cel_time_milliseconds;

/* + and - where a time is among the values; cel_arithmetic calls them. */
cel_function cel_time_add, cel_time_subtract;

#endif
