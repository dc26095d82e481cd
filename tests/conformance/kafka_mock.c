/* Does all of it run on the cluster inside the process, as the demo needs it; and what does a
 * leader hear when its COMMIT is not answered? */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <string.h>

#include "adapters/leadership.h"
#include "adapters/mock_cluster.h"
#include "adapters/os/clock.h"
#include "adapters/producer.h"
#include "adapters/source.h"
#include "tests/support/plain.h"

enum { WAIT_MS = 30000, END_TXN = 26 };

static int64_t now_ms(void)
{
    return clock_mono_us() / 1000;
}

static void produce(const char *brokers, const char *topic, int count)
{
    struct err err;
    struct cluster_settings settings = {.brokers = brokers};
    struct producer *producer = NULL;
    WORKS(producer_new(&settings, &producer, &err));
    for (int i = 0; i < count; i++) {
        char value[32];
        snprintf(value, sizeof(value), "value%d", i);
        struct producer_header header = {"source", bytes_of_text("orders/0/17")};
        struct producer_record record = {.topic = topic,
                                         .partition = i % 2,
                                         .has_value = true,
                                         .value = bytes_of_text(value),
                                         .headers = &header,
                                         .header_count = 1};
        WORKS(producer_send(producer, &record, &err));
    }
    WORKS(producer_flush(producer, WAIT_MS, &err));
    IS_NUMBER(producer_serve(producer, 0), 0);
    producer_free(producer);
}

static struct source_settings reads(const char *brokers, const char *const *topic)
{
    return (struct source_settings){.cluster = {.brokers = brokers},
                                    .group = "g",
                                    .member_id = "m",
                                    .topics = topic,
                                    .topic_count = 1,
                                    .want_headers = true,
                                    .queue_bytes_max = 1 << 20,
                                    .batch_bytes_max = 1 << 20};
}

static void runs_a_source(void)
{
    struct err err;
    struct mock_cluster *mock = NULL;
    WORKS(mock_cluster_new(1, &mock, &err));
    WORKS(mock_cluster_create_topic(mock, "orders", 2, &err));
    const char *brokers = mock_cluster_brokers(mock);
    produce(brokers, "orders", 100);

    const char *topic = "orders";
    struct source_settings settings = reads(brokers, &topic);
    struct source_query *query = NULL;
    WORKS(source_query_new(&settings, &query, &err));
    struct arena *arena = arena_new(1024);
    struct source_ends *ends = NULL;
    size_t count = 0;
    WORKS(source_query_ends(query, WAIT_MS, arena, &ends, &count, &err));
    IS_NUMBER(count, 2);
    IS_NUMBER(ends[0].stable + ends[1].stable, 100);
    arena_free(arena);
    source_query_free(query);

    struct source *source = NULL;
    WORKS(source_new(&settings, &source, &err));
    struct source_batch *batch = source_batch_new(7);
    size_t records = 0;
    int ended = 0;
    int64_t deadline = now_ms() + WAIT_MS;
    while (ended < 2) {
        WORKS(source_poll(source, 100, batch, &err));
        records += batch->message_count;
        for (size_t i = 0; i < batch->message_count; i++) {
            IS_NUMBER(batch->messages[i].header_count, 1);
        }
        for (size_t i = 0; i < batch->event_count; i++) {
            const struct source_event *event = &batch->events[i];
            ended += event->kind == SOURCE_END && event->position == 50 ? 1 : 0;
            if (event->kind == SOURCE_ASSIGNED) {
                struct source_start starts[2] = {{{0, 0}, 0, -1}, {{0, 1}, 0, -1}};
                IS_NUMBER(event->partition_count, 2);
                WORKS(source_start(source, starts, 2, &err));
            }
        }
        IS(now_ms() < deadline);
    }
    IS_NUMBER(records, 100);
    source_batch_free(batch);
    source_free(source, 5000);
    mock_cluster_free(mock);
}

/* A cluster whose answers the test can hold back; mock_cluster.h has no need of that. */
struct stage {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
};

static void open_stage(struct stage *stage)
{
    char words[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", words, sizeof(words));
    stage->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof(words));
    stage->mock = rd_kafka_mock_cluster_new(stage->rk, 1);
    IS(stage->mock != NULL);
    IS(rd_kafka_mock_topic_create(stage->mock, "g.coordination", 1, 1) ==
       RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void close_stage(struct stage *stage)
{
    rd_kafka_mock_cluster_destroy(stage->mock);
    rd_kafka_destroy(stage->rk);
}

/* `elected` already, whose term is over; or not yet. */
static void become_leader(struct leadership *leadership, bool elected)
{
    struct err err;
    enum leadership_event event = LEADERSHIP_NONE;
    int64_t deadline = now_ms() + WAIT_MS;
    while (!elected && event != LEADERSHIP_ELECTED) {
        WORKS(leadership_poll(leadership, 100, &event, &err));
        IS(now_ms() < deadline);
    }
    while (!leadership_begin_term(leadership, 5000, &err)) {
        IS_NUMBER(err.kind, ERR_TRANSIENT);
        WORKS(leadership_poll(leadership, 100, &event, &err));
        IS(now_ms() < deadline);
    }
}

static bool append(struct leadership *leadership, int timeout_ms, struct err *err)
{
    struct ledger_record record = {.key = bytes_of_text("commit"), .value = bytes_of_text("C")};
    return leadership_append(leadership, &record, 1, timeout_ms, NULL, err);
}

/* PROTOCOL R19: the commit was asked for, and nobody said what became of it. */
static void does_not_guess_about_a_commit(void)
{
    struct err err;
    struct stage stage;
    open_stage(&stage);
    struct leadership_settings settings = {
        .ledger = {.cluster = {.brokers = rd_kafka_mock_cluster_bootstraps(stage.mock)},
                   .group = "g"}};
    struct leadership *leadership = NULL;
    WORKS(leadership_new(&settings, &leadership, &err));
    become_leader(leadership, false);
    WORKS(append(leadership, 5000, &err));

    IS(rd_kafka_mock_broker_push_request_error_rtts(stage.mock, 1, END_TXN, 1,
                                                    RD_KAFKA_RESP_ERR_NO_ERROR,
                                                    20000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t start = now_ms();
    IS(!append(leadership, 1500, &err));
    fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
    IS_NUMBER(err.kind, ERR_AMBIGUOUS);
    IS(now_ms() - start < 4000);
    IS(!append(leadership, 1500, &err));
    IS_NUMBER(err.kind, ERR_CONFLICT); /* the term is over */
    become_leader(leadership, true);
    WORKS(append(leadership, 5000, &err));

    /* an answer that says another leader has the id */
    IS(rd_kafka_mock_broker_push_request_error_rtts(stage.mock, 1, END_TXN, 1,
                                                    RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
                                                    0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    IS(!append(leadership, 5000, &err));
    fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
    IS_NUMBER(err.kind, ERR_FENCED);
    become_leader(leadership, true);

    /* an answer that says "again" is asked again, within the time */
    IS(rd_kafka_mock_broker_push_request_error_rtts(stage.mock, 1, END_TXN, 1,
                                                    RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
                                                    0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    WORKS(append(leadership, 10000, &err));
    leadership_free(leadership, 5000);
    close_stage(&stage);
}

/* A record that the broker refuses ends its transaction, not the term. */
static void goes_on_after_an_abort(void)
{
    enum { PRODUCE = 0 };
    struct err err;
    struct stage stage;
    open_stage(&stage);
    struct leadership_settings settings = {
        .ledger = {.cluster = {.brokers = rd_kafka_mock_cluster_bootstraps(stage.mock)},
                   .group = "g"}};
    struct leadership *leadership = NULL;
    WORKS(leadership_new(&settings, &leadership, &err));
    become_leader(leadership, false);
    IS(rd_kafka_mock_broker_push_request_error_rtts(stage.mock, 1, PRODUCE, 1,
                                                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                                    0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    IS(!append(leadership, 5000, &err));
    fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
    IS_NUMBER(err.kind, ERR_SETTINGS);
    int64_t deadline = now_ms() + WAIT_MS;
    while (!append(leadership, 5000, &err)) { /* until the refusal is forgotten */
        IS(err.kind == ERR_SETTINGS || err.kind == ERR_TRANSIENT);
        IS(now_ms() < deadline);
    }
    IS(rd_kafka_mock_broker_push_request_error_rtts(stage.mock, 1, PRODUCE, 1,
                                                    RD_KAFKA_RESP_ERR_INVALID_MSG,
                                                    0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    while (!append(leadership, 5000, &err)) {
        IS_NUMBER(err.kind, ERR_TRANSIENT);
        IS(now_ms() < deadline);
    }
    leadership_free(leadership, 5000);
    close_stage(&stage);
}

/* No broker at all: every call ends in time and says why. */
static void says_that_nobody_is_there(void)
{
    struct err err;
    struct cluster_settings settings = {.brokers = "127.0.0.1:1"};
    struct cluster *cluster = NULL;
    WORKS(cluster_new(&settings, &cluster, &err));
    int32_t number = 0;
    char id[CLUSTER_ID_TEXT_MAX];
    int64_t start = now_ms();
    IS(!cluster_identity(cluster, 1500, &number, id, &err));
    fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.message);
    IS_NUMBER(err.kind, ERR_TRANSIENT);
    IS(strstr(err.message, "Connection refused") != NULL);
    IS(!cluster_partitions(cluster, "t", 500, &number, &err));
    IS_NUMBER(err.kind, ERR_TRANSIENT);
    struct cluster_topic topic;
    IS(!cluster_describe_topic(cluster, "t", 500, &topic, &err));
    IS_NUMBER(err.kind, ERR_TRANSIENT);
    IS(!ledger_create(cluster, "t", 500, &err));
    IS(now_ms() - start < 8000);
    cluster_free(cluster);

    struct producer *producer = NULL;
    WORKS(producer_new(&settings, &producer, &err));
    struct producer_record record = {.topic = "t", .partition = 0};
    WORKS(producer_send(producer, &record, &err));
    start = now_ms();
    IS(!producer_flush(producer, 1000, &err));
    IS_NUMBER(err.kind, ERR_AMBIGUOUS);
    IS(now_ms() - start < 4000);
    IS(!producer_flush(producer, 1000, &err)); /* it is kept, and tried again */
    IS_NUMBER(producer_serve(producer, 0), 1);
    producer_free(producer);
}

enum { LETTERS = 5 };

static void send_letters(struct producer *producer)
{
    struct err err;
    for (int i = 0; i < LETTERS; i++) {
        char value[32];
        snprintf(value, sizeof(value), "value%d", i);
        struct producer_header header = {"cause", bytes_of_text("bad_json")};
        struct producer_record record = {.topic = "dead",
                                         .partition = 0,
                                         .has_key = i % 2 == 0,
                                         .has_value = true,
                                         .key = bytes_of_text("key"),
                                         .value = bytes_of_text(value),
                                         .headers = &header,
                                         .header_count = 1};
        WORKS(producer_send(producer, &record, &err));
    }
}

/* Marks the letters that come, and looks that they are what was sent. */
static void note_letters(const struct source_batch *batch, bool seen[LETTERS])
{
    for (size_t i = 0; i < batch->message_count; i++) {
        const struct source_message *message = &batch->messages[i];
        int number = message->value.data[message->value.size - 1] - '0';
        IS(number >= 0 && number < LETTERS);
        IS_NUMBER(message->value.size, 6);
        IS(memcmp(message->value.data, "value", 5) == 0);
        IS(message->has_key == (number % 2 == 0));
        IS(!message->has_key ||
           (message->key.size == 3 && memcmp(message->key.data, "key", 3) == 0));
        IS_NUMBER(message->header_count, 1);
        IS(bytes_compare(message->headers[0].name, bytes_of_text("cause")) == 0);
        IS_NUMBER(message->headers[0].value.size, 8);
        seen[number] = true;
    }
}

static void read_letters(const char *brokers)
{
    struct err err;
    const char *topic = "dead";
    struct source_settings settings = reads(brokers, &topic);
    struct source *source = NULL;
    WORKS(source_new(&settings, &source, &err));
    struct source_batch *batch = source_batch_new(LETTERS);
    bool seen[LETTERS] = {false};
    bool ended = false;
    int64_t deadline = now_ms() + WAIT_MS;
    while (!ended) {
        WORKS(source_poll(source, 100, batch, &err));
        note_letters(batch, seen);
        for (size_t i = 0; i < batch->event_count; i++) {
            ended = ended || (batch->events[i].kind == SOURCE_END && batch->events[i].position > 0);
            if (batch->events[i].kind == SOURCE_ASSIGNED) {
                struct source_start start = {{0, 0}, 0, -1};
                WORKS(source_start(source, &start, 1, &err));
            }
        }
        IS(now_ms() < deadline);
    }
    for (int i = 0; i < LETTERS; i++) {
        IS(seen[i]);
    }
    source_batch_free(batch);
    source_free(source, 5000);
}

/* A flush that failed is not the end of the records: a build that waits for them is sealed when
 * they are in the log. */
static void keeps_what_was_not_stored(void)
{
    struct err err;
    struct mock_cluster *mock = NULL;
    WORKS(mock_cluster_new(1, &mock, &err));
    WORKS(mock_cluster_create_topic(mock, "dead", 1, &err));
    const char *brokers = mock_cluster_brokers(mock);
    struct cluster_settings settings = {.brokers = brokers};
    struct producer *producer = NULL;
    WORKS(producer_new(&settings, &producer, &err));
    WORKS(mock_cluster_set_broker(mock, 1, false, &err));
    send_letters(producer);
    for (int i = 0; i < 2; i++) {
        IS(!producer_flush(producer, 1000, &err));
        IS(err.kind == ERR_TRANSIENT || err.kind == ERR_AMBIGUOUS);
        IS_NUMBER(producer_serve(producer, 0), LETTERS);
    }
    WORKS(mock_cluster_set_broker(mock, 1, true, &err));
    WORKS(producer_flush(producer, WAIT_MS, &err));
    IS_NUMBER(producer_serve(producer, 0), 0);
    producer_free(producer);
    read_letters(brokers);
    mock_cluster_free(mock);
}

int main(void)
{
    fprintf(stderr, "%s\n", cluster_client_version());
    STORY(runs_a_source);
    STORY(does_not_guess_about_a_commit);
    STORY(goes_on_after_an_abort);
    STORY(says_that_nobody_is_there);
    STORY(keeps_what_was_not_stored);
    return 0;
}
