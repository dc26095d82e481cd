/* The source: records of the configured topics, in order per partition, with exact positions. */
#ifndef TIDEMARK_ADAPTERS_SOURCE_H
#define TIDEMARK_ADAPTERS_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/cluster.h"
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* How the poll thread uses it:
 *
 *   source_poll -> ASSIGNED   nothing is fetched until source_start gives the exact offsets (of the
 *                             head's tail_from, or the local checkpoint; never of the group)
 *   source_poll -> messages, END, …
 *   source_poll -> REVOKED    nothing of these partitions is delivered any more; source_stop lets
 *                             the group go on
 *
 * Every rebalance of the group waits for these two answers.
 *
 * What can go wrong: an answer that takes longer than the rebalance timeout
 * (max.poll.interval.ms) or a poll thread that stalls loses the partitions (REVOKED with
 * `lost`). A start offset the log no longer has is LOST_RANGE, never a jump
 * (auto.offset.reset=error). Isolation is read_committed always. */

struct source_partition {
    uint32_t topic; /* index in source_settings.topics */
    int32_t partition;
};

static inline bool source_partition_equal(struct source_partition a, struct source_partition b)
{
    return a.topic == b.topic && a.partition == b.partition;
}

struct source_header {
    struct bytes name;
    struct bytes value;
    bool is_null; /* a header without a value */
};

/* Views into the batch; valid until the batch is cleared or freed. */
struct source_message {
    uint32_t topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* since 1970; -1: none */
    int32_t leader_epoch; /* -1: not known (librdkafka before 2.1.0) */
    bool has_key;         /* false: a null key, which is not an empty one */
    bool has_value;       /* false: a tombstone */
    struct bytes key;
    struct bytes value;
    const struct source_header *headers; /* only with source_settings.want_headers */
    size_t header_count;
};

enum source_event_kind {
    SOURCE_ASSIGNED = 1, /* `partitions` are newly ours (a delta, never empty): answer with
                          * source_start. A member that is given nothing hears nothing */
    SOURCE_REVOKED,      /* `partitions` are no longer ours (a delta): answer with source_stop */
    SOURCE_END,          /* `partition` was read up to `position`, which is the last stable
                          * offset; with `high` > `position` it is blocked by an open
                          * transaction (PROTOCOL R4a), with `high` == `position` caught up.
                          * Sent again whenever `high` moves at a standing position. `high` is
                          * -1 while no fetch has told it. */
    SOURCE_LOST_RANGE,   /* the log does not hold `position`: retention or DeleteRecords took
                          * it, or (if source_query_ends says that it lies above `high`) the log
                          * was truncated or made again. `low` is -1 when unknown. The partition
                          * stands still until source_seek or a new assignment. */
    SOURCE_TRUNCATED,    /* the leader epoch shows that the log was cut below `position` (KIP-320;
                          * librdkafka 2.1.0 or newer): same standstill */
    SOURCE_TOPIC_GONE,   /* the topic was deleted, or may not be read (`err` says which) */
    SOURCE_ERROR,        /* transient, the library goes on by itself: for the log */
    SOURCE_FATAL,        /* no call will succeed again (another process has our member_id): end the
                          * process, with the reason in `err`. A session that ended is none: all
                          * is REVOKED, and the source joins again by itself */
};

struct source_event {
    enum source_event_kind kind;
    size_t message_index; /* it came before messages[message_index] and after the one before that */
    /* ASSIGNED, REVOKED */
    const struct source_partition *partitions;
    size_t partition_count;
    bool lost; /* REVOKED: others may be reading them already */
    /* END, LOST_RANGE, TRUNCATED, TOPIC_GONE */
    struct source_partition partition;
    int64_t position;
    int64_t low;           /* low watermark, -1 unknown */
    int64_t high;          /* high watermark, -1 unknown */
    const struct err *err; /* TOPIC_GONE, ERROR, FATAL; else NULL */
};

/* What one poll gives. It owns all its bytes (an arena) and may be handed to another thread;
 * cleared and used again its memory stays warm. */
struct source_batch {
    struct source_message *messages;
    size_t message_count;
    struct source_event *events;
    size_t event_count;
    size_t bytes; /* of keys, values and headers */
    /* own */
    size_t message_capacity;
    size_t event_capacity;
    struct arena *arena;
};

struct source_batch *source_batch_new(size_t messages_max);
struct source_batch *source_batch_free(struct source_batch *batch);
void source_batch_clear(struct source_batch *batch);
/* For drivers. The event returned is cleared but for kind and message_index. */
struct source_event *source_batch_add_event(struct source_batch *batch,
                                            enum source_event_kind kind);

struct source_settings {
    struct cluster_settings cluster;
    const char *group;
    const char *member_id; /* group.instance.id: a restart within the session timeout moves
                            * nothing. NULL: joins no group, see source_assign */
    const char *const *topics;
    size_t topic_count;
    bool want_headers;        /* copy headers, which costs a little a record */
    size_t queue_bytes_max;   /* librdkafka's own prefetch queue (a soft limit, its issue 5140) */
    size_t batch_bytes_max;   /* a poll stops behind the record that reaches it */
    int session_timeout_ms;   /* 0: 45 s */
    int max_poll_interval_ms; /* 0: 300 s; also how long a rebalance waits for an answer */
};

struct source;

/* Subscribes. `settings`, but for the topics, is borrowed until source_free when it has a
 * member_id: the source may join again by itself. SETTINGS for what an operator must change; the
 * cluster need not be up. */
MUST_CHECK bool source_new(const struct source_settings *settings, struct source **ret_source,
                           struct err *err);

/* Leaves, waiting for at most the deadline. A static member does not leave the group: its
 * partitions are kept for session_timeout_ms. The poll thread. */
struct source *source_free(struct source *source, int timeout_ms);

/* All calls below: the poll thread only; none waits for a broker. */

/* Clears the batch and fills it: waits for at most timeout_ms for the first message or event,
 * and never for a second one. An ASSIGNED or REVOKED is the last thing in its batch. Offsets of
 * a partition rise within and over batches, with gaps (compaction, aborted transactions,
 * markers), until it is revoked or sought. False only after a FATAL, with the same error again. */
MUST_CHECK bool source_poll(struct source *source, int timeout_ms, struct source_batch *batch,
                            struct err *err);

struct source_start {
    struct source_partition partition;
    int64_t offset;       /* the first one wanted: 0 or above */
    int32_t leader_epoch; /* of the record before it, -1 unknown; lets truncation be seen */
};

/* Answers ASSIGNED, for exactly its partitions (in any order; each once), else INPUT. */
MUST_CHECK bool source_start(struct source *source, const struct source_start *starts, size_t count,
                             struct err *err);

/* Answers REVOKED. True as well when the answer is no longer asked for. */
MUST_CHECK bool source_stop(struct source *source, struct err *err);

/* For a source without member_id, which hears of no ASSIGNED: reads exactly these partitions, in
 * place of those before. The group's name goes along for the brokers' rights alone: nothing joins
 * it, and its offsets are neither asked for nor committed. INPUT: a topic that is not configured, a
 * partition twice. */
MUST_CHECK bool source_assign(struct source *source, const struct source_start *starts,
                              size_t count, struct err *err);

/* True while a rebalance waits for source_start or source_stop. */
bool source_rebalancing(const struct source *source);

/* All go on at other offsets: after LOST_RANGE or TRUNCATED, or to read again. Those that are not
 * ours are passed over. TRANSIENT while a rebalance is on. Two calls want a pause between them:
 * each changes the assignment, and before 2.10 librdkafka aborts when the next change comes before
 * the fetchers of the first have stopped (its issue 5573). */
MUST_CHECK bool source_seek(struct source *source, const struct source_start *starts, size_t count,
                            struct err *err);

/* Pausing throws away what was prefetched of these partitions, and resuming fetches it again:
 * use marks that lie far apart. Polling must go on. Partitions that are not ours, or are (not)
 * paused already, are passed over. */
MUST_CHECK bool source_pause(struct source *source, const struct source_partition *partitions,
                             size_t count, struct err *err);
MUST_CHECK bool source_resume(struct source *source, const struct source_partition *partitions,
                              size_t count, struct err *err);

/* The next offset of a partition of ours, from what was delivered and from its END; -1: not
 * ours, or not started. */
int64_t source_position(const struct source *source, struct source_partition partition);

/* The group's own offsets, for lag tools alone (PROTOCOL R23): nothing here ever reads them.
 * Best effort, not waited for. Partitions that are not ours are passed over, and so are offsets
 * below one that this assignment has mirrored, unless `rewind`. TRANSIENT while a rebalance is
 * on (librdkafka 4059). */
struct source_offset {
    struct source_partition partition;
    int64_t offset;
};
MUST_CHECK bool source_mirror_offsets(struct source *source, const struct source_offset *offsets,
                                      size_t count, bool rewind, struct err *err);

/* Leaves the group and joins it again, which makes it share out all partitions anew: REVOKED and
 * ASSIGNED follow. A static member that only restarts does not do that (KIP-345). TRANSIENT while
 * a rebalance is on. */
MUST_CHECK bool source_join_again(struct source *source, struct err *err);

struct source_statistics {
    uint64_t messages; /* delivered by source_poll since source_new */
    uint64_t bytes;
    uint64_t stale;      /* dropped: below the next expected offset, or of a revoked partition */
    size_t queue_bytes;  /* in librdkafka's prefetch queue, as of its last report (every 5 s) */
    int64_t lag;         /* records up to the last stable offset, over our partitions; -1
                          * unknown */
    uint64_t rebalances; /* assignments so far: the generation of PROGRESS (DESIGN 3) */
    uint32_t assigned;   /* partitions of ours */
    uint32_t paused;
};
void source_statistics(const struct source *source, struct source_statistics *ret_statistics);

/* Questions about the topics: own connections, any thread, several at once; each call waits for
 * at most its timeout. TRANSIENT; MISSING when a topic is not there; SETTINGS for
 * authorization. */
struct source_query;

MUST_CHECK bool source_query_new(const struct source_settings *settings,
                                 struct source_query **ret_query, struct err *err);
struct source_query *source_query_free(struct source_query *query);

/* ret_counts[topic] = partitions of that topic now. */
MUST_CHECK bool source_query_partitions(struct source_query *query, int timeout_ms,
                                        int32_t *ret_counts, struct err *err);

struct source_ends {
    struct source_partition partition;
    int64_t low;    /* first offset the log still has */
    int64_t stable; /* last stable offset: what read_committed can read to; the cut of a build
                     * "now" */
    int64_t high;   /* high watermark; above `stable` while a transaction is open. Asked after
                     * `stable` */
    struct cluster_topic_id topic_id;
};

/* The ends of all partitions of all configured topics, by (topic, partition). The array is
 * allocated in the arena. */
MUST_CHECK bool source_query_ends(struct source_query *query, int timeout_ms, struct arena *arena,
                                  struct source_ends **ret_ends, size_t *ret_count,
                                  struct err *err);

enum source_start_kind { SOURCE_EARLIEST = 1, SOURCE_LATEST, SOURCE_TIME };

/* Fills in `offset` of each entry: the low watermark; the last stable offset; or the first
 * record whose timestamp is at or after time_ms (the last stable offset where there is none). */
MUST_CHECK bool source_query_starts(struct source_query *query, enum source_start_kind kind,
                                    int64_t time_ms, struct source_start *starts, size_t count,
                                    int timeout_ms, struct err *err);

/* A record that is asked for by its offset. */
struct source_record {
    struct source_partition partition;
    int64_t offset;
    enum source_record_state {
        SOURCE_RECORD_UNKNOWN = 0, /* nobody has answered */
        SOURCE_RECORD_FOUND,       /* it was handed out */
        SOURCE_RECORD_MISSING,     /* read_committed shows no record there, or the log has no such
                                    * offset */
    } state;
};

/* `index` into the records; the message, without headers, is gone when it returns. */
typedef void source_record_fn(void *context, size_t index, const struct source_message *message);

/* Reads single records, at most one of a partition, as they are in the log now: joins no group and
 * commits nothing. Fills in each `state`. One call at a time. False: some are UNKNOWN: TRANSIENT,
 * MISSING for a topic that is not there, SETTINGS; STOPPED soon after `stop` is set. */
MUST_CHECK bool source_query_records(struct source_query *query, struct source_record *records,
                                     size_t count, source_record_fn *take, void *context,
                                     int timeout_ms, const atomic_bool *stop, struct err *err);

/* The group's mirrored offsets, -1 where there is none. For lag displays and R23's "never
 * lower". */
MUST_CHECK bool source_query_mirrored(struct source_query *query, struct source_offset *offsets,
                                      size_t count, int timeout_ms, struct err *err);

#endif
