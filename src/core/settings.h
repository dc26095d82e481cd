/* Everything a user can set, checked and with defaults filled in. Read-only after start-up. */
#ifndef TIDEMARK_CORE_SETTINGS_H
#define TIDEMARK_CORE_SETTINGS_H

#include "core/record/decode_settings.h"
#include "core/route/sharding.h"
#include "core/snapshot/backend.h"
#include "core/snapshot/manifest_json.h"
#include "core/spill/row.h"
#include "core/window/trigger.h"

/* Strings are NUL-terminated and owned by the settings' arena; times are microseconds, sizes bytes.
 */

struct kafka_property {
    const char *name;
    const char *value; /* may be a secret: never logged */
    bool shown;        /* false: it is secret by its name, or came from outside the file */
    size_t index;      /* in the file's list, and its line, for errors */
    int line;
};

struct kafka_settings {
    const char *brokers;
    const struct kafka_property *properties; /* passed through to librdkafka, in this order */
    size_t property_count;
    const char *ledger_topic; /* default "<group>.coordination" */
    int64_t session_timeout_us;
};

enum start_kind { START_EARLIEST, START_LATEST, START_TIME };

struct offset_target {
    const char *topic;
    int32_t partition;
    int64_t offset; /* the cut: everything below it */
};

struct window_settings {
    enum close_trigger trigger;
    int64_t size_us;             /* event_time */
    int64_t out_of_orderness_us; /* event_time */
    int64_t allowed_lateness_us; /* event_time */
    int64_t idle_after_us;       /* event_time */
    int64_t max_future_skew_us;
    enum late_policy late;
    enum future_policy future;
    enum empty_policy empty;
    int64_t every_us;      /* schedule by interval; 0: by cron */
    const char *cron;      /* schedule by cron, 5 fields, UTC; NULL: by interval */
    int64_t every_records; /* offsets: close after that many; 0: the explicit vector */
    const struct offset_target *targets; /* offsets: the explicit vector */
    size_t target_count;
    enum start_kind start;
    int64_t start_time_us; /* START_TIME */
    int max_open_windows;
    int max_unpublished_windows;
};

enum routing_kind { ROUTING_HASH, ROUTING_CEL };

struct cel_settings {      /* group `snapshot.cel`; ROUTING_CEL */
    const char *expr;      /* as it is written, or made of the columns */
    const char *separator; /* between columns, where it is made */
    bool infers;           /* the values of a build become routing_values */
    const struct sharding_column *columns;
    const struct field_ref *sources; /* of the columns; that of `key` is not looked at */
    size_t column_count;
    bool has_routing_values;
    const struct logical_key *routing_values;
    size_t routing_value_count;
};

/* Contents `state`: is a record newer because its build is, or because it is (PROTOCOL R6)? */
enum state_order { STATE_ORDER_BUILD, STATE_ORDER_EXACT };

struct snapshot_settings {
    const char *store; /* "s3://bucket/prefix" or "file:///path" */
    enum contents contents;
    enum routing_kind routing;
    struct cel_settings cel;
    uint32_t shards;             /* 0: by max_keys_per_shard, or by what the expression gives */
    uint64_t max_keys_per_shard; /* 0: `shards` is given */
    enum row_order order;
    enum state_order state_order;
    const char *key_column; /* `key_col` of the manifest, "_key" by default */
    uint32_t page_size;     /* 4096 … 65536; 0: auto */
    bool sidecar;
    const char *shard_prefix;             /* "shards" */
    const char *run_registry_prefix;      /* "runs" */
    const char *db_path_template;         /* "db={db_id:05d}" */
    const struct manifest_member *custom; /* of the manifest's `custom`, the user's own */
    size_t custom_count;
    uint32_t keep_last;  /* 0: no limit */
    int64_t keep_for_us; /* 0: no limit */
    int64_t cleanup_grace_us;
    int64_t cleanup_every_us;
    int max_attempts;
    int64_t attempt_backoff_us; /* after an attempt that failed; doubles */
    int64_t attempt_backoff_max_us;
    int64_t attempt_timeout_us; /* an attempt is overdue after that */
    bool speculative;           /* a slow attempt gets a second one beside it */
    int64_t speculative_after_us;
    int speculative_factor;   /* of the median of those that ended */
    double speculative_share; /* of the shards that must be built before */
    int64_t pointer_check_us;
    int64_t max_clock_skew_us;
};

/* How to get it, as a sentence's second half. */
#define SETTINGS_SLATEDB_HOW                                                                       \
    "build it with cmake -DTIDEMARK_WITH_SLATEDB=ON, which needs cargo (README, Building)"

struct kv_settings { /* group `kv` */
    enum shard_backend backend;
};

struct gates_settings {
    uint64_t min_rows;
    double max_row_change;
    int64_t max_empty_shards; /* -1: any number */
    const char *const *canary_keys;
    size_t canary_key_count;
};

struct vector_settings {
    uint32_t dim; /* 0: the snapshot has no vectors */
    enum vector_metric metric;
    const char *extension; /* the file of SQLite's extension sqlite-vec */
};

enum dead_letter_kind { DEAD_LETTER_FAIL, DEAD_LETTER_DROP, DEAD_LETTER_TOPIC, DEAD_LETTER_FILE };

struct dead_letter_settings {
    enum dead_letter_kind policy;
    const char *topic;      /* DEAD_LETTER_TOPIC */
    const char *path;       /* DEAD_LETTER_FILE: JSON lines */
    uint64_t max_errors;    /* error budget of one build; 0: none */
    double max_error_ratio; /* of the build's records; 0: none */
};

struct store_settings {   /* group `s3` of the file; unused by file:// */
    const char *endpoint; /* NULL: AWS's own */
    const char *region;
    const char *profile;
    const char *addressing; /* "auto", "path", "virtual" */
    const char *sse;        /* NULL, "AES256", "aws:kms" */
    const char *kms_key;
    const char *ca_file;
    const char *proxy;
    int64_t connect_timeout_us;
    int64_t request_timeout_us; /* without progress */
    int64_t deadline_us;        /* one request with all its retries */
    int max_retries;
};

struct limit_settings {
    uint64_t memory_budget;
    uint64_t disk_budget;
    const char *work_folder; /* spills and shard files in the making */
    uint64_t max_key_bytes;
    uint64_t max_value_bytes;
    int build_threads;
    uint64_t records_per_second;    /* of one member; 0: no limit */
    uint64_t bytes_per_second;      /* the same */
    int64_t stop_timeout_us;        /* how long an orderly stop may take */
    int64_t checkpoint_interval_us; /* at the least between two local checkpoints; 0: at a stop only
                                     */
    int64_t handover_wait_us;       /* a new owner of a partition waits so long; 0: no handovers */
    uint64_t handover_bytes;        /* rows of a partition that are worth one */
    bool handover_at_stop;
    uint64_t checkpoint_bytes; /* rows that are in memory alone before there is a next one */
};

struct status_settings {
    const char *listen; /* "address:port" or "off"; NULL: STATUS_LISTEN, given up when it is taken
                         */
    int64_t stuck_after_us;
    int64_t overdue_after_us;
};

#define STATUS_LISTEN "127.0.0.1:9464"

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct settings {
    const char *file; /* that it was read from; NULL: made otherwise */
    const char *group;
    const char *member_id; /* default: the host's name */
    struct kafka_settings kafka;
    const struct topic_settings *topics; /* in the file's order */
    size_t topic_count;
    struct window_settings window;
    struct snapshot_settings snapshot;
    struct kv_settings kv;
    struct gates_settings gates;
    struct vector_settings vectors;
    struct dead_letter_settings dead_letter;
    struct store_settings s3;
    struct limit_settings limits;
    struct status_settings status;
    int log_level; /* as in adapters/os/log.h: 0 error, 1 warn, 2 info, 3 debug */
    enum log_format log_format;
};

#endif
