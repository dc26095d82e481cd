/* Ledger records on their way into the log: sent together, and what became of them. */
#include "adapters/kafka/delivery.h"

#include "adapters/kafka/client.h"
#include "adapters/kafka/client_error.h"
#include "adapters/os/clock.h"

bool delivery_check(const struct ledger_record *records, size_t count, struct err *err)
{
    if (count == 0) {
        return err_set(err, ERR_INPUT, "nothing to append");
    }
    for (size_t i = 0; i < count; i++) {
        size_t size = records[i].key.size + records[i].value.size;
        if (size > LEDGER_RECORD_BYTES_MAX) {
            return err_set(err, ERR_INPUT,
                           "the ledger record %.*s has %zu bytes, at most %d are possible: fewer "
                           "partitions or shards are needed",
                           (int)(records[i].key.size < 200 ? records[i].key.size : 200),
                           (const char *)records[i].key.data, size, LEDGER_RECORD_BYTES_MAX);
        }
    }
    return true;
}

bool delivery_send(struct delivery *delivery, rd_kafka_t *rk, const char *topic,
                   const struct ledger_record *records, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct bytes key = records[i].key;
        struct bytes value = records[i].value;
        if (records[i].is_tombstone) {
            value = (struct bytes){0};
        } else if (value.data == NULL) {
            value = bytes_of("", 0); /* no tombstone: its pointer may not be NULL */
        }
        rd_kafka_resp_err_t code = rd_kafka_producev(
            rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data, key.size),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.size),
            RD_KAFKA_V_OPAQUE(delivery), RD_KAFKA_V_END);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            delivery->code = code;
            delivery->kind = client_error_kind(code);
            return delivery_explain(delivery, rk, topic, err);
        }
        delivery->sent++;
    }
    return true;
}

bool delivery_wait(struct delivery *delivery, rd_kafka_t *rk, int64_t deadline_us)
{
    while (delivery->answered < delivery->sent) {
        int wait_ms = client_wait_ms(deadline_us);
        rd_kafka_poll(rk, wait_ms < 100 ? wait_ms : 100);
        if (wait_ms == 0) {
            return delivery->answered == delivery->sent;
        }
    }
    return true;
}

/* A transaction that failed says why when another one is to be begun; that changes nothing. */
static rd_kafka_resp_err_t reason_of(rd_kafka_t *rk)
{
    rd_kafka_error_t *failed = rd_kafka_begin_transaction(rk);
    rd_kafka_resp_err_t code = rd_kafka_error_code(failed);
    if (failed != NULL) {
        rd_kafka_error_destroy(failed);
    }
    return code;
}

bool delivery_explain(const struct delivery *delivery, rd_kafka_t *rk, const char *topic,
                      struct err *err)
{
    client_error_set(err, delivery->code, "appending to %s", topic);
    err->kind = delivery->kind;
    if (delivery->code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        delivery->code == RD_KAFKA_RESP_ERR__FATAL) {
        char words[256] = "";
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(rk, words, sizeof(words));
        rd_kafka_resp_err_t code = client_error_is_right(fatal) ? fatal : reason_of(rk);
        if (client_error_is_right(code)) {
            client_error_set(err, code, "appending to %s", topic);
        }
    }
    return client_error_right(err, "Write on the topic %s", topic);
}

void delivery_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    struct delivery *delivery = message->_private;
    delivery->answered++;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        delivery->stored++;
        if (message->offset > delivery->last_offset) {
            delivery->last_offset = message->offset;
        }
        return;
    }
    if (rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
        delivery->maybe_stored = true;
    }
    if (delivery->code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        delivery->code = message->err;
        delivery->kind = client_error_delivery_kind(message->err, rd_kafka_message_status(message));
    }
}
