/* Why nobody can deliver a partition of an open CLOSE yet: for the leader's log and for operators.
 */
#ifndef TIDEMARK_CORE_COORD_LEADER_LACK_H
#define TIDEMARK_CORE_COORD_LEADER_LACK_H

#include "core/coord/leader_look.h"

enum leader_lack_kind {
    LEADER_LACK_OWNER,    /* nobody owns the partition */
    LEADER_LACK_SETTINGS, /* its owner runs with other settings (R9) */
    LEADER_LACK_SILENT,   /* its owner was not heard of for `quiet_us` */
    LEADER_LACK_REFUSED,  /* its owner refuses the build: `reason` */
    LEADER_LACK_READING,  /* its owner has not read up to the cut */
    LEADER_LACK_RANGE, /* its owner has not got what lies below `from`, and no SKIP gives it up */
    LEADER_LACK_READY, /* its owner has read it, and has not said READY */
};

/* Why a partition is not covered. */
struct leader_lack {
    enum leader_lack_kind kind;
    const char *owner;  /* NULL: nobody */
    int64_t position;   /* of the owner, else the furthest that anybody read to; -1: not known */
    int64_t from;       /* RANGE */
    int64_t silent_us;  /* SILENT */
    const char *reason; /* REFUSED */
};

/* Only for a partition that leader_look_cover has found wanting. */
struct leader_lack leader_lack_find(const struct leader_look *look,
                                    const struct message_close *close,
                                    const struct close_partition *partition);

/* "m2 has read up to 150": one line for people, without partition and cut. */
void leader_lack_print(const struct leader_lack *lack, struct buf *out);
const char *leader_lack_name(enum leader_lack_kind kind); /* "reading", … */

#endif
