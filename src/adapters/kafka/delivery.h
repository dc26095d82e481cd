/* Ledger records on their way into the log: sent together, and what became of them. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_DELIVERY_H
#define TIDEMARK_ADAPTERS_KAFKA_DELIVERY_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/ledger.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* Belongs to the thread that polls the producer. Must live until the producer is freed or all is
 * answered: reports point to it. */
struct delivery {
    size_t sent;
    size_t answered;
    size_t stored;
    bool maybe_stored;        /* of those that failed, one may be in the log */
    int64_t last_offset;      /* highest; -1 none */
    rd_kafka_resp_err_t code; /* of the first that failed */
    enum err_kind kind;
};

/* False with INPUT when a record is too large for the ledger, or there is none. Sends nothing. */
MUST_CHECK bool delivery_check(const struct ledger_record *records, size_t count, struct err *err);

/* Copies all into the producer's queue, partition 0. False: the queue refused one, with
 * the error of delivery_explain; those before it are on their way. */
MUST_CHECK bool delivery_send(struct delivery *delivery, rd_kafka_t *rk, const char *topic,
                              const struct ledger_record *records, size_t count, struct err *err);

/* Serves reports until all that was sent is answered. False: the time was over first. */
MUST_CHECK bool delivery_wait(struct delivery *delivery, rd_kafka_t *rk, int64_t deadline_us);

/* The failure of what was refused or answered, and what is needed where it is a right: the code of
 * the first that failed, or where the producer gave up as a whole ("Purged in queue", "Fatal
 * error") its reason. Kinds are those of client_error_delivery_kind. Returns false. */
bool delivery_explain(const struct delivery *delivery, rd_kafka_t *rk, const char *topic,
                      struct err *err);

/* The producer's delivery callback. */
void delivery_on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);

#endif
