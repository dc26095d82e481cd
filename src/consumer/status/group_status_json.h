/* A group's status as JSON, for the command and for the status server. */
#ifndef TIDEMARK_CONSUMER_STATUS_GROUP_STATUS_JSON_H
#define TIDEMARK_CONSUMER_STATUS_GROUP_STATUS_JSON_H

#include "consumer/status/group_status.h"
#include "core/base/json.h"

/* Adds everything but the group's name to `root`. `status` was filled from `request`. What is not
 * known is null; times are RFC 3339. */
void group_status_json(cJSON *root, const struct group_status_request *request,
                       const struct group_status *status);

#endif
