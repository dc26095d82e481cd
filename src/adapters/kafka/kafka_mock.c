/* librdkafka's mock cluster, in a handle of its own that connects to nothing. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "adapters/kafka/client_error.h"
#include "adapters/mock_cluster.h"

struct mock_cluster {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    int32_t brokers;
};

bool mock_cluster_new(int32_t brokers, struct mock_cluster **ret_cluster, struct err *err)
{
    char words[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "client.id", "tidemark-mock", words, sizeof(words)) !=
            RD_KAFKA_CONF_OK ||
        rd_kafka_conf_set(conf, "log_level", "2", words, sizeof(words)) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, ERR_SETTINGS, "the mock cluster: %s", words);
    }
    struct mock_cluster *cluster = calloc(1, sizeof(*cluster));
    CHECK(cluster != NULL);
    cluster->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof(words));
    if (cluster->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        free(cluster);
        return err_set(err, ERR_TRANSIENT, "the mock cluster: %s", words);
    }
    cluster->mock = rd_kafka_mock_cluster_new(cluster->rk, (int)brokers);
    cluster->brokers = brokers;
    if (cluster->mock == NULL) {
        mock_cluster_free(cluster);
        return err_set(err, ERR_TRANSIENT, "the mock cluster does not start");
    }
    *ret_cluster = cluster;
    return true;
}

struct mock_cluster *mock_cluster_free(struct mock_cluster *cluster)
{
    if (cluster != NULL) {
        if (cluster->mock != NULL) {
            rd_kafka_mock_cluster_destroy(cluster->mock);
        }
        rd_kafka_destroy(cluster->rk);
        free(cluster);
    }
    return NULL;
}

const char *mock_cluster_brokers(const struct mock_cluster *cluster)
{
    return rd_kafka_mock_cluster_bootstraps(cluster->mock);
}

bool mock_cluster_create_topic(struct mock_cluster *cluster, const char *topic, int32_t partitions,
                               struct err *err)
{
    rd_kafka_resp_err_t code =
        rd_kafka_mock_topic_create(cluster->mock, topic, (int)partitions, (int)cluster->brokers);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || client_error_set(err, code, "topic %s", topic);
}

bool mock_cluster_set_broker(struct mock_cluster *cluster, int32_t broker, bool up, struct err *err)
{
    rd_kafka_resp_err_t code = up ? rd_kafka_mock_broker_set_up(cluster->mock, broker)
                                  : rd_kafka_mock_broker_set_down(cluster->mock, broker);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_error_set(err, code, "mock broker %d", (int)broker);
}
