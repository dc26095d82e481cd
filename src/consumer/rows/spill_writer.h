/* Sorted rows -> one spill object in a local file. */
#ifndef TIDEMARK_CONSUMER_ROWS_SPILL_WRITER_H
#define TIDEMARK_CONSUMER_ROWS_SPILL_WRITER_H

#include <stdatomic.h>

#include "core/spill/row_set.h"

struct spill_ref {
    char *path; /* of the local file; malloc'ed */
    uint64_t rows;
    uint64_t bytes;  /* of the file */
    uint64_t digest; /* checksum of its index, which covers all its blocks */
};

void spill_ref_done(struct spill_ref *ref);

/* Writes the whole set, section by section, to a new file at `path` (CONFLICT when it is there), in
 * one pass with about 512 KiB of memory. `sync`: fsync file and folder, for spills that a restart
 * relies on. On failure no file is left. `stop` may be NULL. Blocks; any thread, a file each.
 * Errors: as file.h; STOPPED; what reading the set gives. */
MUST_CHECK bool spill_write(struct row_set *set, const char *path, bool sync,
                            const atomic_bool *stop, struct spill_ref *ret_ref, struct err *err);

#endif
