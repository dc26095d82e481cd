/* The settings' brokers and properties, in the form that Kafka's side takes. */
#include "consumer/operator/cluster_reach.h"

struct cluster_settings cluster_reach(const struct settings *settings, struct arena *arena)
{
    const struct kafka_settings *kafka = &settings->kafka;
    struct cluster_property *properties =
        arena_zero(arena, (kafka->property_count + 1) * sizeof *properties);
    for (size_t i = 0; i < kafka->property_count; i++) {
        properties[i].name = kafka->properties[i].name;
        properties[i].value = kafka->properties[i].value;
    }
    return (struct cluster_settings){.brokers = kafka->brokers,
                                     .client_id = "tidemark",
                                     .properties = properties,
                                     .property_count = kafka->property_count};
}
