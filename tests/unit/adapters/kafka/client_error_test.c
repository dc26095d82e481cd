/* Does each code of Kafka ask the right thing of the caller? */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/kafka/client_error.h"

struct row {
    rd_kafka_resp_err_t code;
    enum err_kind kind;
};

Test(client_error, kinds)
{
    static const struct row ROWS[] = {
        {RD_KAFKA_RESP_ERR_NO_ERROR, ERR_NONE},
        {RD_KAFKA_RESP_ERR__TRANSPORT, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR__RESOLVE, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, ERR_AMBIGUOUS},
        {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, ERR_AMBIGUOUS},
        {RD_KAFKA_RESP_ERR__FENCED, ERR_FENCED},
        {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ERR_FENCED},
        {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, ERR_FENCED},
        {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, ERR_CONFLICT},
        {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, ERR_CONFLICT},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_MISSING},
        {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ERR_MISSING},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERR_INPUT},
        {(rd_kafka_resp_err_t)-139, ERR_CORRUPT},
        {RD_KAFKA_RESP_ERR__QUEUE_FULL, ERR_LIMIT},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_SETTINGS},
        {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ERR_SETTINGS},
        {RD_KAFKA_RESP_ERR__DESTROY, ERR_STOPPED},
        {(rd_kafka_resp_err_t)9999, ERR_TRANSIENT}, /* of a broker newer than we are */
    };
    for (size_t i = 0; i < LENGTH_OF(ROWS); i++) {
        cr_expect(client_error_kind(ROWS[i].code) == ROWS[i].kind, "%s is %s, not %s",
                  rd_kafka_err2name(ROWS[i].code), err_kind_name(client_error_kind(ROWS[i].code)),
                  err_kind_name(ROWS[i].kind));
    }
}

/* Before 2.2.0 a TLS peer that hangs up looks like a TLS fault. */
Test(client_error, tls_by_version)
{
    cr_expect_eq(client_error_kind(RD_KAFKA_RESP_ERR__SSL),
                 rd_kafka_version() < 0x020200ff ? ERR_TRANSIENT : ERR_SETTINGS);
}

Test(client_error, deliveries)
{
    static const struct {
        rd_kafka_resp_err_t code;
        rd_kafka_msg_status_t status;
        enum err_kind kind;
    } ROWS[] = {
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_MSG_STATUS_NOT_PERSISTED, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED, ERR_AMBIGUOUS},
        {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED, ERR_AMBIGUOUS},
        {RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_MSG_STATUS_NOT_PERSISTED, ERR_TRANSIENT},
        {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED, ERR_AMBIGUOUS},
        {RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_MSG_STATUS_NOT_PERSISTED, ERR_FENCED},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_MSG_STATUS_NOT_PERSISTED,
         ERR_SETTINGS},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_MSG_STATUS_NOT_PERSISTED, ERR_INPUT},
    };
    for (size_t i = 0; i < LENGTH_OF(ROWS); i++) {
        cr_expect_eq(client_error_delivery_kind(ROWS[i].code, ROWS[i].status), ROWS[i].kind,
                     "row %zu", i);
    }
}

Test(client_error, says_what_was_done)
{
    struct err err;
    cr_assert_not(client_error_set(&err, RD_KAFKA_RESP_ERR__TIMED_OUT, "asking about %s", "t"));
    cr_expect_str_eq(err.message, "asking about t: Local: Timed out");
    cr_expect_eq(err.kind, ERR_TRANSIENT);
    cr_expect_eq(err.code, (int)RD_KAFKA_RESP_ERR__TIMED_OUT);
}

Test(client_error, rights_are_named)
{
    struct err err = {0};
    client_error_set(&err, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "topic t");
    cr_expect_not(client_error_right(&err, "%s on the topic %s", "Read", "t"));
    cr_expect(err.kind == ERR_SETTINGS && err.place == ERR_OF_KAFKA);
    cr_expect_str_eq(
        err.message,
        "topic t: Broker: Topic authorization failed; what is needed: Read on the topic t");
    client_error_set(&err, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "topic t");
    cr_expect_not(client_error_right(&err, "Read on the topic t"));
    cr_expect(err.kind == ERR_MISSING && strstr(err.message, "needed") == NULL);
}
