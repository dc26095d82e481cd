/* The database of a local checkpoint: what a member's spills hold, so that a restart goes on. */
#ifndef TIDEMARK_ADAPTERS_SQLITE_SQLITE_CHECKPOINT_H
#define TIDEMARK_ADAPTERS_SQLITE_SQLITE_CHECKPOINT_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/window/witness.h"

/* What must agree before any of it may be used (PROTOCOL R9). */
struct checkpoint_stamp {
    const char *name;
    const char *value;
};

/* All rows of [from, position) are in the spills, but those that the head's history took. */
struct checkpoint_partition {
    const char *topic;
    int32_t number;
    int64_t from;
    int64_t position;
    int32_t leader_epoch;                   /* of the record before the position; -1: not known */
    int64_t event_time_max_us;              /* EVENT_TIME_LOW: none */
    const char *head_run;                   /* of the head whose history was applied; "": none */
    uint64_t bytes;                         /* of the rows, for reports */
    struct bytes tally;                     /* tally_encode */
    struct witness witnesses[WITNESS_ENDS]; /* below the position: ascending */
    size_t witness_count;
};

struct checkpoint_spill {
    const char *name; /* of the file in the same folder */
    uint64_t bytes;
    uint64_t digest;     /* checksum of its index */
    struct bytes voided; /* a byte a source of its index, 1: its rows do not count; empty: all do */
};

struct checkpoint_content {
    const struct checkpoint_stamp *stamps;
    size_t stamp_count;
    const struct checkpoint_partition *partitions;
    size_t partition_count;
    const struct checkpoint_spill *spills;
    size_t spill_count;
    const char *damaged; /* the first topic or spill that was not written so; NULL: none. Of what is
                            read alone */
};

/* All of these block on the disk; one process and one thread at a time. The database has the old
 * content or the new one, also after a power cut. Errors: as db_err(). */

/* In place of whatever is there. */
MUST_CHECK bool sqlite_checkpoint_write(const char *path, const struct checkpoint_content *content,
                                        struct err *err);

/* A COMMIT was applied to these partitions, and these spills are needed no more: the rest stays as
 * it is. Of `partitions` only topic, number and head_run are looked at; head_run NULL: nothing is
 * held of it any more. */
MUST_CHECK bool sqlite_checkpoint_forget(const char *path,
                                         const struct checkpoint_partition *partitions,
                                         size_t partition_count, const char *const *spills,
                                         size_t spill_count, struct err *err);

/* Texts and arrays in the arena. MISSING: there is none. CORRUPT: not such a database. Look at
 * `damaged` when the stamps agree: an older format has no digests. */
MUST_CHECK bool sqlite_checkpoint_read(const char *path, struct arena *arena,
                                       struct checkpoint_content *ret_content, struct err *err);

#endif
