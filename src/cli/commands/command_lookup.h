/* A command by its name, in the table of all commands. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_LOOKUP_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_LOOKUP_H

#include "cli/commands/command.h"

/* NULL: there is none. */
const struct command *command_lookup(struct command_table table, const char *name);
const char *command_nearest(struct command_table table, const char *name); /* NULL: none is near */

#endif
