/* How the cluster that the settings name is reached. */
#ifndef TIDEMARK_CONSUMER_OPERATOR_CLUSTER_REACH_H
#define TIDEMARK_CONSUMER_OPERATOR_CLUSTER_REACH_H

#include "adapters/cluster.h"
#include "core/base/arena.h"
#include "core/settings.h"

/* Borrows the settings' texts; the list of properties is the arena's. */
struct cluster_settings cluster_reach(const struct settings *settings, struct arena *arena);

#endif
