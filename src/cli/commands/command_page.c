/* docs/commands.md, from the same tables as the help. */
#include "cli/commands/command_page.h"

#include "cli/commands/command_help.h"

static const char intro[] =
    "# Commands\n\n"
    "`tidemark COMMAND [OPTION]… [ARGUMENT]…`. This page, `tidemark COMMAND --help`, the manual "
    "pages\n"
    "`tidemark-COMMAND(1)` and the reading of command lines come from the same tables\n"
    "(`tidemark help --markdown > docs/commands.md`); a test holds them together.\n\n"
    "- Results go to standard output; messages, mistakes and progress to standard error. With "
    "`--json` "
    "the result\n  is one JSON document, and errors are JSON too, on standard error:\n"
    "  `{\"error\":{\"kind\":…,\"message\":…}}`.\n"
    "- `-c FILE` names the settings file ([settings](settings.md)); without it the environment "
    "variable\n"
    "  `TIDEMARK_CONFIG` does. `--set PATH=VALUE` is stronger than the file.\n"
    "- [Exit codes](exit-codes.md) are the same for every command.\n"
    "- Colours and progress bars only on a terminal; `NO_COLOR` turns colours off.\n";

/* In a cell of a table a bar would end the cell. */
static void add_cell(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            buf_add_byte(out, '\\');
        }
        buf_add_byte(out, (uint8_t)*text);
    }
}

static void add_option(struct buf *out, const struct command_option *option)
{
    buf_add_text(out, "| ");
    if (option->letter != 0) {
        buf_add_format(out, "`-%c`, ", option->letter);
    }
    buf_add_format(out, "`--%s%s", option->name,
                   option->argument == NULL || option->argument[0] == '[' ? "" : "=");
    add_cell(out, option->argument == NULL ? "" : option->argument);
    buf_add_text(out, "` | ");
    add_cell(out, option->doc);
    buf_add_text(out, option->many ? " May be given often. |\n" : " |\n");
}

static void add_examples(struct buf *out, const char *examples)
{
    buf_add_text(out, "\n```\n");
    while (*examples != '\0') {
        size_t size = strcspn(examples, "\n");
        const char *tab = memchr(examples, '\t', size);
        size_t command_size = tab == NULL ? size : (size_t)(tab - examples);
        buf_add_format(out, "%.*s", (int)command_size, examples);
        if (tab != NULL) {
            buf_add_format(out, "    # %.*s", (int)(size - command_size - 1), tab + 1);
        }
        buf_add_byte(out, '\n');
        examples += size + (examples[size] == '\n');
    }
    buf_add_text(out, "```\n");
}

static void add_command(struct buf *out, const struct command *command)
{
    buf_add_format(out, "\n## `%s`\n\n`", command->name);
    command_help_usage(out, command);
    buf_add_format(out, "`\n\n%s.\n", command->summary);
    if (command->help != NULL) {
        buf_add_byte(out, '\n');
        command_help_wrap(out, command->help, 0);
    }
    buf_add_text(out, "\n| option | |\n|---|---|\n");
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        add_option(out, o);
    }
    add_option(out, &command_help_option);
    if (command->examples != NULL) {
        add_examples(out, command->examples);
    }
}

void command_page_print(struct buf *out, const struct command *const *commands, size_t count)
{
    buf_add_text(out, intro);
    for (size_t i = 0; i < count; i++) {
        add_command(out, commands[i]);
    }
}
