/* `tidemark help`: about all commands, one of them, the exit codes or the metrics; as text or as a
 * man page. */
#include "cli/commands/command_help.h"
#include "cli/commands/command_lookup.h"
#include "cli/commands/command_man.h"
#include "cli/commands/command_page.h"
#include "cli/commands/commands.h"
#include "consumer/status/status_metrics.h"

static bool fill(const struct command_call *call, struct buf *out, struct err *err)
{
    bool man = command_has(call, "man");
    if (call->argument_count == 0) {
        (man ? command_man_overview : command_help_overview)(out, call->all.commands,
                                                             call->all.count);
        return true;
    }
    const char *name = call->arguments[0];
    if (strcmp(name, "exit-codes") == 0 && !man) {
        command_help_exit_codes(out);
        return true;
    }
    if (strcmp(name, "metrics") == 0 && !man) {
        metric_print_page(out);
        return true;
    }
    const struct command *command = command_lookup(call->all, name);
    if (command == NULL) {
        const char *nearest = command_nearest(call->all, name);
        return err_set(err, ERR_INPUT, "help: there is no command \"%.50s\"%s%s%s", name,
                       nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "?");
    }
    (man ? command_man_print : command_help_print)(out, command);
    return true;
}

static void list_names(const struct command_call *call, struct buf *out)
{
    for (size_t i = 0; i < call->all.count; i++) {
        buf_add_format(out, "%s\n", call->all.commands[i]->name);
    }
}

static enum exit_code run(struct command_call *call)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    struct err err = {0};
    if (command_has(call, "list")) {
        list_names(call, &text);
    } else if (command_has(call, "markdown")) {
        command_page_print(&text, call->all.commands, call->all.count);
    } else if (!fill(call, &text, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    output_print(&call->output, "%s", buf_text(&text));
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    {"man", 0, NULL, "Print a manual page (roff) instead.", false},
    {"list", 0, NULL, "Print the names of all commands, one a line.", false},
    {"markdown", 0, NULL, "Print docs/commands.md: all commands as one page.", false},
    COMMAND_OPTIONS_END,
};

const struct command help_command = {
    .name = "help",
    .summary = "Say what a command does, or what the exit codes or metrics mean",
    .arguments = "[COMMAND | exit-codes | metrics]",
    .arguments_max = 1,
    .options = options,
    .examples = "tidemark help exit-codes\tall exit codes\n"
                "tidemark help metrics\tall metrics of the status server, as docs/metrics.md\n"
                "tidemark help --man check | man -l -\tthe manual page of check\n",
    .run = run,
};
