/* When and how the local checkpoint is written: at consistent moments, while records come in. */
#ifndef TIDEMARK_CONSUMER_INTAKE_CHECKPOINT_SAVER_H
#define TIDEMARK_CONSUMER_INTAKE_CHECKPOINT_SAVER_H

#include "checkpoint/spill/local_checkpoint.h"
#include "consumer/intake/intake.h"

/* The happy path: enough is only in memory, so everything is sorted and what the intake has counted
 * is copied; the sets are written to the disk one after the other; when all are there, one
 * transaction names them. What is let go meanwhile begins it again. What can go wrong: the disk is
 * full, the database cannot be written: then there is no new checkpoint, the log says so, and the
 * service goes on. The intake thread's own. */
struct checkpoint_saver;

struct checkpoint_saver_settings {
    struct local_checkpoint_place place; /* borrowed; database NULL: nothing is ever saved */
    struct intake *intake;
    struct held_rows *held;
    struct dead_letters *letters;
    int64_t interval_us; /* at the least between two; 0: only at the end */
    uint64_t bytes;      /* that much must be in memory alone */
};

struct checkpoint_saver *checkpoint_saver_new(const struct checkpoint_saver_settings *settings);
struct checkpoint_saver *checkpoint_saver_free(struct checkpoint_saver *saver); /* NULL; takes NULL
                                                                                 */

/* Often: does the next step, and does not wait for the disk (but for the transaction). */
void checkpoint_saver_turn(struct checkpoint_saver *saver, int64_t mono_us);

/* After intake_forget with the same arguments. */
void checkpoint_saver_forget(struct checkpoint_saver *saver, const struct member_forget *partitions,
                             size_t count, const char *run);

/* Everything goes to the disk, and the checkpoint is written. False: it was not (and said why). */
bool checkpoint_saver_finish(struct checkpoint_saver *saver);

/* What is held is not to be trusted: the next start reads again. */
void checkpoint_saver_discard(struct checkpoint_saver *saver);

#endif
