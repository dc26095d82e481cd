/* Single records by their offsets.
 *
 * The happy path: librdkafka's simple consumer is started at each offset, all into one queue, and
 * what comes out first of a partition is the answer. It has no assignment, so that one question may
 * follow another at once, where changes of an assignment want a pause (see source_seek).
 *
 * What can go wrong: a gap (compaction, markers, aborted records), the end of the log, or an offset
 * that the log does not hold: the record is missing. Any other trouble the library mends by itself,
 * or the time is over. */
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client_error.h"
#include "adapters/kafka/kafka_query.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/os/clock.h"

enum {
    RECORDS_AT_ONCE = 64, /* a fetch of each is in memory at worst */
    RECORDS_POLL_MS = 100,
};

struct asking {
    struct source_query *query;
    struct source_record *records; /* a part of all */
    size_t count;
    size_t first; /* index of the first one among all */
    bool started[RECORDS_AT_ONCE];
    size_t running;
    size_t open; /* without an answer */
    rd_kafka_queue_t *queue;
    source_record_fn *take;
    void *context;
    struct err trouble; /* the last one; kind NONE: none */
};

/* Of a partition that is new the handle would hear by itself only minutes later. */
static bool know(struct source_query *query, uint32_t topic, int32_t partition, int64_t deadline_us,
                 struct err *err)
{
    if (partition < query->known[topic]) {
        return true;
    }
    const struct rd_kafka_metadata *metadata = NULL;
    TRY(kafka_topics_metadata(query->committed, query->topics[topic], client_wait_ms(deadline_us),
                              &metadata, err));
    query->known[topic] = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return partition < query->known[topic] ||
           err_set(err, ERR_MISSING, "topic %s has no partition %d", query->topics[topic],
                   (int)partition);
}

static bool open_topics(struct source_query *query, const struct source_record *records,
                        size_t count, int64_t deadline_us, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t topic = records[i].partition.topic;
        if (topic >= query->topic_count || records[i].partition.partition < 0 ||
            records[i].offset < 0) {
            return err_set(err, ERR_INPUT, "a question about a record that cannot be");
        }
        if (query->opened[topic] == NULL) {
            query->opened[topic] =
                rd_kafka_topic_new(query->committed->rk, query->topics[topic], NULL);
        }
        if (query->opened[topic] == NULL) {
            return client_error_set(err, rd_kafka_last_error(), "topic %s", query->topics[topic]);
        }
        TRY(know(query, topic, records[i].partition.partition, deadline_us, err));
    }
    return true;
}

static rd_kafka_topic_t *topic_of(const struct asking *asking, size_t index)
{
    return asking->query->opened[asking->records[index].partition.topic];
}

static void begin(struct asking *asking)
{
    for (size_t i = 0; i < asking->count; i++) {
        const struct source_record *record = &asking->records[i];
        asking->started[i] =
            rd_kafka_consume_start_queue(topic_of(asking, i), record->partition.partition,
                                         record->offset, asking->queue) == 0;
        if (asking->started[i]) {
            asking->running++;
        } else {
            client_error_set(&asking->trouble, rd_kafka_last_error(), "%s[%d] at offset %lld",
                             rd_kafka_topic_name(topic_of(asking, i)),
                             (int)record->partition.partition, (long long)record->offset);
        }
    }
    asking->open = asking->count;
}

static void end(struct asking *asking, size_t index)
{
    if (asking->started[index]) {
        asking->started[index] = false;
        asking->running--;
        rd_kafka_consume_stop(topic_of(asking, index), asking->records[index].partition.partition);
    }
}

static void hand_out(struct asking *asking, size_t index, const rd_kafka_message_t *message)
{
    static const uint8_t nothing[1] = {0};
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    const struct source_message out = {
        .topic = asking->records[index].partition.topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
        .leader_epoch = -1,
        .has_key = message->key != NULL,
        .has_value = message->payload != NULL,
        .key = bytes_of(message->key_len == 0 ? nothing : message->key, message->key_len),
        .value = bytes_of(message->len == 0 ? nothing : message->payload, message->len),
    };
    asking->take(asking->context, asking->first + index, &out);
}

/* The record that a message, or its error, is about; -1: none that is open. */
static int find(const struct asking *asking, const rd_kafka_message_t *message)
{
    for (size_t i = 0; message->rkt != NULL && i < asking->count; i++) {
        const struct source_record *record = &asking->records[i];
        if (asking->started[i] && record->partition.partition == message->partition &&
            strcmp(rd_kafka_topic_name(message->rkt), rd_kafka_topic_name(topic_of(asking, i))) ==
                0) {
            return (int)i;
        }
    }
    return -1;
}

static void answer(struct asking *asking, size_t index, enum source_record_state state)
{
    asking->records[index].state = state;
    asking->open--;
    end(asking, index);
}

static void hear_error(struct asking *asking, int index, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
        message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        if (index >= 0) {
            answer(asking, (size_t)index, SOURCE_RECORD_MISSING);
        }
        return;
    }
    client_error_set(&asking->trouble, message->err, "reading single records: %s",
                     rd_kafka_message_errstr(message));
    /* What is left of a partition that went keeps the handle alive: see client_free. */
    asking->query->committed->is_stuck = asking->query->committed->is_stuck ||
                                         asking->trouble.kind == ERR_MISSING;
}

static void hear(struct asking *asking, const rd_kafka_message_t *message)
{
    int index = find(asking, message);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        hear_error(asking, index, message);
    } else if (index >= 0 && message->offset == asking->records[index].offset) {
        hand_out(asking, (size_t)index, message);
        answer(asking, (size_t)index, SOURCE_RECORD_FOUND);
    } else if (index >= 0 && message->offset > asking->records[index].offset) {
        answer(asking, (size_t)index, SOURCE_RECORD_MISSING);
    }
}

static bool ask(struct asking *asking, int64_t deadline_us, const atomic_bool *stop_now,
                struct err *err)
{
    TRY(open_topics(asking->query, asking->records, asking->count, deadline_us, err));
    asking->queue = rd_kafka_queue_new(asking->query->committed->rk);
    begin(asking);
    while (asking->running > 0 && !atomic_load(stop_now) && clock_mono_us() < deadline_us) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(asking->queue, RECORDS_POLL_MS);
        if (message != NULL) {
            hear(asking, message);
            rd_kafka_message_destroy(message);
        }
    }
    for (size_t i = 0; i < asking->count; i++) {
        end(asking, i);
    }
    rd_kafka_queue_destroy(asking->queue);
    if (asking->open == 0) {
        return true;
    }
    if (atomic_load(stop_now)) {
        return err_set(err, ERR_STOPPED, "stopped while single records were read");
    }
    if (asking->trouble.kind != ERR_NONE) {
        *err = asking->trouble;
        return false;
    }
    err_set(err, ERR_TRANSIENT, "%zu of %zu single records did not come", asking->open,
            asking->count);
    return client_explain(asking->query->committed, err);
}

bool source_query_records(struct source_query *query, struct source_record *records, size_t count,
                          source_record_fn *take, void *context, int timeout_ms,
                          const atomic_bool *stop, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    for (size_t i = 0; i < count; i++) {
        records[i].state = SOURCE_RECORD_UNKNOWN;
    }
    for (size_t at = 0; at < count; at += RECORDS_AT_ONCE) {
        struct asking asking = {
            .query = query,
            .records = records + at,
            .count = count - at < RECORDS_AT_ONCE ? count - at : RECORDS_AT_ONCE,
            .first = at,
            .take = take,
            .context = context,
        };
        TRY(ask(&asking, deadline_us, stop, err));
    }
    return true;
}
