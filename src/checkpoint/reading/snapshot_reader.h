/* A snapshot opened for reading: look keys up, walk through shards. */
#ifndef TIDEMARK_CHECKPOINT_READING_SNAPSHOT_READER_H
#define TIDEMARK_CHECKPOINT_READING_SNAPSHOT_READER_H

#include "adapters/kv.h"
#include "checkpoint/reading/catalog.h"
#include "checkpoint/reading/shard_files.h"
#include "core/record/key.h"
#include "core/route/route.h"

/* Everything is borrowed until snapshot_reader_free. */
struct snapshot_reader_request {
    struct catalog catalog;
    struct catalog_choice choice; /* empty: the snapshot behind `_CURRENT` */
    struct kv *kv;                /* of the ordinary backend */
    /* Gives the driver of another one; not freed. NULL: there is none. SETTINGS. */
    bool (*backend_kv)(enum shard_backend backend, struct kv **ret_kv, struct err *err);
    const struct shard_cache *cache; /* where shard files of other stores are downloaded to. Those
                                        of a file store are opened where they are; NULL will do
                                        there, and where all is read by range */
    struct shard_reading_choice reading;
};

/* Any thread, at once. Shard files are opened when a key first leads to them; the manifest it was
 * opened with stays, whatever is published meanwhile. */
struct snapshot_reader;

/* MISSING: nothing published, or no such run. CORRUPT: the manifest. INPUT: URLs that lie
 * elsewhere. SETTINGS: no driver for its shards. */
MUST_CHECK bool snapshot_reader_new(const struct snapshot_reader_request *request,
                                    struct snapshot_reader **ret_reader, struct err *err);
struct snapshot_reader *snapshot_reader_free(struct snapshot_reader *reader); /* takes NULL */
void snapshot_reader_auto(struct snapshot_reader **reader);

const struct catalog_snapshot *snapshot_reader_snapshot(const struct snapshot_reader *reader);

/* What an expression wants to know beside the key, the same for every key that is looked up from
 * now on. Before any other thread has the reader. */
void snapshot_reader_set_columns(struct snapshot_reader *reader,
                                 const struct route_column *borrowed_columns, size_t count);

/* The shard that a key is in, if it is anywhere. INPUT: an integer key without routing bytes
 * (snapshot format, section 4); columns that an expression wants, or that it does not know; a value
 * of it that leads to no shard. SETTINGS: an expression that does not compile. */
MUST_CHECK bool snapshot_reader_route(const struct snapshot_reader *reader,
                                      const struct logical_key *key, uint32_t *ret_shard,
                                      struct err *err);

/* The same, with what leads there: the hash, or the expression's value. In the arena. */
MUST_CHECK bool snapshot_reader_explain(const struct snapshot_reader *reader,
                                        const struct logical_key *key, struct arena *arena,
                                        const char **ret_value, uint32_t *ret_shard,
                                        struct err *err);

/* Opens the shard's file, which the first key in it would do. *ret_by_range: it stays in its store,
 * and pages are asked for. */
MUST_CHECK bool snapshot_reader_open_shard(struct snapshot_reader *reader, uint32_t shard,
                                           bool *ret_by_range, struct err *err);

/* Adds the key's value to `value`; *ret_found false: it is not in the snapshot. Errors also: INPUT
 * (a key the encoding cannot hold), LIMIT (over the limit of `value`), CORRUPT, those of the store.
 */
MUST_CHECK bool snapshot_reader_get(struct snapshot_reader *reader, const struct logical_key *key,
                                    struct buf *value, bool *ret_found, struct err *err);

/* The same with what its expression wants beside the key, for this key alone. */
MUST_CHECK bool snapshot_reader_get_by_columns(struct snapshot_reader *reader,
                                               const struct logical_key *key,
                                               const struct route_column *columns, size_t count,
                                               struct buf *value, bool *ret_found, struct err *err);

struct snapshot_reader_answer {
    bool found;
    struct bytes value; /* in the arena */
};

/* The same for many, each shard opened once; answers[i] is for keys[i]. The first error ends it. */
MUST_CHECK bool snapshot_reader_multiget(struct snapshot_reader *reader,
                                         const struct logical_key *keys, size_t count,
                                         struct arena *arena,
                                         struct snapshot_reader_answer *answers, struct err *err);

/* All rows of one shard (below num_dbs), keys ascending by stored bytes; *ret_rows NULL: the shard
 * is empty. Any number of streams; each belongs to one thread at a time and is freed before the
 * reader is. */
MUST_CHECK bool snapshot_reader_scan(struct snapshot_reader *reader, uint32_t shard,
                                     struct row_stream **ret_rows, struct err *err);
/* The rows within bounds of stored bytes, of one shard, or of all of them as one ascending stream.
 * LIMIT: more than SNAPSHOT_SCAN_SHARDS_MAX shards have rows; walk through them one by one. */
enum { SNAPSHOT_SCAN_SHARDS_MAX = 1024 };
MUST_CHECK bool snapshot_reader_scan_between(struct snapshot_reader *reader, uint32_t shard,
                                             const struct kv_bounds *bounds,
                                             struct row_stream **ret_rows, struct err *err);
MUST_CHECK bool snapshot_reader_scan_all(struct snapshot_reader *reader,
                                         const struct kv_bounds *bounds,
                                         struct row_stream **ret_rows, struct err *err);

/* The `count` (up to KV_NEIGHBOURS_MAX) nearest vectors of all shards, nearest first; of equally
 * near ones, those of the lower shard. `vector`: float32, little-endian. Needs a reader whose kv
 * has vectors. Errors also: INPUT: the snapshot has no vectors, or of another dimension. */
MUST_CHECK bool snapshot_reader_search(struct snapshot_reader *reader, struct bytes vector,
                                       size_t count, struct arena *arena,
                                       struct kv_neighbour **ret_neighbours, size_t *ret_count,
                                       struct err *err);

#endif
