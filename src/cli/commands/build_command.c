/* `tidemark build`: one build up to the present end of the topics, then exit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/os/clock.h"
#include "adapters/os/os_random.h"
#include "cli/commands/command_service.h"
#include "cli/commands/command_settings.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_progress.h"

/* Of a build without --timeout; nobody waits so long. */
static const int64_t FOREVER_US = INT64_MAX / 2;

struct watch {
    struct output_progress progress;
    int64_t until_us; /* of clock_mono_us() */
    bool late;
};

static bool watch(void *context, struct service *service, const struct member_state *state)
{
    struct watch *own = context;
    int64_t target = service_target(service);
    if (state->position < target) {
        output_progress_show(&own->progress, (uint64_t)state->position, (uint64_t)target,
                             "reading %" PRId64 " of %" PRId64 " records", state->position, target);
    } else {
        output_progress_show(&own->progress, 0, 0, "%s", state->doing);
    }
    own->late = clock_mono_us() >= own->until_us;
    return state->trigger_done || state->refused != MEMBER_REFUSED_NOT || own->late;
}

static enum exit_code say_late(struct command_call *call, const struct member_state *state)
{
    struct err err = {0};
    err_set(&err, ERR_STOPPED,
            "--timeout is over, and the build is not published. Last seen: %s. `tidemark status` "
            "says what it waits for; the next `tidemark build` goes on from what was read",
            state->doing);
    return command_fail(call, EXIT_CODE_STOPPED, &err);
}

/* A job must end, and neither a hold nor a gate nor settings that do not fit have an end of their
 * own. The reason is last: it may be long. */
static enum exit_code refuse(struct command_call *call, const struct member_state *state)
{
    struct err err = {0};
    switch (state->refused) {
    case MEMBER_REFUSED_NOT:
        CHECK(!"nothing is refused, and the time is not over");
        break;
    case MEMBER_REFUSED_HELD:
        err_set(&err, ERR_STOPPED,
                "the service is on hold, and publishes nothing before `tidemark resume --adopt` "
                "(go on from the newest build) or `tidemark resume --from-here` (from the "
                "published snapshot). Held %s",
                state->refusal);
        break;
    case MEMBER_REFUSED_GATED:
        err_set(&err, ERR_STOPPED,
                "a gate keeps the build from being published. `tidemark accept --why …`, or other "
                "settings in `gates`, let the next `tidemark build` publish it. Refused %s",
                state->refusal);
        break;
    case MEMBER_REFUSED_UNFIT:
        err_set(&err, ERR_SETTINGS, "%s", state->refusal);
        return command_fail(call, EXIT_CODE_SETTINGS, &err);
    }
    return command_fail(call, EXIT_CODE_HELD, &err);
}

/* The newest snapshot may be that of an earlier build: a run is named by the build it is of. */
static bool of_this_build(const struct member_state *state)
{
    char prefix[32];
    int length = snprintf(prefix, sizeof prefix, "b%" PRIu64 "-", state->build);
    return strncmp(state->run_id, prefix, (size_t)length) == 0;
}

static void print_result(struct command_call *call, const struct member_state *state,
                         int64_t duration_us)
{
    double seconds = (double)duration_us / 1e6;
    uint64_t rejected = 0;
    for (size_t i = 0; i < REJECT_CAUSES; i++) {
        rejected += state->counters.rejected[i];
    }
    if (call->output.json) {
        cJSON *result = json_new_object();
        json_put_u64(result, "build", state->build);
        json_put_text(result, "run_id", state->run_id);
        json_put_bool(result, "published", of_this_build(state));
        json_put_u64(result, "records", state->counters.records);
        json_put_u64(result, "rejected", rejected);
        json_put_i64(result, "duration_ms", duration_us / 1000);
        output_json(&call->output, result);
        json_free(result);
        return;
    }
    output_print(&call->output, "build %" PRIu64 ": ", state->build);
    if (of_this_build(state)) {
        output_print(&call->output, "published run %s", state->run_id);
    } else {
        output_print(&call->output, "no rows since the last one, nothing to publish");
    }
    output_print(&call->output, " (%" PRIu64 " records read, %" PRIu64 " rejected, %.1f s)\n",
                 state->counters.records, rejected, seconds);
}

static enum exit_code run(struct command_call *call)
{
    AUTO(settings) struct settings *settings = NULL;
    enum exit_code code = EXIT_CODE_OK;
    if (!command_settings_load(call, &settings, &code)) {
        return code;
    }
    command_service_log(settings, call->output.progress);
    char id[33];
    os_random_hex(id, 32);
    struct service_options options = {.trigger_id = id};
    struct watch own = {0};
    struct member_state state = {0};
    struct err err = {0};
    int64_t began_us = clock_mono_us();
    int64_t timeout_us;
    if (!command_duration(call, "timeout", FOREVER_US, &timeout_us, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    own.until_us = began_us + timeout_us;
    output_progress_start(&own.progress, &call->output);
    code = command_service_run(call, settings, &options, watch, &own, &state);
    output_progress_clear(&own.progress);
    if (code == EXIT_CODE_OK && !state.trigger_done) {
        return own.late ? say_late(call, &state) : refuse(call, &state);
    }
    if (code == EXIT_CODE_OK) {
        print_result(call, &state, clock_mono_us() - began_us);
    }
    return code;
}

static const struct command_option options[] = {
    COMMAND_OPTION_FILE,
    COMMAND_OPTION_SET,
    {"timeout", 0, "DURATION", "How long it may take; without it, as long as it takes.", false},
    COMMAND_OPTION_JSON,
    COMMAND_OPTIONS_END,
};

const struct command build_command = {
    .name = "build",
    .summary = "Make one snapshot up to the present end of the topics, then exit",
    .options = options,
    .help =
        "Joins the group as a member, asks for one build up to the last stable offset that every "
        "partition has now, whatever the settings' trigger is, and leaves when the snapshot is "
        "published: for cron and for Kubernetes Jobs. Where nothing was written since the last "
        "snapshot, nothing is published. While the service is on hold, or where a gate refuses the "
        "build, it ends with exit code 7 and says who holds it and why, or what the gate "
        "found. Where no build can be begun with these settings on the last snapshot (a state on "
        "a window), it ends with exit code 3. With --timeout it ends with exit code 10 when the "
        "snapshot is not published in time, as when a member that has a partition is away or a "
        "range of the log is lost: what was read is kept in the work folder.",
    .examples =
        "tidemark build -c etc/tidemark.cfg\tone snapshot, with a progress bar on a terminal\n",
    .run = run,
};
