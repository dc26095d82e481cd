/* How a term ends: for us at once, in callbacks too; its producer where there is time to wait. */
#include "adapters/kafka/kafka_leadership.h"

void leadership_end_term(struct leadership *leadership)
{
    leadership->in_term = false;
}

void leadership_drop_producer(struct leadership *leadership)
{
    leadership->in_term = false;
    if (leadership->producer != NULL) {
        rd_kafka_purge(leadership->producer->rk, RD_KAFKA_PURGE_F_QUEUE |
                                                     RD_KAFKA_PURGE_F_INFLIGHT |
                                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
        leadership->producer = client_free(leadership->producer);
    }
}
