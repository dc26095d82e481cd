/* `tidemark skip`: gives up a range of offsets that cannot be read any more. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/commands/command_operator.h"
#include "cli/commands/commands.h"

static bool parse_number(const char *name, const char *text, int64_t max, int64_t *ret_number,
                         struct err *err)
{
    char *stop = NULL;
    long long number = strtoll(text, &stop, 10);
    if (stop == text || *stop != '\0' || number < 0 || number > max) {
        return err_set(err, ERR_INPUT,
                       "skip: %s is a whole number from 0 to %" PRId64 ", not %.50s", name, max,
                       text);
    }
    *ret_number = number;
    return true;
}

static bool parse_range(const struct command_call *call, struct plan_range *range, struct err *err)
{
    int64_t partition = 0;
    range->id.topic = call->arguments[0];
    TRY(parse_number("PARTITION", call->arguments[1], INT32_MAX, &partition, err));
    TRY(parse_number("FROM", call->arguments[2], INT64_MAX - 1, &range->from, err));
    TRY(parse_number("TO", call->arguments[3], INT64_MAX - 1, &range->to, err));
    range->id.number = (int32_t)partition;
    if (range->from >= range->to) {
        return err_set(err, ERR_INPUT,
                       "skip: FROM is the first offset given up, TO the one after "
                       "the last: FROM must be below TO");
    }
    return true;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_operator) struct command_operator desk = {0};
    struct plan_range range = {0};
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    if (!parse_range(call, &range, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (command_value(call, "why") == NULL) {
        err_set(&err, ERR_INPUT, "skip: say why with --why; it goes into the snapshot's lineage");
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!command_operator_open(call, &desk, &code)) {
        return code;
    }
    if (!command_operator_has_topic(desk.settings, range.id.topic)) {
        err_set(&err, ERR_INPUT, "skip: %.249s is no topic of the settings", range.id.topic);
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    struct message message = {.kind = MESSAGE_SKIP,
                              .skip = {.id = operator_new_id(desk.arena),
                                       .who = operator_who(desk.session),
                                       .why = desk.why,
                                       .range = range}};
    return command_operator_send(call, &desk, &message, command_has(call, "wait"), "used");
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_OPERATOR,
    {"wait", 'w', NULL, "Wait until a build went past the range.", false},
    COMMAND_OPTIONS_END,
};

const struct command skip_command = {
    .name = "skip",
    .summary = "Give up offsets that cannot be read any more",
    .arguments = "TOPIC PARTITION FROM TO",
    .arguments_min = 4,
    .arguments_max = 4,
    .options = options,
    .help = "Data is never skipped silently: when retention, or a truncated log, has taken records "
            "that no snapshot holds, the build stops and names the range. This command writes "
            "into the ledger that offsets FROM to TO - 1 are given up, by whom and why, and the "
            "lineage of the snapshot keeps it. Where a member has the rows after all, they are "
            "used: rows beat a skip.\n\n"
            "With --json: id, who, state (accepted, used, no_leader, waiting), text, "
            "ledger_offset, build, run_id.",
    .examples =
        "tidemark skip -c etc/tidemark.cfg orders 3 1200 1500 --why \"retention, 2026-03-14\""
        "\toffsets 1200 to 1499 of orders/3\n",
    .run = run,
};
