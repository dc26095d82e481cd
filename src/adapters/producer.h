/* Records to any topic: dead letters, and the demo's data. */
#ifndef TIDEMARK_ADAPTERS_PRODUCER_H
#define TIDEMARK_ADAPTERS_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/cluster.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/err.h"

/* An idempotent producer with acks=all. Sending does not wait for the broker; producer_flush
 * does, and nothing counts as sent before it returned true (a dead letter's build may not be
 * committed before). One thread at a time. */
struct producer;

struct producer_header {
    const char *name;
    struct bytes value;
};

struct producer_record {
    const char *topic;
    int32_t partition;    /* -1: by the hash of the key (librdkafka's default partitioner) */
    int64_t timestamp_ms; /* 0: now */
    bool has_key;
    bool has_value;
    struct bytes key;
    struct bytes value;
    const struct producer_header *headers;
    size_t header_count;
};

MUST_CHECK bool producer_new(const struct cluster_settings *settings,
                             struct producer **ret_producer, struct err *err);
struct producer *producer_free(struct producer *producer);

/* Copies the record into the queue. LIMIT: the queue is full, wait with producer_flush or
 * producer_serve; INPUT: too large; MISSING: no such topic or partition. */
MUST_CHECK bool producer_send(struct producer *producer, const struct producer_record *record,
                              struct err *err);

/* Takes in what the brokers have answered, waiting for at most timeout_ms; returns how many
 * records are not answered yet. */
size_t producer_serve(struct producer *producer, int timeout_ms);

/* Waits until all that was sent is stored. TRANSIENT: some are surely not; AMBIGUOUS: some may be.
 * The error is the first one's, and names its topic. What is not known to be stored is kept, and
 * the next flush sends it again, so some may be there twice. */
MUST_CHECK bool producer_flush(struct producer *producer, int timeout_ms, struct err *err);

#endif
