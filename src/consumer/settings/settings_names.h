/* Which texts may stand for topics, brokers and addresses. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_SETTINGS_NAMES_H
#define TIDEMARK_CONSUMER_SETTINGS_SETTINGS_NAMES_H

#include <stdbool.h>

/* Each returns NULL when the text is right, else what is wrong with it, as a constant text that
 * quotes nothing of it. Pure; any thread. */

/* Kafka's rule for topics: 1 to 249 of [A-Za-z0-9._-], not "." or "..". */
const char *settings_names_topic(const char *text);

/* "host", "host:port", "[::1]:9092", several with commas, as librdkafka takes them. */
const char *settings_names_brokers(const char *text);

#endif
