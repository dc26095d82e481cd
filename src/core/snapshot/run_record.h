/* run.yaml: what a build says about itself to clean-up and to people (snapshot format, section 11).
 */
#ifndef TIDEMARK_CORE_SNAPSHOT_RUN_RECORD_H
#define TIDEMARK_CORE_SNAPSHOT_RUN_RECORD_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

enum { RUN_RECORD_FORMAT_VERSION = 1, RUN_RECORD_BYTES_MAX = 64 * 1024 };

#define RUN_RECORD_REFRESH_US (INT64_C(60) * 1000000)
#define RUN_RECORD_LEASE_US (INT64_C(600) * 1000000)

enum run_status { RUN_RUNNING, RUN_SUCCEEDED, RUN_FAILED };

struct run_record {
    const char *db_path_template;
    const char *error_message; /* NULL: none */
    const char *error_type;    /* NULL: none */
    int64_t lease_expires_at_us;
    const char *manifest_ref; /* NULL: none */
    const char *run_id;
    const char *s3_prefix;
    const char *shard_prefix;
    int64_t started_at_us;
    enum run_status status;
    int64_t updated_at_us;
    const char *writer_type; /* "tidemark" */
};

/* Sets updated_at and the lease: +10 min while running, now for a terminal status. */
void run_record_touch(struct run_record *record, enum run_status status, int64_t now_us);

/* ERR_INPUT: a text that YAML cannot hold (not UTF-8). */
MUST_CHECK bool run_record_encode(const struct run_record *record, struct buf *out,
                                  struct err *err);

/* ERR_INPUT: not a mapping of the format. Members that are not the format's are passed over. */
MUST_CHECK bool run_record_decode(struct bytes text, struct arena *arena,
                                  struct run_record *ret_record, struct err *err);

const char *run_status_name(enum run_status status);

#endif
