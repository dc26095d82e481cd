/* The local checkpoint at a start: is it there, may it be used, and what does it hold? */
#ifndef TIDEMARK_CHECKPOINT_SPILL_LOCAL_CHECKPOINT_H
#define TIDEMARK_CHECKPOINT_SPILL_LOCAL_CHECKPOINT_H

#include "adapters/sqlite/sqlite_checkpoint.h"
#include "core/spill/row_set.h"
#include "core/window/tally.h"

/* Where it is. The folder of spills holds nothing that the database does not name, once it was
 * opened. */
struct local_checkpoint_place {
    const char *database;                  /* path */
    const char *spills;                    /* folder */
    const struct checkpoint_stamp *stamps; /* what must agree (PROTOCOL R9) */
    size_t stamp_count;
};

struct local_spill {
    char *path;
    uint64_t bytes;
    const bool *voided;  /* by source of its index: its rows do not count */
    struct row_set *set; /* every block of it was verified */
};

struct local_checkpoint {
    struct arena *arena;
    const struct checkpoint_partition *partitions;
    struct tally *tallies; /* by partition */
    size_t partition_count;
    struct local_spill *spills;
    size_t spill_count;
};

/* Sweeps the folder, and throws away a checkpoint that does not fit or is damaged, with one line of
 * the log that says why: then, and when there is none, *ret_checkpoint is NULL. Errors: the work
 * folder cannot be used (as file.h). */
MUST_CHECK bool local_checkpoint_open(const struct local_checkpoint_place *place,
                                      struct local_checkpoint **ret_checkpoint, struct err *err);
/* With what was not taken out of it (set NULL, tally empty). Takes NULL; returns NULL. */
struct local_checkpoint *local_checkpoint_free(struct local_checkpoint *checkpoint);

/* There is none any more; its spills are swept at the next start. */
MUST_CHECK bool local_checkpoint_discard(const struct local_checkpoint_place *place,
                                         struct err *err);

#endif
