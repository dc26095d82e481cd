/* One handle of librdkafka: made, named, heard and ended. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_CLIENT_H
#define TIDEMARK_ADAPTERS_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "adapters/cluster.h"
#include "adapters/kafka/client_settings.h"
#include "adapters/kafka/client_words.h"
#include "adapters/os/lock.h"
#include "core/base/check.h"
#include "core/base/err.h"

enum { CLIENT_PROBLEM_MAX = 320 };

/* Log lines, and the refresh of OAUTHBEARER tokens, are served by librdkafka's background thread,
 * so both go on while nobody polls. */
struct client {
    rd_kafka_t *rk;
    void *borrowed_owner; /* what callbacks work on */
    enum client_role role;
    struct lock lock;
    bool is_stuck; /* a partition went while it was read: see client_free */
    struct {
        char problem[CLIENT_PROBLEM_MAX]; /* the last trouble it logged */
        int64_t problem_us;
        enum client_words problem_kind;
        int64_t refused_us; /* since when brokers refuse us; 0: none does */
        bool is_known;      /* a broker has answered a question */
        bool is_ending;
        int64_t session_lost_us; /* when it last gave its membership up by itself; 0 never */
        bool lost_partitions;    /* it said that a topic has fewer than before */
        bool said_fatal;
    } locked;
};

struct client_options {
    enum client_role role;
    struct client_properties properties;
    /* What comes out of them is for client_owner(opaque). NULL: none. Served by the polling thread.
     */
    void (*rebalance)(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *partitions, void *opaque);
    void (*error)(rd_kafka_t *rk, int code, const char *reason, void *opaque);
    int (*statistics)(rd_kafka_t *rk, char *json, size_t size, void *opaque);
    void (*delivery)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
    void *borrowed_owner;
};

/* SETTINGS. Starts librdkafka's threads; connects by itself. */
MUST_CHECK bool client_new(const struct cluster_settings *settings,
                           const struct client_options *options, struct client **ret_client,
                           struct err *err);

/* Consumers that joined a group: client_close first. Waits for librdkafka's threads only. A handle
 * that is stuck is left alone instead, threads and all, where waiting would never end: before 2.6.1
 * the messages of a partition that went keep the handle alive (librdkafka 4724). */
struct client *client_free(struct client *client);

/* Leaves the group, giving up what it has; no callback is called. Waits for at most timeout_ms. */
void client_close(struct client *client, int timeout_ms);

/* Completes a rebalance at once, for those who are closing and want nothing of it. */
void client_give_up(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                    const rd_kafka_topic_partition_list_t *partitions);

/* After a fatal error: true when the client itself gave its membership up a short while before,
 * because no coordinator answered or nobody polled. */
bool client_lost_session(struct client *client);

/* After fetching: true when a topic or partition has gone since, as far as the handle knows, where
 * that may keep it from ending: it is stuck then (see client_free). */
bool client_lost_partitions(struct client *client);

/* The owner out of a callback's opaque. */
void *client_owner(void *opaque);

/* Adds the last trouble, if it is a fresh one, to the error of a call that waited in vain: "…
 * (last: …)", and where settings are to blame, which. SETTINGS where that is sure and the handle is
 * one for questions. Returns false. */
bool client_explain(struct client *client, struct err *err);

/* A property as librdkafka has it; "" where it tells none. */
void client_property(const struct client *client, const char *name, char *ret_value, size_t size);

/* rd_kafka_metadata of one topic, or without one of the brokers alone. Of a handle that no broker
 * has answered yet it ends early where brokers refuse us (a user, a certificate) for some seconds.
 */
rd_kafka_resp_err_t client_metadata(struct client *client, rd_kafka_topic_t *topic, int timeout_ms,
                                    const struct rd_kafka_metadata **ret_metadata);

/* Milliseconds from now to a moment of clock_mono_us, for librdkafka: 0 when it is over. */
int client_wait_ms(int64_t deadline_us);

#endif
