/* A set of sorted rows with several users: the last one out frees it, and its file. */
#ifndef TIDEMARK_CHECKPOINT_SPILL_ROW_SHARE_H
#define TIDEMARK_CHECKPOINT_SPILL_ROW_SHARE_H

#include "core/spill/row_set.h"

/* The intake thread holds rows until a COMMIT covers them; build threads read them meanwhile, and
 * may still do so when the intake has let go of them (a speculative attempt, a dropped build). */
struct row_share;

/* One user: the caller. `path`: a spill's local file, copied, removed at the end; NULL: in memory.
 */
struct row_share *row_share_new(struct row_set *take_set, const char *path);

/* One user more. Any thread that is a user. */
struct row_share *row_share_use(struct row_share *share);

/* One user less. Takes NULL; returns NULL. */
struct row_share *row_share_drop(struct row_share *share);

struct row_set *row_share_set(const struct row_share *share); /* borrowed from the share */
const char *row_share_path(const struct row_share *share);    /* of its file; NULL: in memory */
/* Its file stays when the last user has gone: for the next start. Any user. */
void row_share_keep_file(struct row_share *share);

#endif
