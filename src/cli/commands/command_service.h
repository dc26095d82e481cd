/* A service inside a command: started, watched, and ended with the right exit code. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_SERVICE_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_SERVICE_H

#include "cli/commands/command.h"
#include "consumer/service.h"

/* Log level and form as the settings say; a command that draws on the terminal wants only warnings.
 */
void command_service_log(const struct settings *settings, bool quiet);

/* Called about ten times a second; true: it is done. */
typedef bool (*command_service_watch)(void *context, struct service *service,
                                      const struct member_state *state);

/* Starts the service, watches it until `watch` says so, it fails, or a signal comes; ends it in
 * order by the deadline, and a little later in any case. A second signal ends the process, with
 * STOPPED. On failure prints the error. `ret_state` is the last one. */
enum exit_code command_service_run(struct command_call *call, const struct settings *settings,
                                   const struct service_options *options,
                                   command_service_watch watch, void *context,
                                   struct member_state *ret_state);

#endif
