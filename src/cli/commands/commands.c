/* All commands of `tidemark`, and the dispatch from a command line to one of them. */
#include "cli/commands/commands.h"

#include "cli/commands/command_help.h"
#include "cli/commands/command_lookup.h"

static const struct command *const commands_all[] = {
    &run_command,      &build_command,   &demo_command,     &check_command,  &doctor_command,
    &status_command,   &trigger_command, &hold_command,     &resume_command, &skip_command,
    &accept_command,   &get_command,     &multiget_command, &info_command,   &shards_command,
    &history_command,  &route_command,   &search_command,   &verify_command, &diff_command,
    &rollback_command, &cleanup_command, &version_command,  &help_command,
};

const struct command_table commands_table = {commands_all, LENGTH_OF(commands_all)};

static void print(struct output *output, void (*help)(struct buf *, const struct command *),
                  const struct command *command)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    help(&text, command);
    fwrite(text.data, 1, text.size, output->results);
}

/* Results that could not be written make a success a failure; not those that nobody reads any more
 * (`tidemark get | head`). */
static enum exit_code finish(struct output *output, enum exit_code code)
{
    if (!output_finish(output) && code == EXIT_CODE_OK && !output_reader_left(output)) {
        struct err err;
        err_set(&err, ERR_LIMIT, "the output could not be written");
        output_error(output, &err);
        return EXIT_CODE_FAILED;
    }
    return code;
}

static void overview(struct buf *out, const struct command *command)
{
    (void)command;
    command_help_overview(out, commands_table.commands, commands_table.count);
}

static enum exit_code run(const struct command *command, int argc, char **argv)
{
    /* known before the line is read, so that mistakes in it are JSON too */
    bool json = false;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        json = json || strcmp(argv[i], "--json") == 0;
    }
    struct command_call call = {.command = command, .all = commands_table};
    struct err err = {0};
    output_init(&call.output, json);
    if (!command_parse(command, argc, argv, &call, &err)) {
        err_wrap(&err, "%s", command->name);
        return finish(&call.output, command_fail(&call, EXIT_CODE_USAGE, &err));
    }
    if (call.help) {
        print(&call.output, command_help_print, command);
        return finish(&call.output, EXIT_CODE_OK);
    }
    return finish(&call.output, command->run(&call));
}

enum exit_code commands_run(int argc, char **argv)
{
    struct output output;
    output_init(&output, false);
    if (argc < 2) {
        output.results = stderr;
        print(&output, overview, NULL);
        return EXIT_CODE_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print(&output, overview, NULL);
        return finish(&output, EXIT_CODE_OK);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    const struct command *command = command_lookup(commands_table, name);
    if (command == NULL) {
        const char *nearest = command_nearest(commands_table, name);
        struct err err;
        err_set(&err, ERR_INPUT, "there is no command \"%.50s\"%s%s%s", name,
                nearest == NULL ? " (tidemark help lists them)" : "; did you mean ",
                nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
        output_error(&output, &err);
        return EXIT_CODE_USAGE;
    }
    return run(command, argc - 2, argv + 2);
}
