/* The properties of every handle: the user's in their order, our defaults below, our own above. */
#ifndef TIDEMARK_ADAPTERS_KAFKA_CLIENT_SETTINGS_H
#define TIDEMARK_ADAPTERS_KAFKA_CLIENT_SETTINGS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "adapters/cluster.h"
#include "core/base/check.h"
#include "core/base/err.h"

enum client_role {
    CLIENT_CLUSTER = 1,       /* metadata and admin calls */
    CLIENT_SOURCE,            /* the group's consumer */
    CLIENT_QUERY,             /* offsets as read_committed sees them */
    CLIENT_QUERY_UNCOMMITTED, /* offsets as the log has them */
    CLIENT_READER,            /* the ledger from its start */
    CLIENT_CANDIDATE,         /* the leader group */
    CLIENT_LEADER,            /* the transactional producer */
    CLIENT_WRITER,            /* a member's appends */
    CLIENT_PRODUCER,          /* dead letters, demo data */
};

/* "source", "leader", …: the suffix of client.id, and what logs say. */
const char *client_settings_role_name(enum client_role role);

bool client_settings_is_producer(enum client_role role);

/* The cooperative protocol lost partitions or looped before 2.10.1 (librdkafka 4059, 4783): older
 * libraries use range, whose rebalances stop everybody for a moment. */
bool client_settings_cooperative(void);

/* What one handle adds: `own` (group.id, …) stands above the user's properties, `defaults` below.
 */
struct client_properties {
    const struct cluster_property *own;
    size_t own_count;
    const struct cluster_property *defaults;
    size_t default_count;
};

/* A conf with all but callbacks. SETTINGS, naming the property; a secret's value is never in it. */
MUST_CHECK bool client_settings_conf(const struct cluster_settings *settings, enum client_role role,
                                     const struct client_properties *properties,
                                     rd_kafka_conf_t **ret_conf, struct err *err);

#endif
