/* The local checkpoint when a service starts: where it is, what must agree, whose rows it brings.
 */
#ifndef TIDEMARK_CONSUMER_SERVICE_CHECKPOINT_H
#define TIDEMARK_CONSUMER_SERVICE_CHECKPOINT_H

#include "adapters/os/folder_lock.h"
#include "checkpoint/spill/local_checkpoint.h"
#include "consumer/intake/intake.h"
#include "core/coord/coord.h"

/* Makes the member's work folder, and takes it for this process: spills, the local checkpoint and
 * shard files belong to one, and whoever comes second would delete what the first works on. Waits a
 * few seconds for one that still ends. SETTINGS: somebody else has it (named), or it cannot be
 * made. */
MUST_CHECK bool service_checkpoint_lock(const struct settings *settings, struct arena *arena,
                                        struct folder_lock **ret_lock, struct err *err);

/* With the lock. Fills in the place (in the arena), and opens what is there; *ret_checkpoint NULL:
 * nothing that can be used. `mock`: the embedded cluster has no ids to compare, so nothing is ever
 * kept (place->database NULL). Errors: the work folder cannot be used. */
MUST_CHECK bool service_checkpoint_open(const struct settings *settings,
                                        const struct coord_settings *coord, bool mock,
                                        struct arena *arena, struct local_checkpoint_place *place,
                                        struct local_checkpoint **ret_checkpoint, struct err *err);

/* Its rows are held again. Returns what the member machine is told, by partition, in the arena. */
const struct member_held *service_checkpoint_adopt(struct local_checkpoint *from,
                                                   struct held_rows *held, struct intake *intake,
                                                   struct arena *arena);

#endif
