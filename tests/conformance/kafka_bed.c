/* What the Kafka batteries share: one broker, its topics, producers of all kinds, a source with its
 * answers. */
#include "tests/conformance/kafka_bed.h"

#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/producer.h"
#include "tests/support/broker.h"

static const char *brokers;
static struct cluster *cluster;

static void end_cluster(void)
{
    cluster = cluster_free(cluster);
}

void bed_start(int nodes, const char *properties)
{
    struct err err;
    fprintf(stderr, "%s\n", cluster_client_version());
    WORKS(cluster_check_version(&err));
    brokers = broker_start(nodes, properties);
    struct cluster_settings settings = bed_settings();
    WORKS(cluster_new(&settings, &cluster, &err));
    atexit(end_cluster);
}

struct cluster_settings bed_settings(void)
{
    return (struct cluster_settings){.brokers = brokers};
}

struct cluster *bed_cluster(void)
{
    return cluster;
}

int64_t bed_now_ms(void)
{
    return clock_mono_us() / 1000;
}

void bed_topic(const char *name, int partitions, const char *settings)
{
    struct err err;
    struct cluster_property properties[8];
    size_t count = 0;
    char text[512];
    snprintf(text, sizeof(text), "%s", settings == NULL ? "" : settings);
    char *rest = text;
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        char *value = strchr(item, '=');
        if (value != NULL) {
            *value = '\0';
            properties[count++] = (struct cluster_property){item, value + 1};
        }
    }
    struct cluster_new_topic topic = {.name = name,
                                      .partitions = partitions,
                                      .replicas = -1,
                                      .properties = properties,
                                      .property_count = count};
    bool existed = true;
    WORKS(cluster_create_topic(cluster, &topic, 20000, &existed, &err));
    IS(!existed);
    struct cluster_topic known; /* a broker may not know at once what the controller has made */
    WORKS(cluster_await_topic(cluster, name, BED_WAIT_MS, 20000, &known, &err));
}

void bed_produce(const char *topic, int partition, int first, int count)
{
    struct err err;
    struct cluster_settings settings = bed_settings();
    struct producer *producer = NULL;
    WORKS(producer_new(&settings, &producer, &err));
    for (int i = first; i < first + count; i++) {
        char key[32];
        char value[32];
        snprintf(key, sizeof(key), "key%d", i);
        snprintf(value, sizeof(value), "value%d", i);
        struct producer_record record = {.topic = topic,
                                         .partition = partition,
                                         .has_key = true,
                                         .has_value = true,
                                         .key = bytes_of_text(key),
                                         .value = bytes_of_text(value)};
        while (!producer_send(producer, &record, &err)) {
            IS(err.kind == ERR_LIMIT);
            producer_serve(producer, 10);
        }
    }
    WORKS(producer_flush(producer, BED_WAIT_MS, &err));
    producer_free(producer);
}

rd_kafka_t *bed_transactional(const char *id)
{
    char words[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, words, sizeof(words));
    rd_kafka_conf_set(conf, "transactional.id", id, words, sizeof(words));
    rd_kafka_conf_set(conf, "linger.ms", "0", words, sizeof(words));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof(words));
    IS(rk != NULL);
    IS(rd_kafka_init_transactions(rk, BED_WAIT_MS) == NULL);
    return rk;
}

void bed_send(rd_kafka_t *rk, const char *topic, int partition, const char *value)
{
    char copy[64];
    snprintf(copy, sizeof(copy), "%s", value);
    IS(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY("key", 3),
                         RD_KAFKA_V_VALUE(copy, strlen(copy)),
                         RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
    IS(rd_kafka_flush(rk, BED_WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void bed_open(struct bed_source *bed, const char *group, const char *member, const char *topic,
              const struct cluster_property *properties, size_t property_count)
{
    struct err err;
    *bed = (struct bed_source){.answers = true};
    for (int p = 0; p < BED_PARTITIONS_MAX; p++) {
        bed->last[p] = bed->end[p] = bed->end_high[p] = bed->lost_range[p] = -1;
    }
    struct source_settings settings = {
        .cluster = bed_settings(),
        .group = group,
        .member_id = member,
        .topics = &topic,
        .topic_count = 1,
        .want_headers = true,
        .queue_bytes_max = 4 << 20,
        .batch_bytes_max = 1 << 20,
        .session_timeout_ms = 6000,
        .max_poll_interval_ms = 20000,
    };
    settings.cluster.properties = properties;
    settings.cluster.property_count = property_count;
    WORKS(source_new(&settings, &bed->source, &err));
    bed->batch = source_batch_new(500);
}

void bed_close(struct bed_source *bed)
{
    source_free(bed->source, 10000);
    source_batch_free(bed->batch);
    free(bed->seen);
    *bed = (struct bed_source){0};
}

void bed_count(struct bed_source *bed)
{
    bed->seen = calloc(BED_PARTITIONS_MAX, BED_OFFSETS_MAX);
    IS(bed->seen != NULL);
}

static void note_message(struct bed_source *bed, const struct source_message *message)
{
    int p = message->partition;
    IS(p < BED_PARTITIONS_MAX);
    IS(bed->assigned[p]);
    bed->records[p]++;
    bed->last[p] = message->offset;
    if (bed->seen != NULL && message->offset < BED_OFFSETS_MAX) {
        bed->seen[p * BED_OFFSETS_MAX + message->offset]++;
    }
}

static void answer_start(struct bed_source *bed, const struct source_event *event)
{
    struct err err;
    struct source_start starts[BED_PARTITIONS_MAX];
    for (size_t i = 0; i < event->partition_count; i++) {
        int p = event->partitions[i].partition;
        bed->assigned[p] = true;
        starts[i] = (struct source_start){event->partitions[i], bed->starts[p], -1};
    }
    WORKS(source_start(bed->source, starts, event->partition_count, &err));
}

static void note_event(struct bed_source *bed, const struct source_event *event)
{
    struct err err;
    switch (event->kind) {
    case SOURCE_ASSIGNED:
        bed->assigns++;
        if (bed->answers) {
            answer_start(bed, event);
        }
        break;
    case SOURCE_REVOKED:
        bed->revokes++;
        bed->losts += event->lost ? 1 : 0;
        for (size_t i = 0; i < event->partition_count; i++) {
            bed->assigned[event->partitions[i].partition] = false;
        }
        if (bed->answers) {
            WORKS(source_stop(bed->source, &err));
        }
        break;
    case SOURCE_END:
        IS_NUMBER(source_position(bed->source, event->partition) >= event->position, 1);
        bed->end[event->partition.partition] = event->position;
        bed->end_high[event->partition.partition] = event->high;
        break;
    case SOURCE_LOST_RANGE:
        bed->lost_range[event->partition.partition] = event->position;
        break;
    case SOURCE_FATAL:
        fprintf(stderr, "fatal: %s\n", event->err->message);
        bed->fatals++;
        break;
    case SOURCE_TOPIC_GONE:
        bed->gones++;
        break;
    case SOURCE_TRUNCATED:
    case SOURCE_ERROR:
        fprintf(stderr, "event %d: %s\n", (int)event->kind,
                event->err == NULL ? "" : event->err->message);
        break;
    }
}

void bed_poll(struct bed_source *bed, int timeout_ms)
{
    struct err err;
    WORKS(source_poll(bed->source, timeout_ms, bed->batch, &err));
    const struct source_batch *batch = bed->batch;
    size_t next = 0;
    for (size_t e = 0; e < batch->event_count; e++) {
        while (next < batch->events[e].message_index) {
            note_message(bed, &batch->messages[next++]);
        }
        note_event(bed, &batch->events[e]);
    }
    while (next < batch->message_count) {
        note_message(bed, &batch->messages[next++]);
    }
}

void bed_poll_for(struct bed_source *bed, int milliseconds)
{
    int64_t end = bed_now_ms() + milliseconds;
    while (bed_now_ms() < end) {
        bed_poll(bed, 20);
    }
}

void bed_delete_topic(const char *name)
{
    rd_kafka_t *rk = bed_transactional("delete");
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, BED_WAIT_MS);
    IS(answer != NULL && rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(gone);
    rd_kafka_destroy(rk);
}

void bed_grow_topic(const char *name, size_t partitions)
{
    char words[256];
    rd_kafka_t *rk = bed_transactional("grow");
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(name, partitions, words, sizeof words);
    IS(more != NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreatePartitions(rk, &more, 1, NULL, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, BED_WAIT_MS);
    IS(answer != NULL && rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(more);
    rd_kafka_destroy(rk);
    struct err err;
    /* the broker that answers may hear of it after the controller has made it */
    int64_t deadline_us = clock_mono_us() + (int64_t)BED_WAIT_MS * 1000;
    int32_t known = 0;
    while (known < (int32_t)partitions) {
        WORKS(cluster_partitions(cluster, name, BED_WAIT_MS, &known, &err));
        IS(clock_mono_us() < deadline_us);
    }
}
