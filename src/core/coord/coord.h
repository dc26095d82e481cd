/* What leader and member share: their settings, and the form of what they ask for. */
#ifndef TIDEMARK_CORE_COORD_COORD_H
#define TIDEMARK_CORE_COORD_COORD_H

#include <stdarg.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/rng.h"
#include "core/coord/message.h"

enum shard_count_policy {
    SHARDS_FIXED,       /* `shards` of them; READY has sizes by shard */
    SHARDS_BY_ROWS,     /* max(1, ceil(rows / max_keys_per_shard)), known at the close */
    SHARDS_BY_TOKEN,    /* inferred categorical: the distinct tokens, sorted */
    SHARDS_BY_TOKEN_ID, /* direct: tokens are the shard numbers 0 to n - 1 */
};

/* What a snapshot must be before it is published; see leader_gates.c. All 0: nothing. */
struct gate_settings {
    uint64_t min_rows;
    double max_row_change; /* of the snapshot before, as a share of its rows; 0: any */
    bool limits_empty_shards;
    uint32_t max_empty_shards;
    const char *const *canaries; /* keys that must be there, as ATTEMPTs name them */
    size_t canary_count;
};

/* Times in microseconds. Borrowed by the machines for their whole life. */
struct coord_settings {
    const char *group;     /* snapshots that another made are not gone on from (R21); "": any are */
    const char *ledger_id; /* topic id of the ledger, "" where the client cannot tell */
    const char *fingerprint;            /* of all that shapes content (R9) */
    const struct message_topic *topics; /* sorted by name; id "" is not compared */
    size_t topic_count;

    enum close_trigger trigger;
    enum contents contents;
    int64_t window_size_us;      /* event_time */
    int64_t out_of_orderness_us; /* used by the data plane for the watermark */
    int64_t allowed_lateness_us;
    int64_t idle_after_us;
    int64_t max_future_skew_us;
    enum late_policy late;
    enum empty_policy empty;
    int64_t interval_us;     /* schedule: > 0, or 0 with `cron` */
    const struct cron *cron; /* schedule; else NULL */
    uint64_t every_records;  /* offsets; 0: explicit TRIGGERs only */

    struct gate_settings gates;
    struct state_shape shape; /* contents `state`: of the snapshots that are made now */
    bool routes_by_key;       /* a row's shard follows from its key alone */

    enum shard_count_policy shard_policy;
    uint32_t shards;
    uint64_t max_keys_per_shard;

    uint32_t max_attempts;
    int64_t attempt_backoff_us; /* after one that failed; doubles with each, up to: */
    int64_t attempt_backoff_max_us;
    int64_t attempt_deadline_us;  /* from its PLAN; then another attempt elsewhere */
    bool speculative;             /* a slow attempt gets a second one beside it (R28) */
    int64_t speculative_after_us; /* not before */
    uint32_t speculative_factor;  /* nor before so many times the median of those that ended */
    double speculative_share;     /* nor before so many of the shards are built, 0 to 1 */
    int64_t owner_timeout_us;     /* a member not heard of for so long is planned around */
    int64_t progress_interval_us; /* PROGRESS at least so often while owning something */
    uint32_t max_open_windows;    /* event_time: how far a partition may run ahead; 0: no bound */
    uint32_t max_unpublished_windows; /* committed under HOLD (R5) */
    int64_t handover_wait_us; /* a new owner waits so long for a HANDOVER; 0: none are made */
    uint64_t handover_bytes;  /* rows of a partition that are worth one */
    bool handover_at_stop;    /* also when the member leaves */
    int64_t retry_min_us;     /* backoff after a failure: full jitter between these */
    int64_t retry_max_us;

    uint32_t keep_last;          /* snapshots; 0: all */
    int64_t keep_for_us;         /* 0: no bound. A snapshot goes when both say so */
    int64_t cleanup_grace_us;    /* R15 */
    int64_t sweep_every_us;      /* leftovers are looked for so often */
    int64_t pointer_check_us;    /* R14: fallback mode looks at the pointer so often */
    int64_t partitions_check_us; /* new partitions are looked for so often */
    int64_t max_clock_skew_us;   /* R26 */
    bool store_cas;              /* the store honours If-Match; false: fallback mode (R14) */
};

/* The defaults of the documentation; ledger_id, fingerprint, topics are for the caller. */
void coord_settings_init(struct coord_settings *settings);

/* Full jitter between retry_min and a bound that doubles with each failure, up to retry_max: who
 * fails together does not come back together, and what failed once is not left undone for long. */
int64_t coord_backoff(const struct coord_settings *settings, uint32_t failures, struct rng *rng);

/* One line of a trace. */
void coord_trace(struct buf *trace, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* One record to append. Valid as long as the `out` it came in. */
struct coord_record {
    struct bytes key;
    struct bytes value;
    bool tombstone; /* value is NULL */
};

/* One partition's ends, as the broker says. */
struct coord_ends {
    struct partition_id id;
    const char *topic_id; /* "" where the client cannot tell */
    int64_t low;          /* first offset that is still there */
    int64_t last_stable;
    int64_t high;
    int64_t start; /* where the setting `start` (earliest, latest, a time) begins */
};

#endif
