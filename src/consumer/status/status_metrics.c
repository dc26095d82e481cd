/* The one table of all metrics, and their text form (Prometheus exposition, version 0.0.4). */
#include "consumer/status/status_metrics.h"

#include <inttypes.h>
#include <stdarg.h>

#define COUNTER(tail, labels_, help_)                                                              \
    {                                                                                              \
        .name = "tidemark_" tail, .type = "counter", .labels = labels_, .help = help_              \
    }
#define GAUGE(tail, labels_, help_)                                                                \
    {                                                                                              \
        .name = "tidemark_" tail, .type = "gauge", .labels = labels_, .help = help_                \
    }
#define HISTOGRAM(tail, labels_, help_)                                                            \
    {                                                                                              \
        .name = "tidemark_" tail, .type = "histogram", .labels = labels_, .help = help_            \
    }

/* "of this member": add them up. "of the group": every member tells the same, take max(). */
static const struct metric_table_row table[METRIC_KINDS] = {
    [METRIC_INFO] =
        GAUGE("info", "member, version, librdkafka", "Always 1; the labels say who this is."),
    [METRIC_START_TIME] =
        GAUGE("start_time_seconds", "", "When this process started, in seconds since 1970."),
    [METRIC_READY] = GAUGE("ready", "", "1 when /readyz answers 200, else 0."),
    [METRIC_LIVE] = GAUGE("live", "", "1 when /livez answers 200, else 0."),
    [METRIC_THREAD_AGE] = GAUGE("thread_progress_age_seconds", "thread",
                                "Since a thread of this member last finished a turn."),
    [METRIC_LEADING] = GAUGE("leading", "", "1 while this member leads, else 0."),
    [METRIC_TERM] = GAUGE("term", "",
                          "The newest term of the group: the offset of its LEADER record; -1 "
                          "before the first."),
    [METRIC_TERM_CHANGES] = COUNTER("term_changes_total", "",
                                    "LEADER records of the group since this process started."),
    [METRIC_ALERTS] = COUNTER("alerts_total", "of",
                              "Lines of this process's log that an operator should look at, of its "
                              "member and, while it leads, of the leader."),
    [METRIC_REBALANCES] =
        COUNTER("rebalances_total", "", "Assignments of partitions to this member."),
    [METRIC_ASSIGNED] = GAUGE("partitions_assigned", "", "Partitions of this member."),
    [METRIC_PAUSED] =
        GAUGE("partitions_paused", "reason",
              "Partitions of this member that are not fetched now, by the setting that is the "
              "bound; \"intake\": the records before them are being taken in."),
    [METRIC_RECORDS] = COUNTER("records_read_total", "", "Records that this member read."),
    [METRIC_BYTES] = COUNTER("read_bytes_total", "", "Bytes of their keys and values."),
    [METRIC_REJECTED] =
        COUNTER("records_rejected_total", "cause", "Records that this member could not use."),
    [METRIC_FUTURE] = COUNTER("records_future_total", "",
                              "Records dated further ahead than window.max_future_skew, as this "
                              "member read them."),
    [METRIC_PASSED_OVER] = COUNTER("records_passed_over_total", "",
                                   "Records that this member read again and had already."),
    [METRIC_STALE] =
        COUNTER("records_stale_total", "",
                "Records that the Kafka client delivered twice or after a revocation."),
    [METRIC_ROWS_HELD] = GAUGE("rows_held", "", "Rows of this member that are in no build yet."),
    [METRIC_SPILLS] = COUNTER("spills_total", "",
                              "Sorted sets of rows that this member wrote to its work folder."),
    [METRIC_MEMORY_USED] = GAUGE("memory_used_bytes", "", "Charged to limits.memory_budget now."),
    [METRIC_MEMORY_PEAK] = GAUGE("memory_peak_bytes", "", "The most since the start."),
    [METRIC_MEMORY_BUDGET] = GAUGE("memory_budget_bytes", "", "limits.memory_budget."),
    [METRIC_DISK_USED] = GAUGE("disk_used_bytes", "", "Spills in the work folder now."),
    [METRIC_DISK_BUDGET] = GAUGE("disk_budget_bytes", "", "limits.disk_budget."),
    [METRIC_QUEUE] =
        GAUGE("client_queue_bytes", "", "Fetched by the Kafka client and not taken yet."),
    [METRIC_LAG] = GAUGE("partition_lag_records", "topic, partition",
                         "Up to the last stable offset, of a partition of this member."),
    [METRIC_POSITION] = GAUGE("partition_position", "topic, partition",
                              "The next offset to read, of a partition of this member."),
    [METRIC_WATERMARK] = GAUGE("partition_watermark_seconds", "topic, partition",
                               "Event time, in seconds since 1970, of a partition of this member."),
    [METRIC_STANDING] = GAUGE("partition_standing_seconds", "topic, partition",
                              "For how long a partition of this member has lag and stands still."),
    [METRIC_LSO_GAP] = GAUGE("partition_unstable_records", "topic, partition",
                             "Behind the last stable offset: held back by an open transaction."),
    [METRIC_TAIL_MARGIN] = GAUGE("partition_retention_margin_records", "topic, partition",
                                 "What retention may still take before it reaches what a restart "
                                 "must read; below 0: lost."),
    [METRIC_GROUP_MEMBERS] =
        GAUGE("group_members", "", "Members of the group that were heard of lately."),
    [METRIC_GROUP_LAG] = GAUGE("group_lag_records", "", "The lag of the group, all partitions."),
    [METRIC_GROUP_WATERMARK] =
        GAUGE("group_watermark_seconds", "", "The watermark of the group, in seconds since 1970."),
    [METRIC_HEAD_BUILD] = GAUGE("head_build", "", "Number of the newest build that is decided."),
    [METRIC_PUBLISH_AGE] =
        GAUGE("publish_age_seconds", "", "Since the group last published a snapshot."),
    [METRIC_UNPUBLISHED] =
        GAUGE("windows_unpublished", "", "Windows of the group that are closed and not published."),
    [METRIC_OVERDUE] = GAUGE("windows_overdue", "",
                             "Those that are older than status.overdue_after; 0 under a hold."),
    [METRIC_WAITING] = GAUGE("window_waiting_seconds", "",
                             "How long the oldest of them has been closed; 0: there is none."),
    [METRIC_HOLD] = GAUGE("hold", "", "1 while publishing is on hold, else 0."),
    [METRIC_WAITING_PARTITIONS] =
        GAUGE("open_build_waiting_partitions", "",
              "Partitions of the closed window that nobody can deliver yet; /status names them."),
    [METRIC_WAITING_SHARDS] =
        GAUGE("open_build_waiting_shards", "", "Shards of the planned run that are not built yet."),
    [METRIC_REFUSING] = GAUGE("open_build_refusing_members", "",
                              "Members that refuse the open build; /status says why."),
    [METRIC_GATED] = GAUGE("open_build_gated", "",
                           "1 while a gate keeps the open build from being published, else 0."),
    [METRIC_PUBLISHED] = COUNTER("snapshots_published_total", "",
                                 "Snapshots of the group since this process started."),
    [METRIC_ABORTED] = COUNTER("builds_aborted_total", "",
                               "Runs of the group that were given up and planned again."),
    [METRIC_REFUSED] = COUNTER("builds_refused_total", "",
                               "Answers of this group's members that they cannot take part."),
    [METRIC_COMMITTED] =
        COUNTER("builds_committed_total", "kind", "Builds of the group that were decided."),
    [METRIC_BUILT_RECORDS] = COUNTER("build_records_total", "outcome",
                                     "What became of the records of these builds, as the manifest "
                                     "accounts for them."),
    [METRIC_CLOSE_TO_PUBLISH] = HISTOGRAM("close_to_publish_seconds", "",
                                          "From a window's CLOSE to its snapshot's PUBLISHED, by "
                                          "the broker's clock."),
    [METRIC_PLANNED] =
        COUNTER("attempts_planned_total", "why",
                "Attempts of the group that were given out: the first at each shard, those again "
                "after all before failed, were overdue or lost their builders, and second ones "
                "beside a slow one."),
    [METRIC_ATTEMPTS] = COUNTER("attempts_total", "outcome", "Shards that this member built."),
    [METRIC_ATTEMPT_SECONDS] = COUNTER("attempt_seconds_total", "", "Time that this took."),
    [METRIC_LEDGER_RECORDS] = COUNTER("ledger_records_total", "kind",
                                      "Records of the ledger that the status server read."),
    [METRIC_LEDGER_FOREIGN] = COUNTER("ledger_foreign_records_total", "",
                                      "Those that are none of ours, and were passed over."),
    [METRIC_LEDGER_AGE] =
        GAUGE("ledger_age_seconds", "", "Since the brokers last told the end of the ledger."),
    [METRIC_STORE_CALLS] = COUNTER("store_calls_total", "operation, outcome",
                                   "Calls of this member to the store; `ok` has those that found "
                                   "nothing or lost a race."),
    [METRIC_STORE_REQUESTS] = COUNTER("store_requests_total", "operation",
                                      "Requests that these sent, retries and parts included."),
    [METRIC_STORE_RETRIES] = COUNTER("store_retries_total", "operation", "Retries among them."),
    [METRIC_STORE_BYTES] =
        COUNTER("store_bytes_total", "operation, direction", "Bytes of content."),
    [METRIC_STORE_SECONDS] = COUNTER("store_seconds_total", "operation", "Time in these calls."),
};

static const int64_t buckets_ms[METRIC_BUCKETS] = {100,   250,   500,   1000,   2500,   5000,
                                                   10000, 30000, 60000, 300000, 900000, 3600000};

const struct metric_table_row *metric_row(enum metric metric)
{
    CHECK(metric < METRIC_KINDS);
    return &table[metric];
}

static void open_metric(struct metric_writer *writer, enum metric metric)
{
    if ((int)metric == writer->last) {
        return;
    }
    CHECK((int)metric > writer->last);
    writer->last = (int)metric;
    const struct metric_table_row *row = &table[metric];
    buf_add_format(writer->borrowed_out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
                   row->name, row->type);
}

static void add_label(struct buf *out, const char *name, const char *value)
{
    buf_add_format(out, "%s=\"", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n') {
            buf_add_text(out, "\\n");
        } else {
            if (*c == '"' || *c == '\\') {
                buf_add_byte(out, '\\');
            }
            buf_add_byte(out, (uint8_t)*c);
        }
    }
    buf_add_byte(out, '"');
}

static void add_name(struct metric_writer *writer, enum metric metric, va_list labels)
{
    struct buf *out = writer->borrowed_out;
    open_metric(writer, metric);
    buf_add_format(out, "%s{", table[metric].name);
    add_label(out, "group", writer->borrowed_group);
    for (const char *name = va_arg(labels, const char *); name != NULL;
         name = va_arg(labels, const char *)) {
        buf_add_byte(out, ',');
        add_label(out, name, va_arg(labels, const char *));
    }
    buf_add_text(out, "} ");
}

/* Exact where doubles would not be. */
static void add_seconds(struct buf *out, int64_t value_us)
{
    uint64_t whole = value_us < 0 ? (uint64_t)0 - (uint64_t)value_us : (uint64_t)value_us;
    buf_add_format(out, "%s%" PRIu64 ".%06" PRIu64 "\n", value_us < 0 ? "-" : "", whole / 1000000,
                   whole % 1000000);
}

void metric_u64(struct metric_writer *writer, enum metric metric, uint64_t value, ...)
{
    va_list labels;
    va_start(labels, value);
    add_name(writer, metric, labels);
    va_end(labels);
    buf_add_format(writer->borrowed_out, "%" PRIu64 "\n", value);
}

void metric_i64(struct metric_writer *writer, enum metric metric, int64_t value, ...)
{
    va_list labels;
    va_start(labels, value);
    add_name(writer, metric, labels);
    va_end(labels);
    buf_add_format(writer->borrowed_out, "%" PRId64 "\n", value);
}

void metric_seconds(struct metric_writer *writer, enum metric metric, int64_t value_us, ...)
{
    va_list labels;
    va_start(labels, value_us);
    add_name(writer, metric, labels);
    va_end(labels);
    add_seconds(writer->borrowed_out, value_us);
}

void metric_observe(struct metric_histogram *histogram, int64_t value_us)
{
    size_t bucket = 0;
    while (bucket < METRIC_BUCKETS && value_us > buckets_ms[bucket] * 1000) {
        bucket++;
    }
    histogram->counts[bucket]++;
    histogram->count++;
    histogram->sum_us += value_us;
}

void metric_print_histogram(struct metric_writer *writer, enum metric metric,
                            const struct metric_histogram *histogram)
{
    struct buf *out = writer->borrowed_out;
    const char *name = table[metric].name;
    uint64_t sum = 0;
    open_metric(writer, metric);
    for (size_t i = 0; i <= METRIC_BUCKETS; i++) {
        sum += histogram->counts[i];
        buf_add_format(out, "%s_bucket{", name);
        add_label(out, "group", writer->borrowed_group);
        if (i == METRIC_BUCKETS) {
            buf_add_text(out, ",le=\"+Inf\"");
        } else {
            buf_add_format(out, ",le=\"%g\"", (double)buckets_ms[i] / 1000);
        }
        buf_add_format(out, "} %" PRIu64 "\n", sum);
    }
    buf_add_format(out, "%s_sum{", name);
    add_label(out, "group", writer->borrowed_group);
    buf_add_text(out, "} ");
    add_seconds(out, histogram->sum_us);
    buf_add_format(out, "%s_count{", name);
    add_label(out, "group", writer->borrowed_group);
    buf_add_format(out, "} %" PRIu64 "\n", histogram->count);
}

void metric_print_page(struct buf *out)
{
    buf_add_text(out,
                 "# Metrics\n\n"
                 "What `/metrics` of the status server has. Made by `tidemark help metrics`; a "
                 "test compares.\n\n"
                 "Every metric has the label `group`. Those *of the group* are the same at "
                 "every member: take `max by (group)`. All others are the member's own: add "
                 "them up. Counters start at 0 with the process.\n\n"
                 "| metric | type | labels | what it is |\n|---|---|---|---|\n");
    for (size_t i = 0; i < METRIC_KINDS; i++) {
        buf_add_format(out, "| `%s` | %s | %s | %s |\n", table[i].name, table[i].type,
                       table[i].labels, table[i].help);
    }
}
