/* The cluster's settings, kept by those who make new handles later. */
#include "adapters/kafka/settings_copy.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

struct settings_copy {
    struct arena *arena;
    struct cluster_settings settings;
};

static const char *keep(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_text(arena, bytes_of_text(text));
}

struct settings_copy *settings_copy_new(const struct cluster_settings *settings)
{
    struct settings_copy *copy = calloc(1, sizeof(*copy));
    CHECK(copy != NULL);
    copy->arena = arena_new(4096);
    struct cluster_property *properties =
        arena_alloc(copy->arena, (settings->property_count + 1) * sizeof(*properties));
    for (size_t i = 0; i < settings->property_count; i++) {
        properties[i].name = keep(copy->arena, settings->properties[i].name);
        properties[i].value = keep(copy->arena, settings->properties[i].value);
    }
    copy->settings = (struct cluster_settings){
        .brokers = keep(copy->arena, settings->brokers),
        .client_id = keep(copy->arena, settings->client_id),
        .properties = properties,
        .property_count = settings->property_count,
    };
    return copy;
}

struct settings_copy *settings_copy_free(struct settings_copy *copy)
{
    if (copy != NULL) {
        arena_free(copy->arena);
        free(copy);
    }
    return NULL;
}

const struct cluster_settings *settings_copy_cluster(const struct settings_copy *copy)
{
    return &copy->settings;
}

char *settings_copy_topic(const struct ledger_settings *settings)
{
    struct arena *arena = arena_new(256);
    const char *name = settings->topic != NULL ? settings->topic
                                               : ledger_topic_name(arena, settings->group);
    char *copy = strdup(name);
    CHECK(copy != NULL);
    arena_free(arena);
    return copy;
}
