/* A service inside a command: started, watched, and ended with the right exit code. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_SERVICE_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_SERVICE_H

#include "cli/commands/command.h"
#include "consumer/service.h"

/* Log level and form as the settings say; a command that draws on the terminal wants only warnings.
 */
void command_service_log(const struct settings *settings, bool quiet);

/* Where the command's error comes from: Kafka and the store have exit codes of their own. */
enum exit_code command_service_code(const struct err *err);

/* Called about ten times a second; true: it is done. */
typedef bool (*command_service_watch)(void *context, struct service *service,
                                      const struct member_state *state);

/* Starts the service, watches it until `watch` says so, it fails, or a signal comes; ends it in
 * order, or by the deadline at once. A second signal ends the process, with STOPPED. On failure
 * prints the error. `ret_state` is the last one. */
enum exit_code command_service_run(struct command_call *call, const struct settings *settings,
                                   const struct service_options *options,
                                   command_service_watch watch, void *context,
                                   struct member_state *ret_state);

#endif
