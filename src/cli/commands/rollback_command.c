/* `tidemark rollback`: makes an older snapshot the current one. */
#include "cli/commands/command_operator.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "consumer/operator/rollback.h"

static void print_result(struct command_call *call, const struct rollback_result *result)
{
    AUTO(json) cJSON *root = json_new_object();
    bool done = result->state == ROLLBACK_DONE;
    json_put_text(root, "state", done ? "rolled_back" : "already_current");
    json_put_text(root, "run_id", call->arguments[0]);
    json_put_text(root, "manifest_ref", result->manifest_ref);
    json_put_optional(root, "from_run_id", result->from_run_id);
    json_put_optional(root, "may_appear", result->may_appear);
    json_put_bool(root, "held", result->held);
    json_put_bool(root, "leader_answered", result->held && !result->nobody_led);
    output_json(&call->output, root);
    if (done) {
        output_print(&call->output, "_CURRENT names %s now; it named %s\n", call->arguments[0],
                     result->from_run_id == NULL ? "nothing" : result->from_run_id);
    } else {
        output_print(&call->output, "_CURRENT names %s already\n", call->arguments[0]);
    }
}

/* What the operator must do next, and what may still happen. */
static void print_advice(struct command_call *call, const struct rollback_result *result)
{
    struct output *output = &call->output;
    if (result->may_appear != NULL) {
        output_message(output,
                       "the pointer write of run %s was under way; look at `status` before "
                       "you rely on this",
                       result->may_appear);
    }
    if (result->nobody_led) {
        output_message(output, "nobody leads: the next leader will find the hold");
    }
    if (result->held) {
        output_message(output, "the service is on hold: `resume --from-here` builds on from this "
                               "snapshot, `resume --adopt` publishes the newest again");
    }
}

static enum exit_code roll_back(struct command_call *call, const struct rollback_request *request,
                                struct arena *arena)
{
    struct rollback_result result = {0};
    struct err err = {0};
    if (!rollback_run(request, arena, &result, &err)) {
        enum exit_code code = err.kind == ERR_STOPPED ? EXIT_CODE_HELD : EXIT_CODE_OK;
        code = code == EXIT_CODE_OK ? command_snapshot_fail(call, &err)
                                    : command_fail(call, code, &err);
        if (result.held) {
            output_message(&call->output,
                           "a hold is in the ledger: `resume --adopt` takes it back");
        }
        return code;
    }
    print_result(call, &result);
    print_advice(call, &result);
    return EXIT_CODE_OK;
}

static enum exit_code run_offline(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open_store(call, &snapshot, &code)) {
        return code;
    }
    struct rollback_request request = {
        .catalog = snapshot.catalog, .run_id = call->arguments[0], .why = ""};
    return roll_back(call, &request, snapshot.arena);
}

static enum exit_code run(struct command_call *call)
{
    struct err err = {0};
    if (command_has(call, "offline")) {
        return run_offline(call);
    }
    if (command_value(call, "snapshot") != NULL) {
        err_set(&err, ERR_INPUT,
                "rollback: a service may be publishing there: give its settings "
                "file with -c, or --offline if none is");
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    AUTO(command_operator) struct command_operator desk = {0};
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open_store(call, &snapshot, &code) ||
        !command_operator_open(call, &desk, &code)) {
        return code;
    }
    struct rollback_request request = {
        .catalog = snapshot.catalog,
        .session = desk.session,
        .run_id = call->arguments[0],
        .why = desk.why[0] == '\0' ? "rollback" : desk.why,
        .timeout_us = desk.timeout_us,
        .listener = &desk.listener,
    };
    return roll_back(call, &request, snapshot.arena);
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_OPERATOR,
    COMMAND_OPTION_SNAPSHOT,
    {"offline", 0, NULL, "No service publishes here: do not ask its ledger, only swap the pointer.",
     false},
    COMMAND_OPTION_RELOCATED,
    COMMAND_OPTIONS_END,
};

const struct command rollback_command = {
    .name = "rollback",
    .summary = "Make an older snapshot the current one",
    .arguments = "RUN_ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .help =
        "Looks that the snapshot and all its shards are there; puts the service on hold, with "
        "the run as its target, so that clean-up spares it; waits until the leader has answered, "
        "or nobody leads; then swaps _CURRENT, by compare-and-swap, and with a new time, because "
        "bytes that were used before could be taken for an old write.\n\n"
        "The service stays on hold until `resume --from-here` or `resume --adopt`. Restoring the "
        "old bytes of _CURRENT by hand, as object versions do, is not safe while a write may be "
        "under way: use this command.\n\n"
        "With --json: state (rolled_back, already_current), run_id, manifest_ref, "
        "from_run_id, held, leader_answered, may_appear.",
    .examples =
        "tidemark rollback -c etc/tidemark.cfg b7-t31-0f3c9a6b2d8e4c51 --why \"bad prices\"\t"
        "back to build 7\n"
        "tidemark rollback -s file:///data/orders --offline b7-t31-0f3c9a6b2d8e4c51\t"
        "without a service\n",
    .run = run,
};
