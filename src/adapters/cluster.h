/* The Kafka cluster itself: how to reach it, what it says about its topics, and making one. */
#ifndef TIDEMARK_ADAPTERS_CLUSTER_H
#define TIDEMARK_ADAPTERS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* One of librdkafka's own configuration properties, as the user wrote it. */
struct cluster_property {
    const char *name;
    const char *value; /* may be a secret: in no log and no error */
};

/* Borrowed by every x_new() below until it returns; nothing is kept. */
struct cluster_settings {
    const char *brokers;   /* "host:port,host:port" */
    const char *client_id; /* at most CLUSTER_CLIENT_ID_MAX bytes; NULL: "tidemark" */
    const struct cluster_property *properties; /* passed on in this order, to every handle */
    size_t property_count;
};

/* librdkafka before 2.5.0 crashes with a long client id (its issue 4689); a role is appended to
 * ours. */
enum { CLUSTER_CLIENT_ID_MAX = 64, CLUSTER_ID_TEXT_MAX = 64, CLUSTER_POLICY_MAX = 64 };

/* "librdkafka 2.15.1 (built for 2.0.2)". Any thread. */
const char *cluster_client_version(void);

/* False with SETTINGS when the library that was loaded is one of those with a fault that no care of
 * ours mends (2.5.0 to 2.5.2, 2.10.0), or older than 2.0.2. Any thread. */
MUST_CHECK bool cluster_check_version(struct err *err);

/* False with SETTINGS, naming the property, when one is unknown, has a value librdkafka
 * refuses, or is among those that Tidemark itself must set (the error says to what and why).
 * Asks no broker. */
MUST_CHECK bool cluster_check_properties(const struct cluster_settings *settings, struct err *err);

/* A handle for questions and orders to the cluster. Any thread may use it, several at once;
 * every call blocks for at most its timeout. Errors of all calls: TRANSIENT, SETTINGS
 * (authorization, TLS). */
struct cluster;

MUST_CHECK bool cluster_new(const struct cluster_settings *settings, struct cluster **ret_cluster,
                            struct err *err);
struct cluster *cluster_free(struct cluster *cluster);

/* What is wrong with how the handle logs in, though it may work with the brokers of today: a static
 * text. NULL: nothing. Asks no broker. */
const char *cluster_login_warning(const struct cluster *cluster);

/* A topic's identity over its whole life (KIP-516). librdkafka tells it from 2.3.0 on; before
 * that, and on a mock cluster, both are 0: then a topic that was deleted and made again can be
 * seen only by its end lying below a position of ours, or by the cluster's id
 * (cluster_identity). */
struct cluster_topic_id {
    uint64_t high;
    uint64_t low;
};

static inline bool cluster_topic_id_known(struct cluster_topic_id id)
{
    return id.high != 0 || id.low != 0;
}

/* Kafka's own spelling (URL-safe base64, 22 characters), "" when unknown. Room:
 * CLUSTER_ID_TEXT_MAX. */
void cluster_topic_id_text(struct cluster_topic_id id, char ret_text[CLUSTER_ID_TEXT_MAX]);

struct cluster_topic {
    int32_t partitions;
    int32_t replicas; /* of partition 0 */
    struct cluster_topic_id id;
    /* The effective values: the topic's own, else the broker's default. */
    char cleanup_policy[CLUSTER_POLICY_MAX];
    char timestamp_type[CLUSTER_POLICY_MAX];
    int32_t min_insync_replicas;
    bool unclean_leader_election;
    int64_t retention_ms; /* -1: for ever */
    int64_t segment_ms;   /* of compaction; 0: the cluster did not tell */
    int64_t segment_bytes;
    int64_t delete_retention_ms;
    int64_t max_message_bytes;
    double dirty_ratio;
};

/* Brokers that are up, and the cluster's id ("" when it has none). */
MUST_CHECK bool cluster_identity(struct cluster *cluster, int timeout_ms, int32_t *ret_brokers,
                                 char ret_id[CLUSTER_ID_TEXT_MAX], struct err *err);

/* MISSING when there is no such topic. */
MUST_CHECK bool cluster_describe_topic(struct cluster *cluster, const char *topic, int timeout_ms,
                                       struct cluster_topic *ret_topic, struct err *err);

/* The same, but MISSING counts only after settle_ms: a broker may not know for a moment what
 * another member, or an operator, has just made, though a second broker knows it already. */
MUST_CHECK bool cluster_await_topic(struct cluster *cluster, const char *topic, int settle_ms,
                                    int timeout_ms, struct cluster_topic *ret_topic,
                                    struct err *err);

/* Partitions of a topic now. MISSING when there is no such topic. */
MUST_CHECK bool cluster_partitions(struct cluster *cluster, const char *topic, int timeout_ms,
                                   int32_t *ret_partitions, struct err *err);

/* True when the topic is there, of which nothing else may be known (the right to write is enough);
 * MISSING after settle_ms, as above. */
MUST_CHECK bool cluster_await_partitions(struct cluster *cluster, const char *topic, int settle_ms,
                                         int timeout_ms, struct err *err);

struct cluster_new_topic {
    const char *name;
    int32_t partitions;
    int32_t replicas; /* -1: the broker's default */
    const struct cluster_property *properties;
    size_t property_count;
};

/* True as well when somebody else made it first (*ret_existed, which may be NULL). AMBIGUOUS
 * after a timeout: describe it. */
MUST_CHECK bool cluster_create_topic(struct cluster *cluster, const struct cluster_new_topic *topic,
                                     int timeout_ms, bool *ret_existed, struct err *err);

#endif
