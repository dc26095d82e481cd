/* A group's status, printed. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_STATUS_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_STATUS_H

#include "cli/commands/command.h"
#include "consumer/status/group_status.h"

void command_status_json(struct command_call *call, const char *group,
                         const struct group_status_request *request,
                         const struct group_status *status);
void command_status_text(struct command_call *call, const char *group,
                         const struct group_status_request *request,
                         const struct group_status *status, struct arena *arena);

#endif
