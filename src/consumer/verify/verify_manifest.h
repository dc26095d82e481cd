/* What a manifest says of itself, against its lineage and the names that it should have. */
#ifndef TIDEMARK_CONSUMER_VERIFY_VERIFY_MANIFEST_H
#define TIDEMARK_CONSUMER_VERIFY_VERIFY_MANIFEST_H

#include "consumer/verify/verify_report.h"
#include "core/coord/message.h"
#include "core/route/route.h"
#include "core/snapshot/manifest.h"

/* Files and checkpoints that are named twice, shards out of range, keys that are out of order, and
 * a run or a number of shards that the lineage has otherwise. Pure. */
void verify_manifest(const struct manifest *manifest, const struct message_commit *lineage,
                     struct verify_report *report);

/* The number of shards that so many rows make, or that many tokens of an expression. Pure. */
void verify_manifest_shards(const struct manifest *manifest, const struct router *router,
                            uint64_t rows, size_t tokens, struct verify_report *report);

#endif
