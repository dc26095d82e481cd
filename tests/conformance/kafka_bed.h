/* What the Kafka batteries share: one broker, its topics, producers of all kinds, a source with its
 * answers. */
#ifndef TIDEMARK_TESTS_CONFORMANCE_KAFKA_BED_H
#define TIDEMARK_TESTS_CONFORMANCE_KAFKA_BED_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "adapters/cluster.h"
#include "adapters/source.h"
#include "tests/support/plain.h"

enum { BED_PARTITIONS_MAX = 8, BED_OFFSETS_MAX = 65536, BED_WAIT_MS = 30000 };

void bed_start(int nodes, const char *properties);
struct cluster_settings bed_settings(void);
struct cluster *bed_cluster(void);

/* `settings` is "name=value,name=value" or NULL. */
void bed_topic(const char *name, int partitions, const char *settings);

/* `count` records "key<i>" "value<i>", i from `first`, and waits for them. */
void bed_produce(const char *topic, int partition, int first, int count);

void bed_delete_topic(const char *name);
void bed_grow_topic(const char *name, size_t partitions);

/* A transactional producer of the test's own. */
rd_kafka_t *bed_transactional(const char *id);
void bed_send(rd_kafka_t *rk, const char *topic, int partition, const char *value);

/* A source that notes all it is told, and answers when it is told to. */
struct bed_source {
    struct source *source;
    struct source_batch *batch;
    int64_t starts[BED_PARTITIONS_MAX];
    bool answers; /* ASSIGNED and REVOKED at once, from `starts` or where it was */
    bool assigned[BED_PARTITIONS_MAX];
    int assigns;
    int revokes;
    int losts;
    int64_t records[BED_PARTITIONS_MAX];
    int64_t last[BED_PARTITIONS_MAX]; /* offset; -1 none */
    int64_t end[BED_PARTITIONS_MAX];  /* position of the last END; -1 none */
    int64_t end_high[BED_PARTITIONS_MAX];
    int64_t lost_range[BED_PARTITIONS_MAX]; /* position; -1 none */
    int fatals;
    int gones;     /* TOPIC_GONE */
    uint8_t *seen; /* [partition][offset]: times; NULL: not counted */
};

void bed_open(struct bed_source *bed, const char *group, const char *member, const char *topic,
              const struct cluster_property *properties, size_t property_count);
void bed_close(struct bed_source *bed);
void bed_count(struct bed_source *bed); /* fills `seen` from now on */

/* One poll, noted and answered. */
void bed_poll(struct bed_source *bed, int timeout_ms);

/* Polls until the condition, or fails. */
#define BED_UNTIL(bed, condition)                                                                  \
    do {                                                                                           \
        int64_t deadline_ = bed_now_ms() + BED_WAIT_MS;                                            \
        while (!(condition)) {                                                                     \
            bed_poll(bed, 50);                                                                     \
            if (bed_now_ms() > deadline_) {                                                        \
                fprintf(stderr, "%s:%d: never: %s\n", __FILE__, __LINE__, #condition);             \
                exit(1);                                                                           \
            }                                                                                      \
        }                                                                                          \
    } while (0)

int64_t bed_now_ms(void);
void bed_poll_for(struct bed_source *bed, int milliseconds);

#endif
