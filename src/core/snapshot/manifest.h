/* The manifest's model, its columns and the rules a reader enforces (snapshot format, section 3).
 */
#ifndef TIDEMARK_CORE_SNAPSHOT_MANIFEST_H
#define TIDEMARK_CORE_SNAPSHOT_MANIFEST_H

#include "core/snapshot/attempt.h"
#include "core/snapshot/manifest_json.h"

enum { MANIFEST_FORMAT_VERSION = 4 };

/* All texts are the arena's of whoever made it. */
struct manifest {
    const char *run_id;
    int64_t created_at_us;
    uint32_t num_dbs;
    const char *s3_prefix;
    const char *key_column;
    enum key_encoding key_encoding;
    struct sharding sharding;
    const char *db_path_template;
    const char *shard_prefix;
    struct manifest_sidecar sidecar;
    struct manifest_vector vector;
    enum shard_backend backend; /* as the lineage has it: not printed from here */
    struct bytes lineage; /* JSON object, see core/snapshot/lineage.h; empty: not made by Tidemark
                           */
    const struct manifest_member *members; /* of `custom`, the writer's own; not read back */
    size_t member_count;
    const struct attempt *shards; /* the winners by ascending db_id */
    size_t shard_count;
};

/* ---- the columns, as SQLite holds them. NULL pointers are SQL NULL. ---- */

struct manifest_meta_columns {
    const char *run_id;
    const char *created_at;
    int64_t num_dbs;
    const char *s3_prefix;
    const char *key_col;
    const char *sharding;
    const char *db_path_template;
    const char *shard_prefix;
    int64_t format_version;
    const char *key_encoding;
    const char *custom;
};

struct manifest_shard_columns {
    int64_t db_id;
    const char *db_url;
    int64_t attempt;
    int64_t row_count;
    int64_t db_bytes;
    const char *min_key;
    const char *max_key;
    const char *checkpoint_id;
    const char *writer_info;
};

struct manifest_columns {
    struct manifest_meta_columns meta;
    const struct manifest_shard_columns *shards;
    size_t shard_count;
};

/* What `build_meta` and `shards` are to hold. Texts are the arena's or borrowed from the manifest.
 * ERR_INPUT: a reader would refuse it; or we would not make it: a shard without URL, rows or
 * checkpoint_id, one that is out of order, a run id that is no part of a name. */
MUST_CHECK bool manifest_encode(const struct manifest *manifest, struct arena *arena,
                                struct manifest_columns *ret_columns, struct err *err);

/* Columns that anybody may have written to a checked manifest. Texts are copied into `arena`;
 * shards are sorted. ERR_INPUT names what a reader of the format would refuse. */
MUST_CHECK bool manifest_decode(const struct manifest_columns *columns, struct arena *arena,
                                struct manifest *ret_manifest, struct err *err);

/* The row of a shard (rows are by ascending db_id); NULL: there is none. Pure; borrowed. */
const struct attempt *manifest_shard(const struct manifest *manifest, uint32_t shard);

#endif
