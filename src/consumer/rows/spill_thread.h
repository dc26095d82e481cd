/* The thread that writes spills, so that records come in meanwhile. */
#ifndef TIDEMARK_CONSUMER_ROWS_SPILL_THREAD_H
#define TIDEMARK_CONSUMER_ROWS_SPILL_THREAD_H

#include "checkpoint/spill/row_share.h"

/* One spill at a time: the owner starts one, and takes its result before the next. One owner's
 * thread. */
struct spill_thread;

/* `sync`: what it writes is on the disk for good, and not only the kernel's. */
struct spill_thread *spill_thread_new(bool sync);

/* What is being written, and all that is started from now on, ends soon as STOPPED. Any thread. */
void spill_thread_abort(struct spill_thread *thread);

/* Stops what is being written, and ends it. Takes NULL; returns NULL. */
struct spill_thread *spill_thread_free(struct spill_thread *thread);

/* Writes the rows to `path` (copied). The rows get one user more meanwhile. */
void spill_thread_start(struct spill_thread *thread, struct row_share *share, const char *path);

bool spill_thread_busy(const struct spill_thread *thread); /* started, and its result not taken */

/* With `wait`, or when it is there: the spill opened for reading, and its size. False: *ret_done
 * says whether that is an error (as spill_write and spill_open_file) or it is not finished. */
MUST_CHECK bool spill_thread_take(struct spill_thread *thread, bool wait, bool *ret_done,
                                  struct row_share **ret_spill, uint64_t *ret_bytes,
                                  struct err *err);

#endif
