/* Which texts may stand for topics, stores, folders and brokers. */
#ifndef TIDEMARK_CONSUMER_SETTINGS_NAMES_H
#define TIDEMARK_CONSUMER_SETTINGS_NAMES_H

#include <stdbool.h>

/* Each returns NULL when the text is right, else what is wrong with it, as a constant text that quotes
 * nothing of it. Pure; any thread. */

/* Kafka's rule for topics: 1 to 249 of [A-Za-z0-9._-], not "." or "..". */
const char *settings_names_topic(const char *text);

/* `s3://bucket/prefix` or `file:///folder`, by section 2 of docs/format.md. */
const char *settings_names_store(const char *text);

/* One segment of [A-Za-z0-9._-]. */
const char *settings_names_prefix(const char *text);

/* One segment with `{db_id}` or `{db_id:0Nd}` exactly once. */
const char *settings_names_template(const char *text);

/* "host", "host:port", "[::1]:9092", several with commas, as librdkafka takes them. */
const char *settings_names_brokers(const char *text);

/* One "host:port" to listen on. */
const char *settings_names_listen(const char *text);

#endif
