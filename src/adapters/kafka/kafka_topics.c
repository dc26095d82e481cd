/* What the cluster says about itself and its topics, and making a topic. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cluster.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/client_error.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/os/clock.h"

enum { WORDS_MAX = 256, TOPIC_POLL_US = 100 * 1000 };

struct cluster {
    struct client *client;
};

bool cluster_new(const struct cluster_settings *settings, struct cluster **ret_cluster,
                 struct err *err)
{
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    CHECK(cluster != NULL);
    struct client_options options = {.role = CLIENT_CLUSTER};
    if (!client_new(settings, &options, &cluster->client, err)) {
        free(cluster);
        return false;
    }
    *ret_cluster = cluster;
    return true;
}

struct cluster *cluster_free(struct cluster *cluster)
{
    if (cluster != NULL) {
        client_free(cluster->client);
        free(cluster);
    }
    return NULL;
}

const char *cluster_login_warning(const struct cluster *cluster)
{
    char protocol[32];
    char mechanism[64];
    client_property(cluster->client, "security.protocol", protocol, sizeof(protocol));
    client_property(cluster->client, "sasl.mechanisms", mechanism, sizeof(mechanism));
    return client_words_login(protocol, mechanism, rd_kafka_version());
}

void cluster_topic_id_text(struct cluster_topic_id id, char ret_text[CLUSTER_ID_TEXT_MAX])
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    ret_text[0] = '\0';
    if (!cluster_topic_id_known(id)) {
        return;
    }
    uint8_t raw[18] = {0}; /* 16 bytes, and what the last digit borrows */
    put_u64be(raw, id.high);
    put_u64be(raw + 8, id.low);
    size_t size = 0;
    for (size_t i = 0; i < sizeof(raw); i += 3) {
        uint32_t group = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 | raw[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            ret_text[size++] = DIGITS[(group >> shift) & 63];
        }
    }
    ret_text[22] = '\0';
}

bool cluster_identity(struct cluster *cluster, int timeout_ms, int32_t *ret_brokers,
                      char ret_id[CLUSTER_ID_TEXT_MAX], struct err *err)
{
    rd_kafka_t *rk = cluster->client->rk;
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = client_metadata(cluster->client, NULL, timeout_ms, &metadata);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_error_set(err, code, "asking the brokers who they are");
        return client_explain(cluster->client, err);
    }
    *ret_brokers = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    char *id = rd_kafka_clusterid(rk, client_wait_ms(deadline_us));
    snprintf(ret_id, CLUSTER_ID_TEXT_MAX, "%s", id == NULL ? "" : id);
    if (id != NULL) {
        rd_kafka_mem_free(rk, id);
    }
    return true;
}

bool kafka_topics_metadata(struct client *client, const char *topic, int timeout_ms,
                           const struct rd_kafka_metadata **ret_metadata, struct err *err)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->rk, topic, NULL);
    if (handle == NULL) {
        return client_error_set(err, rd_kafka_last_error(), "topic %s", topic);
    }
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = client_metadata(client, handle, timeout_ms, &metadata);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_error_set(err, code, "asking about topic %s", topic);
        return client_explain(client, err);
    }
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topics[0].partition_cnt == 0) {
        code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE; /* just being made */
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        client_error_set(err, code, "topic %s", topic);
        return client_error_right(err, "Describe on the topic %s", topic);
    }
    *ret_metadata = metadata;
    return true;
}

bool kafka_topics_warm(struct client *client, const char *topic, int64_t deadline_us,
                       struct err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    TRY(kafka_topics_metadata(client, topic, client_wait_ms(deadline_us), &metadata, err));
    rd_kafka_metadata_destroy(metadata);
    return true;
}

bool cluster_partitions(struct cluster *cluster, const char *topic, int timeout_ms,
                        int32_t *ret_partitions, struct err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    TRY(kafka_topics_metadata(cluster->client, topic, timeout_ms, &metadata, err));
    *ret_partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* One admin call: options, the queue for its answer, and the wait. */
struct order {
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
};

static void order_init(struct order *order, rd_kafka_t *rk, rd_kafka_admin_op_t kind,
                       int timeout_ms)
{
    char words[WORDS_MAX];
    order->options = rd_kafka_AdminOptions_new(rk, kind);
    order->queue = rd_kafka_queue_new(rk);
    if (rd_kafka_AdminOptions_set_request_timeout(order->options, timeout_ms, words,
                                                  sizeof(words)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        check_failed(words, __FILE__, __LINE__);
    }
}

static void order_done(struct order *order)
{
    rd_kafka_AdminOptions_destroy(order->options);
    rd_kafka_queue_destroy(order->queue);
}

/* librdkafka keeps the time itself; a second more catches the case where it does not. */
static bool order_wait(const struct order *order, struct client *client, int timeout_ms,
                       const char *what, rd_kafka_event_t **ret_answer, struct err *err)
{
    rd_kafka_event_t *answer = rd_kafka_queue_poll(order->queue, timeout_ms + 1000);
    if (answer == NULL) {
        client_error_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "%s", what);
        return client_explain(client, err);
    }
    if (rd_kafka_event_error(answer) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_resp_err_t code = rd_kafka_event_error(answer);
        err_set_code(err, client_error_kind(code), (int)code, "%s: %s", what,
                     rd_kafka_event_error_string(answer));
        rd_kafka_event_destroy(answer);
        return client_explain(client, err);
    }
    *ret_answer = answer;
    return true;
}

static void take_setting(struct cluster_topic *topic, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }
    if (strcmp(name, "cleanup.policy") == 0) {
        snprintf(topic->cleanup_policy, sizeof(topic->cleanup_policy), "%s", value);
    } else if (strcmp(name, "message.timestamp.type") == 0) {
        snprintf(topic->timestamp_type, sizeof(topic->timestamp_type), "%s", value);
    } else if (strcmp(name, "min.insync.replicas") == 0) {
        topic->min_insync_replicas = (int32_t)strtol(value, NULL, 10);
    } else if (strcmp(name, "unclean.leader.election.enable") == 0) {
        topic->unclean_leader_election = strcmp(value, "true") == 0;
    } else if (strcmp(name, "retention.ms") == 0) {
        topic->retention_ms = strtoll(value, NULL, 10);
    } else if (strcmp(name, "segment.ms") == 0) {
        topic->segment_ms = strtoll(value, NULL, 10);
    } else if (strcmp(name, "segment.bytes") == 0) {
        topic->segment_bytes = strtoll(value, NULL, 10);
    } else if (strcmp(name, "delete.retention.ms") == 0) {
        topic->delete_retention_ms = strtoll(value, NULL, 10);
    } else if (strcmp(name, "max.message.bytes") == 0) {
        topic->max_message_bytes = strtoll(value, NULL, 10);
    } else if (strcmp(name, "min.cleanable.dirty.ratio") == 0) {
        topic->dirty_ratio = strtod(value, NULL);
    }
}

static bool describe_settings(struct client *client, const char *name, int timeout_ms,
                              struct cluster_topic *topic, struct err *err)
{
    struct order order;
    order_init(&order, client->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_DescribeConfigs(client->rk, &wanted, 1, order.options, order.queue);
    rd_kafka_ConfigResource_destroy(wanted);
    rd_kafka_event_t *answer = NULL;
    bool done =
        order_wait(&order, client, timeout_ms, "describing a topic's settings", &answer, err);
    order_done(&order);
    TRY(done);

    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(answer), &count);
    CHECK(count == 1);
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[0]);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_error_set(err, code, "describing the settings of topic %s", name);
        client_error_right(err, "DescribeConfigs on the topic %s", name);
        rd_kafka_event_destroy(answer);
        return false;
    }
    size_t entry_count = 0;
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resources[0], &entry_count);
    for (size_t i = 0; i < entry_count; i++) {
        take_setting(topic, rd_kafka_ConfigEntry_name(entries[i]),
                     rd_kafka_ConfigEntry_value(entries[i]));
    }
    rd_kafka_event_destroy(answer);
    return true;
}

#if RD_KAFKA_VERSION >= 0x020300ff
/* The mock has no controller, and so never answers a description. */
static bool is_mock(struct client *client, int timeout_ms)
{
    char *id = rd_kafka_clusterid(client->rk, timeout_ms);
    bool mock = id != NULL && strncmp(id, "mockCluster", strlen("mockCluster")) == 0;
    if (id != NULL) {
        rd_kafka_mem_free(client->rk, id);
    }
    return mock;
}

bool kafka_topics_ids(struct client *client, const char *const *names, size_t count, int timeout_ms,
                      struct cluster_topic_id *ret_ids, struct err *err)
{
    memset(ret_ids, 0, count * sizeof(*ret_ids));
    if (is_mock(client, timeout_ms)) {
        return true;
    }
    struct order order;
    order_init(&order, client->rk, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout_ms);
    const char **list = malloc((count + 1) * sizeof(*list));
    CHECK(list != NULL);
    memcpy(list, names, count * sizeof(*list));
    rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(list, count);
    rd_kafka_DescribeTopics(client->rk, topics, order.options, order.queue);
    rd_kafka_TopicCollection_destroy(topics);
    free(list);
    rd_kafka_event_t *answer = NULL;
    bool done = order_wait(&order, client, timeout_ms, "describing topics", &answer, err);
    order_done(&order);
    TRY(done);

    size_t described = 0;
    const rd_kafka_TopicDescription_t **descriptions = rd_kafka_DescribeTopics_result_topics(
        rd_kafka_event_DescribeTopics_result(answer), &described);
    for (size_t i = 0; i < described; i++) {
        const rd_kafka_error_t *failed = rd_kafka_TopicDescription_error(descriptions[i]);
        const char *name = rd_kafka_TopicDescription_name(descriptions[i]);
        if (rd_kafka_error_code(failed) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            client_error_set(err, rd_kafka_error_code(failed), "describing topic %s", name);
            rd_kafka_event_destroy(answer);
            return false;
        }
        const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(descriptions[i]);
        for (size_t t = 0; t < count; t++) {
            if (strcmp(names[t], name) == 0) {
                ret_ids[t] = (struct cluster_topic_id){
                    .high = (uint64_t)rd_kafka_Uuid_most_significant_bits(id),
                    .low = (uint64_t)rd_kafka_Uuid_least_significant_bits(id),
                };
            }
        }
    }
    rd_kafka_event_destroy(answer);
    return true;
}
#else
bool kafka_topics_ids(struct client *client, const char *const *names, size_t count, int timeout_ms,
                      struct cluster_topic_id *ret_ids, struct err *err)
{
    (void)client;
    (void)names;
    (void)timeout_ms;
    (void)err;
    memset(ret_ids, 0, count * sizeof(*ret_ids));
    return true;
}
#endif

bool cluster_describe_topic(struct cluster *cluster, const char *topic, int timeout_ms,
                            struct cluster_topic *ret_topic, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    struct cluster_topic described = {0};
    const struct rd_kafka_metadata *metadata = NULL;
    TRY(kafka_topics_metadata(cluster->client, topic, timeout_ms, &metadata, err));
    described.partitions = metadata->topics[0].partition_cnt;
    described.replicas = metadata->topics[0].partitions[0].replica_cnt;
    rd_kafka_metadata_destroy(metadata);
    TRY(describe_settings(cluster->client, topic, client_wait_ms(deadline_us), &described, err));
    TRY(kafka_topics_ids(cluster->client, &topic, 1, client_wait_ms(deadline_us), &described.id,
                         err));
    *ret_topic = described;
    return true;
}

/* With ret_topic of NULL the topic need not be described. */
static bool await(struct cluster *cluster, const char *topic, int settle_ms, int timeout_ms,
                  struct cluster_topic *ret_topic, struct err *err)
{
    int64_t settled_us = clock_mono_us() + (int64_t)settle_ms * 1000;
    int32_t partitions = 0;
    while (!(ret_topic != NULL
                 ? cluster_describe_topic(cluster, topic, timeout_ms, ret_topic, err)
                 : cluster_partitions(cluster, topic, timeout_ms, &partitions, err))) {
        if (err->kind != ERR_MISSING || clock_mono_us() >= settled_us) {
            return false;
        }
        clock_sleep_us(TOPIC_POLL_US);
    }
    return true;
}

bool cluster_await_topic(struct cluster *cluster, const char *topic, int settle_ms, int timeout_ms,
                         struct cluster_topic *ret_topic, struct err *err)
{
    return await(cluster, topic, settle_ms, timeout_ms, ret_topic, err);
}

bool cluster_await_partitions(struct cluster *cluster, const char *topic, int settle_ms,
                              int timeout_ms, struct err *err)
{
    return await(cluster, topic, settle_ms, timeout_ms, NULL, err);
}

static bool new_topic(const struct cluster_new_topic *topic, rd_kafka_NewTopic_t **ret_new,
                      struct err *err)
{
    char words[WORDS_MAX];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic->name, topic->partitions,
                                                      topic->replicas, words, sizeof(words));
    if (made == NULL) {
        return err_set(err, ERR_SETTINGS, "topic %s: %s", topic->name, words);
    }
    for (size_t i = 0; i < topic->property_count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_NewTopic_set_config(made, topic->properties[i].name,
                                                                topic->properties[i].value);
        CHECK(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    *ret_new = made;
    return true;
}

bool cluster_create_topic(struct cluster *cluster, const struct cluster_new_topic *topic,
                          int timeout_ms, bool *ret_existed, struct err *err)
{
    rd_kafka_t *rk = cluster->client->rk;
    rd_kafka_NewTopic_t *made = NULL;
    TRY(new_topic(topic, &made, err));
    struct order order;
    order_init(&order, rk, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    char words[WORDS_MAX];
    rd_kafka_AdminOptions_set_operation_timeout(order.options, timeout_ms, words, sizeof(words));
    rd_kafka_CreateTopics(rk, &made, 1, order.options, order.queue);
    rd_kafka_NewTopic_destroy(made);
    rd_kafka_event_t *answer = NULL;
    bool done = order_wait(&order, cluster->client, timeout_ms, "making a topic", &answer, err);
    order_done(&order);
    if (!done) {
        if (err->kind == ERR_TRANSIENT) {
            err->kind = ERR_AMBIGUOUS;
        }
        return err_wrap(err, "topic %s", topic->name);
    }

    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
    CHECK(count == 1);
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
    bool existed = code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !existed) {
        const char *reason = rd_kafka_topic_result_error_string(results[0]);
        err_set_code(err, client_error_kind(code), (int)code, "making topic %s: %s", topic->name,
                     reason == NULL ? rd_kafka_err2str(code) : reason);
        client_error_right(err, "Create on the topic %s, or to make it by hand", topic->name);
        rd_kafka_event_destroy(answer);
        return false;
    }
    rd_kafka_event_destroy(answer);
    if (ret_existed != NULL) {
        *ret_existed = existed;
    }
    return true;
}
