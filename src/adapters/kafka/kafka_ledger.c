/* Reading the ledger from its start.
 *
 * The happy path: one partition is assigned by hand, without a group; records are copied into the
 * reader's arena; EOF comes at the last stable offset.
 *
 * What can go wrong: the topic is deleted, cut or made again while we read, which makes all that
 * was folded worthless: an offset that the log no longer has is CORRUPT, never a jump. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client.h"
#include "adapters/kafka/client_error.h"
#include "adapters/ledger.h"
#include "adapters/os/log.h"

enum { RECORDS_MAX = 1000, BATCH_BYTES_MAX = 4 << 20, CHUNK_BYTES = 1 << 18, LEADER_MS = 1000 };

struct ledger_reader {
    struct client *client;
    char *topic;
    char *group; /* librdkafka looks for its coordinator, though nothing joins it */
    struct arena *arena;
    struct ledger_record *records;
    int64_t next_offset; /* -1: nothing heard yet */
    int64_t from_offset;
    bool at_end;
};

/* librdkafka looks for the first offset of a partition whose leader it does not know yet only after
 * half a second; so it is told to find out. If it cannot, reading waits for the leader as ever. */
static rd_kafka_topic_t *with_known_leader(struct ledger_reader *reader)
{
    rd_kafka_t *rk = reader->client->rk;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, reader->topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    if (topic != NULL &&
        rd_kafka_metadata(rk, 0, topic, &metadata, LEADER_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
    }
    return topic;
}

static bool assign(struct ledger_reader *reader, struct err *err)
{
    rd_kafka_topic_t *topic = with_known_leader(reader);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, reader->topic, 0)->offset =
        reader->from_offset > 0 ? reader->from_offset : RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->client->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (topic != NULL) {
        rd_kafka_topic_destroy(topic);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_error_set(err, code, "reading %s", reader->topic);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    struct ledger_reader *reader = client_owner(opaque);
    log_debug("kafka", "reading %s: %s (%d)", reader->topic, reason, code);
}

bool ledger_reader_new(const struct ledger_settings *settings, int64_t from_offset,
                       struct ledger_reader **ret_reader, struct err *err)
{
    struct ledger_reader *reader = calloc(1, sizeof(*reader));
    CHECK(reader != NULL);
    reader->arena = arena_new(CHUNK_BYTES);
    const char *topic = settings->topic != NULL ? settings->topic
                                                : ledger_topic_name(reader->arena, settings->group);
    reader->topic = strdup(topic);
    reader->group = strdup(settings->group);
    reader->records = malloc(RECORDS_MAX * sizeof(*reader->records));
    CHECK(reader->topic != NULL && reader->group != NULL && reader->records != NULL);
    reader->from_offset = from_offset;
    reader->next_offset = -1;
    /* rd_kafka_assign wants a group's name although nothing joins it or commits to it. */
    const struct cluster_property own[] = {
        {"group.id", settings->group},
        {"queued.max.messages.kbytes", "16384"},
        {"fetch.wait.max.ms", "100"}, /* a record that comes is seen at once anyway; an end sooner
                                       */
    };
    const struct client_options options = {
        .role = CLIENT_READER,
        .properties = {.own = own, .own_count = LENGTH_OF(own)},
        .error = on_error,
        .borrowed_owner = reader,
    };
    if (!client_new(&settings->cluster, &options, &reader->client, err) || !assign(reader, err)) {
        ledger_reader_free(reader);
        return false;
    }
    rd_kafka_poll_set_consumer(reader->client->rk);
    *ret_reader = reader;
    return true;
}

struct ledger_reader *ledger_reader_free(struct ledger_reader *reader)
{
    if (reader != NULL) {
        client_free(reader->client);
        arena_free(reader->arena);
        free(reader->records);
        free(reader->topic);
        free(reader->group);
        free(reader);
    }
    return NULL;
}

static size_t copy_record(struct ledger_reader *reader, const rd_kafka_message_t *message,
                          struct ledger_record *to)
{
    rd_kafka_timestamp_type_t type;
    *to = (struct ledger_record){
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = arena_copy(reader->arena, bytes_of(message->key, message->key_len)),
        .value = arena_copy(reader->arena, bytes_of(message->payload, message->len)),
        .is_tombstone = message->payload == NULL,
    };
    return message->key_len + message->len;
}

/* Errors that end the reading; others pass by. */
static bool hear_error(struct ledger_reader *reader, const rd_kafka_message_t *message,
                       struct err *err)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (message->offset >= reader->next_offset) {
            reader->next_offset = message->offset;
            reader->at_end = true;
        }
        return true;
    }
    enum err_kind kind = client_error_kind(message->err);
    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        message->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
        reader->client->is_stuck = true;
    }
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE || kind == ERR_CORRUPT) {
        return err_set_code(
            err, ERR_CORRUPT, (int)message->err,
            "the ledger %s was deleted, cut or made again: offset %" PRId64 " is no longer in it",
            reader->topic, reader->next_offset >= 0 ? reader->next_offset : reader->from_offset);
    }
    if (kind == ERR_MISSING && reader->next_offset >= 0) {
        return err_set_code(err, ERR_CORRUPT, (int)message->err, "the ledger %s was deleted",
                            reader->topic);
    }
    if (kind == ERR_MISSING || kind == ERR_SETTINGS || message->err == RD_KAFKA_RESP_ERR__FATAL) {
        client_error_set(err, message->err, "reading %s", reader->topic);
        return message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
                   ? client_error_right(err, "Read on the group %s", reader->group)
                   : client_error_right(err, "Read on the topic %s", reader->topic);
    }
    log_debug("kafka", "reading %s: %s", reader->topic, rd_kafka_message_errstr(message));
    return true;
}

static bool take_message(struct ledger_reader *reader, rd_kafka_message_t *message,
                         struct ledger_batch *batch, size_t *bytes, struct err *err)
{
    bool good = true;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        good = hear_error(reader, message, err);
    } else if (message->offset >= reader->next_offset) {
        *bytes += copy_record(reader, message, &reader->records[batch->count]);
        batch->count++;
        reader->next_offset = message->offset + 1;
        reader->at_end = false;
    }
    rd_kafka_message_destroy(message);
    return good;
}

bool ledger_read(struct ledger_reader *reader, int timeout_ms, struct ledger_batch *ret_batch,
                 struct err *err)
{
    arena_reset(reader->arena);
    struct ledger_batch batch = {.records = reader->records};
    size_t bytes = 0;
    int wait_ms = timeout_ms;
    while (batch.count < RECORDS_MAX && bytes < BATCH_BYTES_MAX) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->client->rk, wait_ms);
        if (message == NULL) {
            break;
        }
        TRY(take_message(reader, message, &batch, &bytes, err));
        wait_ms = 0;
    }
    batch.next_offset = reader->next_offset;
    batch.at_end = reader->at_end;
    *ret_batch = batch;
    return true;
}
