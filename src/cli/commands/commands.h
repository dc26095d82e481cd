/* All commands of `tidemark`, and the dispatch from a command line to one of them. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMANDS_H
#define TIDEMARK_CLI_COMMANDS_COMMANDS_H

#include "cli/commands/command.h"

extern const struct command check_command;
extern const struct command help_command;
extern const struct command version_command;

/* In the order of the help. */
extern const struct command *const commands_all[];
extern const size_t commands_count;

/* NULL: there is none. */
const struct command *commands_find(const char *name);
const char *commands_nearest(const char *name); /* NULL: none is near */

/* The whole of main(): finds the command, reads its options, runs it. */
enum exit_code commands_run(int argc, char **argv);

#endif
