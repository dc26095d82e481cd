/* One command of `tidemark`: its table of options, and the call that somebody made of it. */
#ifndef TIDEMARK_CLI_COMMANDS_COMMAND_H
#define TIDEMARK_CLI_COMMANDS_COMMAND_H

#include "cli/commands/exit_code.h"
#include "cli/commands/output.h"

/* How to add a command: a file `<name>_command.c` with `const struct command <name>_command`, a
 * line in commands.h, one in commands.c, a section in docs/commands.md. Help, man pages and the
 * checking of command lines come from this table. */

struct command_option {
    const char *name;     /* without "--"; NULL ends the table */
    char letter;          /* 'c' for -c; 0: none */
    const char *argument; /* "FILE"; NULL: a flag; "[=SECONDS]": may be left out */
    const char *doc;      /* one sentence */
    bool many;            /* may be given more than once */
};

/* --help, -h: every command has it, so no table does. */
extern const struct command_option command_help_option;

struct command_call;

struct command {
    const char *name;
    const char *summary;   /* one line, no full stop */
    const char *arguments; /* "KEY", "[KEY…]"; NULL: takes none */
    size_t arguments_min;
    size_t arguments_max;
    const struct command_option *options; /* --help is always there */
    const char *help;                     /* paragraphs with empty lines between; may be NULL */
    const char *examples;                 /* lines "command\tsays what"; may be NULL */
    enum exit_code (*run)(struct command_call *call);
};

/* Options that many commands share, to be put into their tables. */
#define COMMAND_OPTION_JSON                                                                        \
    {                                                                                              \
        "json", 0, NULL, "Print the result as one JSON document.", false                           \
    }
#define COMMAND_OPTION_FILE                                                                        \
    {                                                                                              \
        "config", 'c', "FILE",                                                                     \
            "The settings file; without it the environment variable TIDEMARK_CONFIG names it.",    \
            false                                                                                  \
    }
#define COMMAND_OPTION_SET                                                                         \
    {                                                                                              \
        "set", 0, "PATH=VALUE", "Another value for one setting, as in window.size=5m.", true       \
    }
#define COMMAND_OPTION_SNAPSHOT                                                                    \
    {                                                                                              \
        "snapshot", 's', "URL",                                                                    \
            "Where snapshots are, s3://… or file://…, instead of a settings file.", false          \
    }
#define COMMAND_OPTIONS_END                                                                        \
    {                                                                                              \
        NULL, 0, NULL, NULL, false                                                                 \
    }

enum { COMMAND_VALUES_MAX = 256 };

struct command_value {
    const struct command_option *option;
    const char *text; /* NULL for a flag */
};

/* All commands, in the order of the help. */
struct command_table {
    const struct command *const *commands;
    size_t count;
};

struct command_call {
    const struct command *command;
    struct command_table all;
    struct output output;
    const char **arguments; /* what is not an option, in order */
    size_t argument_count;
    bool help; /* --help was given */
    struct command_value values[COMMAND_VALUES_MAX];
    size_t value_count;
};

/* Reads argv after the command's name; `argv` must outlive the call. ERR_INPUT says what is wrong,
 * with the nearest right option. `--` ends the options. Options and arguments may be mixed. */
MUST_CHECK bool command_parse(const struct command *command, int argc, char **argv,
                              struct command_call *call, struct err *err);

/* Asking for an option that is not in the command's table is a bug (CHECK). */
bool command_has(const struct command_call *call, const char *option);
const char *command_value(const struct command_call *call, const char *option); /* the last; NULL */
/* All values of an option that may be given often; *ret_count of them, at most `max`. */
size_t command_values(const struct command_call *call, const char *option, const char **values,
                      size_t max);

/* A whole number of an option in a range; `fallback` when it was not given. */
MUST_CHECK bool command_number(const struct command_call *call, const char *option, int64_t min,
                               int64_t max, int64_t fallback, int64_t *ret_number, struct err *err);
/* The same for durations like "30s", in microseconds. */
MUST_CHECK bool command_duration(const struct command_call *call, const char *option,
                                 int64_t fallback_us, int64_t *ret_us, struct err *err);

/* Prints the error; returns `code`, or exit_code_of(err) when `code` is OK. */
enum exit_code command_fail(struct command_call *call, enum exit_code code, const struct err *err);

#endif
