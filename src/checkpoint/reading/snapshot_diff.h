/* Two snapshots side by side: which keys were added, removed, changed. */
#ifndef TIDEMARK_CHECKPOINT_READING_SNAPSHOT_DIFF_H
#define TIDEMARK_CHECKPOINT_READING_SNAPSHOT_DIFF_H

#include "checkpoint/reading/rows_differ.h"
#include "checkpoint/reading/snapshot_reader.h"

struct snapshot_diff_shard {
    bool same_file; /* by size and tag: not looked into */
    struct rows_differ_counts counts;
};

struct snapshot_diff {
    struct snapshot_diff_shard *shards; /* NULL: divided in other ways, so all is one comparison */
    uint32_t shard_count;
    uint32_t same_files;
    struct rows_differ_counts all;
};

/* One call for each key that differs: by shard, where both have the same number of them, else in
 * the order of keys with SNAPSHOT_DIFF_ALL. */
#define SNAPSHOT_DIFF_ALL UINT32_MAX
struct snapshot_diff_sink {
    bool (*found)(void *to, uint32_t shard, enum rows_difference difference, struct bytes key,
                  struct err *err);
    /* Before a shard is looked at. True: stop. */
    bool (*begins)(void *to, uint32_t shard, uint32_t count);
    void *to;
};

/* `catalog` is that of both readers. Blocks on the store. Errors: INPUT (key encodings differ),
 * LIMIT (as snapshot_reader_scan_all), STOPPED, CORRUPT, those of the store. */
MUST_CHECK bool snapshot_diff(const struct catalog *catalog, struct snapshot_reader *before,
                              struct snapshot_reader *after, const struct snapshot_diff_sink *sink,
                              struct arena *arena, struct snapshot_diff *ret_diff, struct err *err);

#endif
