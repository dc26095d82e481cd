/* The settings that a command was given with -c and --set. */
#include "cli/commands/command_settings.h"

#include <stdlib.h>

const char *command_settings_path(const struct command_call *call)
{
    const char *path = command_value(call, "config");
    return path != NULL ? path : getenv("TIDEMARK_CONFIG");
}

bool command_settings_try(const struct command_call *call, struct settings **ret_settings,
                          struct settings_mistakes *mistakes, struct err *err)
{
    const char *path = command_settings_path(call);
    if (path == NULL || path[0] == '\0') {
        return err_set(err, ERR_INPUT, "%s: no settings file: give one with -c FILE",
                       call->command->name);
    }
    const char *overrides[COMMAND_VALUES_MAX];
    struct settings_options options = {
        .overrides = overrides,
        .override_count = command_values(call, "set", overrides, COMMAND_VALUES_MAX),
    };
    return settings_load(path, &options, ret_settings, mistakes, err);
}

void command_settings_print_mistakes(struct output *output,
                                     const struct settings_mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes->count; i++) {
        AUTO(buf) struct buf line;
        buf_init(&line, 8192);
        settings_mistake_print(&mistakes->items[i], &line);
        fprintf(output->messages, "%s\n", buf_text(&line));
    }
    if (mistakes->dropped > 0) {
        fprintf(output->messages, "and %zu more\n", mistakes->dropped);
    }
}

cJSON *command_settings_mistakes_json(const char *path, const struct settings_mistakes *mistakes)
{
    cJSON *root = json_new_object();
    json_put_text(root, "file", path);
    json_put_u64(root, "more", mistakes->dropped);
    cJSON *list = json_put_array(root, "mistakes");
    for (size_t i = 0; i < mistakes->count; i++) {
        const struct settings_mistake *mistake = &mistakes->items[i];
        cJSON *item = json_add_object(list);
        AUTO(buf) struct buf text;
        buf_init(&text, 8192);
        settings_mistake_print(mistake, &text);
        json_put_text(item, "file", mistake->file);
        if (mistake->line > 0) {
            json_put_i64(item, "line", mistake->line);
        } else {
            json_put_null(item, "line");
        }
        json_put_text(item, "path", mistake->path);
        json_put_text(item, "problem", mistake->problem);
        json_put_optional(item, "seen", mistake->seen);
        json_put_optional(item, "allowed", mistake->allowed);
        json_put_optional(item, "nearest", mistake->nearest);
        json_put_text(item, "text", buf_text(&text));
    }
    return root;
}

bool command_settings_load(struct command_call *call, struct settings **ret_settings,
                           enum exit_code *ret_code)
{
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    struct err err = {0};
    if (command_settings_try(call, ret_settings, &mistakes, &err)) {
        return true;
    }
    if (mistakes.count == 0) {
        *ret_code = command_fail(call, EXIT_CODE_USAGE, &err);
        return false;
    }
    if (call->output.json) {
        AUTO(json)
        cJSON *root = command_settings_mistakes_json(command_settings_path(call), &mistakes);
        AUTO(buf) struct buf text;
        buf_init(&text, SIZE_MAX);
        json_print(root, &text);
        fprintf(call->output.messages, "%s\n", buf_text(&text));
    } else {
        command_settings_print_mistakes(&call->output, &mistakes);
    }
    *ret_code = EXIT_CODE_SETTINGS;
    return false;
}
