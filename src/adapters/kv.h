/* The interface of shard files: sorted rows become one file of keys and values (or a folder of
 * files), and can be read back. */
#ifndef TIDEMARK_ADAPTERS_KV_H
#define TIDEMARK_ADAPTERS_KV_H

#include <stdatomic.h>

#include "adapters/range_file.h"
#include "core/base/buf.h"
#include "core/spill/row_stream.h"
#include "core/spill/source_table.h"

struct kv;
struct kv_file;

enum { KV_CHECKPOINT_SIZE = 33 }; /* 32 hex digits and NUL */

struct kv_write_request {
    const char *path;     /* of a file that does not exist; with the feature folder, of a folder */
    uint32_t page_size;   /* 4096 … 65536; ignored by drivers without pages */
    uint64_t cache_bytes; /* memory for pages that are not written yet */
    const atomic_bool *stop; /* may be NULL; looked at now and then: STOPPED */
};

struct kv_written {
    uint64_t rows;
    uint64_t file_bytes;
    uint64_t key_bytes; /* sums */
    uint64_t value_bytes;
    bool whole_rows; /* a file of pages in which no row has overflow pages, for certain */
    char checkpoint_id[KV_CHECKPOINT_SIZE]; /* the driver's own; "": it has none */
};

/* Keys from `from` on ("" is before all others), below `to`. */
struct kv_bounds {
    struct bytes from;
    struct bytes to;
    bool has_end; /* false: `to` is not looked at */
};

struct kv_features {
    bool same_bytes; /* the same rows and page size give the same file, byte for byte */
    bool range_read; /* open_range is there, and other readers can read it by range, too */
    bool folder;     /* a shard is a folder of files, and every path here is that of the folder */
    const char *named_last; /* of a folder: files below this one name the others, and so are put
                               into a store after them; "manifest/" */
    size_t key_bytes_min;   /* keys that it can hold; a maximum of 0: of any size */
    size_t key_bytes_max;
};

/* A vector near to the one that was looked for. */
struct kv_neighbour {
    const char *id;      /* JSON, as it was written: {"v": 17, "t": "int"} */
    const char *payload; /* JSON; NULL: none */
    double distance;
};

enum { KV_NEIGHBOURS_MAX = 4096 };

struct kv_ops {
    /* Writes all rows of the stream (keys strictly ascending, no tombstones) into a new file,
     * closed and complete when it returns; on failure the file may be left, unfinished. Fills what
     * kv_write has not counted; the last key is copied into `key_max` (empty for no rows). Errors:
     * LIMIT (disk full), CORRUPT (a key that comes twice, or that it cannot hold), TRANSIENT, what
     * the stream gives. Blocks. Any thread, a file each. */
    bool (*write)(struct kv *kv, const struct kv_write_request *request, struct row_stream *rows,
                  struct kv_written *written, struct buf *key_max, struct err *err);
    /* Opens a file for reading; nothing may change it meanwhile. MISSING, CORRUPT. Any number of
     * threads may use the open file. */
    bool (*open)(struct kv *kv, const char *path, struct kv_file **ret_file, struct err *err);
    /* The same of a file that stays in its store; the file is its owner also on failure. Errors
     * also: those of the store, here and below. Only with the feature range_read. */
    bool (*open_range)(struct kv *kv, struct range_file *take_file, struct kv_file **ret_file,
                       struct err *err);
    void (*close)(struct kv_file *file);
    /* Adds the value of `key` to `value`; *ret_found false: there is none. CORRUPT. */
    bool (*get)(struct kv_file *file, struct bytes key, struct buf *value, bool *ret_found,
                struct err *err);
    /* The rows within the bounds, keys ascending, as rows of ROW_SOURCE_BASE with offset 0 and
     * event time INT64_MIN. Any number of streams of a file, each used by one thread at a time;
     * freed before the file is closed. */
    bool (*rows)(struct kv_file *file, const struct kv_bounds *bounds,
                 struct row_stream **ret_stream, struct err *err);
    /* The `count` (up to KV_NEIGHBOURS_MAX) nearest vectors, nearest first; texts in the arena.
     * NULL in drivers without vectors. Errors: CORRUPT, INPUT, those of the store. */
    bool (*search)(struct kv_file *file, struct bytes vector, size_t count, struct arena *arena,
                   struct kv_neighbour *ret_neighbours, size_t *ret_count, struct err *err);
    void (*free)(struct kv *kv); /* NULL: it lives as long as the program */
    struct kv_features features;
    const char *name; /* "sqlite" */
};

/* First member of every driver. A driver is used by several threads. */
struct kv {
    const struct kv_ops *ops;
    uint32_t vector_dim; /* 0: values are values; else rows are packed with their vectors
                            (core/record/vector.h), in what is written, got and streamed */
};

/* First member of every driver's open file. */
struct kv_file {
    const struct kv_ops *ops;
};

/* These check arguments and put the path in front of errors. */

/* As the driver's; counts the rows as they pass, copies the first key into `key_min`, and looks now
 * and then whether to stop: STOPPED. */
MUST_CHECK bool kv_write(struct kv *kv, const struct kv_write_request *request,
                         struct row_stream *rows, struct kv_written *ret_written,
                         struct buf *key_min, struct buf *key_max, struct err *err);
MUST_CHECK bool kv_open(struct kv *kv, const char *path, struct kv_file **ret_file,
                        struct err *err);
MUST_CHECK bool kv_open_range(struct kv *kv, struct range_file *take_file,
                              struct kv_file **ret_file, struct err *err);
struct kv_file *kv_close(struct kv_file *file); /* takes NULL; returns NULL */
MUST_CHECK bool kv_get(struct kv_file *file, struct bytes key, struct buf *value, bool *ret_found,
                       struct err *err);
MUST_CHECK bool kv_rows(struct kv_file *file, struct row_stream **ret_stream, struct err *err);
MUST_CHECK bool kv_search(struct kv_file *file, struct bytes vector, size_t count,
                          struct arena *arena, struct kv_neighbour *ret_neighbours,
                          size_t *ret_count, struct err *err);
struct kv *kv_free(struct kv *kv); /* takes NULL; returns NULL */
MUST_CHECK bool kv_rows_between(struct kv_file *file, const struct kv_bounds *bounds,
                                struct row_stream **ret_stream, struct err *err);

#endif
