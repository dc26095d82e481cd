/* What an error of librdkafka asks of the caller: the one place where codes become kinds. */
#include "adapters/kafka/client_error.h"

#include <stdarg.h>
#include <stdio.h>

struct kind_of_code {
    rd_kafka_resp_err_t code;
    enum err_kind kind;
};

/* All that is not here is TRANSIENT: brokers that are away, elections, coordinators that move.
 * Codes that only newer libraries know are written as numbers, so that 2.0.2's header will do. */
static const struct kind_of_code KINDS[] = {
    {RD_KAFKA_RESP_ERR_NO_ERROR, ERR_NONE},

    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, ERR_AMBIGUOUS},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, ERR_AMBIGUOUS},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, ERR_TRANSIENT},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, ERR_AMBIGUOUS},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, ERR_AMBIGUOUS},

    {RD_KAFKA_RESP_ERR__FENCED, ERR_FENCED},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ERR_FENCED},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ERR_FENCED},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, ERR_FENCED},
    {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, ERR_FENCED},
    {(rd_kafka_resp_err_t)111, ERR_FENCED}, /* UNRELEASED_INSTANCE_ID, KIP-848 */

    {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, ERR_CONFLICT},
    {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, ERR_CONFLICT},
    {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, ERR_CONFLICT},
    {RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, ERR_CONFLICT},
    {RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, ERR_CONFLICT},

    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ERR_MISSING},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ERR_MISSING},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ERR_MISSING},
    {(rd_kafka_resp_err_t)100, ERR_MISSING}, /* UNKNOWN_TOPIC_ID */
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, ERR_MISSING},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, ERR_MISSING},

    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERR_INPUT},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, ERR_INPUT},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, ERR_INPUT},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ERR_INPUT},

    {RD_KAFKA_RESP_ERR__BAD_MSG, ERR_CORRUPT},
    {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, ERR_CORRUPT},
    {(rd_kafka_resp_err_t)-139, ERR_CORRUPT}, /* _LOG_TRUNCATION, 2.1.0 */

    {RD_KAFKA_RESP_ERR__QUEUE_FULL, ERR_LIMIT},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, ERR_LIMIT},

    {RD_KAFKA_RESP_ERR__AUTHENTICATION, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR__SSL, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR__INVALID_ARG, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR__NOT_CONFIGURED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_SECURITY_DISABLED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ERR_SETTINGS},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ERR_SETTINGS},

    {RD_KAFKA_RESP_ERR__DESTROY, ERR_STOPPED},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, ERR_STOPPED},
};

enum err_kind client_error_kind(rd_kafka_resp_err_t code)
{
    /* Before 2.2.0 a peer that closes TLS without a goodbye is an SSL error (its issue 4294), which
     * happens at every restart of a broker. */
    if (code == RD_KAFKA_RESP_ERR__SSL && rd_kafka_version() < 0x020200ff) {
        return ERR_TRANSIENT;
    }
    for (size_t i = 0; i < LENGTH_OF(KINDS); i++) {
        if (KINDS[i].code == code) {
            return KINDS[i].kind;
        }
    }
    return ERR_TRANSIENT;
}

enum err_kind client_error_delivery_kind(rd_kafka_resp_err_t code, rd_kafka_msg_status_t status)
{
    enum err_kind kind = client_error_kind(code);
    switch (kind) {
    case ERR_FENCED:
    case ERR_SETTINGS:
    case ERR_INPUT:
    case ERR_MISSING:
        return kind; /* the broker refused it: the reason says more than the outcome */
    case ERR_NONE:
    case ERR_TRANSIENT:
    case ERR_AMBIGUOUS:
    case ERR_CONFLICT:
    case ERR_CORRUPT:
    case ERR_LIMIT:
    case ERR_STOPPED:
        break;
    }
    return status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED ? ERR_TRANSIENT : ERR_AMBIGUOUS;
}

PRINTF_LIKE(4, 0)
static bool set(struct err *err, rd_kafka_resp_err_t code, const char *words, const char *format,
                va_list args)
{
    char context[ERR_MESSAGE_MAX];
    vsnprintf(context, sizeof(context), format, args);
    err_set_code(err, client_error_kind(code), (int)code, "%s: %s", context, words);
    return err_place(err, ERR_OF_KAFKA);
}

bool client_error_set(struct err *err, rd_kafka_resp_err_t code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, rd_kafka_err2str(code), format, args);
    va_end(args);
    return false;
}

bool client_error_take(struct err *err, rd_kafka_error_t *take_error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, rd_kafka_error_code(take_error), rd_kafka_error_string(take_error), format, args);
    va_end(args);
    rd_kafka_error_destroy(take_error);
    return false;
}

bool client_error_is_right(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
}

bool client_error_right(struct err *err, const char *format, ...)
{
    if (!client_error_is_right((rd_kafka_resp_err_t)err->code)) {
        return false;
    }
    char right[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(right, sizeof(right), format, args);
    va_end(args);
    enum err_place place = err->place;
    err_set_code(err, ERR_SETTINGS, err->code, "%.240s; what is needed: %.240s", err->message,
                 right);
    err_place(err, place);
    return false;
}
