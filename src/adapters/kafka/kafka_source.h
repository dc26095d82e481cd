/* What the files of the Kafka source share: its struct, and who owns which partition. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_KAFKA_SOURCE_H
#define TIDEMARK_ADAPTERS_KAFKA_KAFKA_SOURCE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "adapters/kafka/client.h"
#include "adapters/source.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* One partition of a configured topic. */
struct source_track {
    bool owned;       /* the group gave it to us and has not taken it back */
    bool started;     /* owned, and source_start said where: librdkafka reads it */
    bool heard;       /* ASSIGNED was the last that was announced of it */
    bool paused;      /* by source_pause */
    bool at_end;      /* position is the last stable offset that was heard last */
    int64_t next;     /* the position: lower offsets are stale and dropped */
    int64_t high;     /* the high watermark that the last END told; -1 none */
    int64_t stable;   /* the last stable offset in the last statistics; -1 none */
    int64_t mirrored; /* highest offset committed to the group in this assignment; -1 none */
};

struct source_topic {
    char *name;
    struct source_track *tracks; /* by partition */
    int32_t track_count;
};

/* What a rebalance waits for. */
enum source_answer { SOURCE_ANSWER_NONE = 0, SOURCE_ANSWER_START, SOURCE_ANSWER_STOP };

/* All of it belongs to the poll thread; callbacks run inside source_poll. */
struct source {
    struct client *client;
    struct source_settings settings; /* borrowed, for a client that takes its place */
    struct source_topic *topics;
    size_t topic_count;
    bool want_headers;
    size_t batch_bytes_max;

    enum source_answer awaited;
    /* What the awaited answer gives to librdkafka or takes from it; NULL: no answer is awaited, or
     * the client is outdated. */
    rd_kafka_topic_partition_list_t *asked;
    bool asked_lost;
    bool announced; /* all that there is to hear of the last rebalance */

    struct source_batch *filling; /* during source_poll, else NULL */

    bool is_outdated; /* its client is to be replaced: kafka_rejoin.c */
    bool is_fatal;
    struct err fatal;
    int64_t ends_watched_us;
    struct source_statistics statistics;
};

/* -- kafka_tracks.c -- */

/* The track of a partition, made when it is new; NULL for a topic that is not configured. */
struct source_track *source_track(struct source *source, const char *topic, int32_t partition,
                                  uint32_t *ret_topic);

/* -- kafka_source.c -- */

/* Remembers a fatal error and puts it into the batch that is being filled; or asks for another
 * client, where that helps. */
void source_set_fatal(struct source *source);

/* -- kafka_rejoin.c -- */

/* True when the fatal error is no other process, but the end of our own session. */
bool source_fenced_itself(struct source *source, rd_kafka_resp_err_t code);

/* Takes everything back, as lost; another client is due as soon as that is answered. */
void source_outdate(struct source *source);

/* -- kafka_overtaken.c -- */

/* What is ours and has not been started. The list is the caller's, here and below. */
rd_kafka_topic_partition_list_t *source_unanswered(const struct source *source);

/* What was announced as ours, and is not, or is to be started anew. */
rd_kafka_topic_partition_list_t *source_overtaken(const struct source *source);

void source_own(struct source *source, const rd_kafka_topic_partition_list_t *partitions);

/* Of NULL: all that is ours. Returns what of it librdkafka reads. */
rd_kafka_topic_partition_list_t *source_disown(struct source *source,
                                               const rd_kafka_topic_partition_list_t *partitions);

void source_hear(struct source *source, const rd_kafka_topic_partition_list_t *partitions,
                 bool heard);

/* -- kafka_rebalance.c -- */

void source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque);

/* Puts what is to be heard of a rebalance into the batch: one event at a time. */
void source_announce(struct source *source, struct source_batch *batch);

/* Gives up everything, so that closing need not wait. */
void source_abandon(struct source *source);

/* No answer is awaited any more. */
void source_forget_asked(struct source *source);

/* -- kafka_source_statistics.c -- */

int source_on_statistics(rd_kafka_t *rk, char *json, size_t size, void *opaque);

#endif
