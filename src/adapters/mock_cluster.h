/* A Kafka cluster inside this process, for `tidemark demo` and fast tests. */
#ifndef TIDEMARK_ADAPTERS_MOCK_CLUSTER_H
#define TIDEMARK_ADAPTERS_MOCK_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/err.h"

/* librdkafka's own mock: groups, offsets, transactions and fencing look real; but readers see
 * aborted records, topics cannot be described or configured, and all is in memory. Nothing
 * about transactions is proved on it. */
struct mock_cluster;

MUST_CHECK bool mock_cluster_new(int32_t brokers, struct mock_cluster **ret_cluster,
                                 struct err *err);
struct mock_cluster *mock_cluster_free(struct mock_cluster *cluster); /* after all its clients */

/* "127.0.0.1:port,…", owned by the cluster. */
const char *mock_cluster_brokers(const struct mock_cluster *cluster);

MUST_CHECK bool mock_cluster_create_topic(struct mock_cluster *cluster, const char *topic,
                                          int32_t partitions, struct err *err);

/* Takes a broker (from 1) down, or up again. */
MUST_CHECK bool mock_cluster_set_broker(struct mock_cluster *cluster, int32_t broker, bool up,
                                        struct err *err);

#endif
