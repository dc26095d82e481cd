/* `tidemark accept`: lets a build through that a gate keeps from being published. */
#include <string.h>

#include "cli/commands/command_operator.h"
#include "cli/commands/commands.h"

/* The run that a gate refused, and that nobody has let through yet. */
static bool find_refused(const struct fold *fold, const char *wanted,
                         const struct message_gated **ret_gated, struct err *err)
{
    const struct fold_entry *plan = fold_open_plan(fold);
    const struct message_gated *gated = NULL;
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_GATED, &at);
         entry != NULL && plan != NULL; entry = fold_next(fold, MESSAGE_GATED, &at)) {
        if (strcmp(entry->message.gated.run_id, plan->message.plan.run_id) == 0) {
            gated = &entry->message.gated;
        }
    }
    if (gated == NULL) {
        return err_set(err, ERR_INPUT, "accept: no gate keeps a build from being published");
    }
    if (wanted != NULL && strcmp(wanted, gated->run_id) != 0) {
        return err_set(err, ERR_INPUT, "accept: the build that waits is run %s, not %.200s",
                       gated->run_id, wanted);
    }
    *ret_gated = gated;
    return true;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_operator) struct command_operator desk = {0};
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    if (command_value(call, "why") == NULL) {
        err_set(&err, ERR_INPUT, "accept: say why with --why; it stays in the ledger");
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!command_operator_open(call, &desk, &code)) {
        return code;
    }
    const struct message_gated *gated = NULL;
    const char *wanted = call->argument_count > 0 ? call->arguments[0] : NULL;
    if (!find_refused(operator_fold(desk.session), wanted, &gated, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    struct message message = {
        .kind = MESSAGE_ACCEPT,
        .accept = {.id = operator_new_id(desk.arena),
                   .who = operator_who(desk.session),
                   .why = desk.why,
                   .build = gated->build,
                   .run_id = arena_text(desk.arena, bytes_of_text(gated->run_id))}};
    return command_operator_send(call, &desk, &message, command_has(call, "wait"), "published");
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_OPERATOR,
    {"wait", 'w', NULL, "Wait until the snapshot is published.", false},
    COMMAND_OPTIONS_END,
};

const struct command accept_command = {
    .name = "accept",
    .summary = "Publish a build that a gate refused",
    .arguments = "[RUN_ID]",
    .arguments_min = 0,
    .arguments_max = 1,
    .options = options,
    .help = "Gates (the settings' group gates) are looked at when a build is made and before it is "
            "published: least rows, change of rows, empty shards, keys that must be there; and "
            "whether other settings made something else of records that were read before. A "
            "build that they refuse waits, the pointer stays where it is, and `tidemark status` "
            "tells the reasons. This command lets that one build through, by whom and why; the "
            "next one is looked at again. The other ways out are other gates in the settings, "
            "and records that make the next look better do not exist: the cut of a build never "
            "changes.\n\n"
            "With --json: id, who, state (accepted, published, no_leader, waiting), text, "
            "ledger_offset, build, run_id.",
    .examples =
        "tidemark accept -c etc/tidemark.cfg --why \"the shop was closed\"\tthe build that waits\n",
    .run = run,
};
