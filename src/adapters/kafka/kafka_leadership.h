/* What the files of leadership share: the candidate in the leader group, the term's producer. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_KAFKA_LEADERSHIP_H
#define TIDEMARK_ADAPTERS_KAFKA_KAFKA_LEADERSHIP_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "adapters/kafka/client.h"
#include "adapters/kafka/delivery.h"
#include "adapters/kafka/settings_copy.h"
#include "adapters/leadership.h"

/* All of it belongs to the thread that calls leadership_poll. */
struct leadership {
    struct settings_copy *settings;
    char *topic;
    char *id; /* `<group>.leader`: the group of the candidates and the transactional id */
    char session_timeout_ms[16];
    char max_poll_interval_ms[16];
    char transaction_timeout_ms[16];

    struct client *candidate;
    bool is_elected;
    bool is_told;      /* the caller knows that it is elected */
    bool must_unelect; /* the caller must hear UNELECTED before anything else */

    struct client *producer; /* NULL: no term */
    bool in_term;
    struct delivery delivery;
};

/* -- kafka_leadership.c -- */

/* False with CONFLICT (the group's coordinator does not know us as its partition's owner) or
 * TRANSIENT (it did not answer, or a rebalance is on). */
MUST_CHECK bool leadership_confirm(struct leadership *leadership, int64_t deadline_us,
                                   struct err *err);

/* -- kafka_term_end.c -- */

/* Ends the term and its producer. Not for callbacks, since it waits for librdkafka's threads. */
void leadership_drop_producer(struct leadership *leadership);

#endif
