/* The yardstick: reads a whole topic with librdkafka, looks at every record, and does nothing else.
 *
 * It is to be as fast as such a loop gets: records are taken in batches, and the client's queue is
 * long and filled in time. With the client's defaults it takes up to twice as long. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ERROR_TEXT_MAX = 512, BATCH_MAX = 8192, WAIT_MS = 1000 };

/* That has the property fetch.queue.backoff.ms. */
static const int FETCH_BACKOFF_VERSION = 0x020200ff;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "consume: %s: %s\n", what, why);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[ERROR_TEXT_MAX];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        die(name, text);
    }
}

static rd_kafka_t *connect_to(const char *brokers, int argc, char **argv)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", "bench-consume");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "isolation.level", "read_committed");
    set(conf, "auto.offset.reset", "error");
    set(conf, "check.crcs", "true"); /* as the service does */
    set(conf, "queued.min.messages", "1000000");
    if (rd_kafka_version() >= FETCH_BACKOFF_VERSION) {
        set(conf, "fetch.queue.backoff.ms", "50");
    }
    for (int i = 0; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals == NULL) {
            die(argv[i], "not NAME=VALUE");
        }
        *equals = '\0';
        set(conf, argv[i], equals + 1);
    }
    char text[ERROR_TEXT_MAX];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (client == NULL) {
        die("cannot start", text);
    }
    rd_kafka_poll_set_consumer(client);
    return client;
}

static int assign_all(rd_kafka_t *client, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(client, 0, handle, &metadata, 30000);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topics[0].partition_cnt == 0) {
        die(topic, err == RD_KAFKA_RESP_ERR_NO_ERROR ? "no such topic" : rd_kafka_err2str(err));
    }
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
    }
    if (rd_kafka_assign(client, list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(topic, "cannot be assigned");
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

/* Looks at one record: bytes of key and value; false at the end of a partition. */
static bool look(const rd_kafka_message_t *message, const char *topic, uint64_t *bytes)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        return false;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(topic, rd_kafka_message_errstr(message));
    }
    *bytes += message->key_len + message->len;
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        die("usage", "consume BROKERS TOPIC [PROPERTY=VALUE]...");
    }
    rd_kafka_t *client = connect_to(argv[1], argc - 3, argv + 3);
    double begin = now();
    int waiting = assign_all(client, argv[2]);
    uint64_t records = 0;
    uint64_t bytes = 0;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    static rd_kafka_message_t *batch[BATCH_MAX];
    while (waiting > 0) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, WAIT_MS, batch, BATCH_MAX);
        for (ssize_t i = 0; i < count; i++) {
            bool is_record = look(batch[i], argv[2], &bytes);
            records += is_record ? 1 : 0;
            waiting -= is_record ? 0 : 1;
            rd_kafka_message_destroy(batch[i]);
        }
    }
    double seconds = now() - begin;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                 (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    printf("{\"records\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"cpu_seconds\":%.3f,"
           "\"peak_rss_kib\":%ld}\n",
           (unsigned long long)records, (unsigned long long)bytes, seconds, cpu, usage.ru_maxrss);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return 0;
}
