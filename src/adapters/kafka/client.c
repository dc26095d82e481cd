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
    REFUSED_US = 2500 * 1000, /* what was made just now may not be known to every broker yet */
    METADATA_SLICE_MS = 1000,
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

/* librdkafka itself tries again for ever, and says so nowhere else. True: it is to be told quietly,
 * as what a handle says of connections that it is about to close. */
static bool note_problem(struct client *client, const char *facility, enum log_level level,
                         const char *words)
{
    enum client_words kind = strcmp(facility, "FAIL") == 0 ? client_words_kind(words)
                                                           : CLIENT_WORDS_OTHER;
    lock_take(&client->lock);
    bool quiet = client->locked.is_ending && strcmp(facility, "FAIL") == 0;
    if (!quiet && (level <= LOG_WARN || kind != CLIENT_WORDS_OTHER)) {
        client_words_copy(words, client->locked.problem, sizeof(client->locked.problem));
        client->locked.problem_us = clock_mono_us();
        client->locked.problem_kind = kind;
        if (!client_words_final(kind)) {
            client->locked.refused_us = 0;
        } else if (client->locked.refused_us == 0) {
            client->locked.refused_us = client->locked.problem_us;
        }
    }
    lock_give(&client->lock);
    return quiet;
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
    if (note_problem(client, facility, level, words)) {
        level = LOG_DEBUG;
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

/* Properties that do not fit together, files that cannot be read: librdkafka does not say which. */
static bool refuse_properties(const struct cluster_settings *settings, const char *words,
                              struct err *err)
{
    for (size_t i = 0; i < settings->property_count; i++) {
        const struct cluster_property *property = &settings->properties[i];
        const char *dot = strrchr(property->name, '.');
        if (dot != NULL && strcmp(dot, ".location") == 0 && strstr(words, property->name) != NULL) {
            return err_set(err, ERR_SETTINGS,
                           "kafka.properties: %s = \"%.200s\" cannot be used: %s", property->name,
                           property->value, words);
        }
    }
    return err_set(err, ERR_SETTINGS, "kafka.properties: %s", words);
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
        return refuse_properties(settings, words, err);
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
    lock_take(&client->lock);
    client->locked.is_ending = true;
    lock_give(&client->lock);
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

static bool is_for_questions(enum client_role role)
{
    return role == CLIENT_CLUSTER || role == CLIENT_QUERY || role == CLIENT_QUERY_UNCOMMITTED;
}

void client_property(const struct client *client, const char *name, char *ret_value, size_t size)
{
    if (rd_kafka_conf_get(rd_kafka_conf(client->rk), name, ret_value, &size) != RD_KAFKA_CONF_OK) {
        ret_value[0] = '\0';
    }
}

bool client_explain(struct client *client, struct err *err)
{
    char problem[CLIENT_PROBLEM_MAX] = "";
    lock_take(&client->lock);
    enum client_words kind = client->locked.problem_kind;
    /* a handle that goes on may be known again a moment later */
    bool refused = is_for_questions(client->role) && !client->locked.is_known &&
                   client->locked.refused_us > 0 && err->kind == ERR_TRANSIENT;
    if (clock_mono_us() - client->locked.problem_us < PROBLEM_FRESH_US) {
        snprintf(problem, sizeof(problem), "%s", client->locked.problem);
    }
    lock_give(&client->lock);
    if (problem[0] != '\0' && !client_error_is_right((rd_kafka_resp_err_t)err->code)) {
        char message[ERR_MESSAGE_MAX];
        char mechanism[64];
        client_property(client, "sasl.mechanisms", mechanism, sizeof(mechanism));
        const char *advice = client_words_advice(kind, mechanism, rd_kafka_version());
        bool named = kind == CLIENT_WORDS_USER && strstr(problem, mechanism) == NULL;
        snprintf(message, sizeof(message), "%s", err->message);
        err_set_code(err, refused ? ERR_SETTINGS : err->kind, err->code,
                     "%.110s (last: %.*s%s%s)%s%s", message, advice == NULL ? 300 : 240, problem,
                     named ? ", with " : "", named ? mechanism : "", advice == NULL ? "" : "; ",
                     advice == NULL ? "" : advice);
    }
    return err_place(err, ERR_OF_KAFKA);
}

static bool is_refused(struct client *client)
{
    lock_take(&client->lock);
    int64_t since_us = client->locked.refused_us;
    lock_give(&client->lock);
    return since_us > 0 && clock_mono_us() - since_us >= REFUSED_US;
}

rd_kafka_resp_err_t client_metadata(struct client *client, rd_kafka_topic_t *topic, int timeout_ms,
                                    const struct rd_kafka_metadata **ret_metadata)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    lock_take(&client->lock);
    bool known = client->locked.is_known;
    lock_give(&client->lock);
    /* longer and longer: a question that is not waited for to its end is asked again */
    for (int slice_ms = METADATA_SLICE_MS;; slice_ms *= 2) {
        int left_ms = client_wait_ms(deadline_us);
        bool last = known || slice_ms >= left_ms;
        rd_kafka_resp_err_t code =
            rd_kafka_metadata(client->rk, 0, topic, ret_metadata, last ? left_ms : slice_ms);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            lock_take(&client->lock);
            client->locked.is_known = true;
            client->locked.refused_us = 0;
            lock_give(&client->lock);
            return code;
        }
        bool waits = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (last || !waits || is_refused(client)) {
            return code;
        }
    }
}
