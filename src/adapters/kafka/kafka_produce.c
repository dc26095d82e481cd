/* The plain producer: dead letters with headers, the demo's records. */
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client.h"
#include "adapters/kafka/client_error.h"
#include "adapters/kafka/settings_copy.h"
#include "adapters/os/clock.h"
#include "adapters/producer.h"

enum { IN_FLIGHT_MAX = 50000, PURGE_MS = 5000 };

/* A record that was not stored, or maybe not: it is sent again. */
struct kept {
    struct kept *next;
    struct producer_record record; /* topic and bytes are in `data`; no headers */
    rd_kafka_headers_t *headers;   /* NULL: none */
    uint8_t data[];
};

struct producer {
    struct settings_copy *settings;
    struct client *client; /* NULL after an error, until the next record */
    size_t in_flight;
    struct kept *kept; /* in the order of the reports */
    struct kept **kept_end;
    size_t kept_count;
    bool is_failed; /* since the last flush */
    struct err failure;
};

static void keep(struct producer *producer, const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    size_t topic_size = strlen(topic) + 1;
    struct kept *kept = calloc(1, sizeof *kept + topic_size + message->key_len + message->len);
    CHECK(kept != NULL);
    uint8_t *key = kept->data + topic_size;
    memcpy(kept->data, topic, topic_size);
    if (message->key_len > 0) {
        memcpy(key, message->key, message->key_len);
    }
    if (message->len > 0) {
        memcpy(key + message->key_len, message->payload, message->len);
    }
    rd_kafka_timestamp_type_t type;
    kept->record = (struct producer_record){
        .topic = (const char *)kept->data,
        .partition = message->partition,
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .has_key = message->key != NULL,
        .has_value = message->payload != NULL,
        .key = bytes_of(key, message->key_len),
        .value = bytes_of(key + message->key_len, message->len),
    };
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kept->headers = rd_kafka_headers_copy(headers);
    }
    *producer->kept_end = kept;
    producer->kept_end = &kept->next;
    producer->kept_count++;
}

static void drop_first_kept(struct producer *producer)
{
    struct kept *kept = producer->kept;
    producer->kept = kept->next;
    if (producer->kept == NULL) {
        producer->kept_end = &producer->kept;
    }
    producer->kept_count--;
    if (kept->headers != NULL) {
        rd_kafka_headers_destroy(kept->headers);
    }
    free(kept);
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct producer *producer = client_owner(opaque);
    producer->in_flight--;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    keep(producer, message);
    enum err_kind kind = client_error_delivery_kind(message->err, rd_kafka_message_status(message));
    if (!producer->is_failed) {
        client_error_set(&producer->failure, message->err, "sending to topic %s",
                         rd_kafka_topic_name(message->rkt));
        producer->failure.kind = kind;
        client_error_right(&producer->failure, "Write on the topic %s",
                           rd_kafka_topic_name(message->rkt));
        producer->is_failed = true;
    } else if (kind == ERR_AMBIGUOUS && producer->failure.kind == ERR_TRANSIENT) {
        producer->failure.kind = kind;
    }
}

static bool open_client(struct producer *producer, struct err *err)
{
    if (producer->client != NULL) {
        return true;
    }
    const struct client_options options = {
        .role = CLIENT_PRODUCER,
        .delivery = on_report,
        .borrowed_owner = producer,
    };
    return client_new(settings_copy_cluster(producer->settings), &options, &producer->client, err);
}

bool producer_new(const struct cluster_settings *settings, struct producer **ret_producer,
                  struct err *err)
{
    struct producer *producer = calloc(1, sizeof(*producer));
    CHECK(producer != NULL);
    producer->kept_end = &producer->kept;
    producer->settings = settings_copy_new(settings);
    if (!open_client(producer, err)) {
        producer_free(producer);
        return false;
    }
    *ret_producer = producer;
    return true;
}

struct producer *producer_free(struct producer *producer)
{
    if (producer != NULL) {
        client_free(producer->client);
        while (producer->kept != NULL) {
            drop_first_kept(producer);
        }
        settings_copy_free(producer->settings);
        free(producer);
    }
    return NULL;
}

static rd_kafka_headers_t *copy_headers(const struct producer_record *record)
{
    if (record->header_count == 0) {
        return NULL;
    }
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct producer_header *header = &record->headers[i];
        rd_kafka_header_add(headers, header->name, -1, header->value.data,
                            (ssize_t)header->value.size);
    }
    return headers;
}

static void *pointer_of(bool is_there, struct bytes bytes)
{
    static const uint8_t NOTHING[1];
    if (!is_there) {
        return NULL;
    }
    return (void *)(uintptr_t)(bytes.data != NULL ? bytes.data : NOTHING);
}

/* Takes the headers, unless it fails. */
static bool hand_over(struct producer *producer, const struct producer_record *record,
                      rd_kafka_headers_t *headers, struct err *err)
{
    /* Headers by RD_KAFKA_V_HEADERS: those given one by one are freed twice on errors before 2.12.
     */
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer->client->rk, RD_KAFKA_V_TOPIC(record->topic),
        RD_KAFKA_V_PARTITION(record->partition < 0 ? RD_KAFKA_PARTITION_UA : record->partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(pointer_of(record->has_key, record->key),
                       record->has_key ? record->key.size : 0),
        RD_KAFKA_V_VALUE(pointer_of(record->has_value, record->value),
                         record->has_value ? record->value.size : 0),
        RD_KAFKA_V_TIMESTAMP(record->timestamp_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return client_error_set(err, code, "sending to topic %s", record->topic);
    }
    producer->in_flight++;
    return true;
}

/* An idempotent producer that failed may be good for nothing: a fresh one takes its place, when
 * all of its records are answered. */
static bool fail(struct producer *producer, const struct err *failure, struct err *err)
{
    *err = *failure;
    client_explain(producer->client, err);
    rd_kafka_purge(producer->client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    int64_t deadline_us = clock_mono_us() + (int64_t)PURGE_MS * 1000;
    while (producer->in_flight > 0 && client_wait_ms(deadline_us) > 0) {
        rd_kafka_poll(producer->client->rk, 100);
    }
    if (producer->in_flight == 0) {
        producer->client = client_free(producer->client);
    }
    producer->is_failed = false;
    return false;
}

/* What was kept goes first. */
static bool send_kept(struct producer *producer, struct err *err)
{
    if (producer->kept == NULL) {
        return true;
    }
    if (producer->is_failed && producer->client != NULL) {
        struct err old;
        (void)fail(producer, &producer->failure, &old);
    }
    TRY(open_client(producer, err));
    for (size_t left = producer->kept_count; left > 0; left--) {
        struct kept *first = producer->kept;
        TRY(hand_over(producer, &first->record, first->headers, err));
        first->headers = NULL;
        drop_first_kept(producer);
    }
    return true;
}

bool producer_send(struct producer *producer, const struct producer_record *record, struct err *err)
{
    TRY(open_client(producer, err));
    if (producer->in_flight == 0 && producer->kept_count >= IN_FLIGHT_MAX) {
        TRY(send_kept(producer, err));
    }
    if (producer->in_flight + producer->kept_count >= IN_FLIGHT_MAX) {
        return err_set(err, ERR_LIMIT, "sending to topic %s: %d records are not answered yet",
                       record->topic, IN_FLIGHT_MAX);
    }
    rd_kafka_headers_t *headers = copy_headers(record);
    if (!hand_over(producer, record, headers, err)) {
        if (headers != NULL) {
            rd_kafka_headers_destroy(headers);
        }
        return false;
    }
    return true;
}

size_t producer_serve(struct producer *producer, int timeout_ms)
{
    if (producer->client != NULL) {
        rd_kafka_poll(producer->client->rk, timeout_ms);
    }
    return producer->in_flight + producer->kept_count;
}

bool producer_flush(struct producer *producer, int timeout_ms, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    TRY(send_kept(producer, err));
    if (producer->client == NULL) {
        return true;
    }
    while (producer->in_flight > 0) {
        int wait_ms = client_wait_ms(deadline_us);
        /* rd_kafka_flush ends the linger of what waits; its callbacks come from within. */
        rd_kafka_flush(producer->client->rk, wait_ms < 100 ? wait_ms : 100);
        if (wait_ms == 0) {
            break;
        }
    }
    if (producer->in_flight > 0) {
        struct err late;
        err_set_code(&late, ERR_AMBIGUOUS, RD_KAFKA_RESP_ERR__TIMED_OUT,
                     "%zu records without an answer", producer->in_flight);
        return fail(producer, &late, err);
    }
    return !producer->is_failed || fail(producer, &producer->failure, err);
}
