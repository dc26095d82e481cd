/* The snapshot that a state is made on: what its manifest says, and files of its shards on this
 * disk. */
#ifndef TIDEMARK_CHECKPOINT_SHARDS_STATE_BASE_H
#define TIDEMARK_CHECKPOINT_SHARDS_STATE_BASE_H

#include "adapters/store.h"
#include "core/coord/message.h"
#include "core/snapshot/manifest.h"
#include "core/snapshot/names.h"

/* A shard file that was made or downloaded here is kept under its checkpoint_id, which means its
 * bytes wherever it was copied to since: whoever made a shard the last time downloads nothing the
 * next time. Objects of a folder (file://) are read where they are. Any thread; calls that read the
 * store or write the disk block. */
struct state_base;

struct state_base_settings {
    struct store *store;
    const struct names *names;
    const char *folder; /* of this process alone; what an earlier one left in it is used */
    uint64_t bytes_max; /* the files used longest ago go when it is passed; 0: no limit */
};

/* Borrows the settings. SETTINGS, LIMIT: the folder. */
MUST_CHECK bool state_base_new(const struct state_base_settings *settings,
                               struct state_base **ret_base, struct err *err);
struct state_base *state_base_free(struct state_base *base); /* takes NULL; no user is left */

/* The manifest of a base, read once. It stays for as long as it is used. MISSING, CORRUPT. */
struct state_manifest;
MUST_CHECK bool state_base_manifest(struct state_base *base, const struct plan_base *plan,
                                    struct state_manifest **ret_manifest, struct err *err);
const struct manifest *state_manifest_of(const struct state_manifest *manifest);
/* NULL: the shard is empty there. */
const struct attempt *state_manifest_shard(const struct state_manifest *manifest, uint32_t shard);
/* The attempt that has the shard's order object (R6), also where the shard is empty; NULL: there is
 * none, because the snapshot has none or the shard never had a key. */
const char *state_manifest_order(const struct state_manifest *manifest, uint32_t shard);
struct state_manifest *state_manifest_drop(struct state_manifest *manifest); /* takes NULL */

/* A name of one's own for the file of a shard, at `path`: from what is kept, else downloaded. The
 * caller removes it. MISSING, CORRUPT (not the manifest's size), LIMIT. */
MUST_CHECK bool state_base_fetch(struct state_base *base, const struct attempt *shard,
                                 const char *path, struct err *err);

/* The same for the shard's order object, where state_manifest_order gives one. */
MUST_CHECK bool state_base_fetch_order(struct state_base *base,
                                       const struct state_manifest *manifest, uint32_t shard,
                                       const char *path, struct err *err);

/* Keeps a finished file, too, and its order object (NULL: none), beside where they are. Best
 * effort: a failure is logged. */
void state_base_keep(struct state_base *base, const char *path, const char *order_path,
                     const char *checkpoint_id);

#endif
