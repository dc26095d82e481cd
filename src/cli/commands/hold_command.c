/* `tidemark hold`: stops publishing until somebody resumes. */
#include "cli/commands/command_operator.h"
#include "cli/commands/commands.h"

static enum exit_code run(struct command_call *call)
{
    AUTO(command_operator) struct command_operator desk = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_operator_open(call, &desk, &code)) {
        return code;
    }
    struct message message = {.kind = MESSAGE_HOLD,
                              .hold = {.id = operator_new_id(desk.arena),
                                       .who = operator_who(desk.session),
                                       .why = desk.why,
                                       .target = "",
                                       .may_appear = ""}};
    return command_operator_send(call, &desk, &message, true, "held");
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_OPERATOR,
    COMMAND_OPTIONS_END,
};

const struct command hold_command = {
    .name = "hold",
    .summary = "Stop publishing until somebody resumes",
    .options = options,
    .help =
        "Writes HOLD into the ledger and waits until the leader has answered it: from then on the "
        "pointer stays where it is, but maybe for one write that was under way, whose run is "
        "named. Members go on reading, and builds are made and committed up to "
        "window.max_unpublished_windows; nothing is lost.\n\n"
        "When no service runs, that is said, and the next leader obeys. When members live but "
        "the leader does not answer in time, the exit code is 7 and the hold stays.\n\n"
        "With --json: id, who, state (held, no_leader, waiting, refused), text, "
        "ledger_offset, may_appear (a run whose pointer write may still land, or null).",
    .examples =
        "tidemark hold -c etc/tidemark.cfg --why \"broken prices\"\tnothing new is published\n",
    .run = run,
};
