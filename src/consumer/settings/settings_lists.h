/* The lists of a settings file: topics with their fields, librdkafka's properties, explicit
 * offsets. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_LISTS_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_LISTS_H

#include "consumer/settings/settings_reader.h"

/* Fills topics, kafka.properties, window.targets and gates.canary_keys; mistakes are reported. */
void settings_lists_read(struct settings_reader *reader);

enum {
    SETTINGS_TOPICS_MAX = 1000,
    SETTINGS_FIELDS_MAX = 1000,
    SETTINGS_PROPERTIES_MAX = 500,
    SETTINGS_TARGETS_MAX = 100000,
    SETTINGS_CANARIES_MAX = 1000 /* as CANARIES_MAX of a record */
};

#endif
