/* A service inside a command: started, watched, and ended with the right exit code. */
#include "cli/commands/command_service.h"

#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "consumer/service_signals.h"

enum {
    WATCH_US = 100 * 1000,
    GRACE_S = 10, /* for threads that are asked to end: some wait for a broker or a pipe, and do not
                     look up */
};

void command_service_log(const struct settings *settings, bool quiet)
{
    enum log_level level = (enum log_level)settings->log_level;
    if (quiet && level == LOG_INFO) {
        level = LOG_WARN;
    }
    log_set(level, settings->log_format == LOG_FORMAT_JSON ? LOG_JSON : LOG_TEXT);
}

/* Who insists does not wait for an orderly end: what is cut off is done again, as after kill -9. */
static void end_at_once(int number)
{
    log_warn("service",
             "signal %d, the second one: ends at once; what was under way is done again by the "
             "next start",
             number);
    _exit(EXIT_CODE_STOPPED);
}

/* An orderly end: work is handed back, for at most the deadline. `asked`: a signal came before. */
static bool stop(struct service *service, int64_t deadline_us, bool *asked)
{
    int64_t until = clock_mono_us() + deadline_us;
    struct member_state state;
    service_stop(service);
    do {
        int number = service_signals_wait(WATCH_US);
        if (number != 0 && *asked) {
            end_at_once(number);
        }
        *asked = *asked || number != 0;
        service_state(service, &state);
    } while (!state.left && !state.failed && clock_mono_us() < until);
    return state.left;
}

enum exit_code command_service_run(struct command_call *call, const struct settings *settings,
                                   const struct service_options *options,
                                   command_service_watch watch, void *context,
                                   struct member_state *ret_state)
{
    struct service *service = NULL;
    struct err err = {0};
    service_signals_block();
    if (!service_new(settings, options, &service, &err)) {
        return command_fail(call, exit_code_or(&err, EXIT_CODE_KAFKA), &err);
    }
    enum exit_code code = EXIT_CODE_OK;
    bool asked = false;
    for (;;) {
        int number = service_signals_wait(WATCH_US);
        service_state(service, ret_state);
        if (ret_state->failed) {
            code =
                command_fail(call, exit_code_or(&ret_state->err, EXIT_CODE_KAFKA), &ret_state->err);
            break;
        }
        if (number != 0) {
            asked = true;
            log_info("service", "stopping: signal %d", number);
            code = watch == NULL ? EXIT_CODE_OK : EXIT_CODE_STOPPED;
            break;
        }
        if (watch != NULL && watch(context, service, ret_state)) {
            break;
        }
    }
    if (!ret_state->failed && !stop(service, settings->limits.stop_timeout_us, &asked)) {
        log_warn("service", "the stop was not orderly: what was under way is done again");
    }
    struct service_signals_end end = {.code = (int)code,
                                      .asked_code = EXIT_CODE_STOPPED,
                                      .asked = asked,
                                      .is_timed = asked || ret_state->failed,
                                      .grace_s = GRACE_S};
    service_signals_exit(&end);
    service_free(service);
    return code;
}
