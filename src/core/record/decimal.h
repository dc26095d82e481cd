/* Decimal numbers as text, to whole microseconds, without floating point. */
#ifndef TIDEMARK_CORE_RECORD_DECIMAL_H
#define TIDEMARK_CORE_RECORD_DECIMAL_H

#include "core/base/bytes.h"
#include "core/base/check.h"

/* `text` is a number as RFC 8259 writes it (also with leading zeros). The result is
 * floor(number * 10^power); false when it is not a number or does not fit. */
MUST_CHECK bool decimal_scale(struct bytes text, int power, int64_t *ret_value);

#endif
