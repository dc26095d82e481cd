/* A member's appends to the ledger: an idempotent producer that is thrown away after any error, so
 * that nothing of a failed call can appear behind the caller's back later than it must. */
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client.h"
#include "adapters/kafka/client_error.h"
#include "adapters/kafka/delivery.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/kafka/settings_copy.h"
#include "adapters/ledger.h"
#include "adapters/os/clock.h"

struct ledger_writer {
    struct settings_copy *settings;
    char *topic;
    struct client *client; /* NULL: the next append makes one */
    bool is_warm;          /* the client knows the topic */
    struct delivery delivery;
};

static bool open_client(struct ledger_writer *writer, struct err *err)
{
    if (writer->client != NULL) {
        return true;
    }
    /* Few and small records, each waited for. */
    const struct cluster_property defaults[] = {{"linger.ms", "0"}, {"compression.codec", "gzip"}};
    const struct cluster_property own[] = {{"message.max.bytes", LEDGER_MESSAGE_BYTES}};
    const struct client_options options = {
        .role = CLIENT_WRITER,
        .properties = {.defaults = defaults,
                       .default_count = LENGTH_OF(defaults),
                       .own = own,
                       .own_count = LENGTH_OF(own)},
        .delivery = delivery_on_report,
        .borrowed_owner = writer,
    };
    return client_new(settings_copy_cluster(writer->settings), &options, &writer->client, err);
}

bool ledger_writer_new(const struct ledger_settings *settings, struct ledger_writer **ret_writer,
                       struct err *err)
{
    struct ledger_writer *writer = calloc(1, sizeof(*writer));
    CHECK(writer != NULL);
    writer->settings = settings_copy_new(&settings->cluster);
    writer->topic = settings_copy_topic(settings);
    if (!open_client(writer, err)) {
        ledger_writer_free(writer);
        return false;
    }
    *ret_writer = writer;
    return true;
}

struct ledger_writer *ledger_writer_free(struct ledger_writer *writer)
{
    if (writer != NULL) {
        client_free(writer->client);
        settings_copy_free(writer->settings);
        free(writer->topic);
        free(writer);
    }
    return NULL;
}

/* What is still queued goes; what is on the wire is not waited for. */
static void drop_client(struct ledger_writer *writer)
{
    rd_kafka_purge(writer->client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                           RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_poll(writer->client->rk, 0);
    writer->client = client_free(writer->client);
    writer->is_warm = false;
}

static bool append(struct ledger_writer *writer, const struct ledger_record *records, size_t count,
                   int64_t deadline_us, struct err *err)
{
    struct delivery *delivery = &writer->delivery;
    *delivery = (struct delivery){.last_offset = -1};
    if (!delivery_send(delivery, writer->client->rk, writer->topic, records, count, err)) {
        if (delivery->sent > 0 && err->kind != ERR_SETTINGS) {
            err->kind = ERR_AMBIGUOUS;
        }
        return false;
    }
    if (!delivery_wait(delivery, writer->client->rk, deadline_us)) {
        err_set_code(err, ERR_AMBIGUOUS, RD_KAFKA_RESP_ERR__TIMED_OUT,
                     "appending to %s: no answer in time", writer->topic);
        return client_explain(writer->client, err);
    }
    if (delivery->stored == count) {
        return true;
    }
    delivery_explain(delivery, writer->client->rk, writer->topic, err);
    if (err->kind == ERR_FENCED || err->kind == ERR_TRANSIENT) {
        /* Nobody can fence a producer without a transactional id: the broker forgot its number. */
        err->kind = ERR_TRANSIENT;
    }
    if (delivery->maybe_stored || delivery->stored > 0) {
        err->kind = ERR_AMBIGUOUS;
    }
    return client_explain(writer->client, err);
}

bool ledger_append(struct ledger_writer *writer, const struct ledger_record *records, size_t count,
                   int timeout_ms, int64_t *ret_offset, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    TRY(delivery_check(records, count, err));
    TRY(open_client(writer, err));
    if (!writer->is_warm) {
        TRY(kafka_topics_warm(writer->client, writer->topic, deadline_us, err));
        writer->is_warm = true;
    }
    if (!append(writer, records, count, deadline_us, err)) {
        drop_client(writer);
        return false;
    }
    if (ret_offset != NULL) {
        *ret_offset = writer->delivery.last_offset;
    }
    return true;
}
