/* Names of the group and its topics, brokers, and what librdkafka says about its properties. */
#include "adapters/cluster.h"
#include "adapters/cluster_properties.h"
#include "consumer/settings/settings_check.h"
#include "consumer/settings/settings_names.h"

/* Properties that have a setting of their own. Which others Tidemark sets itself is known to
 * adapters/kafka, and so is what the library that was loaded takes. */
static const struct {
    const char *name;
    const char *setting;
} owned[] = {
    {"bootstrap.servers", "kafka.brokers"},
    {"metadata.broker.list", "kafka.brokers"},
    {"group.id", "group"},
    {"group.instance.id", "member_id"},
    {"session.timeout.ms", "kafka.session_timeout"},
    {"queued.max.messages.kbytes", "limits.memory_budget"},
};

static void check_property(struct settings_reader *reader, size_t index)
{
    const struct kafka_settings *kafka = &reader->settings->kafka;
    const struct kafka_property *property = &kafka->properties[index];
    const char *path = arena_format(reader->arena, "kafka.properties[%zu]", property->index);
    const char *name = settings_reader_written(reader, arena_format(reader->arena, "%s[0]", path));
    for (size_t i = 0; i < index; i++) {
        if (strcmp(kafka->properties[i].name, property->name) == 0) {
            settings_reader_refuse(reader, path, "a property twice", name, NULL, NULL);
            return;
        }
    }
    for (size_t i = 0; i < LENGTH_OF(owned); i++) {
        if (strcmp(owned[i].name, property->name) == 0) {
            settings_reader_refuse(reader, path, "a property that has a setting of its own", name,
                                   owned[i].setting, NULL);
            return;
        }
    }
    struct cluster_property one = {.name = property->name, .value = property->value};
    struct cluster_settings settings = {
        .brokers = "localhost:9092", .properties = &one, .property_count = 1};
    struct err err = {0};
    if (cluster_check_properties(&settings, &err)) {
        return;
    }
    static const char prefix[] = "kafka.properties: ";
    const char *problem = err.message;
    problem += strncmp(problem, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
    bool name_shown = name != NULL && strstr(name, "${") == NULL;
    bool quotes_value = property->value[0] != '\0' && strstr(problem, property->value) != NULL;
    if (!property->shown && (quotes_value || !name_shown)) {
        settings_reader_refuse(reader, path, "librdkafka refuses the property or its value", name,
                               NULL, NULL);
        return;
    }
    char nearest[CLUSTER_PROPERTIES_NAME_SIZE];
    bool unknown = strstr(problem, "no property") != NULL;
    bool near = unknown && cluster_properties_nearest(property->name, nearest);
    settings_reader_refuse(reader, path, problem, NULL, NULL, near ? nearest : NULL);
}

void settings_check_kafka(struct settings_reader *reader)
{
    struct settings *settings = reader->settings;
    const char *problem = settings->group == NULL ? NULL : settings_names_topic(settings->group);
    if (problem != NULL) {
        settings_reader_refuse(reader, "group",
                               "not a name that topics can be called after (A-Z a-z 0-9 . _ -)",
                               settings_reader_written(reader, "group"), NULL, NULL);
    }
    problem = settings->kafka.brokers == NULL ? NULL
                                              : settings_names_brokers(settings->kafka.brokers);
    if (problem != NULL) {
        settings_reader_refuse(reader, "kafka.brokers", problem,
                               settings_reader_written(reader, "kafka.brokers"), NULL, NULL);
    }
    const char *ledger = settings->kafka.ledger_topic;
    bool own_ledger = settings_reader_has(reader, "kafka.ledger_topic");
    problem = ledger == NULL ? NULL : settings_names_topic(ledger);
    if (problem != NULL && own_ledger) {
        settings_reader_refuse(reader, "kafka.ledger_topic", problem,
                               settings_reader_written(reader, "kafka.ledger_topic"), NULL, NULL);
    } else if (problem != NULL && settings_reader_is_right(reader, "group")) {
        settings_reader_refuse(reader, "group", "too long: \"<group>.coordination\" is a topic",
                               settings_reader_written(reader, "group"), NULL, NULL);
    }
    for (size_t i = 0; i < settings->topic_count && ledger != NULL; i++) {
        if (settings->topics[i].name != NULL && strcmp(settings->topics[i].name, ledger) == 0) {
            settings_reader_refuse(reader, arena_format(reader->arena, "topics[%zu].name", i),
                                   "the coordination topic: it cannot be read as data", NULL, NULL,
                                   NULL);
        }
    }
    for (size_t i = 0; i < settings->kafka.property_count; i++) {
        check_property(reader, i);
    }
}
