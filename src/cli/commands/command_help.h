/* Help as text, from the same tables as the man pages. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_HELP_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_HELP_H

#include "cli/commands/command.h"

/* What `tidemark COMMAND --help` says. */
void command_help_print(struct buf *out, const struct command *command);

/* What `tidemark --help` says. */
void command_help_overview(struct buf *out, const struct command *const *commands, size_t count);

/* Every exit code, and what it means. */
void command_help_exit_codes(struct buf *out);

/* `text` in lines of at most 79 columns, `indent` blanks before each; an empty line of it stays. */
void command_help_wrap(struct buf *out, const char *text, size_t indent);

/* "tidemark get [OPTION]… KEY" */
void command_help_usage(struct buf *out, const struct command *command);

#endif
