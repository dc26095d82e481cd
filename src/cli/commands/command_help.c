/* Help as text, from the same tables as the man pages. */
#include "cli/commands/command_help.h"

enum { LINE_COLUMNS = 79, NAME_COLUMNS = 13 /* of the overview */ };

static size_t width_of(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t i = 0; i < size; i++) {
        width += ((uint8_t)text[i] & 0xc0) != 0x80;
    }
    return width;
}

static void indent_by(struct buf *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        buf_add_byte(out, ' ');
    }
}

void command_help_wrap(struct buf *out, const char *text, size_t indent)
{
    size_t column = 0;
    while (*text != '\0') {
        if (*text == '\n' || *text == ' ') {
            if (*text == '\n' && text[1] == '\n') {
                buf_add_text(out, column > 0 ? "\n\n" : "\n");
                column = 0;
                text++;
            }
            text++;
            continue;
        }
        size_t size = strcspn(text, " \n");
        size_t width = width_of(text, size);
        if (column > 0 && column + 1 + width > LINE_COLUMNS) {
            buf_add_byte(out, '\n');
            column = 0;
        }
        if (column == 0) {
            indent_by(out, indent);
            column = indent;
        } else {
            buf_add_byte(out, ' ');
            column++;
        }
        buf_add(out, text, size);
        column += width;
        text += size;
    }
    if (column > 0) {
        buf_add_byte(out, '\n');
    }
}

void command_help_usage(struct buf *out, const struct command *command)
{
    buf_add_format(out, "tidemark %s [OPTION]…", command->name);
    if (command->arguments != NULL) {
        buf_add_format(out, " %s", command->arguments);
    }
}

static void print_option(struct buf *out, const struct command_option *option)
{
    buf_add_text(out, "  ");
    if (option->letter != 0) {
        buf_add_format(out, "-%c, ", option->letter);
    } else {
        buf_add_text(out, "    ");
    }
    buf_add_format(out, "--%s", option->name);
    if (option->argument != NULL) {
        buf_add_format(out, "%s%s", option->argument[0] == '[' ? "" : "=", option->argument);
    }
    buf_add_byte(out, '\n');
    command_help_wrap(out, option->doc, 10);
}

static void print_examples(struct buf *out, const char *examples)
{
    buf_add_text(out, "\nExamples:\n");
    while (*examples != '\0') {
        size_t size = strcspn(examples, "\n");
        const char *tab = memchr(examples, '\t', size);
        size_t command_size = tab == NULL ? size : (size_t)(tab - examples);
        buf_add_format(out, "  %.*s\n", (int)command_size, examples);
        if (tab != NULL) {
            buf_add_format(out, "          %.*s\n", (int)(size - command_size - 1), tab + 1);
        }
        examples += size + (examples[size] == '\n');
    }
}

void command_help_print(struct buf *out, const struct command *command)
{
    buf_add_text(out, "Usage: ");
    command_help_usage(out, command);
    buf_add_format(out, "\n\n%s.\n", command->summary);
    if (command->help != NULL) {
        buf_add_byte(out, '\n');
        command_help_wrap(out, command->help, 0);
    }
    buf_add_text(out, "\nOptions:\n");
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        print_option(out, o);
    }
    print_option(out, &command_help_option);
    if (command->examples != NULL) {
        print_examples(out, command->examples);
    }
}

void command_help_overview(struct buf *out, const struct command *const *commands, size_t count)
{
    buf_add_text(out, "Usage: tidemark COMMAND [OPTION]… [ARGUMENT]…\n\n"
                      "Kafka topics in, published snapshots out.\n\nCommands:\n");
    for (size_t i = 0; i < count; i++) {
        AUTO(buf) struct buf summary;
        buf_init(&summary, SIZE_MAX);
        command_help_wrap(&summary, commands[i]->summary, NAME_COLUMNS);
        buf_add_format(out, "  %-*s %s", NAME_COLUMNS - 3, commands[i]->name,
                       buf_text(&summary) + NAME_COLUMNS);
    }
    buf_add_text(out,
                 "\ntidemark COMMAND --help says more about one command, tidemark help\n"
                 "exit-codes what the exit codes mean. tidemark --version, or -V, is tidemark\n"
                 "version.\n");
}

void command_help_exit_codes(struct buf *out)
{
    buf_add_text(out, "Exit codes, the same for every command:\n\n");
    for (size_t i = 0; i < exit_code_doc_count; i++) {
        const struct exit_code_doc *doc = &exit_code_docs[i];
        buf_add_format(out, "%4d  %s\n", (int)doc->code, doc->name);
        command_help_wrap(out, doc->doc, 10);
    }
}
