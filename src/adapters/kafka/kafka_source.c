/* Polling the group's consumer: messages are copied out of librdkafka and counted as read.
 *
 * The happy path: source_poll takes what librdkafka has prefetched, drops what is below the next
 * expected offset, copies the rest into the batch and destroys it at once.
 *
 * What can go wrong: librdkafka may hand out what belongs to an older fetch (after pause, seek and
 * rebalance: its issues 4261, 4636), so `next` filters; a position error stops one partition and is
 * an event; an error of the handle is an event; a fatal one is the last event, unless a new handle
 * helps (kafka_rejoin.c). */
#include "adapters/kafka/kafka_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client_error.h"
#include "adapters/os/clock.h"
#include "adapters/os/log.h"

enum {
    ENDS_WATCH_US = 250 * 1000, /* how often standing partitions are asked for their high watermark
                                 */
    SESSION_TIMEOUT_MS = 45000,
    MAX_POLL_INTERVAL_MS = 300000,
    FETCH_BYTES_MIN = 1 << 20,
    FETCH_BYTES_MAX = 50 << 20,
    /* What a message in the queue takes beside the bytes that are counted, about. */
    QUEUED_MESSAGE_BYTES = 256,
    QUEUED_MESSAGES_MIN = 100000, /* librdkafka's default */
};

/* -- events -- */

static void add_error(struct source_batch *batch, enum source_event_kind kind,
                      const struct err *err)
{
    struct err *copy = arena_alloc(batch->arena, sizeof(*copy));
    *copy = *err;
    source_batch_add_event(batch, kind)->err = copy;
}

void source_set_fatal(struct source *source)
{
    if (source->is_fatal || source->is_outdated) {
        return;
    }
    char words[256] = "";
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(source->client->rk, words, sizeof(words));
    if (source_fenced_itself(source, code)) {
        source_outdate(source);
        return;
    }
    err_set_code(&source->fatal, client_error_kind(code), (int)code,
                 "the source's consumer cannot go on: %s", words);
    source->is_fatal = true;
    if (source->filling != NULL) {
        add_error(source->filling, SOURCE_FATAL, &source->fatal);
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    struct source *source = client_owner(opaque);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        source_set_fatal(source);
        return;
    }
    struct err err;
    err_set_code(&err, client_error_kind((rd_kafka_resp_err_t)code), code, "source: %s", reason);
    client_error_right(&err, "Read on the group %s", source->settings.group);
    if (source->filling != NULL) {
        add_error(source->filling, SOURCE_ERROR, &err);
    }
}

static int64_t known_high(struct source *source, const char *topic, int32_t partition)
{
    int64_t low = -1;
    int64_t high = -1;
    rd_kafka_resp_err_t code =
        rd_kafka_get_watermark_offsets(source->client->rk, topic, partition, &low, &high);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

static void add_end(struct source *source, struct source_batch *batch, uint32_t topic,
                    int32_t partition, struct source_track *track)
{
    track->high = known_high(source, source->topics[topic].name, partition);
    struct source_event *event = source_batch_add_event(batch, SOURCE_END);
    event->partition = (struct source_partition){topic, partition};
    event->position = track->next;
    event->high = track->high;
}

/* librdkafka says EOF once for a position. A transaction that begins behind it moves the high
 * watermark only, and must be told: else the partition would pass for idle (PROTOCOL R4a). */
static void watch_ends(struct source *source, struct source_batch *batch)
{
    int64_t now_us = clock_mono_us();
    if (now_us - source->ends_watched_us < ENDS_WATCH_US) {
        return;
    }
    source->ends_watched_us = now_us;
    for (uint32_t t = 0; t < source->topic_count; t++) {
        for (int32_t p = 0; p < source->topics[t].track_count; p++) {
            struct source_track *track = &source->topics[t].tracks[p];
            if (track->started && track->at_end && !track->paused &&
                known_high(source, source->topics[t].name, p) != track->high) {
                add_end(source, batch, t, p, track);
            }
        }
    }
}

static void hear_position_error(const rd_kafka_message_t *message, enum source_event_kind kind,
                                struct source_batch *batch, uint32_t topic,
                                struct source_track *track)
{
    track->at_end = false;
    struct source_event *event = source_batch_add_event(batch, kind);
    event->partition = (struct source_partition){topic, message->partition};
    event->position = track->next;
}

static void hear_topic_gone(struct source *source, const rd_kafka_message_t *message,
                            struct source_batch *batch, uint32_t topic)
{
    struct err err;
    source->client->is_stuck = true;
    client_error_set(&err, message->err, "topic %s", rd_kafka_topic_name(message->rkt));
    client_error_right(&err, "Read on the topic %s", rd_kafka_topic_name(message->rkt));
    add_error(batch, SOURCE_TOPIC_GONE, &err);
    batch->events[batch->event_count - 1].partition =
        (struct source_partition){topic, message->partition};
}

static void hear_error(struct source *source, const rd_kafka_message_t *message,
                       struct source_batch *batch)
{
    uint32_t topic = 0;
    struct source_track *track =
        message->rkt == NULL
            ? NULL
            : source_track(source, rd_kafka_topic_name(message->rkt), message->partition, &topic);
    bool ours = track != NULL && track->started;
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
        source_set_fatal(source);
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (ours && message->offset >= track->next) {
            track->next = message->offset;
            track->at_end = true;
            add_end(source, batch, topic, message->partition, track);
        }
    } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
               message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        if (ours) {
            hear_position_error(message, SOURCE_LOST_RANGE, batch, topic, track);
        }
    } else if (client_error_kind(message->err) == ERR_CORRUPT &&
               message->err != RD_KAFKA_RESP_ERR__BAD_MSG &&
               message->err != RD_KAFKA_RESP_ERR__BAD_COMPRESSION) {
        if (ours) { /* _LOG_TRUNCATION, which 2.0.2's header does not name */
            hear_position_error(message, SOURCE_TRUNCATED, batch, topic, track);
        }
    } else if (track != NULL && (client_error_kind(message->err) == ERR_MISSING ||
                                 message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)) {
        hear_topic_gone(source, message, batch, topic);
    } else {
        struct err err;
        err_set_code(&err, client_error_kind(message->err), (int)message->err, "source: %s",
                     rd_kafka_message_errstr(message));
        client_error_right(&err, "Read on the group %s", source->settings.group);
        add_error(batch, SOURCE_ERROR, &err);
    }
}

/* -- messages -- */

static void copy_headers(const rd_kafka_message_t *message, struct source_batch *batch,
                         struct source_message *to)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return; /* none */
    }
    size_t count = rd_kafka_header_cnt(headers);
    struct source_header *copies = arena_alloc(batch->arena, count * sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t size = 0;
        rd_kafka_header_get_all(headers, i, &name, &value, &size);
        copies[i] = (struct source_header){
            .name = arena_copy(batch->arena, bytes_of_text(name)),
            .value = arena_copy(batch->arena, bytes_of(value, value == NULL ? 0 : size)),
            .is_null = value == NULL,
        };
        batch->bytes += copies[i].name.size + copies[i].value.size;
    }
    to->headers = copies;
    to->header_count = count;
}

static void copy_message(const struct source *source, const rd_kafka_message_t *message,
                         uint32_t topic, struct source_batch *batch)
{
    CHECK(batch->message_count < batch->message_capacity);
    struct source_message *to = &batch->messages[batch->message_count++];
    uint8_t *copy = arena_alloc(batch->arena, message->key_len + message->len);
    if (message->key_len > 0) {
        memcpy(copy, message->key, message->key_len);
    }
    if (message->len > 0) {
        memcpy(copy + message->key_len, message->payload, message->len);
    }
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    *to = (struct source_message)
    {
        .topic = topic, .partition = message->partition, .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
#if RD_KAFKA_VERSION >= 0x020100ff
        .leader_epoch = rd_kafka_message_leader_epoch(message),
#else
        .leader_epoch = -1,
#endif
        .has_key = message->key != NULL, .has_value = message->payload != NULL,
        .key = bytes_of(copy, message->key_len),
        .value = bytes_of(copy + message->key_len, message->len),
    };
    batch->bytes += message->key_len + message->len;
    if (source->want_headers) {
        copy_headers(message, batch, to);
    }
}

static void take_message(struct source *source, rd_kafka_message_t *message,
                         struct source_batch *batch)
{
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        hear_error(source, message, batch);
    } else {
        uint32_t topic = 0;
        struct source_track *track =
            source_track(source, rd_kafka_topic_name(message->rkt), message->partition, &topic);
        if (track == NULL || !track->started || message->offset < track->next) {
            source->statistics.stale++;
        } else {
            copy_message(source, message, topic, batch);
            track->next = message->offset + 1;
            track->at_end = false;
        }
    }
    rd_kafka_message_destroy(message);
}

/* -- polling -- */

static bool is_full(const struct source *source, const struct source_batch *batch)
{
    return batch->message_count == batch->message_capacity ||
           batch->bytes >= source->batch_bytes_max;
}

/* One record a call: rd_kafka_consume_batch_queue was measured to save 0.08 us of 0.3 us a record,
 * which is not worth its faults around pause and rebalance before 2.1.0 (librdkafka 4208) and its
 * waiting for a full batch. */
static void fill(struct source *source, int timeout_ms, struct source_batch *batch)
{
    int wait_ms = timeout_ms;
    while (!is_full(source, batch) && !source->is_fatal && !source->is_outdated) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(source->client->rk, wait_ms);
        if (message == NULL) {
            break;
        }
        take_message(source, message, batch);
        wait_ms = 0;
    }
}

/* -- making and ending -- */

static bool check_settings(const struct source_settings *settings, struct err *err)
{
    CHECK(settings->group != NULL);
    CHECK(settings->topic_count > 0 && settings->batch_bytes_max > 0);
    for (size_t i = 0; i < settings->topic_count; i++) {
        if (settings->topics[i][0] == '^') {
            return err_set(err, ERR_SETTINGS, "topic \"%s\": patterns are not supported",
                           settings->topics[i]);
        }
    }
    return true;
}

static bool subscribe(struct source *source, struct err *err)
{
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)source->topic_count);
    for (size_t i = 0; i < source->topic_count; i++) {
        rd_kafka_topic_partition_list_add(topics, source->topics[i].name, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(source->client->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_error_set(err, code, "subscribing to the source topics");
}

/* Before 2.2.0 a full queue is left alone for a second, in which it should not run dry: so it is
 * full by its bytes, and not by its messages, unless these are small. Later ones may be short
 * (client_settings.c). */
static size_t queued_messages(size_t queue_bytes_max)
{
    size_t messages = queue_bytes_max / QUEUED_MESSAGE_BYTES;
    return messages < QUEUED_MESSAGES_MIN ? QUEUED_MESSAGES_MIN : messages;
}

static bool open_client(struct source *source, struct err *err)
{
    const struct source_settings *settings = &source->settings;
    char queue_kbytes[24];
    char fetch_bytes[24];
    char messages[24];
    char session[24];
    char interval[24];
    size_t fetch = settings->queue_bytes_max / 2;
    fetch = fetch < FETCH_BYTES_MIN ? FETCH_BYTES_MIN : fetch;
    fetch = fetch > FETCH_BYTES_MAX ? FETCH_BYTES_MAX : fetch;
    size_t kbytes = settings->queue_bytes_max / 1024;
    snprintf(queue_kbytes, sizeof(queue_kbytes), "%zu", kbytes < 1 ? 1 : kbytes);
    snprintf(fetch_bytes, sizeof(fetch_bytes), "%zu", fetch);
    snprintf(messages, sizeof(messages), "%zu", queued_messages(settings->queue_bytes_max));
    snprintf(session, sizeof(session), "%d",
             settings->session_timeout_ms > 0 ? settings->session_timeout_ms : SESSION_TIMEOUT_MS);
    snprintf(interval, sizeof(interval), "%d",
             settings->max_poll_interval_ms > 0 ? settings->max_poll_interval_ms
                                                : MAX_POLL_INTERVAL_MS);
    const struct cluster_property own[] = {
        {"group.id", settings->group},
        {"queued.max.messages.kbytes", queue_kbytes},
        {"statistics.interval.ms", "5000"},
        {"group.instance.id", settings->member_id}, /* the last: left out without one */
    };
    size_t own_count = settings->member_id == NULL ? LENGTH_OF(own) - 1 : LENGTH_OF(own);
    const struct cluster_property defaults[] = {
        {"session.timeout.ms", session},
        {"max.poll.interval.ms", interval},
        {"fetch.max.bytes", fetch_bytes},
        {"queued.min.messages", messages}, /* the last: left out from 2.2.0 on */
    };
    bool pauses = rd_kafka_version() < 0x020200ff;
    size_t default_count = pauses ? LENGTH_OF(defaults) : LENGTH_OF(defaults) - 1;
    const struct client_options options = {
        .role = CLIENT_SOURCE,
        .properties = {own, own_count, defaults, default_count},
        .rebalance = source_on_rebalance,
        .error = on_error,
        .statistics = source_on_statistics,
        .borrowed_owner = source,
    };
    TRY(client_new(&settings->cluster, &options, &source->client, err));
    /* Callbacks and messages come out of one queue, in order. */
    rd_kafka_poll_set_consumer(source->client->rk);
    return true;
}

/* Another client in place of an outdated one: it joins as a restarted process would. */
static bool renew(struct source *source, struct err *err)
{
    log_warn("kafka", "source: its session ended, and its own heartbeats fenced it: joining again");
    struct client *old = source->client;
    TRY(open_client(source, err));
    client_close(old, 0);
    client_free(old);
    source->is_outdated = false;
    return subscribe(source, err);
}

/* librdkafka says LeaveGroup when it unsubscribes, for a static member, too: only one that ends
 * stays in the group. The subscription is kept in mind until what is revoked was given back. */
bool source_join_again(struct source *source, struct err *err)
{
    if (source->awaited != SOURCE_ANSWER_NONE || source->is_outdated) {
        return err_set(err, ERR_TRANSIENT, "a rebalance is on");
    }
    rd_kafka_resp_err_t code = rd_kafka_unsubscribe(source->client->rk);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return client_error_set(err, code, "leaving the source group");
    }
    return subscribe(source, err);
}

bool source_poll(struct source *source, int timeout_ms, struct source_batch *batch, struct err *err)
{
    source_batch_clear(batch);
    if (source->is_outdated && source->awaited == SOURCE_ANSWER_NONE) {
        source->is_fatal = !renew(source, &source->fatal);
    }
    if (source->is_fatal) {
        *err = source->fatal;
        return false;
    }
    source->filling = batch;
    fill(source, timeout_ms, batch);
    watch_ends(source, batch);
    source_announce(source, batch);
    source->filling = NULL;
    source->statistics.messages += batch->message_count;
    source->statistics.bytes += batch->bytes;
    return true;
}

bool source_new(const struct source_settings *settings, struct source **ret_source, struct err *err)
{
    TRY(check_settings(settings, err));
    struct source *source = calloc(1, sizeof(*source));
    CHECK(source != NULL);
    source->settings = *settings;
    source->want_headers = settings->want_headers;
    source->batch_bytes_max = settings->batch_bytes_max;
    source->statistics.lag = -1;
    source->topics = calloc(settings->topic_count, sizeof(*source->topics));
    CHECK(source->topics != NULL);
    source->topic_count = settings->topic_count;
    for (size_t i = 0; i < settings->topic_count; i++) {
        source->topics[i].name = strdup(settings->topics[i]);
        CHECK(source->topics[i].name != NULL);
    }
    if (!open_client(source, err) || (settings->member_id != NULL && !subscribe(source, err))) {
        source_free(source, 0);
        return false;
    }
    *ret_source = source;
    return true;
}

struct source *source_free(struct source *source, int timeout_ms)
{
    if (source == NULL) {
        return NULL;
    }
    if (source->client != NULL) {
        source_abandon(source);
        client_close(source->client, timeout_ms);
        client_free(source->client);
    }
    for (size_t i = 0; i < source->topic_count; i++) {
        free(source->topics[i].name);
        free(source->topics[i].tracks);
    }
    free(source->topics);
    free(source);
    return NULL;
}
