/* Durations and sizes as people write them: "1h30m", "64MiB". */
#ifndef TIDEMARK_CORE_UNITS_H
#define TIDEMARK_CORE_UNITS_H

#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/err.h"

/* Pure; any thread. Errors are ERR_INPUT and say what is wrong and what to write instead; they
 * quote at most the unit of the text, so that a caller with a secret in its hands drops the
 * message. */

/* One or more numbers with a unit each, largest unit first: d h m s ms us. No blank, sign or
 * fraction. "0s" is 0. At most UNITS_DURATION_MAX_US. */
#define UNITS_DURATION_MAX_US (INT64_C(3660) * 86400 * 1000000)
MUST_CHECK bool units_duration(struct bytes text, int64_t *ret_us, struct err *err);

/* One number with a unit: B kB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of 1024), or none
 * for bytes. No blank, sign or fraction. At most 2^62 bytes. */
#define UNITS_SIZE_MAX (UINT64_C(1) << 62)
MUST_CHECK bool units_size(struct bytes text, uint64_t *ret_bytes, struct err *err);

/* The shortest text that reads back as the same number. `us` >= 0. */
enum { UNITS_TEXT_SIZE = 48 };
void units_print_duration(int64_t us, char text[UNITS_TEXT_SIZE]);
void units_print_size(uint64_t bytes, char text[UNITS_TEXT_SIZE]);

#endif
