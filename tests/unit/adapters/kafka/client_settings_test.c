/* Which properties may a user set, and is each refusal one that can be acted on? */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/kafka/client_settings.h"

static bool check(const char *name, const char *value, struct err *err)
{
    const struct cluster_property property = {name, value};
    const struct cluster_settings settings = {
        .brokers = "localhost:9092", .properties = &property, .property_count = 1};
    return cluster_check_properties(&settings, err);
}

Test(client_settings, refuses_what_is_ours)
{
    static const struct {
        const char *name;
        const char *value;
        const char *says;
    } ROWS[] = {
        {"bootstrap.servers", "x:1", "kafka.brokers"},
        {"group.id", "g", "the setting group"},
        {"group.instance.id", "g", "member_id"},
        {"transactional.id", "t", "fences"},
        {"isolation.level", "read_uncommitted", "always \"read_committed\""},
        {"auto.offset.reset", "latest", "always \"error\""},
        {"enable.auto.commit", "true", "always \"false\""},
        {"partition.assignment.strategy", "roundrobin", "version"},
        {"enable.partition.eof", "false", "always \"true\""},
        {"acks", "1", "always \"all\""},
        {"enable.idempotence", "false", "always \"true\""},
        {"group.protocol", "consumer", "classic"},
        {"queued.max.messages.kbytes", "1", "memory_budget"},
        {"statistics.interval.ms", "0", "always \"5000\""},
        {"no.such.property", "1", "no property"},
        {"security.protocol", "nonsense", "security.protocol"},
        {"", "1", "name"},
    };
    for (size_t i = 0; i < LENGTH_OF(ROWS); i++) {
        struct err err = {0};
        cr_expect_not(check(ROWS[i].name, ROWS[i].value, &err), "%s", ROWS[i].name);
        cr_expect_eq(err.kind, ERR_SETTINGS, "%s", ROWS[i].name);
        cr_expect(strstr(err.message, ROWS[i].says) != NULL, "%s: %s", ROWS[i].name, err.message);
        cr_expect(strstr(err.message, ROWS[i].name) != NULL, "%s: %s", ROWS[i].name, err.message);
    }
}

Test(client_settings, lets_the_rest_pass)
{
    static const struct cluster_property ROWS[] = {
        {"security.protocol", "SASL_SSL"},
        {"sasl.mechanism", "SCRAM-SHA-512"},
        {"sasl.username", "me"},
        {"sasl.password", "secret"},
        {"isolation.level", "read_committed"},
        {"acks", "all"},
        {"compression.type", "zstd"},
        {"session.timeout.ms", "30000"},
        {"client.id", "mine"},
        {"fetch.max.bytes", "1000000"},
        {"socket.timeout.ms", "5000"},
        {"log_level", "3"},
        {"enable.auto.commit", "False"},
    };
    for (size_t i = 0; i < LENGTH_OF(ROWS); i++) {
        struct err err = {0};
        cr_expect(check(ROWS[i].name, ROWS[i].value, &err), "%s: %s", ROWS[i].name, err.message);
    }
}

static void value_of(rd_kafka_conf_t *conf, const char *name, char value[64])
{
    size_t size = 64;
    cr_assert_eq(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK, "%s", name);
}

/* Ours above, then the user's in their order, then the handle's defaults. */
Test(client_settings, layers)
{
    static const struct cluster_property USER[] = {
        {"session.timeout.ms", "11000"}, {"session.timeout.ms", "12000"}, {"check.crcs", "false"}};
    static const struct cluster_property OWN[] = {{"group.id", "g"}};
    static const struct cluster_property DEFAULTS[] = {{"session.timeout.ms", "45000"},
                                                       {"max.poll.interval.ms", "77000"}};
    const struct cluster_settings settings = {
        .brokers = "b:1", .properties = USER, .property_count = LENGTH_OF(USER)};
    const struct client_properties properties = {OWN, LENGTH_OF(OWN), DEFAULTS,
                                                 LENGTH_OF(DEFAULTS)};
    struct err err = {0};
    rd_kafka_conf_t *conf = NULL;
    cr_assert(client_settings_conf(&settings, CLIENT_SOURCE, &properties, &conf, &err), "%s",
              err.message);
    static const struct cluster_property WANT[] = {
        {"session.timeout.ms", "12000"},
        {"max.poll.interval.ms", "77000"},
        {"check.crcs", "false"},
        {"group.id", "g"},
        {"isolation.level", "read_committed"},
        {"enable.partition.eof", "true"},
        {"enable.auto.commit", "false"},
        {"client.id", "tidemark-source"},
        {"bootstrap.servers", "b:1"},
        {"auto.offset.reset", "error"},
    };
    for (size_t i = 0; i < LENGTH_OF(WANT); i++) {
        char value[64];
        if (strcmp(WANT[i].name, "auto.offset.reset") == 0) {
            continue; /* a topic's property, which cannot be read back here */
        }
        value_of(conf, WANT[i].name, value);
        cr_expect_str_eq(value, WANT[i].value, "%s is %s", WANT[i].name, value);
    }
    rd_kafka_conf_destroy(conf);

    cr_assert(client_settings_conf(&settings, CLIENT_QUERY_UNCOMMITTED, &properties, &conf, &err));
    char value[64];
    value_of(conf, "isolation.level", value);
    cr_expect_str_eq(value, "read_uncommitted");
    rd_kafka_conf_destroy(conf);
}

Test(client_settings, secrets_stay_out_of_errors)
{
    struct err err = {0};
    cr_assert_not(check("ssl.key.pem", "-----BEGIN hunter2-----", &err) &&
                  check("sasl.oauthbearer.client.secret.x", "hunter2", &err));
    cr_expect(strstr(err.message, "hunter2") == NULL, "%s", err.message);
}

Test(client_settings, refuses_long_client_ids)
{
    char id[CLUSTER_CLIENT_ID_MAX + 2];
    memset(id, 'x', sizeof(id));
    id[sizeof(id) - 1] = '\0';
    struct err err = {0};
    struct cluster_settings settings = {.brokers = "b:1", .client_id = id};
    cr_expect_not(cluster_check_properties(&settings, &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    settings = (struct cluster_settings){.brokers = ""};
    cr_expect_not(cluster_check_properties(&settings, &err));
}

Test(client_settings, this_version_is_good)
{
    struct err err = {0};
    cr_expect(cluster_check_version(&err), "%s", err.message);
    cr_expect(strstr(cluster_client_version(), rd_kafka_version_str()) != NULL);
}

/* KIP-516's text form, as Kafka's own Uuid prints it. */
Test(client_settings, topic_ids)
{
    char text[CLUSTER_ID_TEXT_MAX];
    cluster_topic_id_text((struct cluster_topic_id){0, 0}, text);
    cr_expect_str_eq(text, "");
    cluster_topic_id_text((struct cluster_topic_id){0, 1}, text); /* Uuid.ONE_UUID */
    cr_expect_str_eq(text, "AAAAAAAAAAAAAAAAAAAAAQ");
    cluster_topic_id_text((struct cluster_topic_id){UINT64_MAX, UINT64_MAX}, text);
    cr_expect_str_eq(text, "_____________________w");
}
