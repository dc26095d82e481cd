/* Our member of a manifest's `custom`: where a snapshot comes from. */
#ifndef TIDEMARK_CORE_SNAPSHOT_LINEAGE_H
#define TIDEMARK_CORE_SNAPSHOT_LINEAGE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

/* One JSON object, `custom.tidemark`. Its body is the leader's record of the build
 * (message_lineage_encode in core/coord: topics with ids, cuts, tails, accounts, history, term,
 * parent, pointer base), which the leader alone reads back. Beside it, under `made_by`, stands what
 * the leader's record has no need of, but a person who looks at a snapshot in a year has. */

/* Texts belong to the arena of whoever made it. "" is written as null, and read back as "". */
struct lineage_maker {
    const char *group;
    const char *software;       /* "tidemark 0.1.0" */
    const char *sqlite_version; /* of the library: the manifest is its file, and so are shards
                                   with vectors */
    const char *contents;       /* "window", "state" */
    const char *order;          /* "offset", "event_time" */
    const char *kv_backend;     /* "slatedb"; "" or NULL: SQLite, and left out */
    const char *kv_version;     /* of what laid out the shards' files (wiring_kv_version), left out
                                   where it is "": the library did */
    const char *settings;       /* all that the fingerprint is of, in words (core/fingerprint.h) */
};

/* The leader's record with `made_by` in it, in the stable form of json_print. ERR_INPUT: `record`
 * is not an object. */
MUST_CHECK bool lineage_add_maker(struct bytes record, const struct lineage_maker *maker,
                                  struct buf *out, struct err *err);

/* ERR_INPUT: `lineage` is not an object, or made_by is there and not as above. Without made_by all
 * texts are "". */
MUST_CHECK bool lineage_maker(struct bytes lineage, struct arena *arena,
                              struct lineage_maker *ret_maker, struct err *err);

#endif
