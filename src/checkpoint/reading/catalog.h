/* What a snapshot's prefix holds: the pointer, the manifests behind and before it, the runs. */
#ifndef TIDEMARK_CHECKPOINT_READING_CATALOG_H
#define TIDEMARK_CHECKPOINT_READING_CATALOG_H

#include "adapters/store.h"
#include "core/snapshot/manifest.h"
#include "core/snapshot/pointer.h"
#include "core/snapshot/run_record.h"

/* Everything here only reads. All functions block on the store; any thread. Results live in the
 * arena that is given. Errors, beside those of the store: CORRUPT for an object that is not what
 * its name says (the name is in the message). */

enum {
    CATALOG_MANIFEST_BYTES_MAX = 256 * 1024 * 1024, /* 65536 shards take about 20 MB */
    CATALOG_ENTRIES_MAX = 1000 * 1000,              /* of one listing */
};

/* A value; it borrows the store. */
struct catalog {
    struct store *borrowed_store; /* opened for the snapshot's prefix */
    bool relocated; /* the objects were copied here from another prefix: their recorded URLs are
                       read as names below this one. Else a URL outside of the store is an error */
};

/* ---- _CURRENT (snapshot format, section 2) ---- */

struct catalog_pointer {
    bool missing;           /* nothing was ever published here; the rest is empty */
    struct bytes bytes;     /* exactly as stored */
    struct store_etag etag; /* for a swap of these very bytes */
    bool valid; /* `pointer` is filled; else `problem` says what is wrong with the bytes */
    struct pointer pointer;
    const char *problem;
};

/* Bytes that are no pointer are a result, not an error: an operator must be able to replace them.
 */
MUST_CHECK bool catalog_read_pointer(const struct catalog *catalog, struct arena *arena,
                                     struct catalog_pointer *ret_pointer, struct err *err);

/* ---- manifests ---- */

struct catalog_entry {
    const char *name; /* of the manifest object, relative to the prefix */
    const char *url;
    const char *run_id;
    int64_t time_us; /* in its name */
};

/* All that is listed under manifests/, newest first. A folder whose name is not of the form is
 * passed over, as every reader does; *ret_strange (may be NULL) counts those. */
MUST_CHECK bool catalog_list(const struct catalog *catalog, struct arena *arena,
                             struct catalog_entry **ret_entries, size_t *ret_count,
                             size_t *ret_strange, struct err *err);

/* The newest manifest of a run; MISSING, with the newest runs in the message. */
MUST_CHECK bool catalog_find(const struct catalog *catalog, const char *run_id, struct arena *arena,
                             struct catalog_entry *ret_entry, struct err *err);

/* Reads and checks one manifest object. MISSING. CORRUPT: SQLite or the format's rules refuse it.
 */
MUST_CHECK bool catalog_load(const struct catalog *catalog, const char *name, struct arena *arena,
                             struct manifest *ret_manifest, struct err *err);

/* Which snapshot a reader wants: the one behind the pointer, or another, by one of these. */
struct catalog_choice {
    const char *run_id;       /* NULL */
    const char *manifest_ref; /* full URL, or a name below the prefix; NULL */
};

struct catalog_snapshot {
    struct manifest manifest;
    const char *name; /* of its manifest object */
    const char *url;
    bool is_current;
    struct catalog_pointer pointer;
};

/* Opens what was chosen. A pointer to a manifest that is missing or does not read is an error that
 * says so and names what is there: other readers fall back silently to an older manifest (section
 * 2), which looks like stale data. MISSING: nothing was published, or no such run. */
MUST_CHECK bool catalog_open(const struct catalog *catalog, const struct catalog_choice *choice,
                             struct arena *arena, struct catalog_snapshot *ret_snapshot,
                             struct err *err);

/* ---- runs ---- */

struct catalog_record {
    const char *name; /* of run.yaml */
    const char *run_id;
    bool readable; /* else `record` is empty */
    struct run_record record;
};

/* All run records; a run that was started twice has two. `registry_prefix` is usually "runs". */
MUST_CHECK bool catalog_list_records(const struct catalog *catalog, const char *registry_prefix,
                                     struct arena *arena, struct catalog_record **ret_records,
                                     size_t *ret_count, struct err *err);

/* ---- names ---- */

/* The name of an object that a pointer or manifest records by its URL; `recorded_prefix` is the
 * prefix that it was written under (for relocated ones; may be NULL). INPUT: it lies elsewhere. */
MUST_CHECK bool catalog_name_of(const struct catalog *catalog, const char *url,
                                const char *recorded_prefix, struct arena *arena,
                                const char **ret_name, struct err *err);

/* The name of a shard's file, or of its folder (shard_object_name); *ret_name NULL: it has none,
 * because it is empty. INPUT. */
MUST_CHECK bool catalog_shard_name(const struct catalog *catalog, const struct manifest *manifest,
                                   const struct attempt *shard, struct arena *arena,
                                   const char **ret_name, struct err *err);

#endif
