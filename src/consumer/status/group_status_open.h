/* The open build of a group's status: what it waits for, who refused it, who builds. */
#ifndef TIDEMARK_CONSUMER_STATUS_GROUP_STATUS_OPEN_H
#define TIDEMARK_CONSUMER_STATUS_GROUP_STATUS_OPEN_H

#include "consumer/status/group_status.h"

/* `status->open_close` is there. */
void group_status_fill_open(const struct group_status_request *request, struct arena *arena,
                            struct group_status *status);

/* One line for people, of a build that is closed, or building. */
const char *group_status_open_text(const struct group_status *status, struct arena *arena);

#endif
