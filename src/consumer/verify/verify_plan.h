/* What must be read, and how it is judged, to make a snapshot again: out of its lineage alone. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_PLAN_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_PLAN_H

#include "core/coord/message.h"
#include "core/settings.h"
#include "core/snapshot/lineage.h"
#include "core/snapshot/manifest.h"

struct verify_partition {
    struct partition_id id;
    uint32_t topic;       /* in the settings */
    const char *topic_id; /* of the lineage; "": not known */
    int64_t from;         /* tail_from, or the end of what an operator gave up */
    int64_t seen_end;     /* never below `from` */
    int64_t cut;
    const struct cut_step *steps; /* builds before it (R24), then the build itself */
    size_t step_count;
    const struct commit_partition *said; /* by the manifest: account, tail_from of the next */
};

/* All of it lives in the arena. */
struct verify_plan {
    struct message_commit commit;
    struct lineage_maker maker;
    struct verify_partition *partitions; /* in the lineage's order; none with from == cut left out
                                          */
    size_t partition_count;
    int64_t records; /* offsets to read, at most: for progress */
};

/* MISSING: the manifest has no lineage, or one that does not say what the build was made of. INPUT:
 * a lineage that does not read. SETTINGS: these settings make other content; says in what. */
MUST_CHECK bool verify_plan_make(const struct manifest *manifest, const struct settings *settings,
                                 struct arena *arena, struct verify_plan *ret_plan,
                                 struct err *err);

/* In what two texts of fingerprint_print differ, word by word: "shards=8 there, shards=4 here; …".
 * For people; "" when they are equal. */
const char *verify_plan_difference(const char *theirs, const char *ours, struct arena *arena);

#endif
