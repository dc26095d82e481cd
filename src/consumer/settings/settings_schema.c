/* The one table of all settings: path, type, default, range, and a line of explanation. */
#include "consumer/settings/settings_schema.h"

#include <string.h>

#include "consumer/settings/settings_cel.h"
#include "core/coord/message.h"
#include "core/settings.h"

#define IN_SETTINGS(member) .home = HOME_SETTINGS, .offset = offsetof(struct settings, member)
#define IN_TOPIC(member) .home = HOME_TOPIC, .offset = offsetof(struct topic_settings, member)
#define IN_FIELD(member) .home = HOME_VALUE_FIELD, .offset = offsetof(struct value_field, member)
#define IN_COLUMN(member)                                                                          \
    .home = HOME_CEL_COLUMN, .offset = offsetof(struct settings_column, member)
#define ONE_OF(...)                                                                                \
    .choices = (const char *const[])                                                               \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define RANGE(low, high) .min = (low), .max = (high)
#define SOURCE(kind) (INT64_C(1) << (kind))

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define DAY (86400 * SECOND)
#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define TIB (INT64_C(1) << 40)

/* The order here is the order of docs/settings.md. */
const struct setting settings_schema[] = {
    {"group", SETTING_TEXT, IN_SETTINGS(group), .required = true,
     .doc = "Name of the consumer group: one group makes one snapshot."},
    {"member_id", SETTING_TEXT, IN_SETTINGS(member_id), .also = "the host's name",
     .doc = "Name of this process in the group; stays the same over restarts."},

    {"kafka.brokers", SETTING_TEXT, IN_SETTINGS(kafka.brokers), .required = true,
     .doc = "Brokers to ask first: `host:port`, several with commas."},
    {"kafka.ledger_topic", SETTING_TEXT, IN_SETTINGS(kafka.ledger_topic),
     .also = "`<group>.coordination`", .doc = "The coordination topic."},
    {"kafka.session_timeout", SETTING_DURATION, IN_SETTINGS(kafka.session_timeout_us),
     .fallback = "45s", RANGE(1 * SECOND, 30 * MINUTE),
     .doc = "A member that is silent for so long loses its partitions."},
    {"kafka.properties", SETTING_LIST, .home = HOME_NONE,
     .doc = "Any property of librdkafka, as pairs: `( (\"name\", \"value\"), … )`."},

    {"topics", SETTING_LIST, .home = HOME_NONE, .required = true,
     .doc = "The topics that feed the snapshot, as a list of groups."},
    {"topics[].name", SETTING_TEXT, IN_TOPIC(name), .required = true, .doc = "The topic's name."},
    {"topics[].format", SETTING_CHOICE, IN_TOPIC(format), ONE_OF("raw", "json"),
     .also = "`json` when something comes from `json:`, else `raw`",
     .doc = "What the payload is; `json` rejects a payload that is not JSON."},
    {"topics[].key.from", SETTING_FIELD, IN_TOPIC(key), .fallback = "key",
     .max = SOURCE(FIELD_KEY) | SOURCE(FIELD_JSON) | SOURCE(FIELD_HEADER),
     .doc = "Where the key is."},
    {"topics[].key.encoding", SETTING_CHOICE, IN_TOPIC(key_encoding), .required = true,
     ONE_OF("u64be", "u32be", "utf8", "raw"),
     .doc = "How the key is stored; the same for all topics of a snapshot."},
    {"topics[].key.form", SETTING_CHOICE, IN_TOPIC(key_form), .fallback = "text",
     ONE_OF("text", "binary"),
     .doc = "An integer in a message key or header: decimal `text`, or big-endian `binary`."},
    {"topics[].value.from", SETTING_TEXT, .home = HOME_NONE, .fallback = "value", ONE_OF("value"),
     .doc = "The whole payload, unchanged. For a choice of fields give `fields` instead."},
    {"topics[].value.fields", SETTING_LIST, .home = HOME_NONE,
     .doc = "The value is a JSON object of these fields, as a list of groups."},
    {"topics[].value.fields[].name", SETTING_TEXT, IN_FIELD(name), .required = true,
     .doc = "Name of the member in the JSON object."},
    {"topics[].value.fields[].from", SETTING_FIELD, IN_FIELD(from), .required = true, .max = -1,
     .doc = "Where it is."},
    {"topics[].value.fields[].required", SETTING_BOOL, IN_FIELD(required), .fallback = "false",
     .doc = "A record without it is rejected; else it becomes `null`."},
    {"topics[].event_time.from", SETTING_FIELD, IN_TOPIC(event_time), .fallback = "timestamp",
     .max = SOURCE(FIELD_TIMESTAMP) | SOURCE(FIELD_JSON) | SOURCE(FIELD_HEADER),
     .doc = "Where the event time is; `timestamp` is Kafka's own."},
    {"topics[].event_time.unit", SETTING_CHOICE, IN_TOPIC(time_unit), .fallback = "ms",
     ONE_OF("ms", "us", "s", "rfc3339"), .doc = "What the event time is written in."},
    {"topics[].vector.from", SETTING_FIELD, IN_TOPIC(vector.from),
     .max = SOURCE(FIELD_KEY) | SOURCE(FIELD_VALUE) | SOURCE(FIELD_JSON) | SOURCE(FIELD_HEADER),
     .doc = "Where the record's vector is: a JSON array, or float32 bytes (little-endian)."},
    {"topics[].vector.required", SETTING_BOOL, IN_TOPIC(vector.required), .fallback = "true",
     .doc = "A record without a vector is rejected; else its row has none."},
    {"topics[].vector.id", SETTING_FIELD, IN_TOPIC(vector.id),
     .max = SOURCE(FIELD_KEY) | SOURCE(FIELD_JSON) | SOURCE(FIELD_HEADER), .also = "the row's key",
     .doc = "The vector's id: a string or an integer."},
    {"topics[].vector.payload", SETTING_FIELD, IN_TOPIC(vector.payload), .max = SOURCE(FIELD_JSON),
     .doc = "JSON that a search gives back with the vector."},

    {"window.trigger", SETTING_CHOICE, IN_SETTINGS(window.trigger), .required = true,
     ONE_OF("event_time", "schedule", "offsets", "manual"),
     .doc = "What closes a window and so makes a snapshot."},
    {"window.size", SETTING_DURATION, IN_SETTINGS(window.size_us), RANGE(1 * SECOND, 366 * DAY),
     .doc = "`event_time`: length of a window; windows are aligned to 1970-01-01 UTC."},
    {"window.out_of_orderness", SETTING_DURATION, IN_SETTINGS(window.out_of_orderness_us),
     .fallback = "10s", RANGE(0, 30 * DAY),
     .doc = "`event_time`: the watermark is that far behind the highest event time seen."},
    {"window.allowed_lateness", SETTING_DURATION, IN_SETTINGS(window.allowed_lateness_us),
     .fallback = "0s", RANGE(0, 30 * DAY),
     .doc = "`event_time`: a window stays open for so long after its end."},
    {"window.idle_after", SETTING_DURATION, IN_SETTINGS(window.idle_after_us), .fallback = "1m",
     RANGE(1 * SECOND, 30 * DAY),
     .doc = "`event_time`: a partition without new records holds the watermark back for so long."},
    {"window.late", SETTING_CHOICE, IN_SETTINGS(window.late), .fallback = "next",
     ONE_OF("next", "drop", "dead_letter"),
     .doc = "`event_time`: what becomes of a record whose window is closed."},
    {"window.max_future_skew", SETTING_DURATION, IN_SETTINGS(window.max_future_skew_us),
     .fallback = "1h", RANGE(0, 3660 * DAY),
     .doc = "A record dated further ahead than that does not move the watermark."},
    {"window.future", SETTING_CHOICE, IN_SETTINGS(window.future), .fallback = "keep",
     ONE_OF("keep", "dead_letter"),
     .doc = "What becomes of such a record; `keep` puts it into the build at hand."},
    {"window.empty", SETTING_CHOICE, IN_SETTINGS(window.empty), .fallback = "skip",
     ONE_OF("skip", "publish"), .doc = "Whether a window without rows makes a snapshot."},
    {"window.every", SETTING_DURATION, IN_SETTINGS(window.every_us), RANGE(1 * SECOND, 366 * DAY),
     .doc = "`schedule`: the interval, aligned to 1970-01-01 UTC."},
    {"window.cron", SETTING_TEXT, IN_SETTINGS(window.cron),
     .doc = "`schedule`: five fields (minute hour day month weekday), UTC."},
    {"window.every_records", SETTING_I64, IN_SETTINGS(window.every_records), RANGE(1, INT64_MAX),
     .doc = "`offsets`: closes after so many records; after fewer, when a disk has no room for "
            "more."},
    {"window.offsets", SETTING_LIST, .home = HOME_NONE,
     .doc = "`offsets`: one explicit cut, as `( (\"topic\", partition, offset), … )`."},
    {"window.start", SETTING_START, IN_SETTINGS(window.start), .fallback = "earliest",
     .doc = "Where the very first build starts: `earliest`, `latest` or an RFC 3339 time."},
    {"window.max_open_windows", SETTING_INT, IN_SETTINGS(window.max_open_windows), .fallback = "16",
     RANGE(1, 10000), .doc = "Partitions that run further ahead of the others wait."},
    {"window.max_unpublished_windows", SETTING_INT, IN_SETTINGS(window.max_unpublished_windows),
     .fallback = "8", RANGE(1, PENDING_MAX),
     .doc = "Under a hold so many builds are committed; then reading pauses."},

    {"snapshot.store", SETTING_TEXT, IN_SETTINGS(snapshot.store), .required = true,
     .doc = "Where snapshots go: `s3://bucket/prefix` or `file:///folder`."},
    {"snapshot.contents", SETTING_CHOICE, IN_SETTINGS(snapshot.contents), .fallback = "window",
     ONE_OF("window", "state"),
     .doc = "What a snapshot holds: the rows of its window, or the newest row of every key so "
            "far."},
    {"snapshot.routing", SETTING_CHOICE, IN_SETTINGS(snapshot.routing), .fallback = "hash",
     ONE_OF("hash", "cel"),
     .doc = "How a key finds its shard: by its hash, or by an expression (docs/cel.md)."},
    {"snapshot.cel.expr", SETTING_TEXT, IN_SETTINGS(snapshot.cel.expr),
     .also = "made of the columns",
     .doc = "`cel`: the expression over `columns`; its value is the shard, or a routing value."},
    {"snapshot.cel.columns", SETTING_LIST, .home = HOME_NONE,
     .doc = "`cel`: what the expression names, as a list of groups."},
    {"snapshot.cel.columns[].name", SETTING_TEXT, IN_COLUMN(name), .required = true,
     .doc = "The name in the expression; `key` is the record's key and has no `from`."},
    {"snapshot.cel.columns[].type", SETTING_CHOICE, IN_COLUMN(type), .required = true,
     ONE_OF("int", "uint", "double", "bool", "string", "bytes"), .doc = "Its type."},
    {"snapshot.cel.columns[].from", SETTING_FIELD, IN_COLUMN(from),
     .max = SOURCE(FIELD_JSON) | SOURCE(FIELD_HEADER) | SOURCE(FIELD_KEY) | SOURCE(FIELD_TOPIC) |
            SOURCE(FIELD_PARTITION) | SOURCE(FIELD_TIMESTAMP),
     .doc = "Where it is, in the records of all topics; `key` is Kafka's message key."},
    {"snapshot.cel.routing_values", SETTING_LIST, .home = HOME_NONE,
     .doc = "`cel`: the values of the expression, one a shard: `( \"eu\", \"us\" )`, or integers."},
    {"snapshot.cel.infer_routing_values", SETTING_BOOL, IN_SETTINGS(snapshot.cel.infers),
     .fallback = "false",
     .doc = "`cel`: the distinct values of each build become its `routing_values`."},
    {"snapshot.cel.separator", SETTING_TEXT, IN_SETTINGS(snapshot.cel.separator), .fallback = ":",
     .doc = "`cel` without `expr`: stands between the columns."},
    {"snapshot.shards", SETTING_U32, IN_SETTINGS(snapshot.shards), RANGE(1, 65536),
     .doc = "Number of shards. Either this or `max_keys_per_shard`; see `cel`."},
    {"snapshot.max_keys_per_shard", SETTING_U64, IN_SETTINGS(snapshot.max_keys_per_shard),
     RANGE(1, INT64_MAX),
     .doc = "As many shards as the build's records need, counted at its close."},
    {"snapshot.order", SETTING_CHOICE, IN_SETTINGS(snapshot.order), .fallback = "offset",
     ONE_OF("offset", "event_time"), .doc = "Which of two rows of one key is newer."},
    {"snapshot.state_order", SETTING_CHOICE, IN_SETTINGS(snapshot.state_order), .fallback = "build",
     ONE_OF("build", "exact"),
     .doc = "`state`: a record of a later build is newer whatever its order (`build`); or every "
            "shard keeps the order of its keys, also of deleted ones (`exact`)."},
    {"snapshot.key_column", SETTING_TEXT, IN_SETTINGS(snapshot.key_column), .fallback = "_key",
     .doc = "The key column's name in the manifest."},
    {"snapshot.page_size", SETTING_PAGE_SIZE, IN_SETTINGS(snapshot.page_size), .fallback = "auto",
     .doc = "SQLite's page size; `auto` chooses by the sizes of the rows."},
    {"snapshot.sidecar", SETTING_BOOL, IN_SETTINGS(snapshot.sidecar), .fallback = "true",
     .doc = "Whether shards get a sidecar for readers by range."},
    {"snapshot.shard_prefix", SETTING_TEXT, IN_SETTINGS(snapshot.shard_prefix),
     .fallback = "shards", .doc = "Folder of the shards under the store's prefix."},
    {"snapshot.run_registry_prefix", SETTING_TEXT, IN_SETTINGS(snapshot.run_registry_prefix),
     .fallback = "runs", .doc = "Folder of the run records under the store's prefix."},
    {"snapshot.db_path_template", SETTING_TEXT, IN_SETTINGS(snapshot.db_path_template),
     .fallback = "db={db_id:05d}",
     .doc = "Folder of one shard; has `{db_id}` or `{db_id:05d}` once."},
    {"snapshot.custom", SETTING_LIST, .home = HOME_NONE,
     .doc =
         "Members of one's own in the manifest's `custom`, as `( (\"name\", value), … )`; a text "
         "that begins with `json:` is JSON, its integers at most 2^53 - 1."},
    {"snapshot.keep_last", SETTING_U32, IN_SETTINGS(snapshot.keep_last), .fallback = "0",
     RANGE(0, 1000000), .doc = "Keeps so many snapshots and deletes older ones; 0: no limit."},
    {"snapshot.keep_for", SETTING_DURATION, IN_SETTINGS(snapshot.keep_for_us), .fallback = "0s",
     RANGE(0, 3660 * DAY), .doc = "Keeps snapshots younger than that; `0s`: no limit."},
    {"snapshot.cleanup_grace", SETTING_DURATION, IN_SETTINGS(snapshot.cleanup_grace_us),
     .fallback = "1h", RANGE(0, 366 * DAY),
     .doc = "From the decision to delete a run to its deletion: longer than the longest reader."},
    {"snapshot.cleanup_every", SETTING_DURATION, IN_SETTINGS(snapshot.cleanup_every_us),
     .fallback = "6h", RANGE(1 * SECOND, 366 * DAY),
     .doc = "How often the leader looks for what members stored too late for anybody to need it."},
    {"snapshot.max_attempts", SETTING_INT, IN_SETTINGS(snapshot.max_attempts), .fallback = "3",
     RANGE(1, 99), .doc = "Attempts at one shard before the build is given up and tried again."},
    {"snapshot.attempt_backoff", SETTING_DURATION, IN_SETTINGS(snapshot.attempt_backoff_us),
     .fallback = "1s", RANGE(0, 3600 * SECOND),
     .doc = "The pause after an attempt that failed, half of it by chance; it doubles with each."},
    {"snapshot.attempt_backoff_max", SETTING_DURATION, IN_SETTINGS(snapshot.attempt_backoff_max_us),
     .fallback = "30s", RANGE(0, 1 * DAY), .doc = "The pause does not grow above that."},
    {"snapshot.attempt_timeout", SETTING_DURATION, IN_SETTINGS(snapshot.attempt_timeout_us),
     .fallback = "10m", RANGE(1 * SECOND, 7 * DAY), .doc = "After that an attempt is overdue."},
    {"snapshot.speculative", SETTING_BOOL, IN_SETTINGS(snapshot.speculative), .fallback = "true",
     .doc = "Whether an attempt that is slow gets a second one beside it, by a member that has "
            "nothing to do; the first that ends counts."},
    {"snapshot.speculative_after", SETTING_DURATION, IN_SETTINGS(snapshot.speculative_after_us),
     .fallback = "30s", RANGE(0, 7 * DAY), .doc = "Slow is an attempt that runs longer than this,"},
    {"snapshot.speculative_factor", SETTING_INT, IN_SETTINGS(snapshot.speculative_factor),
     .fallback = "2", RANGE(1, 100),
     .doc = "and longer than so many times the median of those of the run that have ended,"},
    {"snapshot.speculative_share", SETTING_RATIO, IN_SETTINGS(snapshot.speculative_share),
     .fallback = "0.5", .doc = "when so many of the run's shards are built."},
    {"snapshot.pointer_check", SETTING_DURATION, IN_SETTINGS(snapshot.pointer_check_us),
     .fallback = "30s", RANGE(1 * SECOND, 1440 * MINUTE),
     .doc = "How often the leader looks whether somebody moved `_CURRENT`."},
    {"snapshot.max_clock_skew", SETTING_DURATION, IN_SETTINGS(snapshot.max_clock_skew_us),
     .fallback = "1m", RANGE(1 * SECOND, 1440 * MINUTE),
     .doc = "A process whose clock is further off the broker's does not lead."},

    {"kv.backend", SETTING_CHOICE, IN_SETTINGS(kv.backend), .fallback = "sqlite",
     ONE_OF("sqlite", "slatedb"),
     .doc = "What shards are: files of SQLite, or databases of SlateDB (docs/slatedb.md)."},

    {"gates.min_rows", SETTING_U64, IN_SETTINGS(gates.min_rows), .fallback = "0",
     RANGE(0, INT64_MAX),
     .doc = "A snapshot with fewer rows is not published until somebody accepts it."},
    {"gates.max_row_change", SETTING_RATIO, IN_SETTINGS(gates.max_row_change), .fallback = "0",
     .doc = "Nor one with so many more or fewer rows than the snapshot before, as a share of "
            "those, 0 to 1; 0: no limit."},
    {"gates.max_empty_shards", SETTING_I64, IN_SETTINGS(gates.max_empty_shards), .fallback = "-1",
     RANGE(-1, 65536), .doc = "Nor one with more shards without rows; -1: no limit."},
    {"gates.canary_keys", SETTING_LIST, .home = HOME_NONE,
     .doc = "Nor one without these keys, as `( \"a\", 17, … )`."},

    {"vectors.dim", SETTING_U32, IN_SETTINGS(vectors.dim), RANGE(1, VECTOR_DIM_MAX),
     .doc = "Numbers of each vector; with it the snapshot has vectors beside its rows."},
    {"vectors.metric", SETTING_CHOICE, IN_SETTINGS(vectors.metric), .fallback = "cosine",
     ONE_OF("cosine", "l2"), .doc = "How the distance of two vectors is measured."},
    {"vectors.extension", SETTING_TEXT, IN_SETTINGS(vectors.extension),
     .doc = "The file of SQLite's extension sqlite-vec (`vec0.so`), which is no part of SQLite."},

    {"dead_letter.policy", SETTING_CHOICE, IN_SETTINGS(dead_letter.policy), .fallback = "fail",
     ONE_OF("fail", "drop", "topic", "file"),
     .doc = "What becomes of a record that cannot be used."},
    {"dead_letter.topic", SETTING_TEXT, IN_SETTINGS(dead_letter.topic),
     .doc = "`topic`: where such records go."},
    {"dead_letter.path", SETTING_TEXT, IN_SETTINGS(dead_letter.path),
     .doc = "`file`: the file that such records are appended to, as JSON lines."},
    {"dead_letter.max_errors", SETTING_U64, IN_SETTINGS(dead_letter.max_errors), .fallback = "0",
     RANGE(0, INT64_MAX), .doc = "A build with more such records stops; 0: no limit."},
    {"dead_letter.max_error_ratio", SETTING_RATIO, IN_SETTINGS(dead_letter.max_error_ratio),
     .fallback = "0", .doc = "The same as a share of the build's records, 0 to 1; 0: no limit."},

    {"s3.endpoint", SETTING_TEXT, IN_SETTINGS(s3.endpoint), .also = "AWS's own",
     .doc = "`https://host:port` of an S3-compatible server."},
    {"s3.region", SETTING_TEXT, IN_SETTINGS(s3.region),
     .also = "environment, profile, else `us-east-1`",
     .doc = "The region that requests are signed for."},
    {"s3.profile", SETTING_TEXT, IN_SETTINGS(s3.profile), .also = "`AWS_PROFILE`, else `default`",
     .doc = "Profile in the shared configuration and credentials files."},
    {"s3.addressing", SETTING_TEXT, IN_SETTINGS(s3.addressing), .fallback = "auto",
     ONE_OF("auto", "path", "virtual"),
     .doc = "Whether the bucket is in the path or in the host's name."},
    {"s3.sse", SETTING_TEXT, IN_SETTINGS(s3.sse), ONE_OF("AES256", "aws:kms"),
     .also = "the bucket's own", .doc = "Encryption at rest by the server."},
    {"s3.kms_key", SETTING_TEXT, IN_SETTINGS(s3.kms_key), .also = "the bucket's own",
     .doc = "`aws:kms`: the key's id or ARN."},
    {"s3.ca_file", SETTING_TEXT, IN_SETTINGS(s3.ca_file),
     .also = "`AWS_CA_BUNDLE` of the environment, else the system's",
     .doc = "Certificates that are trusted, as PEM."},
    {"s3.proxy", SETTING_TEXT, IN_SETTINGS(s3.proxy), .secret = true,
     .also = "`https_proxy` of the environment",
     .doc = "Proxy for the store; may hold a user and a password, so it is never shown."},
    {"s3.connect_timeout", SETTING_DURATION, IN_SETTINGS(s3.connect_timeout_us), .fallback = "5s",
     RANGE(100 * MS, 10 * MINUTE), .doc = "Longest time to connect."},
    {"s3.request_timeout", SETTING_DURATION, IN_SETTINGS(s3.request_timeout_us), .fallback = "30s",
     RANGE(100 * MS, 60 * MINUTE), .doc = "Longest time without progress in one request."},
    {"s3.deadline", SETTING_DURATION, IN_SETTINGS(s3.deadline_us), .fallback = "5m",
     RANGE(1 * SECOND, 1440 * MINUTE), .doc = "Longest time of one request with all its retries."},
    {"s3.max_retries", SETTING_INT, IN_SETTINGS(s3.max_retries), .fallback = "8", RANGE(0, 100),
     .doc = "Retries of one request."},

    {"limits.memory_budget", SETTING_SIZE, IN_SETTINGS(limits.memory_budget), .fallback = "256MiB",
     RANGE(64 * MIB, 16 * TIB), .doc = "Memory for buffers, queues, merges and uploads together."},
    {"limits.disk_budget", SETTING_SIZE, IN_SETTINGS(limits.disk_budget), .fallback = "16GiB",
     RANGE(64 * MIB, 1024 * TIB),
     .doc = "Disk for spills, shard files in the making and, a quarter of it, the last files of "
            "a state."},
    {"limits.work_folder", SETTING_TEXT, IN_SETTINGS(limits.work_folder),
     .fallback = "/var/lib/tidemark", .doc = "Where they are; a restart goes on from it."},
    {"limits.max_key_bytes", SETTING_SIZE, IN_SETTINGS(limits.max_key_bytes), .fallback = "4KiB",
     RANGE(8, 1 * MIB), .doc = "A record with a longer key is rejected."},
    {"limits.max_value_bytes", SETTING_SIZE, IN_SETTINGS(limits.max_value_bytes),
     .fallback = "16MiB", RANGE(1 * KIB, 1024 * MIB),
     .doc = "A record with a longer value is rejected."},
    {"limits.build_threads", SETTING_INT, IN_SETTINGS(limits.build_threads), .fallback = "2",
     RANGE(1, 64), .doc = "Shards that are built at the same time."},
    {"limits.records_per_second", SETTING_U64, IN_SETTINGS(limits.records_per_second),
     .fallback = "0", RANGE(0, INT64_MAX),
     .doc = "Each member reads at most so many records a second; 0: no limit."},
    {"limits.bytes_per_second", SETTING_SIZE, IN_SETTINGS(limits.bytes_per_second), .fallback = "0",
     RANGE(0, TIB), .doc = "And at most so many bytes of keys, values and headers; 0: no limit."},
    {"limits.stop_timeout", SETTING_DURATION, IN_SETTINGS(limits.stop_timeout_us),
     .fallback = "30s", RANGE(1 * SECOND, 60 * MINUTE),
     .doc = "After SIGTERM an orderly stop may take so long. Ten seconds later the process ends in "
            "any case."},
    {"limits.checkpoint_interval", SETTING_DURATION, IN_SETTINGS(limits.checkpoint_interval_us),
     .fallback = "30s", RANGE(0, 1440 * MINUTE),
     .doc = "Local checkpoints are not more frequent. 0s: at an orderly stop only."},
    {"limits.checkpoint_bytes", SETTING_SIZE, IN_SETTINGS(limits.checkpoint_bytes),
     .fallback = "32MiB", RANGE(0, 16 * TIB),
     .doc = "Rows that are in memory alone before the next one: what a crash makes read again."},
    {"limits.handover_wait", SETTING_DURATION, IN_SETTINGS(limits.handover_wait_us),
     .fallback = "5s", RANGE(0, 10 * MINUTE),
     .doc = "A new owner of a partition waits so long for what the old one has read of it, before "
            "it reads that itself. 0s: nothing is handed over."},
    {"limits.handover_bytes", SETTING_SIZE, IN_SETTINGS(limits.handover_bytes), .fallback = "1MiB",
     RANGE(0, 16 * TIB), .doc = "Rows of one partition that are worth handing over."},
    {"limits.handover_at_stop", SETTING_BOOL, IN_SETTINGS(limits.handover_at_stop),
     .fallback = "false",
     .doc = "Also at an orderly stop: for members that do not come back. One that does goes on "
            "from its own disk."},

    {"status.listen", SETTING_TEXT, IN_SETTINGS(status.listen),
     .also = "`127.0.0.1:9464`; where that is taken, none, with a warning",
     .doc = "Address of the status server: `address:port`, port 0 for any; `off`: none."},
    {"status.stuck_after", SETTING_DURATION, IN_SETTINGS(status.stuck_after_us), .fallback = "5m",
     RANGE(1 * SECOND, 1440 * MINUTE),
     .doc = "`/livez` fails when a thread of the service makes no progress for so long."},
    {"status.overdue_after", SETTING_DURATION, IN_SETTINGS(status.overdue_after_us),
     .fallback = "30m", RANGE(1 * SECOND, 30 * DAY),
     .doc = "`/readyz` fails when a closed window is not published for so long."},

    {"log.level", SETTING_CHOICE, IN_SETTINGS(log_level), .fallback = "info",
     ONE_OF("error", "warn", "info", "debug"), .doc = "What is logged, on standard error."},
    {"log.format", SETTING_CHOICE, IN_SETTINGS(log_format), .fallback = "text",
     ONE_OF("text", "json"), .doc = "One line for each event, for people or for machines."},
};

const size_t settings_schema_size = sizeof(settings_schema) / sizeof(settings_schema[0]);

const struct setting_group settings_schema_groups[] = {
    {"", "At the top of the file"},
    {"kafka", "How to reach Kafka"},
    {"topics", "What is read, and how a record becomes a row"},
    {"window", "When a snapshot is made, and of what"},
    {"snapshot", "What is published, and where"},
    {"kv", "What a shard is made of"},
    {"gates", "What keeps a build from being published until somebody has looked"},
    {"vectors", "Vectors beside the rows, for search by nearness"},
    {"dead_letter", "Records that cannot be used"},
    {"s3", "The S3 store; credentials come from the environment, AWS's files or the instance"},
    {"limits", "Memory, disk and sizes"},
    {"status", "The status server: `/livez`, `/readyz`, `/status`, `/metrics`"},
    {"log", "The log"},
};

const size_t settings_schema_group_count =
    sizeof(settings_schema_groups) / sizeof(settings_schema_groups[0]);

const struct setting *settings_schema_find(const char *path)
{
    for (size_t i = 0; i < settings_schema_size; i++) {
        if (strcmp(settings_schema[i].path, path) == 0) {
            return &settings_schema[i];
        }
    }
    return NULL;
}

bool settings_schema_is_group(const char *path)
{
    size_t size = strlen(path);
    for (size_t i = 0; i < settings_schema_size; i++) {
        const char *other = settings_schema[i].path;
        if (strncmp(other, path, size) == 0 && other[size] == '.') {
            return true;
        }
    }
    return false;
}
