/* Manual pages as roff, from the same tables as the help. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_MAN_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_MAN_H

#include "cli/commands/command.h"

/* tidemark-COMMAND(1). */
void command_man_print(struct buf *out, const struct command *command);

/* tidemark(1): all commands, and the exit codes. */
void command_man_overview(struct buf *out, const struct command *const *commands, size_t count);

#endif
