/* The one table of all metrics, and their text form (Prometheus exposition, version 0.0.4). */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_METRICS_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_METRICS_H

#include "core/base/buf.h"

/* In the order in which they are printed. */
enum metric {
    METRIC_INFO,
    METRIC_START_TIME,
    METRIC_READY,
    METRIC_LIVE,
    METRIC_THREAD_AGE,
    METRIC_LEADING,
    METRIC_TERM,
    METRIC_TERM_CHANGES,
    METRIC_ALERTS,
    METRIC_REBALANCES,
    METRIC_ASSIGNED,
    METRIC_PAUSED,
    METRIC_RECORDS,
    METRIC_BYTES,
    METRIC_REJECTED,
    METRIC_FUTURE,
    METRIC_PASSED_OVER,
    METRIC_STALE,
    METRIC_ROWS_HELD,
    METRIC_SPILLS,
    METRIC_MEMORY_USED,
    METRIC_MEMORY_PEAK,
    METRIC_MEMORY_BUDGET,
    METRIC_DISK_USED,
    METRIC_DISK_BUDGET,
    METRIC_QUEUE,
    METRIC_LAG,
    METRIC_POSITION,
    METRIC_WATERMARK,
    METRIC_STANDING,
    METRIC_LSO_GAP,
    METRIC_TAIL_MARGIN,
    METRIC_GROUP_MEMBERS,
    METRIC_GROUP_LAG,
    METRIC_GROUP_WATERMARK,
    METRIC_HEAD_BUILD,
    METRIC_PUBLISH_AGE,
    METRIC_UNPUBLISHED,
    METRIC_OVERDUE,
    METRIC_WAITING,
    METRIC_HOLD,
    METRIC_WAITING_PARTITIONS,
    METRIC_WAITING_SHARDS,
    METRIC_REFUSING,
    METRIC_GATED,
    METRIC_PUBLISHED,
    METRIC_ABORTED,
    METRIC_REFUSED,
    METRIC_COMMITTED,
    METRIC_BUILT_RECORDS,
    METRIC_CLOSE_TO_PUBLISH,
    METRIC_PLANNED,
    METRIC_ATTEMPTS,
    METRIC_ATTEMPT_SECONDS,
    METRIC_LEDGER_RECORDS,
    METRIC_LEDGER_FOREIGN,
    METRIC_LEDGER_AGE,
    METRIC_STORE_CALLS,
    METRIC_STORE_REQUESTS,
    METRIC_STORE_RETRIES,
    METRIC_STORE_BYTES,
    METRIC_STORE_SECONDS,
    METRIC_KINDS,
};

struct metric_table_row {
    const char *name;   /* "tidemark_records_read_total" */
    const char *type;   /* "counter", "gauge", "histogram" */
    const char *labels; /* beside `group`, which all have: "topic, partition"; "" */
    const char *help;
};
const struct metric_table_row *metric_row(enum metric metric);

/* Samples of one metric come together, metrics in the table's order (CHECK). */
struct metric_writer {
    struct buf *borrowed_out;
    const char *borrowed_group;
    int last; /* metric; -1: none yet */
};

/* Labels are pairs of texts, ended by NULL: "topic", "orders", "partition", "3", NULL. */
void metric_u64(struct metric_writer *writer, enum metric metric, uint64_t value, ...)
    __attribute__((sentinel));
void metric_i64(struct metric_writer *writer, enum metric metric, int64_t value, ...)
    __attribute__((sentinel));
/* A time or duration of microseconds, printed in seconds. */
void metric_seconds(struct metric_writer *writer, enum metric metric, int64_t value_us, ...)
    __attribute__((sentinel));

enum { METRIC_BUCKETS = 12 };
struct metric_histogram {
    uint64_t counts[METRIC_BUCKETS + 1]; /* by bucket; the last one has what is above all */
    uint64_t count;
    int64_t sum_us;
};
void metric_observe(struct metric_histogram *histogram, int64_t value_us);
void metric_print_histogram(struct metric_writer *writer, enum metric metric,
                            const struct metric_histogram *histogram);

/* docs/metrics.md. */
void metric_print_page(struct buf *out);

#endif
