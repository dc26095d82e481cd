/* What the files of questions about the topics share. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_KAFKA_QUERY_H
#define TIDEMARK_ADAPTERS_KAFKA_KAFKA_QUERY_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

#include "adapters/kafka/client.h"
#include "adapters/source.h"

struct source_query {
    struct client *committed;
    struct client *uncommitted;
    char **topics;
    size_t topic_count;
    size_t partitions;         /* of all topics, as the second handle knows them */
    rd_kafka_topic_t **opened; /* by topic, of the first handle: kafka_records.c; NULL: not yet */
    int32_t *known;            /* partitions of each topic, as that handle knows them */
};

#endif
