/* Two snapshots side by side: which keys were added, removed, changed. */
#include "checkpoint/reading/snapshot_diff.h"

#include "core/spill/merge.h"

struct diffing {
    const struct catalog *catalog;
    struct snapshot_reader *readers[2];
    const struct manifest *manifests[2];
    const struct snapshot_diff_sink *sink;
    struct arena *arena;
    struct snapshot_diff *diff;
    uint32_t shard; /* under way */
};

static bool found(void *to, enum rows_difference difference, const struct row *left,
                  const struct row *right, struct err *err)
{
    const struct diffing *diffing = to;
    return diffing->sink->found(diffing->sink->to, diffing->shard, difference,
                                left != NULL ? left->key : right->key, err);
}

static void add_counts(struct rows_differ_counts *to, const struct rows_differ_counts *counts)
{
    to->left += counts->left;
    to->right += counts->right;
    to->equal += counts->equal;
    for (unsigned i = 0; i < LENGTH_OF(to->differ); i++) {
        to->differ[i] += counts->differ[i];
    }
}

/* Takes the streams; NULL: no rows. */
static bool compare(struct diffing *diffing, struct row_stream *const take_streams[2],
                    struct rows_differ_counts *ret_counts, struct err *err)
{
    struct row_stream *streams[2];
    for (int side = 0; side < 2; side++) {
        streams[side] = take_streams[side] != NULL ? take_streams[side]
                                                   : merge_new(ROW_ORDER_OFFSET, NULL, 0);
    }
    struct rows_differ_sink sink = {.found = found, .to = diffing};
    bool right = false;
    bool done = rows_differ(streams[0], streams[1], &sink, NULL, ret_counts, &right, err);
    row_stream_free(streams[0]);
    row_stream_free(streams[1]);
    return done;
}

/* The same bytes, as far as the store's tags tell: what another shard was copied to has them. */
static bool is_same_file(struct diffing *diffing, uint32_t shard, bool *ret_same,
                         uint64_t *ret_rows, struct err *err)
{
    const struct attempt *rows[2];
    struct store_info infos[2];
    *ret_same = false;
    for (int side = 0; side < 2; side++) {
        rows[side] = manifest_shard(diffing->manifests[side], shard);
        if (rows[side] == NULL || rows[side]->db_url == NULL ||
            diffing->manifests[side]->backend != BACKEND_SQLITE) {
            return true;
        }
    }
    if (rows[0]->db_bytes != rows[1]->db_bytes || rows[0]->row_count != rows[1]->row_count) {
        return true;
    }
    for (int side = 0; side < 2; side++) {
        const char *name = NULL;
        TRY(catalog_shard_name(diffing->catalog, diffing->manifests[side], rows[side],
                               diffing->arena, &name, err));
        TRY(store_head(diffing->catalog->borrowed_store, name, &infos[side], err));
    }
    *ret_same = infos[0].size == infos[1].size &&
                strcmp(infos[0].etag.text, infos[1].etag.text) == 0;
    *ret_rows = (uint64_t)rows[0]->row_count;
    return true;
}

static bool diff_shard(struct diffing *diffing, uint32_t shard, struct snapshot_diff_shard *to,
                       struct err *err)
{
    uint64_t rows = 0;
    diffing->shard = shard;
    TRY(is_same_file(diffing, shard, &to->same_file, &rows, err));
    if (to->same_file) {
        to->counts = (struct rows_differ_counts){.left = rows, .right = rows, .equal = rows};
        diffing->diff->same_files++;
        return true;
    }
    struct row_stream *streams[2] = {NULL};
    TRY(snapshot_reader_scan(diffing->readers[0], shard, &streams[0], err));
    if (!snapshot_reader_scan(diffing->readers[1], shard, &streams[1], err)) {
        row_stream_free(streams[0]);
        return false;
    }
    return compare(diffing, streams, &to->counts, err);
}

static bool diff_by_shard(struct diffing *diffing, struct err *err)
{
    struct snapshot_diff *diff = diffing->diff;
    diff->shard_count = diffing->manifests[0]->num_dbs;
    diff->shards = arena_zero(diffing->arena, diff->shard_count * sizeof *diff->shards);
    for (uint32_t i = 0; i < diff->shard_count; i++) {
        if (diffing->sink->begins(diffing->sink->to, i, diff->shard_count)) {
            return err_set(err, ERR_STOPPED, "stopped while comparing");
        }
        if (!diff_shard(diffing, i, &diff->shards[i], err)) {
            return err_wrap(err, "shard %u", i);
        }
        add_counts(&diff->all, &diff->shards[i].counts);
    }
    return true;
}

static bool diff_all(struct diffing *diffing, struct err *err)
{
    struct row_stream *streams[2] = {NULL};
    struct kv_bounds all = {0};
    diffing->shard = SNAPSHOT_DIFF_ALL;
    TRY(snapshot_reader_scan_all(diffing->readers[0], &all, &streams[0], err));
    if (!snapshot_reader_scan_all(diffing->readers[1], &all, &streams[1], err)) {
        row_stream_free(streams[0]);
        return false;
    }
    return compare(diffing, streams, &diffing->diff->all, err);
}

bool snapshot_diff(const struct catalog *catalog, struct snapshot_reader *before,
                   struct snapshot_reader *after, const struct snapshot_diff_sink *sink,
                   struct arena *arena, struct snapshot_diff *ret_diff, struct err *err)
{
    struct diffing diffing = {.catalog = catalog,
                              .readers = {before, after},
                              .sink = sink,
                              .arena = arena,
                              .diff = ret_diff};
    *ret_diff = (struct snapshot_diff){0};
    for (int side = 0; side < 2; side++) {
        diffing.manifests[side] = &snapshot_reader_snapshot(diffing.readers[side])->manifest;
    }
    if (diffing.manifests[0]->key_encoding != diffing.manifests[1]->key_encoding) {
        return err_set(
            err, ERR_INPUT, "keys of run %s are %s, those of run %s %s",
            diffing.manifests[0]->run_id, key_encoding_name(diffing.manifests[0]->key_encoding),
            diffing.manifests[1]->run_id, key_encoding_name(diffing.manifests[1]->key_encoding));
    }
    bool alike = diffing.manifests[0]->num_dbs == diffing.manifests[1]->num_dbs &&
                 diffing.manifests[0]->sharding.strategy == SHARDING_HASH &&
                 diffing.manifests[1]->sharding.strategy == SHARDING_HASH;
    return alike ? diff_by_shard(&diffing, err) : diff_all(&diffing, err);
}
