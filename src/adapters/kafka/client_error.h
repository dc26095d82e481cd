/* What an error of librdkafka asks of the caller: the one place where codes become kinds. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_CLIENT_ERROR_H
#define TIDEMARK_ADAPTERS_KAFKA_CLIENT_ERROR_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "core/base/check.h"
#include "core/base/err.h"

/* The kind of a code where nothing else is known: a question, a consumer's error, an order that was
 * refused. What was produced or committed has more to say: client_error_delivery_kind, and the
 * transaction's own flags (kafka_leadership.c). */
enum err_kind client_error_kind(rd_kafka_resp_err_t code);

/* The kind of a failed delivery: TRANSIENT becomes AMBIGUOUS where the record may be in the log. */
enum err_kind client_error_delivery_kind(rd_kafka_resp_err_t code, rd_kafka_msg_status_t status);

/* "<formatted>: <Kafka's words>", with the kind of the code. Returns false. */
bool client_error_set(struct err *err, rd_kafka_resp_err_t code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same of a rd_kafka_error_t, which ends here. Returns false. */
bool client_error_take(struct err *err, rd_kafka_error_t *take_error, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* True of the codes with which Kafka says that a user may not do something. */
bool client_error_is_right(rd_kafka_resp_err_t code);

/* Where the error's code is one of those: adds which right is needed, "Read on the topic t"; else
 * nothing. Returns false. */
bool client_error_right(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
