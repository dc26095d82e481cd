/* The settings that a command was given with -c and --set. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_SETTINGS_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_SETTINGS_H

#include "cli/commands/command.h"
#include "consumer/settings/settings_file.h"

/* For commands with COMMAND_OPTION_FILE and COMMAND_OPTION_SET. On a mistake all mistakes are
 * printed (with --json as a document on standard error), and *ret_code says how to end.
 * `ret_settings` ends with settings_free. */
MUST_CHECK bool command_settings_load(struct command_call *call, struct settings **ret_settings,
                                      enum exit_code *ret_code);

/* The file's path from -c or TIDEMARK_CONFIG; NULL: neither. */
const char *command_settings_path(const struct command_call *call);

/* {"file":…,"mistakes":[{"file","line","path","problem","seen","allowed","nearest","text"}…]} */
cJSON *command_settings_mistakes_json(const char *path, const struct settings_mistakes *mistakes);

/* One a line, on standard error. */
void command_settings_print_mistakes(struct output *output,
                                     const struct settings_mistakes *mistakes);

/* Loads, and leaves it to the caller to print. ERR_INPUT when no file was named. */
MUST_CHECK bool command_settings_try(const struct command_call *call,
                                     struct settings **ret_settings,
                                     struct settings_mistakes *mistakes, struct err *err);

#endif
