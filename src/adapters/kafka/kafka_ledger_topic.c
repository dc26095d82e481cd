/* The ledger's topic on the cluster: checked, or made right (PROTOCOL R17). */
#include "adapters/kafka/client.h"
#include "adapters/ledger.h"
#include "adapters/os/clock.h"

enum { LEDGER_TOPIC_POLL_US = 100 * 1000 };

bool ledger_check(struct cluster *cluster, const char *name, int timeout_ms,
                  struct cluster_topic *ret_topic, struct err *err)
{
    struct cluster_topic topic;
    TRY(cluster_describe_topic(cluster, name, timeout_ms, &topic, err));
    TRY(ledger_check_description(name, &topic, err));
    *ret_topic = topic;
    return true;
}

bool ledger_await(struct cluster *cluster, const char *name, int settle_ms, int timeout_ms,
                  struct cluster_topic *ret_topic, struct err *err)
{
    struct cluster_topic topic;
    TRY(cluster_await_topic(cluster, name, settle_ms, timeout_ms, &topic, err));
    TRY(ledger_check_description(name, &topic, err));
    *ret_topic = topic;
    return true;
}

/* A broker may not know for a moment what the controller has just made. */
static bool wait_until_known(struct cluster *cluster, const char *name, int64_t deadline_us,
                             struct err *err)
{
    struct cluster_topic topic;
    while (!cluster_describe_topic(cluster, name, client_wait_ms(deadline_us), &topic, err)) {
        bool early = err->kind == ERR_MISSING || err->kind == ERR_TRANSIENT;
        if (!early || clock_mono_us() >= deadline_us) {
            return false;
        }
        clock_sleep_us(LEDGER_TOPIC_POLL_US);
    }
    return true;
}

bool ledger_create(struct cluster *cluster, const char *name, int timeout_ms, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    int32_t brokers = 0;
    char id[CLUSTER_ID_TEXT_MAX];
    TRY(cluster_identity(cluster, timeout_ms, &brokers, id, err));
    int32_t replicas = brokers >= 3 ? 3 : 1;
    const struct cluster_property properties[] = {
        {"cleanup.policy", "compact"},
        {"message.timestamp.type", "LogAppendTime"},
        {"unclean.leader.election.enable", "false"},
        {"min.insync.replicas", replicas == 3 ? "2" : "1"},
        /* The active segment is never compacted: a small and short one keeps the start fast. */
        {"segment.bytes", "16777216"},
        {"segment.ms", "3600000"},
        {"min.cleanable.dirty.ratio", "0.1"}, /* ledger_advice tells a topic that differs */
        {"max.message.bytes", LEDGER_MESSAGE_BYTES},
        /* A reader that takes longer than this from the start might miss a tombstone. */
        {"delete.retention.ms", "86400000"},
    };
    const struct cluster_new_topic topic = {
        .name = name,
        .partitions = 1,
        .replicas = replicas,
        .properties = properties,
        .property_count = LENGTH_OF(properties),
    };
    TRY(cluster_create_topic(cluster, &topic, client_wait_ms(deadline_us), NULL, err));
    return wait_until_known(cluster, name, deadline_us, err);
}
