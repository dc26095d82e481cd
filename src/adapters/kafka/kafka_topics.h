/* Topics as one client sees them: what the cluster's and the source's questions share. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_KAFKA_TOPICS_H
#define TIDEMARK_ADAPTERS_KAFKA_KAFKA_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/cluster.h"
#include "adapters/kafka/client.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* Metadata of one topic, which has at least one partition. MISSING, TRANSIENT, SETTINGS. The caller
 * ends it with rd_kafka_metadata_destroy. */
MUST_CHECK bool kafka_topics_metadata(struct client *client, const char *topic, int timeout_ms,
                                      const struct rd_kafka_metadata **ret_metadata,
                                      struct err *err);

/* Makes a client know the topic and its partitions of now, which it would otherwise ask for late: a
 * producer by a second (2.0.2), others when their metadata are old. */
MUST_CHECK bool kafka_topics_warm(struct client *client, const char *topic, int64_t deadline_us,
                                  struct err *err);

/* The ids of `count` topics; 0 with a librdkafka that cannot ask. */
MUST_CHECK bool kafka_topics_ids(struct client *client, const char *const *names, size_t count,
                                 int timeout_ms, struct cluster_topic_id *ret_ids, struct err *err);

#endif
