/* `tidemark cleanup`: what nobody needs any more, shown or deleted. */
#include <inttypes.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "checkpoint/reading/cleanup.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_progress.h"
#include "cli/commands/output_table.h"
#include "consumer/operator/operator.h"

#define GRACE_DEFAULT_US (INT64_C(3600) * 1000000)
#define LISTEN_US (INT64_C(25) * 1000000)
enum { KEEP_LAST_MAX = 1000 * 1000, OPEN_RUNS_MAX = 256 };

/* What the command knows before it looks at the store. */
struct cleanup_call {
    struct command_call *call;
    struct command_snapshot snapshot;
    struct operator_session *session; /* NULL: there is no ledger, or it was not asked */
    struct names names;
    struct cleanup_request request;
    const char *open_runs[OPEN_RUNS_MAX];
    bool alive;
    char silence[ERR_MESSAGE_MAX];
};

static void cleanup_call_auto(struct cleanup_call *cleanup)
{
    operator_free(cleanup->session);
    command_snapshot_auto(&cleanup->snapshot);
}

/* ---- what is known ---- */

static bool take_options(struct cleanup_call *cleanup, struct err *err)
{
    const struct command_call *call = cleanup->call;
    const struct settings *settings = cleanup->snapshot.settings;
    int64_t keep_last = 0;
    struct cleanup_request *request = &cleanup->request;
    TRY(command_number(call, "keep-last", 0, KEEP_LAST_MAX,
                       settings == NULL ? 0 : (int64_t)settings->snapshot.keep_last, &keep_last,
                       err));
    request->policy.keep_last = (uint32_t)keep_last;
    request->policy.now_us = clock_now_us();
    TRY(command_duration(call, "keep-for", settings == NULL ? 0 : settings->snapshot.keep_for_us,
                         &request->policy.keep_for_us, err));
    TRY(command_duration(call, "grace",
                         settings == NULL ? GRACE_DEFAULT_US : settings->snapshot.cleanup_grace_us,
                         &request->grace_us, err));
    request->catalog = cleanup->snapshot.catalog;
    request->names = &cleanup->names;
    return settings == NULL
               ? names_init(&cleanup->names, store_url_of(cleanup->snapshot.store), "shards",
                            "runs", "db={db_id:05d}", err)
               : names_init(&cleanup->names, store_url_of(cleanup->snapshot.store),
                            settings->snapshot.shard_prefix, settings->snapshot.run_registry_prefix,
                            settings->snapshot.db_path_template, err);
}

/* The head, and every run that may still be built or published, is kept whatever its age. */
static void take_ledger(struct cleanup_call *cleanup)
{
    const struct fold *fold = operator_fold(cleanup->session);
    struct cleanup_request *request = &cleanup->request;
    const struct message_commit *head = fold_head(fold);
    request->open_run_ids = cleanup->open_runs;
    if (head != NULL && head->has_snapshot) {
        request->head_run_id = head->snapshot.run_id;
        for (size_t i = 0; i < head->pending_count && request->open_run_count < OPEN_RUNS_MAX;
             i++) {
            cleanup->open_runs[request->open_run_count++] = head->pending[i].run_id;
        }
    }
    size_t at = 0;
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PLAN, &at);
         entry != NULL && request->open_run_count < OPEN_RUNS_MAX;
         entry = fold_next(fold, MESSAGE_PLAN, &at)) {
        cleanup->open_runs[request->open_run_count++] = entry->message.plan.run_id;
    }
    const struct fold_entry *hold = fold_hold(fold);
    if (hold != NULL && hold->message.hold.target[0] != '\0' &&
        request->open_run_count < OPEN_RUNS_MAX) {
        cleanup->open_runs[request->open_run_count++] = hold->message.hold.target;
    }
    cleanup->alive = !operator_watch_silent(fold, operator_broker_now_us(cleanup->session),
                                            operator_quiet_us(cleanup->session), cleanup->silence);
}

static bool ask_ledger(struct cleanup_call *cleanup, struct err *err)
{
    if (cleanup->snapshot.settings == NULL || command_has(cleanup->call, "no-ledger")) {
        return true;
    }
    log_set(LOG_ERROR, cleanup->call->output.json ? LOG_JSON : LOG_TEXT);
    if (!operator_new(cleanup->snapshot.settings, &cleanup->session, err)) {
        return err->kind == ERR_MISSING; /* a ledger that is not there knows nothing */
    }
    take_ledger(cleanup);
    return true;
}

/* ---- showing ---- */

static const char *reason_text(const struct cleanup_call *cleanup, const struct cleanup_item *item)
{
    if (item->reason != RETENTION_OLD) {
        return retention_reason_name(item->reason);
    }
    if (item->young) {
        return "young";
    }
    const struct message_condemn *condemned =
        cleanup->session == NULL ? NULL
                                 : fold_condemned(operator_fold(cleanup->session), item->run_id);
    return condemned != NULL && condemned->whole_run ? "condemned" : "old";
}

static void print_json(const struct cleanup_call *cleanup, const struct cleanup_plan *plan,
                       bool deleted)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_bool(root, "deleted", deleted);
    json_put_u64(root, "objects", plan->objects_going);
    json_put_u64(root, "bytes", plan->bytes_going);
    cJSON *items = json_put_array(root, "items");
    for (size_t i = 0; i < plan->count; i++) {
        const struct cleanup_item *item = &plan->items[i];
        cJSON *entry = json_add_object(items);
        json_put_text(entry, "kind", item->kind == CLEANUP_RUN ? "run" : "attempt");
        json_put_text(entry, "run_id", item->run_id);
        json_put_text(entry, "folder", item->folder);
        json_put_bool(entry, "goes", cleanup_goes(item));
        json_put_text(entry, "reason", reason_text(cleanup, item));
        json_put_u64(entry, "objects", item->objects + item->manifest_count);
        json_put_u64(entry, "bytes", item->bytes);
    }
    output_json(&cleanup->call->output, root);
}

static void print_table(const struct cleanup_call *cleanup, const struct cleanup_plan *plan,
                        bool deleted)
{
    static const struct output_column columns[] = {
        {"", false},       {"WHAT", false}, {"WHY", false},
        {"OBJECTS", true}, {"BYTES", true}, {"WHERE", false},
    };
    struct output *output = &cleanup->call->output;
    struct arena *arena = cleanup->snapshot.arena;
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (size_t i = 0; i < plan->count; i++) {
        const struct cleanup_item *item = &plan->items[i];
        output_table_add(&table, "%s", cleanup_goes(item) ? "delete" : "keep");
        output_table_add(&table, "%s", item->kind == CLEANUP_RUN ? "run" : "attempt");
        output_table_add(&table, "%s", reason_text(cleanup, item));
        output_table_add(&table, "%" PRIu64, item->objects + item->manifest_count);
        output_table_add(&table, "%s", command_bytes(item->bytes, arena));
        output_table_add(&table, "%s", item->folder);
    }
    output_table_print(&table, output);
    output_print(output, "%" PRIu64 " objects, %s %s\n", plan->objects_going,
                 command_bytes(plan->bytes_going, arena), deleted ? "deleted" : "can be deleted");
}

/* ---- deleting ---- */

/* Members that only fell silent may be alive behind a clock that is wrong: whoever lives speaks
 * within LISTEN_US. Who said good-bye does not. */
static bool listen_for_members(struct cleanup_call *cleanup, struct err *err)
{
    size_t at = 0;
    bool silent = false;
    const struct fold *fold = operator_fold(cleanup->session);
    for (const struct fold_entry *entry = fold_next(fold, MESSAGE_PROGRESS, &at); entry != NULL;
         entry = fold_next(fold, MESSAGE_PROGRESS, &at)) {
        silent = silent || !entry->message.progress.leaving;
    }
    if (cleanup->alive || !silent) {
        return true;
    }
    output_message(&cleanup->call->output, "%s; listening whether anybody is there",
                   cleanup->silence);
    int64_t end = fold_end(fold);
    TRY(operator_refresh(cleanup->session, LISTEN_US, err));
    cleanup->alive = fold_end(operator_fold(cleanup->session)) != end;
    return true;
}

/* A running service cleans up by itself; without one, the ledger or the operator must say that
 * there is none. */
static bool may_delete(struct cleanup_call *cleanup, enum exit_code *ret_code)
{
    struct err err = {0};
    if (cleanup->session != NULL && !listen_for_members(cleanup, &err)) {
        *ret_code = command_fail(cleanup->call, EXIT_CODE_KAFKA, &err);
        return false;
    }
    if (cleanup->session != NULL && cleanup->alive) {
        err_set(
            &err, ERR_CONFLICT,
            "cleanup: the service runs (%s) and deletes by itself what its settings do not keep; "
            "--dry-run shows it",
            cleanup->silence);
        *ret_code = command_fail(cleanup->call, EXIT_CODE_HELD, &err);
        return false;
    }
    if (cleanup->session == NULL && !command_has(cleanup->call, "offline")) {
        err_set(&err, ERR_INPUT,
                "cleanup: no ledger says whether a service publishes here: give its settings file "
                "with -c, or --offline when you know that none does");
        *ret_code = command_fail(cleanup->call, EXIT_CODE_USAGE, &err);
        return false;
    }
    return true;
}

static bool delete_all(struct cleanup_call *cleanup, const struct cleanup_plan *plan,
                       struct err *err)
{
    struct output_progress progress;
    output_progress_start(&progress, &cleanup->call->output);
    uint64_t objects = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct cleanup_item *item = &plan->items[i];
        if (!cleanup_goes(item)) {
            continue;
        }
        output_progress_show(&progress, objects, plan->objects_going, "%s", item->folder);
        if (!cleanup_delete(&cleanup->request, plan, item, err)) {
            output_progress_clear(&progress);
            return false;
        }
        objects += item->objects + item->manifest_count;
    }
    output_progress_clear(&progress);
    return true;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(cleanup_call) struct cleanup_call cleanup = {.call = call};
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    bool dry_run = command_has(call, "dry-run");
    if (!command_snapshot_open_store(call, &cleanup.snapshot, &code)) {
        return code;
    }
    if (!take_options(&cleanup, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!ask_ledger(&cleanup, &err)) {
        return command_fail(call, exit_code_or(&err, EXIT_CODE_KAFKA), &err);
    }
    if (!dry_run && !may_delete(&cleanup, &code)) {
        return code;
    }
    struct cleanup_plan plan = {0};
    if (!cleanup_make_plan(&cleanup.request, cleanup.snapshot.arena, &plan, &err)) {
        return command_snapshot_fail(call, &err);
    }
    if (!dry_run && !delete_all(&cleanup, &plan, &err)) {
        return command_snapshot_fail(call, &err);
    }
    print_json(&cleanup, &plan, !dry_run);
    print_table(&cleanup, &plan, !dry_run);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_STORE,
    {"dry-run", 'n', NULL, "Only show what would be deleted.", false},
    {"offline", 0, NULL, "No service publishes here, and no ledger need say so.", false},
    {"no-ledger", 0, NULL, "Do not ask Kafka what the ledger protects.", false},
    {"keep-last", 0, "COUNT", "Keep that many of the newest snapshots; 0: no limit by count.",
     false},
    {"keep-for", 0, "DURATION", "Keep snapshots published less than that ago; 0s: no limit by age.",
     false},
    {"grace", 0, "DURATION", "Keep what was written, or was current, less than that ago; 1h.",
     false},
    COMMAND_OPTIONS_END,
};

const struct command cleanup_command = {
    .name = "cleanup",
    .summary = "Show or delete what no snapshot needs any more",
    .options = options,
    .help =
        "Shows every run below the prefix with what keeps it: current, head of the ledger, an "
        "open build, a live lease of its run record, keep_last and keep_for, a kept manifest "
        "that points into it, its age; and the attempts of kept runs that no manifest names; then "
        "deletes what nothing keeps.\n\n"
        "A running service does that by itself: it condemns a run in the ledger and deletes it "
        "after snapshot.cleanup_grace. So while members of the group are heard of, this command "
        "refuses (exit code 7), and only --dry-run works. Where there is no ledger to ask, for a "
        "prefix that another program has written, --offline says that nobody publishes there.\n\n"
        "_CURRENT is looked at again before everything that is deleted; the manifest goes first; "
        "when _CURRENT has moved, nothing more is deleted. Without any limit by count or age, "
        "published snapshots are all kept.\n\n"
        "With --json: deleted, objects and bytes (that go, or went), items: a list with "
        "kind (run, attempt), run_id, folder, goes, reason (current, head, open_build, "
        "lease, keep_last, keep_for, referenced, young; old, condemned), objects, bytes.",
    .examples =
        "tidemark cleanup -c etc/tidemark.cfg --dry-run\twhat goes, and what keeps the rest\n"
        "tidemark cleanup -s s3://bucket/orders --offline --keep-last 5\tdelete all but five\n",
    .run = run,
};
