/* docs/commands.md, from the same tables as the help. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_PAGE_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_PAGE_H

#include "cli/commands/command.h"

/* The whole page as Markdown, a section for each command. A test compares it with the file. */
void command_page_print(struct buf *out, const struct command *const *commands, size_t count);

#endif
