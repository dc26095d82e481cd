/* What a settings file means, in words and as JSON, without secrets. */
#ifndef TIDEMARK_CLI_COMMANDS_SETTINGS_SUMMARY_H
#define TIDEMARK_CLI_COMMANDS_SETTINGS_SUMMARY_H

#include "cli/commands/output.h"
#include "core/settings.h"

void settings_summary_print(struct output *output, const struct settings *settings);
void settings_summary_json(cJSON *object, const struct settings *settings);

#endif
