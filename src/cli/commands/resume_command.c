/* `tidemark resume`: goes on after a hold. */
#include "cli/commands/command_operator.h"
#include "cli/commands/commands.h"
#include "checkpoint/reading/catalog.h"
#include "consumer/wiring/wiring.h"

/* The bytes of `_CURRENT` that the operator decides on; *ret_pointer NULL: there is none. */
static bool look_at_pointer(struct command_operator *desk, const char **ret_pointer,
                            const char **ret_run_id, struct err *err)
{
    AUTO(store) struct store *store = NULL;
    TRY(wiring_open_store(desk->settings->snapshot.store, &desk->settings->s3, &store, err));
    struct catalog catalog = {.borrowed_store = store};
    struct catalog_pointer pointer = {0};
    TRY(catalog_read_pointer(&catalog, desk->arena, &pointer, err));
    if (pointer.missing) {
        *ret_pointer = NULL;
        *ret_run_id = "nothing";
        return true;
    }
    if (!bytes_are_utf8(pointer.bytes) || pointer.bytes.size > MESSAGE_TEXT_MAX ||
        memchr(pointer.bytes.data, '\0', pointer.bytes.size) != NULL) {
        return err_set(err, ERR_CORRUPT,
                       "_CURRENT holds bytes that are no pointer; set it with rollback first");
    }
    *ret_pointer = arena_text(desk->arena, pointer.bytes);
    *ret_run_id = pointer.valid ? pointer.pointer.run_id : "something that is no pointer";
    return true;
}

static enum exit_code resume(struct command_call *call, struct command_operator *desk,
                             enum resume_mode mode)
{
    const struct fold *fold = operator_fold(desk->session);
    struct err err = {0};
    if (fold_hold(fold) == NULL && fold_resume(fold) == NULL) {
        output_message(&call->output, "no hold is open: there is nothing to resume");
        AUTO(json) cJSON *root = json_new_object();
        json_put_text(root, "state", "not_held");
        output_json(&call->output, root);
        return EXIT_CODE_OK;
    }
    struct operator_watch held;
    if (!operator_wait_for_held(desk->session, desk->timeout_us, &held, &err)) {
        return command_operator_fail(call, &err);
    }
    if (held.state == OPERATOR_WAITING) {
        err_set(&err, ERR_STOPPED, "the hold is not answered yet: the leader lives and is busy");
        return command_fail(call, EXIT_CODE_HELD, &err);
    }
    const char *pointer = NULL;
    const char *run_id = "";
    if (!look_at_pointer(desk, &pointer, &run_id, &err)) {
        return command_fail(call, exit_code_or(&err, EXIT_CODE_STORE), &err);
    }
    if (!call->output.json) {
        output_message(&call->output, "the pointer names %s", run_id);
    }
    struct message message = {.kind = MESSAGE_RESUME,
                              .resume = {.id = operator_new_id(desk->arena),
                                         .who = operator_who(desk->session),
                                         .why = desk->why,
                                         .mode = mode,
                                         .pointer = pointer}};
    return command_operator_send(call, desk, &message, true, "resumed");
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_operator) struct command_operator desk = {0};
    enum exit_code code = EXIT_CODE_OK;
    bool adopt = command_has(call, "adopt");
    if (adopt == command_has(call, "from-here")) {
        struct err err = {0};
        err_set(&err, ERR_INPUT, "resume: give either --adopt or --from-here");
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!command_operator_open(call, &desk, &code)) {
        return code;
    }
    return resume(call, &desk, adopt ? RESUME_ADOPT : RESUME_FROM_HERE);
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_OPERATOR,
    {"adopt", 0, NULL, "Go on from the newest build; the next one is published over the pointer.",
     false},
    {"from-here", 0, NULL,
     "Go on from the snapshot that the pointer names; what was built above it is given up.", false},
    COMMAND_OPTIONS_END,
};

const struct command resume_command = {
    .name = "resume",
    .summary = "Go on publishing after a hold",
    .options = options,
    .help =
        "The pointer is read, and its exact bytes go into the ledger with the wish: if somebody "
        "moves it before the leader has read them, the wish is void and the service holds "
        "again.\n\n"
        "--adopt keeps the newest committed build as what the next one stands on. After a "
        "rollback that means: what was rolled back is published again, with the next build or "
        "at once. --from-here makes the snapshot that the pointer names the one to go on from: "
        "its records' successors are read again. It is refused when the topics no longer hold "
        "those offsets.\n\n"
        "With --json: id, who, state (resumed, refused, no_leader, waiting, not_held), "
        "text, ledger_offset, build, run_id.",
    .examples = "tidemark resume -c etc/tidemark.cfg --adopt\tafter a plain hold\n"
                "tidemark resume -c etc/tidemark.cfg --from-here\tafter a rollback\n",
    .run = run,
};
