/* Winners become a manifest, and the manifest what `_CURRENT` names: the leader's work on the
 * store. */
#ifndef TIDEMARK_CHECKPOINT_LEADER_PUBLISH_H
#define TIDEMARK_CHECKPOINT_LEADER_PUBLISH_H

#include "adapters/store.h"
#include "core/coord/leader.h"
#include "core/route/route.h"
#include "core/settings.h"
#include "core/snapshot/manifest_json.h"
#include "core/snapshot/names.h"

/* The happy path, each step by its own call, because the ledger is written in between (PROTOCOL
 * R11): publish_stage, [COMMIT], publish_manifest, publish_pointer_get, publish_pointer_swap. What
 * can go wrong: any answer of the store may be lost. All bytes are fixed before they are written,
 * and every write but the pointer's is settled by reading back; the pointer's is the leader's to
 * settle. The leader thread only; every call blocks on the store. */
struct publish;

/* All borrowed, for the life of it. */
struct publish_settings {
    struct store *store;
    const struct names *names;
    const char *group;
    const char *sqlite_version; /* of the manifest, and of shard files that are SQLite's */
    struct {
        enum shard_backend backend; /* of the shards */
        const char *version;        /* of its library */
    } kv;
    const char *fingerprint_text; /* fingerprint_print of the settings; for the lineage */
    const struct snapshot_settings *snapshot;
    struct manifest_vector vector; /* dim 0: none */
    enum key_encoding key_encoding;
    const struct sharding *sharding;
};

struct publish *publish_new(const struct publish_settings *settings);
struct publish *publish_free(struct publish *publish); /* takes NULL; returns NULL */

/* Texts live in the arena given. */
struct publish_staged {
    const char *staged_url;
    const char *manifest_ref;
    const char *sha256;
    struct bytes pointer;
    uint32_t missing_shard; /* with MISSING */
};

/* Builds the manifest of the winners, which must be there with their sizes (MISSING: one is not),
 * stores it beside the run's shards and reads it back. */
MUST_CHECK bool publish_stage(struct publish *publish, const struct leader_stage *stage,
                              int64_t now_us, struct arena *arena,
                              struct publish_staged *ret_staged, struct err *err);

/* The staged bytes under manifests/. MISSING: they are gone; CORRUPT: they are others. */
MUST_CHECK bool publish_manifest(struct publish *publish, const struct commit_pending *manifest,
                                 struct err *err);

/* What `_CURRENT` is now, and what its manifest says of itself. A pointer or a manifest that cannot
 * be read is no error: the leader must see it. */
MUST_CHECK bool publish_pointer_get(struct publish *publish, struct arena *arena,
                                    struct leader_pointer *ret_pointer, struct err *err);

/* One compare-and-swap (PROTOCOL R12). CONFLICT, AMBIGUOUS: look again. */
MUST_CHECK bool publish_pointer_swap(struct publish *publish, struct bytes bytes,
                                     const char *if_match, bool create_only, struct err *err);

/* Everything of a run: the manifest first, so that nobody finds it while its shards go; then the
 * shards; then its records. */
MUST_CHECK bool publish_delete_run(struct publish *publish, const char *run_id, struct err *err);

/* Objects by URL; a URL of an attempt's folder takes all in it. */
MUST_CHECK bool publish_delete_objects(struct publish *publish, const char *const *urls,
                                       size_t count, struct err *err);

/* All runs with a manifest under manifests/, newest first. */
MUST_CHECK bool publish_list_runs(struct publish *publish, struct arena *arena,
                                  const struct leader_old_run **ret_runs, size_t *ret_count,
                                  struct err *err);

/* What LIST_STRAYS asks for: URLs of parts whose build is over, and of the attempts it names. */
MUST_CHECK bool publish_list_strays(struct publish *publish, const struct leader_command *command,
                                    struct arena *arena, const char *const **ret_urls,
                                    size_t *ret_count, struct err *err);

/* What LIST_LEFTOVERS asks for. Runs of another form than ours are passed over. */
MUST_CHECK bool publish_list_leftovers(struct publish *publish, uint64_t build, struct arena *arena,
                                       const struct leader_leftover **ret_list, size_t *ret_count,
                                       struct err *err);

#endif
