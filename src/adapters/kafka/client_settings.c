/* The properties of every handle: the user's in their order, our defaults below, our own above. */
#include "adapters/kafka/client_settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What a user may not set, and what to say. With a value: setting that very value is no conflict.
 */
struct fixed_property {
    const char *name;
    const char *value;
    const char *why;
};

static const struct fixed_property FIXED[] = {
    {"bootstrap.servers", NULL, "write it as kafka.brokers"},
    {"metadata.broker.list", NULL, "write it as kafka.brokers"},
    {"group.id", NULL, "it is the setting group"},
    {"group.instance.id", NULL, "it is the setting member_id"},
    {"transactional.id", NULL, "it fences leaders, and comes from the setting group"},
    {"group.protocol", "classic",
     "static membership and exact revokes are proved on classic alone"},
    {"group.remote.assignor", NULL, "it belongs to group.protocol=consumer"},
    {"partition.assignment.strategy", NULL, "it follows the version of librdkafka"},
    {"isolation.level", "read_committed", "aborted records must not be published"},
    {"auto.offset.reset", "error", "lost records must be seen, not jumped over"},
    {"enable.auto.commit", "false", "the group's offsets are a mirror, written after publishing"},
    {"enable.auto.offset.store", "false",
     "the group's offsets are a mirror, written after publishing"},
    {"enable.partition.eof", "true", "the end of a partition closes windows"},
    {"allow.auto.create.topics", "false", "a typing error must not make a topic"},
    {"enable.idempotence", "true", "a retry must not write twice"},
    {"enable.gapless.guarantee", "false", "it ends the producer at the first timeout"},
    {"acks", "all", "an acknowledged record must survive a broker"},
    {"request.required.acks", "all", "an acknowledged record must survive a broker"},
    {"queued.max.messages.kbytes", NULL, "it comes out of memory_budget"},
    {"statistics.interval.ms", "5000", "memory_budget is watched with it"},
    {"log.queue", "true", "the library's log lines go into the service's own"},
};

/* Below the user's properties. A name that this library does not know yet is passed over. */
static const struct cluster_property CONSUMER_DEFAULTS[] = {
    {"check.crcs", "true"},                          /* a snapshot outlives the log */
    {"topic.metadata.refresh.interval.ms", "30000"}, /* new partitions are seen by the group */
    {"enable.metrics.push", "false"},                /* 2.5.0: nobody asked for telemetry */
    {"socket.keepalive.enable", "true"},
};

/* From 2.2.0 on a full prefetch queue is looked at again soon, and may be short; before, it is left
 * alone for a second, and a short one runs dry: 135 000 records a second instead of 1 000 000. */
static const struct cluster_property SHORT_QUEUE_DEFAULTS[] = {
    {"fetch.queue.backoff.ms", "50"},
    {"queued.min.messages", "20000"},
};

static const struct cluster_property PRODUCER_DEFAULTS[] = {
    {"enable.metrics.push", "false"},
    {"socket.keepalive.enable", "true"},
};

static const struct cluster_property CONSUMER_FIXED[] = {
    {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},      {"auto.offset.reset", "error"},
    {"allow.auto.create.topics", "false"},
};

static const struct cluster_property PRODUCER_FIXED[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
};

/* Values of these may be secrets, and librdkafka's own text may quote a value. */
static bool is_secret(const char *name)
{
    static const char *const WORDS[] = {"password", "secret", "pem", "token", "jaas", "sasl.oauth"};
    for (size_t i = 0; i < LENGTH_OF(WORDS); i++) {
        if (strcasestr(name, WORDS[i]) != NULL) {
            return true;
        }
    }
    return false;
}

const char *client_settings_role_name(enum client_role role)
{
    switch (role) {
    case CLIENT_CLUSTER:
        return "cluster";
    case CLIENT_SOURCE:
        return "source";
    case CLIENT_QUERY:
        return "query";
    case CLIENT_QUERY_UNCOMMITTED:
        return "query-uncommitted";
    case CLIENT_READER:
        return "ledger-reader";
    case CLIENT_CANDIDATE:
        return "candidate";
    case CLIENT_LEADER:
        return "leader";
    case CLIENT_WRITER:
        return "ledger-writer";
    case CLIENT_PRODUCER:
        return "producer";
    }
    return "unknown";
}

bool client_settings_is_producer(enum client_role role)
{
    return role == CLIENT_LEADER || role == CLIENT_WRITER || role == CLIENT_PRODUCER;
}

bool client_settings_cooperative(void)
{
    return rd_kafka_version() >= 0x020a01ff;
}

static bool set_property(rd_kafka_conf_t *conf, const char *name, const char *value,
                         struct err *err)
{
    char words[256];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, words, sizeof(words));
    if (result == RD_KAFKA_CONF_OK) {
        return true;
    }
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        return err_set(err, ERR_SETTINGS, "kafka.properties: %s has no property \"%s\"",
                       cluster_client_version(), name);
    }
    return err_set(err, ERR_SETTINGS, "kafka.properties: \"%s\": %s", name,
                   is_secret(name) ? "librdkafka refuses its value" : words);
}

static bool set_defaults(rd_kafka_conf_t *conf, const struct cluster_property *defaults,
                         size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        char known[64];
        size_t size = sizeof(known);
        if (rd_kafka_conf_get(conf, defaults[i].name, known, &size) == RD_KAFKA_CONF_OK) {
            TRY(set_property(conf, defaults[i].name, defaults[i].value, err));
        }
    }
    return true;
}

static bool set_all(rd_kafka_conf_t *conf, const struct cluster_property *properties, size_t count,
                    struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        TRY(set_property(conf, properties[i].name, properties[i].value, err));
    }
    return true;
}

static bool check_property(const struct cluster_property *property, struct err *err)
{
    if (property->name == NULL || property->name[0] == '\0' || property->value == NULL) {
        return err_set(err, ERR_SETTINGS, "kafka.properties: a property needs a name and a value");
    }
    for (size_t i = 0; i < LENGTH_OF(FIXED); i++) {
        if (strcmp(FIXED[i].name, property->name) != 0) {
            continue;
        }
        if (FIXED[i].value == NULL) {
            return err_set(err, ERR_SETTINGS, "kafka.properties: \"%s\" cannot be set here: %s",
                           property->name, FIXED[i].why);
        }
        if (strcasecmp(FIXED[i].value, property->value) != 0) {
            return err_set(err, ERR_SETTINGS, "kafka.properties: \"%s\" is always \"%s\": %s",
                           property->name, FIXED[i].value, FIXED[i].why);
        }
    }
    if (strcmp(property->name, "client.rack") == 0 && rd_kafka_version() < 0x020101ff) {
        return err_set(
            err, ERR_SETTINGS,
            "kafka.properties: \"client.rack\" needs librdkafka 2.1.1 or newer: fetching "
            "from followers crashes before (its issue 4254)");
    }
    return true;
}

static bool check_settings(const struct cluster_settings *settings, struct err *err)
{
    if (settings->brokers == NULL || settings->brokers[0] == '\0') {
        return err_set(err, ERR_SETTINGS, "kafka.brokers is empty");
    }
    if (settings->client_id != NULL && strlen(settings->client_id) > CLUSTER_CLIENT_ID_MAX) {
        return err_set(err, ERR_SETTINGS, "the client id is longer than %d bytes",
                       CLUSTER_CLIENT_ID_MAX);
    }
    for (size_t i = 0; i < settings->property_count; i++) {
        TRY(check_property(&settings->properties[i], err));
    }
    return true;
}

static bool fill(rd_kafka_conf_t *conf, const struct cluster_settings *settings,
                 enum client_role role, const struct client_properties *properties, struct err *err)
{
    bool producer = client_settings_is_producer(role);
    char client_id[CLUSTER_CLIENT_ID_MAX + 32];
    snprintf(client_id, sizeof(client_id), "%s-%s",
             settings->client_id == NULL ? "tidemark" : settings->client_id,
             client_settings_role_name(role));
    TRY(set_property(conf, "client.id", client_id, err));
    TRY(set_property(conf, "log.thread.name", "false", err));
    if (producer) {
        TRY(set_defaults(conf, PRODUCER_DEFAULTS, LENGTH_OF(PRODUCER_DEFAULTS), err));
    } else {
        TRY(set_defaults(conf, CONSUMER_DEFAULTS, LENGTH_OF(CONSUMER_DEFAULTS), err));
        if (rd_kafka_version() >= 0x020200ff) {
            TRY(set_defaults(conf, SHORT_QUEUE_DEFAULTS, LENGTH_OF(SHORT_QUEUE_DEFAULTS), err));
        }
    }
    TRY(set_all(conf, properties->defaults, properties->default_count, err));
    TRY(set_all(conf, settings->properties, settings->property_count, err));

    TRY(set_property(conf, "bootstrap.servers", settings->brokers, err));
    TRY(set_property(conf, "log.queue", "true", err));
    if (producer) {
        TRY(set_all(conf, PRODUCER_FIXED, LENGTH_OF(PRODUCER_FIXED), err));
    } else {
        TRY(set_all(conf, CONSUMER_FIXED, LENGTH_OF(CONSUMER_FIXED), err));
        TRY(set_property(conf, "isolation.level",
                         role == CLIENT_QUERY_UNCOMMITTED ? "read_uncommitted" : "read_committed",
                         err));
        TRY(set_property(conf, "partition.assignment.strategy",
                         client_settings_cooperative() ? "cooperative-sticky" : "range", err));
    }
    return set_all(conf, properties->own, properties->own_count, err);
}

bool client_settings_conf(const struct cluster_settings *settings, enum client_role role,
                          const struct client_properties *properties, rd_kafka_conf_t **ret_conf,
                          struct err *err)
{
    TRY(check_settings(settings, err));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!fill(conf, settings, role, properties, err)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    *ret_conf = conf;
    return true;
}
