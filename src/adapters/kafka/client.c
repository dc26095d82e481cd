/* One handle of librdkafka: made, named, heard and ended. */
#include "adapters/kafka/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kafka/client_error.h"
#include "adapters/os/clock.h"
#include "adapters/os/log.h"

enum {
    PROBLEM_FRESH_US = 30 * 1000 * 1000,
    SESSION_FRESH_US = 120 * 1000 * 1000, /* requests of before may take a minute to be answered */
    SESSION_LOG_WAITS = 50,
    SESSION_LOG_WAIT_US = 10 * 1000,
    PARTITIONS_LOG_WAIT_US = 50 * 1000,
    CLIENT_ENDS_ALWAYS = 0x020601ff, /* librdkafka 4724 */
};

bool cluster_check_properties(const struct cluster_settings *settings, struct err *err)
{
    const struct client_properties nothing = {0};
    for (enum client_role role = CLIENT_CLUSTER; role <= CLIENT_PRODUCER; role++) {
        rd_kafka_conf_t *conf = NULL;
        TRY(client_settings_conf(settings, role, &nothing, &conf, err));
        rd_kafka_conf_destroy(conf);
    }
    return true;
}

void *client_owner(void *opaque)
{
    struct client *client = opaque;
    return client->borrowed_owner;
}

/* From syslog's severities, which librdkafka uses. Its "errors" are mostly connections that it
 * mends by itself. */
static enum log_level level_of(int severity)
{
    enum { CRITICAL = 2, WARNING = 4, INFO = 6 };
    if (severity <= CRITICAL) {
        return LOG_ERROR;
    }
    if (severity <= WARNING) {
        return LOG_WARN;
    }
    return severity <= INFO ? LOG_INFO : LOG_DEBUG;
}

/* Nothing else tells that a session ended by the client's own clock. */
static void note_session(struct client *client, const char *facility)
{
    bool lost = strcmp(facility, "SESSTMOUT") == 0 || strcmp(facility, "MAXPOLL") == 0;
    bool fatal = strcmp(facility, "FATAL") == 0;
    if (lost || fatal) {
        lock_take(&client->lock);
        if (lost) {
            client->locked.session_lost_us = clock_mono_us();
        }
        client->locked.said_fatal = client->locked.said_fatal || fatal;
        lock_give(&client->lock);
    }
}

/* "Topic t partition count changed from 1 to 0": nothing else tells. */
static void note_partitions(struct client *client, const char *facility, const char *words)
{
    const char *change = strstr(words, " partition count changed from ");
    int before = 0;
    int now = 0;
    if (strcmp(facility, "PARTCNT") == 0 && change != NULL &&
        sscanf(change, " partition count changed from %d to %d", &before, &now) == 2 &&
        now < before) {
        lock_take(&client->lock);
        client->locked.lost_partitions = true;
        lock_give(&client->lock);
    }
}

bool client_lost_partitions(struct client *client)
{
    if (rd_kafka_version() >= CLIENT_ENDS_ALWAYS) {
        return false;
    }
    clock_sleep_us(PARTITIONS_LOG_WAIT_US); /* for what was said just now */
    lock_take(&client->lock);
    bool lost = client->locked.lost_partitions;
    lock_give(&client->lock);
    return lost;
}

/* The log comes from another thread, in order: once it says FATAL, it has said all of before. */
bool client_lost_session(struct client *client)
{
    int64_t lost_us = 0;
    for (int i = 0; i < SESSION_LOG_WAITS; i++) {
        lock_take(&client->lock);
        bool is_whole = client->locked.said_fatal;
        lost_us = client->locked.session_lost_us;
        lock_give(&client->lock);
        if (is_whole) {
            break;
        }
        clock_sleep_us(SESSION_LOG_WAIT_US);
    }
    return lost_us > 0 && clock_mono_us() - lost_us < SESSION_FRESH_US;
}

/* Called by the background thread alone, since the log queue is forwarded to it. */
static void on_log(const rd_kafka_t *rk, int severity, const char *facility, const char *words)
{
    struct client *client = rd_kafka_opaque(rk);
    note_session(client, facility);
    note_partitions(client, facility, words);
    enum log_level level = level_of(severity);
    /* CONFWARN: "is a producer property and will be ignored", since the user's properties go to
     * both kinds. AUTOCREATE: the mock cluster cannot forbid making topics. ERROR: what an error
     * callback would get; its reason has a line of its own (FAIL, FATAL, TXNERR, …). */
    static const char *const QUIET[] = {"CONFWARN", "AUTOCREATE", "ERROR"};
    for (size_t i = 0; i < LENGTH_OF(QUIET); i++) {
        if (strcmp(facility, QUIET[i]) == 0) {
            level = LOG_DEBUG;
        }
    }
    if (level <= LOG_WARN) {
        lock_take(&client->lock);
        snprintf(client->locked.problem, sizeof(client->locked.problem), "%s", words);
        client->locked.problem_us = clock_mono_us();
        lock_give(&client->lock);
    }
    const char *role = client_settings_role_name(client->role);
    switch (level) {
    case LOG_ERROR:
        log_error("kafka", "%s: %s: %s", role, facility, words);
        break;
    case LOG_WARN:
        log_warn("kafka", "%s: %s: %s", role, facility, words);
        break;
    case LOG_INFO:
        log_info("kafka", "%s: %s: %s", role, facility, words);
        break;
    case LOG_DEBUG:
        log_debug("kafka", "%s: %s: %s", role, facility, words);
        break;
    }
}

/* Without this callback there is no background thread. Nothing is sent to it as an event. */
static void on_background_event(rd_kafka_t *rk, rd_kafka_event_t *event, void *opaque)
{
    (void)rk;
    (void)opaque;
    rd_kafka_event_destroy(event);
}

static bool start_background(struct client *client, struct err *err)
{
    rd_kafka_queue_t *background = rd_kafka_queue_get_background(client->rk);
    CHECK(background != NULL);
    rd_kafka_resp_err_t code = rd_kafka_set_log_queue(client->rk, background);
    rd_kafka_queue_destroy(background);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return client_error_set(err, code, "setting the log queue");
    }
    /* Refused where the mechanism has no callbacks (all but OAUTHBEARER): nothing is to be served.
     */
    rd_kafka_error_t *failed = rd_kafka_sasl_background_callbacks_enable(client->rk);
    if (failed != NULL) {
        rd_kafka_error_destroy(failed);
    }
    return true;
}

static void set_callbacks(rd_kafka_conf_t *conf, const struct client_options *options,
                          struct client *client)
{
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_background_event_cb(conf, on_background_event);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    if (options->rebalance != NULL) {
        rd_kafka_conf_set_rebalance_cb(conf, options->rebalance);
    }
    if (options->error != NULL) {
        rd_kafka_conf_set_error_cb(conf, options->error);
    }
    if (options->statistics != NULL) {
        rd_kafka_conf_set_stats_cb(conf, options->statistics);
    }
    if (options->delivery != NULL) {
        rd_kafka_conf_set_dr_msg_cb(conf, options->delivery);
    }
}

bool client_new(const struct cluster_settings *settings, const struct client_options *options,
                struct client **ret_client, struct err *err)
{
    TRY(cluster_check_version(err));
    rd_kafka_conf_t *conf = NULL;
    TRY(client_settings_conf(settings, options->role, &options->properties, &conf, err));
    struct client *client = calloc(1, sizeof(*client));
    CHECK(client != NULL);
    client->role = options->role;
    client->borrowed_owner = options->borrowed_owner;
    lock_init(&client->lock);
    set_callbacks(conf, options, client);

    bool producer = client_settings_is_producer(options->role);
    char words[256];
    client->rk =
        rd_kafka_new(producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, words, sizeof(words));
    if (client->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        client_free(client);
        /* Properties that do not fit together, files that cannot be read. */
        return err_set(err, ERR_SETTINGS, "kafka.properties: %s", words);
    }
    if (!start_background(client, err)) {
        client_free(client);
        return false;
    }
    *ret_client = client;
    return true;
}

struct client *client_free(struct client *client)
{
    if (client == NULL) {
        return NULL;
    }
    if (client->is_stuck && rd_kafka_version() < CLIENT_ENDS_ALWAYS) {
        log_warn("kafka", "%s: its handle is left behind, since a topic of it is gone",
                 client_settings_role_name(client->role));
        return NULL;
    }
    if (client->rk != NULL) {
        /* Never closes the consumer here: that has no deadline (client_close has). */
        rd_kafka_destroy_flags(client->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    lock_done(&client->lock);
    free(client);
    return NULL;
}

void client_give_up(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                    const rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_error_t *failed = NULL;
    if (!client_settings_cooperative()) {
        rd_kafka_assign(rk, NULL);
    } else if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        /* It must be taken to be given back, which closing does. */
        failed = rd_kafka_incremental_assign(rk, partitions);
    } else {
        failed = rd_kafka_incremental_unassign(rk, partitions);
    }
    if (failed != NULL) {
        rd_kafka_error_destroy(failed); /* a lost or fatal handle has nothing left to give */
    }
}

/* A queue of its own, since the consumer's may not be forwarded to itself. It hands rebalances out
 * as events also where a callback is set. */
void client_close(struct client *client, int timeout_ms)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
    rd_kafka_error_t *failed = rd_kafka_consumer_close_queue(client->rk, queue);
    if (failed != NULL) {
        log_info("kafka", "%s: closing: %s", client_settings_role_name(client->role),
                 rd_kafka_error_string(failed));
        rd_kafka_error_destroy(failed);
        rd_kafka_queue_destroy(queue);
        return;
    }
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    while (!rd_kafka_consumer_closed(client->rk) && clock_mono_us() < deadline_us) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 50);
        if (event != NULL && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE) {
            client_give_up(client->rk, rd_kafka_event_error(event),
                           rd_kafka_event_topic_partition_list(event));
        }
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
    }
    if (!rd_kafka_consumer_closed(client->rk)) {
        log_warn("kafka", "%s: not closed after %d ms: going on without",
                 client_settings_role_name(client->role), timeout_ms);
    }
    rd_kafka_queue_destroy(queue);
}

int client_wait_ms(int64_t deadline_us)
{
    int64_t left_us = deadline_us - clock_mono_us();
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

bool client_explain(struct client *client, struct err *err)
{
    char problem[CLIENT_PROBLEM_MAX] = "";
    lock_take(&client->lock);
    if (clock_mono_us() - client->locked.problem_us < PROBLEM_FRESH_US) {
        snprintf(problem, sizeof(problem), "%s", client->locked.problem);
    }
    lock_give(&client->lock);
    if (problem[0] != '\0') {
        char message[ERR_MESSAGE_MAX];
        snprintf(message, sizeof(message), "%s", err->message);
        /* of a question, not of a client that goes on: brokers may know a user a moment later */
        bool refused = client->role == CLIENT_CLUSTER && err->kind == ERR_TRANSIENT &&
                       strstr(problem, "SASL authentication error") != NULL;
        err_set_code(err, refused ? ERR_SETTINGS : err->kind, err->code, "%.250s (last: %s)",
                     message, problem);
    }
    return err_place(err, ERR_OF_KAFKA);
}
