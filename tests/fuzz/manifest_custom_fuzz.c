/* The JSON columns of a manifest: what is taken is printed, and taken again as the same. */
#include <stdint.h>

#include "core/base/check.h"
#include "core/snapshot/lineage.h"
#include "core/snapshot/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1 << 22 };

static void try_sharding(struct bytes text, struct arena *arena)
{
    struct sharding sharding;
    struct err err = {0};
    if (!manifest_parse_sharding(text, arena, &sharding, &err)) {
        return;
    }
    AUTO(buf) struct buf once;
    AUTO(buf) struct buf twice;
    buf_init(&once, TEXT_MAX);
    buf_init(&twice, TEXT_MAX);
    if (sharding.strategy == SHARDING_CEL &&
        (sharding.cel_expr == NULL || sharding.columns == NULL)) {
        return; /* refused by the manifest's rules */
    }
    manifest_print_sharding(&sharding, &once);
    struct sharding again;
    CHECK(manifest_parse_sharding(buf_bytes(&once), arena, &again, &err));
    manifest_print_sharding(&again, &twice);
    CHECK(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
}

static void try_custom(struct bytes text, struct arena *arena)
{
    struct manifest_custom custom;
    struct err err = {0};
    if (!manifest_parse_custom(text, arena, &custom, &err)) {
        return;
    }
    struct lineage_maker maker;
    bool ours = lineage_maker(custom.lineage, arena, &maker, &err);
    AUTO(buf) struct buf out;
    buf_init(&out, TEXT_MAX);
    if (!manifest_print_custom(&custom, &out, &err)) {
        CHECK(!ours); /* JSON that our strict reader refuses: a name twice, a NUL */
        return;
    }
    struct manifest_custom again;
    CHECK(manifest_parse_custom(buf_bytes(&out), arena, &again, &err));
    CHECK(again.sidecar.on == custom.sidecar.on &&
          (!again.sidecar.on || again.sidecar.page_size == custom.sidecar.page_size));
    CHECK(again.vector.dim == custom.vector.dim && again.vector.metric == custom.vector.metric);
    CHECK(bytes_equal(custom.lineage, again.lineage));
}

/* One shard whose texts are the input. */
static void try_manifest(struct bytes text, struct arena *arena)
{
    const char *copy = arena_text(arena, text);
    struct manifest_shard_columns shard = {.db_url = copy,
                                           .row_count = 1,
                                           .min_key = copy,
                                           .checkpoint_id = copy,
                                           .writer_info = "{}"};
    struct manifest_columns columns = {
        .meta = {.run_id = copy,
                 .created_at = "2026-03-14T10:30:00Z",
                 .num_dbs = 1,
                 .s3_prefix = copy,
                 .key_col = copy,
                 .sharding = "{\"strategy\":\"hash\",\"hash_algorithm\":\"xxh3_64\"}",
                 .db_path_template = copy,
                 .shard_prefix = copy,
                 .format_version = 4,
                 .key_encoding = "raw",
                 .custom = "{}"},
        .shards = &shard,
        .shard_count = 1,
    };
    struct manifest manifest;
    struct err err = {0};
    if (manifest_decode(&columns, arena, &manifest, &err)) {
        CHECK(manifest.run_id[0] != '\0');
    } else {
        CHECK(err.kind == ERR_INPUT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 16);
    try_sharding(bytes_of(data, size), arena);
    try_custom(bytes_of(data, size), arena);
    try_manifest(bytes_of(data, size), arena);
    arena_free(arena);
    return 0;
}
