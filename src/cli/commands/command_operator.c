/* One record into the ledger, and what came of it, for people and as JSON. */
#include "cli/commands/command_operator.h"

#include <inttypes.h>

#include "adapters/os/log.h"
#include "cli/commands/command_settings.h"
#include "consumer/operator/cluster_reach.h"

enum { ENDS_TIMEOUT_MS = 10 * 1000 };

static void say(void *context, const char *text)
{
    struct command_call *call = context;
    if (!call->output.json) {
        output_message(&call->output, "%s", text);
    }
}

void command_operator_auto(struct command_operator *desk)
{
    operator_free(desk->session);
    settings_free(desk->settings);
    arena_free(desk->arena);
}

enum exit_code command_operator_fail(struct command_call *call, const struct err *err)
{
    return command_fail(call, exit_code_or(err, EXIT_CODE_KAFKA), err);
}

bool command_operator_has_topic(const struct settings *settings, const char *topic)
{
    for (size_t i = 0; i < settings->topic_count; i++) {
        if (strcmp(settings->topics[i].name, topic) == 0) {
            return true;
        }
    }
    return false;
}

bool command_operator_ends(const struct settings *settings, struct arena *arena,
                           struct source_ends **ret_ends, size_t *ret_count, struct err *err)
{
    const char **topics = arena_alloc(arena, (settings->topic_count + 1) * sizeof *topics);
    for (size_t i = 0; i < settings->topic_count; i++) {
        topics[i] = settings->topics[i].name;
    }
    struct source_settings source = {
        .cluster = cluster_reach(settings, arena),
        .group = settings->group,
        .member_id = settings->member_id,
        .topics = topics,
        .topic_count = settings->topic_count,
    };
    struct source_query *query = NULL;
    TRY(source_query_new(&source, &query, err));
    bool known = source_query_ends(query, ENDS_TIMEOUT_MS, arena, ret_ends, ret_count, err);
    source_query_free(query);
    return known;
}

bool command_operator_look(struct command_call *call, struct command_operator *desk,
                           enum exit_code *ret_code)
{
    struct err err = {0};
    desk->arena = arena_new(4096);
    /* what the client library says on its way is no part of the answer */
    log_set(LOG_ERROR, call->output.json ? LOG_JSON : LOG_TEXT);
    if (!command_settings_load(call, &desk->settings, ret_code)) {
        return false;
    }
    if (!operator_new(desk->settings, &desk->session, &err)) {
        *ret_code = command_operator_fail(call, &err);
        return false;
    }
    return true;
}

static bool take_options(struct command_call *call, struct command_operator *desk, struct err *err)
{
    const char *why = command_value(call, "why");
    desk->why = why == NULL ? "" : why;
    desk->listener = (struct operator_listener){.say = say, .context = call};
    if (strlen(desk->why) > MESSAGE_TEXT_MAX || !bytes_are_utf8(bytes_of_text(desk->why))) {
        return err_set(err, ERR_INPUT, "--why: not UTF-8, or more than %d bytes", MESSAGE_TEXT_MAX);
    }
    return command_duration(call, "timeout", (int64_t)OPERATOR_WAIT_S * 1000000, &desk->timeout_us,
                            err);
}

bool command_operator_open(struct command_call *call, struct command_operator *desk,
                           enum exit_code *ret_code)
{
    struct err err = {0};
    if (!take_options(call, desk, &err)) {
        *ret_code = command_fail(call, EXIT_CODE_USAGE, &err);
        return false;
    }
    return command_operator_look(call, desk, ret_code);
}

static const char *state_word(const struct operator_watch *watch, bool waited,
                              const char *done_word)
{
    switch (watch->state) {
    case OPERATOR_DONE:
        return done_word;
    case OPERATOR_REFUSED:
        return "refused";
    case OPERATOR_NO_LEADER:
        return "no_leader";
    case OPERATOR_WAITING:
        return waited ? "waiting" : "accepted";
    }
    return "";
}

static void put_name(cJSON *object, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        json_put_null(object, name);
    } else {
        json_put_text(object, name, text);
    }
}

static void print_json(struct command_call *call, struct command_operator *desk,
                       const struct operator_watch *watch, bool waited, const char *done_word)
{
    AUTO(json) cJSON *root = json_new_object();
    bool hold = watch->kind == MESSAGE_HOLD;
    const char *may_appear = hold && watch->state == OPERATOR_DONE ? watch->run_id : NULL;
    if (hold && watch->state != OPERATOR_DONE) {
        may_appear = operator_watch_may_appear(operator_fold(desk->session));
    }
    json_put_text(root, "id", watch->id);
    json_put_text(root, "who", operator_who(desk->session));
    json_put_text(root, "state", state_word(watch, waited, done_word));
    json_put_text(root, "text", watch->text);
    json_put_i64(root, "ledger_offset", watch->offset);
    if (hold) {
        put_name(root, "may_appear", may_appear);
    } else {
        json_put_u64(root, "build", watch->build);
        put_name(root, "run_id", watch->run_id);
    }
    output_json(&call->output, root);
}

/* The end of a wait that brought no answer: what the operator must know now. */
static enum exit_code say_unanswered(struct command_call *call, struct command_operator *desk,
                                     const struct operator_watch *watch)
{
    struct output *output = &call->output;
    const char *may_appear = operator_watch_may_appear(operator_fold(desk->session));
    bool hold = watch->kind == MESSAGE_HOLD;
    if (hold && may_appear != NULL) {
        output_message(output, "run %s is committed: its pointer write may still land", may_appear);
    }
    if (watch->state == OPERATOR_NO_LEADER) {
        output_message(output, "nobody leads: %s. The record stays, and the next leader obeys it",
                       watch->text);
        return hold ? EXIT_CODE_OK : EXIT_CODE_HELD;
    }
    output_message(output, "no answer within %" PRId64 " s%s%s. The record stays",
                   desk->timeout_us / 1000000, watch->text[0] == '\0' ? "" : ": ", watch->text);
    return hold || watch->kind == MESSAGE_RESUME ? EXIT_CODE_HELD : EXIT_CODE_STOPPED;
}

enum exit_code command_operator_send(struct command_call *call, struct command_operator *desk,
                                     const struct message *message, bool wait,
                                     const char *done_word)
{
    struct operator_watch watch;
    struct err err = {0};
    if (!operator_append(desk->session, message, &watch, &err) ||
        (wait && !operator_wait(desk->session, &watch, desk->timeout_us, &desk->listener, &err))) {
        return command_operator_fail(call, &err);
    }
    print_json(call, desk, &watch, wait, done_word);
    if (watch.state == OPERATOR_DONE) {
        output_print(&call->output, "%s\n", watch.text);
        return EXIT_CODE_OK;
    }
    if (watch.state == OPERATOR_REFUSED) {
        output_message(&call->output, "%s", watch.text);
        return EXIT_CODE_CONFLICT;
    }
    if (wait) {
        return say_unanswered(call, desk, &watch);
    }
    output_print(&call->output, "%s is in the ledger at offset %" PRId64 "\n",
                 message_kind_name(message->kind), watch.offset);
    return EXIT_CODE_OK;
}
