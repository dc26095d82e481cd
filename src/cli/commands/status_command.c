/* `tidemark status`: where the group stands. */
#include <unistd.h>

#include "cli/commands/command_operator.h"
#include "cli/commands/command_status.h"
#include "cli/commands/commands.h"
#include "consumer/service_signals.h"
#include "consumer/wiring/wiring.h"

enum { WATCH_S = 2, WATCH_MAX_S = 3600, REFRESH_US = 100 * 1000 };

/* What was asked of others; each may fail alone, and status says so. */
struct answers {
    struct catalog_pointer pointer;
    bool pointer_known;
    const char **topics;
    struct source_ends *ends;
    size_t end_count;
    bool ends_known;
};

static bool ask_store(const struct settings *settings, struct arena *arena, struct answers *answers,
                      struct err *err)
{
    AUTO(store) struct store *store = NULL;
    TRY(wiring_open_store(settings->snapshot.store, &settings->s3, &store, err));
    struct catalog catalog = {.borrowed_store = store};
    TRY(catalog_read_pointer(&catalog, arena, &answers->pointer, err));
    answers->pointer_known = true;
    return true;
}

static bool ask_brokers(const struct settings *settings, struct arena *arena,
                        struct answers *answers, struct err *err)
{
    answers->topics = arena_alloc(arena, (settings->topic_count + 1) * sizeof *answers->topics);
    for (size_t i = 0; i < settings->topic_count; i++) {
        answers->topics[i] = settings->topics[i].name;
    }
    answers->ends_known =
        command_operator_ends(settings, arena, &answers->ends, &answers->end_count, err);
    return answers->ends_known;
}

/* One look at everything, printed. */
static enum exit_code show(struct command_call *call, const struct command_operator *desk)
{
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    struct answers answers = {0};
    struct err err = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!ask_store(desk->settings, arena, &answers, &err)) {
        output_message(&call->output, "the store could not be asked: %s", err.message);
        code = exit_code_or(&err, EXIT_CODE_STORE);
    }
    if (!ask_brokers(desk->settings, arena, &answers, &err)) {
        output_message(&call->output, "the ends of the partitions are not known: %s", err.message);
        code = exit_code_or(&err, EXIT_CODE_KAFKA);
    }
    struct group_status_request request = {
        .fold = operator_fold(desk->session),
        .now_us = operator_broker_now_us(desk->session),
        .quiet_us = operator_quiet_us(desk->session),
        .cleanup_grace_us = desk->settings->snapshot.cleanup_grace_us,
        .pointer = answers.pointer_known ? &answers.pointer : NULL,
        .topics = answers.topics,
        .ends = answers.ends_known ? answers.ends : NULL,
        .end_count = answers.ends_known ? answers.end_count : 0,
    };
    struct group_status status;
    group_status_fill(&request, arena, &status);
    command_status_json(call, desk->settings->group, &request, &status);
    command_status_text(call, desk->settings->group, &request, &status, arena);
    return code;
}

/* A screen that is drawn again; in a file or a pipe, one answer below the other. */
static void begin_screen(struct command_call *call, bool first)
{
    if (isatty(fileno(call->output.results)) == 1) {
        output_print(&call->output, "\033[H\033[2J");
    } else if (!first) {
        output_print(&call->output, "\n");
    }
}

static enum exit_code watch(struct command_call *call, struct command_operator *desk,
                            int64_t seconds)
{
    enum exit_code code = EXIT_CODE_OK;
    for (bool first = true; !output_reader_left(&call->output); first = false) {
        struct err err = {0};
        begin_screen(call, first);
        code = show(call, desk);
        fflush(call->output.results);
        if (service_signals_wait(seconds * 1000000) != 0) {
            return EXIT_CODE_OK;
        }
        if (!operator_refresh(desk->session, REFRESH_US, &err)) {
            if (err.kind != ERR_TRANSIENT) {
                return command_operator_fail(call, &err);
            }
            output_message(&call->output, "%s", err.message);
        }
    }
    return code;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_operator) struct command_operator desk = {0};
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    int64_t seconds = 0;
    bool watches = command_has(call, "watch");
    if (!command_number(call, "watch", 1, WATCH_MAX_S, WATCH_S, &seconds, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (watches) {
        service_signals_block(); /* before there are threads */
    }
    if (!command_operator_look(call, &desk, &code)) {
        return code;
    }
    return watches ? watch(call, &desk, seconds) : show(call, &desk);
}

static const struct command_option options[] = {
    COMMAND_OPTION_FILE,
    COMMAND_OPTION_SET,
    COMMAND_OPTION_JSON,
    {"watch", 0, "[=SECONDS]",
     "Show it again every 2 seconds, or as many as are given, until Ctrl-C.", false},
    COMMAND_OPTIONS_END,
};

const struct command status_command = {
    .name = "status",
    .summary = "Say where the service stands, also when none runs",
    .options = options,
    .help =
        "Reads the ledger, the pointer and the ends of the topics, and asks no member: so it works "
        "as well when none runs, and says so. LAG is what a member has not read yet, up to the "
        "last stable offset; MARGIN is how many records retention may still take before it "
        "reaches what a restart must read. Of a window that is closed and not yet built, WAITS FOR "
        "names each partition that nobody can deliver yet, and why. DOING is what a member last "
        "said of itself, with what keeps it from reading.\n\n"
        "With --json: group, phase (empty, idle, closed, building, gated, committed, holding, "
        "resuming), text, alive, leader, leading (the leader's own words), term, leader_since, "
        "published_run_id, published_at, watermark, lag, triggers_waiting, skips_waiting, "
        "ledger_end; head, pointer, open_build and hold (objects or null); members, partitions and "
        "condemned (lists). open_build has waits_for (topic, partition, from, cut, position, "
        "owner, "
        "kind, why), refusals, builders and gates. What is not known is null. With --watch, one "
        "document a line.",
    .examples = "tidemark status -c etc/tidemark.cfg\tthe present state\n"
                "tidemark status -c etc/tidemark.cfg --watch=5\ton a screen, every 5 seconds\n"
                "tidemark status -c etc/tidemark.cfg --json | jq .lag\tfor a monitor\n",
    .run = run,
};
