/* The inside of publish, for its parts: writing, deleting, and finding what is left over. */
#ifndef TIDEMARK_CHECKPOINT_LEADER_PUBLISH_STATE_H
#define TIDEMARK_CHECKPOINT_LEADER_PUBLISH_STATE_H

#include "checkpoint/leader/publish.h"
#include "core/base/buf.h"

/* What is known of the pointer's manifest, so that it is read once. */
struct known_pointer {
    struct buf bytes; /* of `_CURRENT` */
    struct buf lineage;
    int64_t manifest_time_us;
    bool newer_manifest;
    struct buf newer_run_id;
};

struct publish {
    struct publish_settings settings;
    struct known_pointer known;
    struct known_pointer staged; /* what the pointer will be when our own swap has worked */
};

#endif
