/* Keeps a run's record in the store fresh, so that clean-up by other tools leaves it alone. */
#ifndef TIDEMARK_CHECKPOINT_LEADER_REGISTRY_H
#define TIDEMARK_CHECKPOINT_LEADER_REGISTRY_H

#include "adapters/store.h"
#include "core/snapshot/names.h"
#include "core/snapshot/run_record.h"

/* One run at a time: a new run ends the watch over the one before. Best effort by contract
 * (snapshot format, section 11): a failure is logged and never fails a build. The leader thread
 * only; every call may block on the store. */
struct registry;

struct registry *registry_new(struct store *borrowed_store, const struct names *borrowed_names);
struct registry *registry_free(struct registry *registry); /* takes NULL; returns NULL */

/* Writes the record. `running` is refreshed by registry_tick until another status is set. */
void registry_set(struct registry *registry, const char *run_id, enum run_status status,
                  const char *manifest_ref, const char *error, int64_t now_us);

/* Refreshes the lease when it is time: call it now and then. */
void registry_tick(struct registry *registry, int64_t now_us);

/* The leadership is over: whoever leads next keeps a record of its own. */
void registry_release(struct registry *registry);

#endif
