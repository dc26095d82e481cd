/* The names of all objects of a snapshot: the only place that formats or reads a path. */
#ifndef TIDEMARK_CORE_SNAPSHOT_NAMES_H
#define TIDEMARK_CORE_SNAPSHOT_NAMES_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* Snapshot format, section 1. An object's *name* is relative to the snapshot prefix and is what a
 * store takes ("manifests/…/manifest"); its *URL* has the prefix in front and is what manifests and
 * pointers carry. A *folder* name ends with "/", so that it is safe to list and to delete by. */

#define NAMES_POINTER "_CURRENT"
#define NAMES_MANIFESTS_FOLDER "manifests/"
#define NAMES_PARTS_FOLDER "parts/"
#define NAMES_SHARD_FILE "shard.db"
#define NAMES_SIDECAR_FILE "shard.sidecar"
#define NAMES_ORDER_FILE "shard.order" /* ours alone: PROTOCOL R6, state_order "exact" */

#define NAMES_CONTENT_SQLITE "application/x-sqlite3"   /* manifest, shard.db */
#define NAMES_CONTENT_JSON "application/json"          /* _CURRENT */
#define NAMES_CONTENT_YAML "application/x-yaml"        /* run.yaml */
#define NAMES_CONTENT_BYTES "application/octet-stream" /* sidecar, parts */

enum { NAMES_RUN_ID_MAX = 200 };

/* Made once, then read-only. All texts are borrowed from whoever called names_init. */
struct names {
    const char *prefix; /* "s3://bucket/some/prefix", "file:///path" */
    const char *shard_prefix;
    const char *run_registry_prefix;
    const char *db_path_template; /* with one {db_id} or {db_id:0Nd} */
};

/* ERR_SETTINGS names what is wrong: a prefix that is no s3:// or file:// URL with a non-empty key
 * or path, or with `?`, `#`, an empty, `.` or `..` segment, a control character or "run_id=";
 * shard_prefix and run_registry_prefix that are not one segment of [A-Za-z0-9._-], are equal, or
 * are taken ("manifests", "parts", "_CURRENT"); a template that is not one segment with one field.
 */
MUST_CHECK bool names_init(struct names *names, const char *prefix, const char *shard_prefix,
                           const char *run_registry_prefix, const char *db_path_template,
                           struct err *err);

/* A name's URL, and back: NULL when `url` is not below the prefix. What others strip off a base
 * when they join, names_init refuses. Texts are the arena's, as all below. */
const char *names_url(const struct names *names, const char *name, struct arena *arena);
const char *names_from_url(const struct names *names, const char *url);

/* A run id can be part of a name: 1 to NAMES_RUN_ID_MAX printable ASCII characters, none of / ? #
 * \ or blank, not "." or "..". */
bool names_run_id_is_valid(const char *run_id);

/* `b<build>-t<term offset>-<random>`: ours (no two builds or terms share one). */
const char *names_run_id(uint64_t build, int64_t term_offset, const char *random,
                         struct arena *arena);

/* The build of a run id of ours, with any number of random digits; 0: it is somebody else's. */
uint64_t names_build_of_run(const char *run_id);

/* 32 lower-case hex digits of a random UUIDv4 made of 16 random bytes: checkpoint ids, run records.
 */
const char *names_uuid_hex(const uint8_t random[16], struct arena *arena);

/* ---- manifests ---- */

const char *names_manifest(int64_t time_us, const char *run_id, struct arena *arena);
/* `object`: a name that was never used in that run (PROTOCOL R11), such as "manifest.staged-t7-1".
 */
const char *names_staged_manifest(const struct names *names, const char *run_id, const char *object,
                                  struct arena *arena);

/* `<TS>_run_id=<run_id>`, with or without a trailing "/". False where a reader would not list it.
 */
MUST_CHECK bool names_parse_manifest_folder(struct bytes folder, int64_t *ret_time_us,
                                            struct bytes *ret_run_id);

/* ---- runs ---- */

const char *names_run_record(const struct names *names, int64_t started_us, const char *run_id,
                             const char *uuid_hex, struct arena *arena);
const char *names_runs_folder(const struct names *names, struct arena *arena);   /* "runs/" */
const char *names_shards_folder(const struct names *names, struct arena *arena); /* "shards/" */
/* "shards/run_id=<run_id>/": all of a run but its manifest and its record. */
const char *names_run_folder(const struct names *names, const char *run_id, struct arena *arena);

/* `<TS>_run_id=<run_id>_<32 hex>`, with or without a trailing "/". */
MUST_CHECK bool names_parse_run_record_folder(struct bytes folder, int64_t *ret_started_us,
                                              struct bytes *ret_run_id);
/* `run_id=<run_id>`, with or without a trailing "/". */
MUST_CHECK bool names_parse_run_folder(struct bytes folder, struct bytes *ret_run_id);
/* The run that an object name or a db_url below the prefix points into. */
MUST_CHECK bool names_parse_run_of(const struct names *names, const char *name_or_url,
                                   struct bytes *ret_run_id);

/* ---- shards ---- */

/* The text of db_path_template for one shard. */
const char *names_db_path(const struct names *names, uint32_t db_id, struct arena *arena);
/* "shards/run_id=<run_id>/db=00000/": all attempts of a shard. */
const char *names_db_folder(const struct names *names, const char *run_id, uint32_t db_id,
                            struct arena *arena);
/* The attempt's directory, no trailing slash: the URL of it is the `db_url`. */
const char *names_attempt(const struct names *names, const char *run_id, uint32_t db_id,
                          int64_t attempt, struct arena *arena);
/* A file in an attempt's directory; `attempt` is a name or a db_url. */
const char *names_shard_file(const char *attempt, struct arena *arena);
const char *names_sidecar_file(const char *attempt, struct arena *arena);
const char *names_order_file(const char *attempt, struct arena *arena);
/* The sidecar that lies beside a shard file. */
const char *names_sidecar_beside(const char *shard_file, struct arena *arena);
/* The number of an `attempt=NN` directory (>= 2 digits, no sign), with or without a trailing "/".
 */
MUST_CHECK bool names_parse_attempt_folder(struct bytes folder, int64_t *ret_attempt);
/* "shards/run_id=r/db=00000/attempt=00/" of an object in it, borrowed; empty: it is in no attempt.
 */
struct bytes names_attempt_of(const char *name);

/* ---- ours alone: spills and parts ---- */

/* "parts/build=<build>/<member>-<incarnation>-<sequence>.part"; the member's name may hold
 * anything: what is not [A-Za-z0-9._-] is written as %XX. */
const char *names_part(uint64_t build, const char *member, const char *incarnation,
                       uint64_t sequence, struct arena *arena);

#endif
