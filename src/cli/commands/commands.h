/* All commands of `tidemark`, and the dispatch from a command line to one of them. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMANDS_H
#define TIDEMARK_CLI_COMMANDS_COMMANDS_H

#include "cli/commands/command.h"

extern const struct command run_command;
extern const struct command build_command;
extern const struct command demo_command;
extern const struct command check_command;
extern const struct command help_command;
extern const struct command version_command;
extern const struct command status_command;
extern const struct command trigger_command;
extern const struct command hold_command;
extern const struct command resume_command;
extern const struct command skip_command;
extern const struct command accept_command;
extern const struct command get_command;
extern const struct command multiget_command;
extern const struct command info_command;
extern const struct command shards_command;
extern const struct command history_command;
extern const struct command route_command;
extern const struct command search_command;
extern const struct command verify_command;
extern const struct command diff_command;
extern const struct command doctor_command;
extern const struct command rollback_command;
extern const struct command cleanup_command;

extern const struct command_table commands_table; /* in the order of the help */

/* The whole of main(): finds the command, reads its options, runs it. */
enum exit_code commands_run(int argc, char **argv);

#endif
