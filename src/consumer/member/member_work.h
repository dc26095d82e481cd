/* The work that builds ask of this member: its rows regrouped, its part stored, shards built. */
#ifndef TIDEMARK_CONSUMER_MEMBER_MEMBER_WORK_H
#define TIDEMARK_CONSUMER_MEMBER_MEMBER_WORK_H

#include "checkpoint/shards/shard_job.h"
#include "consumer/member/part_job.h"
#include "consumer/member/regroup_job.h"
#include "core/coord/fold.h"

struct member_work_settings {
    struct shard_job_settings shard;
    const struct router *router;
    struct budget *budget;
    struct filter_policy policy;
    enum row_order order;
    int threads;
};

/* A shard or part job, for which its rows are regrouped first. */
struct work_waiting {
    struct work *piece;
    const struct regroup_job *rows; /* of this one; not looked into */
};

/* The member thread's own. */
struct member_work {
    const struct member_work_settings *settings;
    struct regroup_settings regroup;
    struct part_settings part;
    struct build_threads *threads;
    struct queue *done;
    struct contribution *sealed;  /* of the last seal */
    struct contribution *frame;   /* of a build: all partitions of its CLOSE, no rows */
    struct contribution *grouped; /* the sealed rows by shard, where the count came at the close */
    uint32_t grouped_num_dbs;
    const struct regroup_job *regrouping; /* the last that was begun, and has not come back; NULL */
    struct work_waiting *waiting;
    size_t waiting_count;
    size_t waiting_capacity;
    uint64_t parts; /* stored or tried since the start */
    bool told_shared_keys;
};

void member_work_init(struct member_work *work, const struct member_work_settings *settings,
                      const char *member, uint64_t incarnation, struct queue *borrowed_done);
void member_work_done(struct member_work *work); /* waits for the threads */

/* What the intake has sealed; what was sealed before is let go. */
void member_work_sealed(struct member_work *work, struct contribution *take_contribution);

/* The COMMIT is there: nothing of the build is needed any more. */
void member_work_forget(struct member_work *work);

/* Every piece of the run ends soon, as failed. */
void member_work_drop(struct member_work *work, const char *run_id);

/* BUILD and STORE_PART. False: it cannot be done here, and *ret_answer says so (texts in `arena`).
 */
MUST_CHECK bool member_work_build(struct member_work *work, const struct fold *fold,
                                  const struct member_command *command, struct arena *arena,
                                  struct member_event *ret_answer);
MUST_CHECK bool member_work_part(struct member_work *work, const struct fold *fold,
                                 const struct member_command *command,
                                 struct member_event *ret_answer);

/* Something came out of the queue. True: *ret_event tells the machine; its texts live as long as
 * the piece, which stays the caller's. */
bool member_work_finished(struct member_work *work, struct work *finished,
                          struct member_event *ret_event);

#endif
