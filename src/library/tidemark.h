/* Reads snapshots that Tidemark (or another writer of the format) has published: look keys up, walk
 * through keys in order, straight from a folder or an S3-compatible store.
 *
 *     struct tidemark_error error;
 *     struct tidemark_snapshot *snapshot = NULL;
 *     if (tidemark_open("s3://bucket/orders", NULL, &snapshot, &error) != TIDEMARK_OK) …
 *     struct tidemark_value value;
 *     if (tidemark_get(snapshot, tidemark_integer_key(4711), &value, &error) == TIDEMARK_OK) …
 *
 * Threads: a snapshot may be used by any number of threads at once; options and a scan by one at a
 * time. Calls block on disk and network, up to the store's deadline (5 minutes for one request with
 * all its retries; option "s3.deadline"), or until tidemark_stop().
 *
 * Ownership: what a function gives through a pointer to a pointer or to a value is the caller's to
 * end with the function named there; texts and rows are borrowed as long as it is said.
 *
 * Errors: every function that can fail returns a code and fills `error`, which may be NULL. The
 * library prints nothing, sets no signal handler and never ends the process, with one exception: a
 * fault in the library itself, or no memory at all, calls abort().
 *
 * This interface only grows: what is here keeps its meaning, and structs their size. */
#ifndef TIDEMARK_LIBRARY_TIDEMARK_H
#define TIDEMARK_LIBRARY_TIDEMARK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TIDEMARK_API __attribute__((visibility("default")))

/* "0.1.0": of the library that is running. */
TIDEMARK_API const char *tidemark_version(void);

enum tidemark_code {
    TIDEMARK_OK = 0,
    TIDEMARK_NOT_FOUND = 1,   /* the key is not in the snapshot; a scan is at its end */
    TIDEMARK_INVALID = 2,     /* an argument, or a key that the snapshot's keys cannot be */
    TIDEMARK_SETTINGS = 3,    /* an option, credentials, rights: somebody must change something */
    TIDEMARK_MISSING = 4,     /* nothing was published there, or no such run */
    TIDEMARK_CORRUPT = 5,     /* an object is not what its manifest says, or was replaced */
    TIDEMARK_UNAVAILABLE = 6, /* the store does not answer: later it may */
    TIDEMARK_LIMIT = 7,       /* disk full, or larger than allowed */
    TIDEMARK_STOPPED = 8,     /* tidemark_stop() was called */
};

struct tidemark_error {
    enum tidemark_code code;
    char message[512]; /* one line for people, no secrets */
};

/* ---- options ---- */

/* All have defaults. By name, so that there can be more of them later:
 *
 *   cache_folder   where small shard files are downloaded to; ~/.cache/tidemark/shards
 *   cache_size     the oldest downloads are deleted above it; 2GiB
 *   reading        auto (by size), range (only the pages needed), download (whole files)
 *   range_from     auto: shard files of that size are read by range; 16MiB
 *   page_memory    memory for pages read by range; 64MiB
 *   relocated      true: the snapshots were copied here, read below this URL
 *   run_id         the snapshot of this run, not the current one
 *   manifest       the snapshot of this manifest, its URL or name
 *   extension      the file of SQLite's extension sqlite-vec (vec0.so), for tidemark_search
 *   s3.endpoint s3.region s3.profile s3.addressing (auto, path, virtual) s3.ca_file s3.proxy
 *   s3.connect_timeout s3.request_timeout s3.deadline s3.max_retries
 *
 * Credentials come from the environment, AWS's shared files or the instance, as for `tidemark`. */
struct tidemark_options;

TIDEMARK_API struct tidemark_options *tidemark_options_new(void);
TIDEMARK_API void tidemark_options_free(struct tidemark_options *options); /* takes NULL */
/* Copies both. SETTINGS: no such option, or not such a value. */
TIDEMARK_API enum tidemark_code tidemark_options_set(struct tidemark_options *options,
                                                     const char *name, const char *value,
                                                     struct tidemark_error *error);

/* ---- a snapshot ---- */

/* One published snapshot; it stays the same, whatever is published later. */
struct tidemark_snapshot;

/* `url`: s3://bucket/prefix or file:///folder. `options` may be NULL and are copied. End it with
 * tidemark_close, after its scans. */
TIDEMARK_API enum tidemark_code tidemark_open(const char *url,
                                              const struct tidemark_options *options,
                                              struct tidemark_snapshot **ret_snapshot,
                                              struct tidemark_error *error);
TIDEMARK_API void tidemark_close(struct tidemark_snapshot *snapshot); /* takes NULL */

/* All calls on the snapshot that are running, and later ones, end soon with TIDEMARK_STOPPED. From
 * any thread; not from a signal handler. */
TIDEMARK_API void tidemark_stop(struct tidemark_snapshot *snapshot);

enum tidemark_key_encoding {
    TIDEMARK_U64BE = 1, /* integers */
    TIDEMARK_U32BE = 2, /* integers below 2^32 */
    TIDEMARK_UTF8 = 3,  /* texts */
    TIDEMARK_RAW = 4,   /* bytes */
};

/* Texts are borrowed until the snapshot is closed. */
TIDEMARK_API const char *tidemark_run_id(const struct tidemark_snapshot *snapshot);
TIDEMARK_API int64_t tidemark_created_at_us(const struct tidemark_snapshot *snapshot); /* since 1970
                                                                                        */
TIDEMARK_API uint32_t tidemark_shard_count(const struct tidemark_snapshot *snapshot);
/* As the writer counted; some count rows that were replaced, too. */
TIDEMARK_API uint64_t tidemark_row_count(const struct tidemark_snapshot *snapshot);
TIDEMARK_API enum tidemark_key_encoding tidemark_key_encoding_of(
    const struct tidemark_snapshot *snapshot);
/* What Tidemark says about where the snapshot comes from, as JSON (topics, offsets, `tail_from`);
 * "" for snapshots of other writers. */
TIDEMARK_API const char *tidemark_lineage(const struct tidemark_snapshot *snapshot);

/* Requests to the store so far, and the bytes they brought. */
struct tidemark_traffic {
    uint64_t requests;
    uint64_t bytes;
};
TIDEMARK_API struct tidemark_traffic tidemark_traffic_of(const struct tidemark_snapshot *snapshot);

/* Asks the store whether this is still the current snapshot; *ret_current 0 or 1. */
TIDEMARK_API enum tidemark_code tidemark_is_current(struct tidemark_snapshot *snapshot,
                                                    int *ret_current, struct tidemark_error *error);

/* ---- keys and values ---- */

struct tidemark_key {
    const void *data; /* NULL: an integer */
    size_t size;
    uint64_t integer;
};

static inline struct tidemark_key tidemark_integer_key(uint64_t integer)
{
    struct tidemark_key key = {NULL, 0, integer};
    return key;
}

/* Borrows the bytes. */
static inline struct tidemark_key tidemark_bytes_key(const void *data, size_t size)
{
    struct tidemark_key key = {data == NULL ? "" : data, size, 0};
    return key;
}

static inline struct tidemark_key tidemark_text_key(const char *text)
{
    return tidemark_bytes_key(text, strlen(text));
}

struct tidemark_value {
    void *data; /* a NUL follows, which is not counted; NULL: there is no such key */
    size_t size;
};

TIDEMARK_API void tidemark_value_free(struct tidemark_value *value); /* takes NULL and empty ones */

/* The value of a key. On NOT_FOUND and all errors *ret_value is empty. */
TIDEMARK_API enum tidemark_code tidemark_get(struct tidemark_snapshot *snapshot,
                                             struct tidemark_key key,
                                             struct tidemark_value *ret_value,
                                             struct tidemark_error *error);

/* ret_values[i] is that of keys[i], empty when there is none. After an error all are empty. */
TIDEMARK_API enum tidemark_code tidemark_multiget(struct tidemark_snapshot *snapshot,
                                                  const struct tidemark_key *keys, size_t count,
                                                  struct tidemark_value *ret_values,
                                                  struct tidemark_error *error);

/* What an expression that divides the keys wants to know beside the key, as text: "17", "true",
 * "eu". Where one is missing, or no column of it, tidemark_get says which: INVALID. */
struct tidemark_column {
    const char *name;
    const char *value;
};

/* tidemark_get for snapshots whose shards are found by other columns, too; they are those of this
 * key. NOT_FOUND also where the key is there with other columns, in another shard. */
TIDEMARK_API enum tidemark_code tidemark_get_by_columns(struct tidemark_snapshot *snapshot,
                                                        struct tidemark_key key,
                                                        const struct tidemark_column *columns,
                                                        size_t count,
                                                        struct tidemark_value *ret_value,
                                                        struct tidemark_error *error);

/* ---- vectors ---- */

/* How many numbers a vector of the snapshot has; 0: there are no vectors. */
TIDEMARK_API uint32_t tidemark_vector_dim(const struct tidemark_snapshot *snapshot);
/* "cosine" or "l2"; "" without vectors. */
TIDEMARK_API const char *tidemark_vector_metric(const struct tidemark_snapshot *snapshot);

/* What a search found, nearest first. */
struct tidemark_neighbours;

struct tidemark_neighbour {
    double distance;     /* by the snapshot's metric */
    const char *id;      /* JSON: 17, "a" */
    const char *payload; /* JSON; NULL: none */
};

/* The `count` (1 to 4096) nearest of all shards; fewer where there are fewer. `dim` numbers.
 * INVALID: no vectors, or of another dimension; a number that is not finite. SETTINGS: the option
 * `extension` is not set, or no such file. End it with tidemark_neighbours_free. */
TIDEMARK_API enum tidemark_code tidemark_search(struct tidemark_snapshot *snapshot,
                                                const float *vector, size_t dim, size_t count,
                                                struct tidemark_neighbours **ret_neighbours,
                                                struct tidemark_error *error);
TIDEMARK_API size_t tidemark_neighbours_count(const struct tidemark_neighbours *neighbours);
/* From 0 on, below that count; borrowed as long as `neighbours` are. */
TIDEMARK_API struct tidemark_neighbour tidemark_neighbours_at(
    const struct tidemark_neighbours *neighbours, size_t index);
TIDEMARK_API void tidemark_neighbours_free(struct tidemark_neighbours *neighbours); /* takes NULL */

/* ---- scans ---- */

/* Keys in the order of their stored bytes: integers by value, texts and bytes by memcmp. */
struct tidemark_scan;

struct tidemark_row {
    struct tidemark_key key;
    const void *value;
    size_t value_size;
};

/* From `from` on, below `to`; NULL: from the first, to the last. The keys are copied. Over all
 * shards; LIMIT when more than 1024 have rows: then scan them one by one. */
TIDEMARK_API enum tidemark_code tidemark_scan_range(struct tidemark_snapshot *snapshot,
                                                    const struct tidemark_key *from,
                                                    const struct tidemark_key *to,
                                                    struct tidemark_scan **ret_scan,
                                                    struct tidemark_error *error);
/* Keys that begin with these bytes. INVALID where keys are integers. */
TIDEMARK_API enum tidemark_code tidemark_scan_prefix(struct tidemark_snapshot *snapshot,
                                                     const void *prefix, size_t size,
                                                     struct tidemark_scan **ret_scan,
                                                     struct tidemark_error *error);
/* All rows of one shard, of those from 0 on below tidemark_shard_count. */
TIDEMARK_API enum tidemark_code tidemark_scan_shard(struct tidemark_snapshot *snapshot,
                                                    uint32_t shard, struct tidemark_scan **ret_scan,
                                                    struct tidemark_error *error);

/* The next row, borrowed until the next call. NOT_FOUND at the end. */
TIDEMARK_API enum tidemark_code tidemark_scan_next(struct tidemark_scan *scan,
                                                   struct tidemark_row *ret_row,
                                                   struct tidemark_error *error);
TIDEMARK_API void tidemark_scan_close(struct tidemark_scan *scan); /* takes NULL */

#ifdef __cplusplus
}
#endif

#endif
