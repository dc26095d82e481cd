/* For how long partitions of ours have had something to read and stood still. */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_STANDING_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_STANDING_H

#include "consumer/status/group_status.h"

struct status_standing_partition {
    char topic[MESSAGE_NAME_MAX + 1];
    int32_t number;
    int64_t position;
    int64_t since_us; /* by the steady clock; 0: it moves, or has nothing to read */
};

/* Sorted as it was first seen; a partition that is somebody else's now keeps its place. */
struct status_standing {
    struct status_standing_partition *list;
    size_t count;
};

void status_standing_done(struct status_standing *standing);

/* Looks at what `member` owns, at the steady time `now_us` (> 0). */
void status_standing_look(struct status_standing *standing, const struct group_status *group,
                          const char *member, int64_t now_us);

/* 0: it moves. */
int64_t status_standing_us(const struct status_standing *standing, struct partition_id id,
                           int64_t now_us);

#endif
