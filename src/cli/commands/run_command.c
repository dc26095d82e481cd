/* `tidemark run`: the service, until a signal ends it. */
#include "cli/commands/command_service.h"
#include "cli/commands/command_settings.h"
#include "cli/commands/commands.h"

static enum exit_code run(struct command_call *call)
{
    AUTO(settings) struct settings *settings = NULL;
    enum exit_code code = EXIT_CODE_OK;
    if (!command_settings_load(call, &settings, &code)) {
        return code;
    }
    command_service_log(settings, false);
    struct service_options options = {.serve_status = true};
    struct member_state state;
    return command_service_run(call, settings, &options, NULL, NULL, &state);
}

static const struct command_option options[] = {
    COMMAND_OPTION_FILE,
    COMMAND_OPTION_SET,
    COMMAND_OPTION_JSON,
    COMMAND_OPTIONS_END,
};

const struct command run_command = {
    .name = "run",
    .summary = "Run the service: read topics, publish a snapshot whenever a window closes",
    .options = options,
    .help =
        "Joins the consumer group of the settings, reads its share of the partitions, and takes "
        "part in the election of the leader. It goes on until SIGTERM or SIGINT, which ends it in "
        "order within limits.stop_timeout, and at the latest ten seconds after that time, also "
        "where brokers or the store are away; a second signal ends it at once, with exit code 10. "
        "Whatever is cut off is finished or done again by the next start: nothing is lost and "
        "nothing is published "
        "twice.\n\nWhat happens is logged on standard error, one line each.",
    .examples = "tidemark run -c etc/tidemark.cfg\trun it in the foreground\n",
    .run = run,
};
