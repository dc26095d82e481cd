/* `tidemark check`: every mistake of a settings file in one go, or what the file means. */
#include "cli/commands/command_settings.h"
#include "cli/commands/commands.h"
#include "cli/commands/settings_summary.h"
#include "consumer/settings/settings_doc.h"

static enum exit_code report_mistakes(struct command_call *call,
                                      const struct settings_mistakes *mistakes,
                                      const struct err *err)
{
    if (mistakes->count == 0) {
        return command_fail(call, EXIT_CODE_USAGE, err);
    }
    if (call->output.json) {
        AUTO(json)
        cJSON *root = command_settings_mistakes_json(command_settings_path(call), mistakes);
        json_put_bool(root, "ok", false);
        output_json(&call->output, root);
    } else {
        command_settings_print_mistakes(&call->output, mistakes);
        size_t count = mistakes->count + mistakes->dropped;
        output_message(&call->output, "%zu mistake%s", count, count == 1 ? "" : "s");
    }
    return EXIT_CODE_SETTINGS;
}

static enum exit_code report_settings(struct command_call *call, const struct settings *settings)
{
    struct output *output = &call->output;
    output_print(output, "%s%s is right%s\n", output_colour(output, OUTPUT_GREEN),
                 command_settings_path(call), output_colour(output, OUTPUT_PLAIN));
    settings_summary_print(output, settings);
    AUTO(json) cJSON *root = json_new_object();
    json_put_bool(root, "ok", true);
    json_put_text(root, "file", command_settings_path(call));
    json_put_array(root, "mistakes");
    settings_summary_json(json_put_object(root, "settings"), settings);
    output_json(output, root);
    return EXIT_CODE_OK;
}

static enum exit_code run(struct command_call *call)
{
    if (command_has(call, "list-settings")) {
        AUTO(buf) struct buf text;
        buf_init(&text, SIZE_MAX);
        settings_doc_print(&text);
        fwrite(text.data, 1, text.size, call->output.results);
        return EXIT_CODE_OK;
    }
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    AUTO(settings) struct settings *settings = NULL;
    struct err err = {0};
    if (!command_settings_try(call, &settings, &mistakes, &err)) {
        return report_mistakes(call, &mistakes, &err);
    }
    return report_settings(call, settings);
}

static const struct command_option options[] = {
    COMMAND_OPTION_FILE,
    COMMAND_OPTION_SET,
    COMMAND_OPTION_JSON,
    {"list-settings", 0, NULL, "Print every setting there is, as Markdown, and read no file.",
     false},
    COMMAND_OPTIONS_END,
};

const struct command check_command = {
    .name = "check",
    .summary = "Name every mistake of a settings file, or say what it means",
    .options = options,
    .help =
        "Reads the file as `run` would, with all that it includes and the environment, and asks "
        "librdkafka about its properties, but talks to no broker and no store. Each mistake is "
        "one line on standard error: file, line, setting, what is wrong, the value as it is "
        "written there, what is allowed, and the nearest right name. Values from the environment "
        "or from files are never shown.\n\n"
        "With --json a file with mistakes gives {\"ok\":false,\"file\":…,\"more\":0,\"mistakes\":"
        "[{\"file\",\"line\",\"path\",\"problem\",\"seen\",\"allowed\",\"nearest\",\"text\"}…]}, a "
        "right "
        "one {\"ok\":true,\"file\":…,\"mistakes\":[],\"settings\":{…}}.\n\n"
        "Ends with 3 when there are mistakes, with 0 when there are none.",
    .examples = "tidemark check -c /etc/tidemark.cfg\tevery mistake, or a summary\n"
                "tidemark check -c a.cfg --set window.size=10m --json\tfor scripts\n",
    .run = run,
};
