/* The topics of a service, before it begins: are they what it needs? */
#ifndef TIDEMARK_CONSUMER_SERVICE_TOPICS_H
#define TIDEMARK_CONSUMER_SERVICE_TOPICS_H

#include "adapters/cluster.h"
#include "core/settings.h"

/* Each topic of the settings, and the one for dead letters, must be there; only then the ledger is
 * made, or the one that is there held against what it must be. Gives the ids of the ledger and of
 * the topics (`ids`: one each), as texts in the arena; those that the brokers do not tell are "" or
 * stay. SETTINGS, with what to change; as cluster_describe. Waits for at most half a minute for an
 * answer. */
MUST_CHECK bool service_topics_check(const struct settings *settings,
                                     const struct cluster_settings *how, struct arena *arena,
                                     const char **ids, const char **ret_ledger_id, struct err *err);

#endif
