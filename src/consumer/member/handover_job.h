/* What is held of a partition, into the store for its next owner; and from there to its disk. */
#ifndef TIDEMARK_CONSUMER_MEMBER_HANDOVER_JOB_H
#define TIDEMARK_CONSUMER_MEMBER_HANDOVER_JOB_H

#include "consumer/member/part_job.h"
#include "core/coord/message.h"
#include "core/window/tally.h"

/* The object is a spill, and behind it the counts (tally_encode): `bytes` and `tally_bytes` of its
 * HANDOVER. */
struct handover_job {
    struct work work;
    const struct part_settings *settings;
    struct contribution *from; /* one user */
    struct arena *arena;
    const char *name; /* of the object */
    struct bytes tally;
    struct message_handover given; /* without the member's own fields; url and sizes when it is ok
                                    */
    bool ok;
    struct err err;
};

/* Copies what `given` and `tally` point to; `from` gets one user more. `sequence` as part_job_new.
 */
struct handover_job *handover_job_new(const struct part_settings *settings,
                                      const struct message_handover *given, struct bytes tally,
                                      struct contribution *from, uint64_t sequence);

struct adopt_job {
    struct work work;
    struct store *store;
    struct arena *arena;
    int64_t offset;                   /* of the HANDOVER */
    struct message_handover handover; /* a copy */
    const char *path;                 /* where its rows go */
    bool ok;
    struct err err;
    struct row_set *set; /* every block of it was verified; whoever takes it, takes the file */
    struct bytes tally;  /* checked against its digest */
};

struct adopt_job *adopt_job_new(struct store *borrowed_store, int64_t offset,
                                const struct message_handover *handover, const char *path);

#endif
