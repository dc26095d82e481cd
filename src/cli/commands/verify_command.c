/* `tidemark verify`: proves a published snapshot by making it again from its records. */
#include <inttypes.h>

#include "cli/commands/command_service.h"
#include "cli/commands/command_settings.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_progress.h"
#include "consumer/service_signals.h"
#include "consumer/verify/verify.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 1000 * 1000 };

/* ---- progress ---- */

static bool show(void *to, const char *what, uint64_t done, uint64_t total)
{
    output_progress_show(to, done, total, "%s %" PRIu64 " of %" PRIu64, what, done, total);
    return service_signals_wait(0) != 0;
}

/* ---- the answer ---- */

static enum exit_code verdict(const struct verify_report *report)
{
    if (verify_report_differences(report) > 0) {
        return EXIT_CODE_DIFFERS;
    }
    return report->counts[VERIFY_UNPROVED] > 0 ? EXIT_CODE_UNPROVED : EXIT_CODE_OK;
}

static void put_number(cJSON *object, const char *name, int64_t number)
{
    if (number < 0) {
        json_put_null(object, name);
    } else {
        json_put_i64(object, name, number);
    }
}

static void put_finding(cJSON *list, const struct verify_finding *finding)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    verify_finding_print(finding, &text);
    cJSON *item = json_add_object(list);
    json_put_text(item, "kind", verify_kind_name(finding->kind));
    put_number(item, "shard", finding->shard);
    json_put_optional(item, "topic", finding->topic);
    put_number(item, "partition", finding->partition);
    put_number(item, "from", finding->from);
    put_number(item, "to", finding->to);
    json_put_optional(item, "key", finding->key);
    json_put_optional(item, "what", finding->what);
    json_put_optional(item, "expected", finding->expected);
    json_put_optional(item, "found", finding->found);
    json_put_text(item, "text", buf_text(&text));
}

static void put_proof(cJSON *root, const struct catalog_snapshot *snapshot,
                      const struct verify_report *report)
{
    enum exit_code code = verdict(report);
    json_put_text(root, "run_id", snapshot->manifest.run_id);
    json_put_text(root, "manifest_ref", snapshot->url);
    json_put_text(root, "verdict", code == EXIT_CODE_OK ? "equal" : exit_code_name(code));
    json_put_u64(root, "records", report->records);
    json_put_u64(root, "rows", report->rows);
    json_put_i64(root, "num_dbs", snapshot->manifest.num_dbs);
    json_put_u64(root, "shards", report->shards);
    json_put_u64(root, "same_files", report->same_files);
    json_put_u64(root, "by_rows", report->by_rows);
    cJSON *counts = json_put_object(root, "counts");
    for (unsigned kind = 0; kind < VERIFY_KINDS; kind++) {
        json_put_u64(counts, verify_kind_name((enum verify_kind)kind), report->counts[kind]);
    }
    cJSON *list = json_put_array(root, "findings");
    for (size_t i = 0; i < report->count; i++) {
        put_finding(list, &report->findings[i]);
    }
    json_put_optional(root, "base", report->base);
}

static void print_findings(struct output *output, const struct verify_report *report)
{
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < report->count; i++) {
        buf_clear(&text);
        verify_finding_print(&report->findings[i], &text);
        output_print_foreign(output, buf_bytes(&text));
        output_print(output, "\n");
    }
    for (unsigned kind = 0; kind < VERIFY_KINDS; kind++) {
        if (report->counts[kind] > report->limit) {
            output_print(output, "… and %" PRIu64 " more of kind %s\n",
                         report->counts[kind] - report->limit,
                         verify_kind_name((enum verify_kind)kind));
        }
    }
}

static void print_verdict(struct output *output, const struct verify_report *report)
{
    enum exit_code code = verdict(report);
    enum output_colour colour = code == EXIT_CODE_OK        ? OUTPUT_GREEN
                                : code == EXIT_CODE_DIFFERS ? OUTPUT_RED
                                                            : OUTPUT_YELLOW;
    output_print(output, "%s", output_colour(output, colour));
    if (code == EXIT_CODE_OK) {
        output_print(output, "equal: the snapshot is what its records make");
        if (report->base != NULL) {
            output_print(output, " of run %s", report->base);
        }
    } else if (code == EXIT_CODE_DIFFERS) {
        output_print(output, "DIFFERS: %" PRIu64 " differences", verify_report_differences(report));
    } else {
        output_print(output, "NOT PROVED: the log does not hold all that is needed any more; "
                             "nothing else differs");
    }
    output_print(output, "%s\n", output_colour(output, OUTPUT_PLAIN));
}

static void print_text(struct command_call *call, const struct catalog_snapshot *snapshot,
                       const struct verify_report *report)
{
    struct output *output = &call->output;
    output_print(output, "run      %s%s\n", snapshot->manifest.run_id,
                 snapshot->is_current ? " (current)" : "");
    output_print(output, "read     %" PRIu64 " records again\n", report->records);
    output_print(output,
                 "looked   at %" PRIu32 " of %" PRIu32 " shards, %" PRIu64 " rows: %" PRIu32
                 " files are the same byte for byte, %" PRIu32 " were compared row by row\n",
                 report->shards, snapshot->manifest.num_dbs, report->rows, report->same_files,
                 report->by_rows);
    print_findings(output, report);
    print_verdict(output, report);
}

static bool read_options(struct command_call *call, int64_t *ret_limit, int64_t *ret_sample,
                         struct err *err)
{
    TRY(command_number(call, "limit", 0, LIMIT_MAX, LIMIT_DEFAULT, ret_limit, err));
    TRY(command_number(call, "sample", 1, UINT32_MAX, 0, ret_sample, err));
    if (command_settings_path(call) == NULL) {
        return err_set(err, ERR_INPUT,
                       "verify: the settings say how records become rows: give -c FILE");
    }
    return true;
}

static enum exit_code fail(struct command_call *call, bool kafka, const struct err *err)
{
    return command_fail(call, exit_code_or(err, kafka ? EXIT_CODE_KAFKA : EXIT_CODE_STORE), err);
}

/* One command: the snapshot that was asked for, and with --deep those that it stands on. */
struct proving {
    struct command_call *call;
    struct settings *settings;
    struct command_snapshot snapshot;
    int64_t limit;
    int64_t sample;
    cJSON *root;
    cJSON *older; /* of root; NULL: not with --deep */
};

static bool prove(struct proving *proving, const struct catalog_snapshot *found,
                  struct verify_report *report, bool *ret_kafka, struct err *err)
{
    struct output_progress progress;
    output_progress_start(&progress, &proving->call->output);
    struct verify_request request = {.settings = proving->settings,
                                     .catalog = &proving->snapshot.catalog,
                                     .manifest = &found->manifest,
                                     .sample = (uint32_t)proving->sample,
                                     .progress = {.show = show, .to = &progress}};
    bool done = verify_snapshot(&request, report, ret_kafka, err);
    output_progress_clear(&progress);
    return done;
}

/* A run further back cannot be looked at: what came after it is proved on top of it. */
static enum exit_code stop_at(struct proving *proving, const char *run_id, const struct err *err)
{
    output_print(&proving->call->output, "run      %s\nNOT PROVED: %s\n", run_id, err->message);
    cJSON *item = json_add_object(proving->older);
    json_put_text(item, "run_id", run_id);
    json_put_text(item, "verdict", exit_code_name(EXIT_CODE_UNPROVED));
    json_put_text(item, "text", err->message);
    return EXIT_CODE_UNPROVED;
}

/* Back along the lineage, for as long as there are runs and records. *ret_base NULL: the run that
 * was proved is the first. */
static enum exit_code prove_older(struct proving *proving, const char *run_id, struct arena *arena,
                                  const char **ret_base)
{
    AUTO(verify_report) struct verify_report report = {0};
    struct catalog_choice choice = {.run_id = run_id};
    struct catalog_snapshot found = {0};
    struct err err = {0};
    bool kafka = false;
    *ret_base = NULL;
    if (!catalog_open(&proving->snapshot.catalog, &choice, arena, &found, &err)) {
        return err.kind == ERR_MISSING ? stop_at(proving, run_id, &err)
                                       : fail(proving->call, false, &err);
    }
    verify_report_init(&report, (size_t)proving->limit);
    if (!prove(proving, &found, &report, &kafka, &err)) {
        return err.kind == ERR_SETTINGS ? stop_at(proving, run_id, &err)
                                        : fail(proving->call, kafka, &err);
    }
    put_proof(json_add_object(proving->older), &found, &report);
    print_text(proving->call, &found, &report);
    *ret_base = report.base == NULL ? NULL : arena_text(arena, bytes_of_text(report.base));
    return verdict(&report);
}

/* What it stands on, one after the other, until one is not proved. */
static enum exit_code prove_all_older(struct proving *proving, const char *base,
                                      enum exit_code code)
{
    AUTO(arena) struct arena *arena = arena_new(64 * 1024);
    while (base != NULL && code == EXIT_CODE_OK) {
        const char *run_id = base;
        code = prove_older(proving, run_id, arena, &base);
    }
    return code;
}

static enum exit_code prove_newest(struct proving *proving, const struct catalog_snapshot *found)
{
    AUTO(verify_report) struct verify_report report = {0};
    struct err err = {0};
    bool kafka = false;
    verify_report_init(&report, (size_t)proving->limit);
    if (!prove(proving, found, &report, &kafka, &err)) {
        return fail(proving->call, kafka, &err);
    }
    put_proof(proving->root, found, &report);
    print_text(proving->call, found, &report);
    enum exit_code code = verdict(&report);
    if (command_has(proving->call, "deep")) {
        proving->older = json_put_array(proving->root, "older");
        code = prove_all_older(proving, report.base, code);
    }
    if (code == EXIT_CODE_OK || code == EXIT_CODE_DIFFERS || code == EXIT_CODE_UNPROVED) {
        output_json(&proving->call->output, proving->root);
    }
    return code;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(settings) struct settings *settings = NULL;
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    AUTO(json) cJSON *root = json_new_object();
    struct catalog_snapshot found = {0};
    struct err err = {0};
    enum exit_code code = EXIT_CODE_OK;
    struct proving proving = {.call = call, .root = root};
    if (!read_options(call, &proving.limit, &proving.sample, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!command_settings_load(call, &settings, &code) ||
        !command_snapshot_open(call, &snapshot, &found, &code)) {
        return code;
    }
    command_service_log(settings, true);
    service_signals_block();
    proving.settings = settings;
    proving.snapshot = snapshot; /* borrowed: it ends with `snapshot` */
    return prove_newest(&proving, &found);
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_SNAPSHOT,
    {"limit", 'n', "COUNT", "List at most that many findings of each kind; 20 without it.", false},
    {"sample", 0, "COUNT", "Make only so many shards again, chosen by chance.", false},
    {"deep", 0, NULL, "Of a state: prove what it was made on, too, back to the first.", false},
    COMMAND_OPTIONS_END,
};

const struct command verify_command = {
    .name = "verify",
    .summary = "Prove a snapshot: read its records again, and compare",
    .options = options,
    .help =
        "Reads the records that the snapshot was made of once more from Kafka: of every partition "
        "from the tail of the build to its cut, as the lineage in the manifest has them. Makes the "
        "shards again, by the settings' rules and within limits.memory_budget, and compares: each "
        "file by its SHA-256, rows one by one where the bytes differ, sidecars, the account of "
        "every partition, and what the manifest says of rows, keys and sizes. Says exactly what "
        "differs: the key, its shard, what the snapshot has, and topic, partition and offset of "
        "the record that should have won. Differences end with exit code 13.\n\n"
        "When retention has taken a part of the range, or the topic was made again, that range is "
        "named, nothing is called equal, and the exit code is 14. What the log cleaner took of a "
        "compacted topic is told apart: rows that hang on it are not proved.\n\n"
        "A snapshot of contents \"state\" is made again from the records of its last build and the "
        "snapshot that it was made on, which is taken as it is, and named. With --deep that one is "
        "proved the same way, and so on, back to the first build, or to where retention has "
        "taken snapshots or records, or where other settings were in force: there the proof "
        "ends with exit code 14.\n\n"
        "It joins no group, commits nothing, sends no dead letter and writes nothing into the "
        "store; the service may go on. Settings that would make other content are refused (exit "
        "code 3), with what differs. Where another version laid out the snapshot's "
        "files, bytes differ and rows are compared instead.\n\n"
        "With --json: run_id, manifest_ref, verdict (equal, differs, unproved), records, rows, "
        "num_dbs, shards, same_files, by_rows, counts (by kind), findings: a list with kind "
        "(row_missing, row_extra, row_changed, file, sidecar, manifest, account, unproved, note), "
        "shard, topic, partition, from, to, key, what, expected, found, text; base (a run, or "
        "null); "
        "with --deep also older: the same of each run that it stands on.",
    .examples = "tidemark verify -c etc/tidemark.cfg\tthe current snapshot\n"
                "tidemark verify -c etc/tidemark.cfg --run b7-t31-0f3c9a6b2d8e4c51 --sample 2\t"
                "two shards of an older one\n"
                "tidemark verify -c etc/tidemark.cfg --deep\ta state, back to its first build\n",
    .run = run,
};
