/* `tidemark doctor`: whether a service with these settings could work here. */
#include "adapters/os/log.h"
#include "cli/commands/command_service.h"
#include "cli/commands/command_settings.h"
#include "cli/commands/commands.h"
#include "consumer/doctor/doctor.h"

static const char *const words[] = {
    [DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "FAIL"};
static const enum output_colour colours[] = {
    [DOCTOR_OK] = OUTPUT_GREEN, [DOCTOR_WARN] = OUTPUT_YELLOW, [DOCTOR_FAIL] = OUTPUT_RED};

static void print_line(void *context, const struct doctor_line *line)
{
    struct output *output = context;
    output_print(output, "%s%-4s%s  %s: ", output_colour(output, colours[line->level]),
                 words[line->level], output_colour(output, OUTPUT_PLAIN), line->check);
    if (!output->json) {
        output_print_foreign(output, bytes_of_text(line->text));
    }
    output_print(output, "\n");
    fflush(output->results);
}

static void print_json(struct output *output, const struct doctor *doctor)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "worst", words[doctor->worst]);
    cJSON *list = json_put_array(root, "checks");
    for (size_t i = 0; i < doctor->count; i++) {
        cJSON *item = json_add_object(list);
        json_put_text(item, "level", words[doctor->lines[i].level]);
        json_put_text(item, "check", doctor->lines[i].check);
        json_put_text(item, "text", doctor->lines[i].text);
    }
    output_json(output, root);
}

static enum exit_code run(struct command_call *call)
{
    AUTO(settings) struct settings *settings = NULL;
    AUTO(arena) struct arena *arena = arena_new(16 * 1024);
    enum exit_code code = EXIT_CODE_OK;
    if (!command_settings_load(call, &settings, &code)) {
        return code;
    }
    if (settings->log_level == (int)LOG_DEBUG) {
        command_service_log(settings, false);
    } else {
        log_silence(); /* what the Kafka client says of a check is in its line */
    }
    struct doctor *doctor = arena_zero(arena, sizeof *doctor);
    doctor->arena = arena;
    doctor->tell = print_line;
    doctor->tell_context = &call->output;
    doctor_run(settings, doctor);
    print_json(&call->output, doctor);
    return doctor->worst == DOCTOR_FAIL   ? EXIT_CODE_SETTINGS
           : doctor->worst == DOCTOR_WARN ? EXIT_CODE_WARNED
                                          : EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTION_FILE,
    COMMAND_OPTION_SET,
    COMMAND_OPTION_JSON,
    COMMAND_OPTIONS_END,
};

const struct command doctor_command = {
    .name = "doctor",
    .summary = "Try whether a service with these settings could work here",
    .options = options,
    .help =
        "One line a check, ok, warn or FAIL, with what to change: the version of librdkafka; the "
        "brokers; each topic, and whether its retention leaves time for a window; the ledger "
        "topic; the dead-letter topic; reading every partition, and the group; the store, its "
        "conditional writes, its clock, and whose snapshots it has; the work folder and its "
        "space; status.listen; and the brokers' clock, if some member of the group runs. Lines "
        "come as the checks end.\n\n"
        "It joins no group, writes no record and leads nothing: so the rights to write the ledger "
        "and to use its transactional id are not tried, because that would fence a running "
        "leader. In the store it writes probes and deletes them.\n\n"
        "Ends with 0, with 15 where something should be looked at, with 3 where something must be "
        "changed.\n\n"
        "With --json: worst (ok, warn, FAIL), checks: a list with level, check, text.",
    .examples = "tidemark doctor -c etc/tidemark.cfg\tbefore the first start\n",
    .run = run,
};
