/* The cluster's settings, kept by those who make new handles later. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_SETTINGS_COPY_H
#define TIDEMARK_ADAPTERS_KAFKA_SETTINGS_COPY_H

#include "adapters/cluster.h"
#include "adapters/ledger.h"

struct settings_copy;

struct settings_copy *settings_copy_new(const struct cluster_settings *settings);
struct settings_copy *settings_copy_free(struct settings_copy *copy);
const struct cluster_settings *settings_copy_cluster(const struct settings_copy *copy);

/* The ledger's topic, for free(). */
char *settings_copy_topic(const struct ledger_settings *settings);

#endif
