/* Fills a topic with records fast: random 8-byte keys, values of random printable bytes. */
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct options {
    const char *brokers;
    const char *topic;
    uint64_t count;
    int32_t partitions;
    size_t value_bytes;
    uint64_t keys; /* different ones; 0: as many as records */
    uint64_t seed;
    uint64_t shards;  /* hash routing into so many; 0: keys of all */
    uint64_t changed; /* only keys of so many first ones of them */
};

enum { VALUE_BYTES_MAX = 1 << 20, ERROR_TEXT_MAX = 512 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "produce: %s: %s\n", what, why);
    exit(1);
}

/* splitmix64: number `i` of the sequence, without its state. */
static uint64_t mix(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t number(const char *text)
{
    char *end = NULL;
    uint64_t value = strtoull(text, &end, 10);
    if (end == text || *end != '\0') {
        die("not a number", text);
    }
    return value;
}

static struct options parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"brokers", required_argument, NULL, 'b'},     {"topic", required_argument, NULL, 't'},
        {"count", required_argument, NULL, 'n'},       {"partitions", required_argument, NULL, 'p'},
        {"value-bytes", required_argument, NULL, 'v'}, {"keys", required_argument, NULL, 'k'},
        {"seed", required_argument, NULL, 's'},        {"shards", required_argument, NULL, 'S'},
        {"changed", required_argument, NULL, 'c'},     {0},
    };
    struct options options = {.count = 1000000, .partitions = 8, .value_bytes = 100, .seed = 1};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 'b':
            options.brokers = optarg;
            break;
        case 't':
            options.topic = optarg;
            break;
        case 'n':
            options.count = number(optarg);
            break;
        case 'p':
            options.partitions = (int32_t)number(optarg);
            break;
        case 'v':
            options.value_bytes = number(optarg);
            break;
        case 'k':
            options.keys = number(optarg);
            break;
        case 's':
            options.seed = number(optarg);
            break;
        case 'S':
            options.shards = number(optarg);
            break;
        case 'c':
            options.changed = number(optarg);
            break;
        default:
            exit(2);
        }
    }
    if (options.brokers == NULL || options.topic == NULL || options.partitions < 1 ||
        options.value_bytes > VALUE_BYTES_MAX) {
        die("usage", "produce --brokers B --topic T [--count N] [--partitions P] "
                     "[--value-bytes V] [--keys K] [--seed S] [--shards N --changed C]");
    }
    return options;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[ERROR_TEXT_MAX];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        die(name, text);
    }
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *context)
{
    (void)client;
    (void)context;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die("a record was not stored", rd_kafka_err2str(message->err));
    }
}

static rd_kafka_t *connect_to(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "linger.ms", "20");
    set(conf, "batch.size", "1000000");
    set(conf, "batch.num.messages", "100000");
    set(conf, "queue.buffering.max.messages", "1000000");
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    char text[ERROR_TEXT_MAX];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (client == NULL) {
        die("cannot start", text);
    }
    return client;
}

/* A topic that is already there is taken as it is. */
static void create_topic(rd_kafka_t *client, const struct options *options)
{
    char text[ERROR_TEXT_MAX];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(options->topic, options->partitions, 1, text, sizeof text);
    if (topic == NULL) {
        die(options->topic, text);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(options->topic, event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[0]);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        die(options->topic, rd_kafka_err2str(err));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

static void fill_value(char *value, size_t size, uint64_t seed)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-";
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % 10 == 0) {
            bits = mix(seed + i);
        }
        value[i] = letters[bits & 63];
        bits >>= 6;
    }
}

static void produce(rd_kafka_t *client, const struct options *options)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, options->topic, NULL);
    char *value = malloc(options->value_bytes + 1);
    if (topic == NULL || value == NULL) {
        die(options->topic, "out of memory");
    }
    uint64_t sent = 0;
    for (uint64_t i = 0; sent < options->count; i++) {
        uint64_t key = mix((options->keys > 0 ? i % options->keys : i) ^ options->seed << 40);
        if (options->shards > 0 &&
            XXH3_64bits(&key, sizeof key) % options->shards >= options->changed) {
            continue;
        }
        sent++;
        fill_value(value, options->value_bytes, i * 4096 + options->seed + options->changed);
        int32_t partition = (int32_t)(key % (uint64_t)options->partitions);
        while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value, options->value_bytes,
                                &key, sizeof key, NULL) != 0) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                die(options->topic, rd_kafka_err2str(rd_kafka_last_error()));
            }
            rd_kafka_poll(client, 50);
        }
        if (i % 10000 == 0) {
            rd_kafka_poll(client, 0);
        }
    }
    if (rd_kafka_flush(client, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(options->topic, "not everything was stored in two minutes");
    }
    free(value);
    rd_kafka_topic_destroy(topic);
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    rd_kafka_t *client = connect_to(options.brokers);
    create_topic(client, &options);
    produce(client, &options);
    rd_kafka_destroy(client);
    printf("{\"records\":%llu}\n", (unsigned long long)options.count);
    return 0;
}
