/* What a contribution gives to a build, as one set: the content of a part. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_PART_SET_H
#define TIDEMARK_CHECKPOINT_SPILL_PART_SET_H

#include <stdatomic.h>

#include "checkpoint/spill/contribution.h"

/* A section for each (window, group) of its sets, merged and filtered. The exact index takes one
 * pass over all rows, so this blocks; a build thread. The contribution, and the path that files in
 * the making begin with (narrow.h), are borrowed while the set lives. Errors: those of reading;
 * LIMIT (the disk); STOPPED. `stop` may be NULL. */
MUST_CHECK bool part_set_new(struct contribution *borrowed_contribution, const char *borrowed_path,
                             const atomic_bool *stop, struct row_set **ret_set, struct err *err);

#endif
