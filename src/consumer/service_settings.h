/* What the settings mean for each part of the service. */
#ifndef TIDEMARK_CONSUMER_SERVICE_SETTINGS_H
#define TIDEMARK_CONSUMER_SERVICE_SETTINGS_H

#include "adapters/leadership.h"
#include "adapters/source.h"
#include "core/coord/coord.h"
#include "core/fingerprint.h"
#include "core/route/route.h"
#include "core/settings.h"
#include "core/snapshot/names.h"
#include "core/window/cron.h"

/* All of it lives as long as the arena and the settings it was made of. */
struct service_settings {
    struct cluster_settings cluster;
    struct source_settings source;
    size_t batch_messages; /* at most a second's share, where there is a limit */
    struct ledger_settings ledger;
    struct leadership_settings leadership;
    uint64_t base_bytes;  /* of the disk budget, for the last files of the shards of a state: they
                             save a download, no more */
    uint64_t build_bytes; /* memory of all build threads together, with … */
    uint64_t kv_cache_bytes; /* … what the kv of a build thread may hold of rows in no file yet */
    struct coord_settings coord;
    const struct trigger_cut *targets; /* window.offsets, sorted */
    size_t target_count;
    const char *targets_id; /* the same for the same vector */
    enum source_start_kind start;
    int64_t start_time_ms;
    struct names names;
    struct router router;
    struct sharding sharding;
    struct cron cron;
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    const char *fingerprint_text; /* what it is of */
    enum key_encoding key_encoding;
};

/* All that the settings file says. SETTINGS. */
MUST_CHECK bool service_settings_init(struct service_settings *to, const struct settings *settings,
                                      struct arena *arena, struct err *err);
/* And what a cluster said: the ids of topics by the order of settings->topics, and the ledger's; ""
 * where unknown, as all are before. Borrowed. */
void service_settings_know(struct service_settings *to, const struct settings *settings,
                           const char *const *topic_ids, const char *ledger_id,
                           struct arena *arena);
/* What is in no arena; a zeroed one will do. */
void service_settings_done(struct service_settings *to);

#endif
