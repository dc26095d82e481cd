/* One shard of a snapshot against what its records make. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_SHARD_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_SHARD_H

#include "adapters/crypto/digest.h"
#include "adapters/kv.h"
#include "checkpoint/reading/catalog.h"
#include "checkpoint/spill/contribution.h"
#include "checkpoint/shards/state_base.h"
#include "consumer/verify/verify_report.h"
#include "core/route/route.h"
#include "core/settings.h"
#include "core/spill/dedupe.h"

struct verify_shard_request { /* all borrowed */
    const struct catalog *catalog;
    const struct manifest *manifest;
    struct kv *kv;
    const struct snapshot_settings *snapshot;
    const struct router *router; /* to say where a key belongs; NULL: not known */
    const struct router *build_router;
    const char *folder;
    uint64_t cache_bytes;    /* of the kv */
    struct state_base *base; /* with the rows below those of the build; NULL: none */
    const struct state_manifest *base_manifest;
    bool base_whole;                   /* shards were divided or made otherwise there */
    bool exact;                        /* it has order objects (R6) … */
    const struct commit_order *orders; /* … these of shards that are empty */
    size_t order_count;
    struct contribution *rows; /* NULL: the log has not all of them, so nothing is made */
    const bool *lost;          /* by source of `rows`: the log cleaner took records of it */
    bool same_writer;          /* laid out as the snapshot was: bytes can be compared */
    struct verify_report *report;
};

/* Texts are empty where there is no such file. */
struct verify_shard_files {
    char stored[DIGEST_SHA256_TEXT];
    char made[DIGEST_SHA256_TEXT];
};

/* Makes the shard, compares file, rows, sidecar and the manifest's row with what is stored, and
 * adds what the sources count to `counts` (by source of `rows`). A stored object that is missing or
 * broken is a finding. Blocks. Errors: those of the store, LIMIT (disk), CORRUPT (our own spill).
 */
MUST_CHECK bool verify_shard(const struct verify_shard_request *request, uint32_t shard,
                             struct dedupe_source *counts, struct verify_shard_files *ret_files,
                             struct err *err);

#endif
