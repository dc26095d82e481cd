/* `tidemark history`: the snapshots that can be opened, newest first. */
#include <inttypes.h>

#include "cli/commands/command_lineage.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_table.h"
#include "consumer/status/group_status.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 1000 * 1000 };

struct past {
    const struct catalog_entry *entry;
    bool current;
    bool readable;
    const char *problem;
    struct manifest manifest;
    struct command_lineage lineage;
    uint64_t rows;
    uint64_t bytes;
};

static bool load(struct command_snapshot *snapshot, const struct catalog_pointer *pointer,
                 struct past *past, struct err *err)
{
    past->current = pointer->valid && strcmp(pointer->pointer.run_id, past->entry->run_id) == 0;
    struct err why = {0};
    past->readable =
        catalog_load(&snapshot->catalog, past->entry->name, snapshot->arena, &past->manifest, &why);
    if (!past->readable) {
        if (why.kind != ERR_CORRUPT && why.kind != ERR_MISSING) {
            *err = why;
            return false;
        }
        past->problem = arena_text(snapshot->arena, bytes_of_text(why.message));
        return true;
    }
    command_snapshot_sums(&past->manifest, &past->rows, &past->bytes);
    command_lineage_read(&past->manifest, snapshot->arena, &past->lineage);
    return true;
}

static void print_json(struct command_call *call, const struct past *pasts, size_t count,
                       size_t total, struct arena *arena)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_u64(root, "total", total);
    cJSON *list = json_put_array(root, "snapshots");
    for (size_t i = 0; i < count; i++) {
        const struct past *past = &pasts[i];
        cJSON *item = json_add_object(list);
        json_put_text(item, "run_id", past->entry->run_id);
        json_put_text(item, "published_at", command_time(past->entry->time_us, arena));
        json_put_text(item, "manifest_ref", past->entry->url);
        json_put_bool(item, "current", past->current);
        json_put_bool(item, "readable", past->readable);
        if (!past->readable) {
            json_put_text(item, "problem", past->problem);
            continue;
        }
        json_put_i64(item, "num_dbs", past->manifest.num_dbs);
        json_put_u64(item, "row_count", past->rows);
        json_put_u64(item, "db_bytes", past->bytes);
        if (past->lineage.there) {
            json_put_u64(item, "build", past->lineage.commit.build);
            json_put_text(item, "trigger", close_trigger_names[past->lineage.commit.trigger]);
        }
    }
    output_json(&call->output, root);
}

static void print_table(struct command_call *call, const struct past *pasts, size_t count,
                        size_t total, struct arena *arena)
{
    static const struct output_column columns[] = {
        {"", false},     {"PUBLISHED", false}, {"RUN", false},
        {"BUILD", true}, {"SHARDS", true},     {"ROWS", true},
        {"BYTES", true}, {"TRIGGER", false},   {"WINDOW END", false},
    };
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (size_t i = 0; i < count; i++) {
        const struct past *past = &pasts[i];
        const struct command_lineage *lineage = &past->lineage;
        output_table_add(&table, "%s", past->current ? "*" : "");
        output_table_add(&table, "%s", command_time(past->entry->time_us, arena));
        output_table_add(&table, "%s", past->entry->run_id);
        output_table_add(&table, "%s",
                         lineage->there ? arena_format(arena, "%" PRIu64, lineage->commit.build)
                                        : "-");
        if (!past->readable) {
            output_table_add(&table, "-");
            output_table_add(&table, "-");
            output_table_add(&table, "-");
            output_table_add(&table, "not readable: %s", past->problem);
            output_table_add(&table, "-");
            continue;
        }
        output_table_add(&table, "%" PRIu32, past->manifest.num_dbs);
        output_table_add(&table, "%" PRIu64, past->rows);
        output_table_add(&table, "%s", command_bytes(past->bytes, arena));
        output_table_add(&table, "%s",
                         lineage->there ? close_trigger_names[lineage->commit.trigger] : "-");
        output_table_add(&table, "%s", command_event_time(lineage->window_to_us, arena));
    }
    output_table_print(&table, &call->output);
    if (count < total) {
        output_print(&call->output, "and %zu older ones; --limit shows more\n", total - count);
    }
}

static bool gather(struct command_snapshot *snapshot, int64_t limit, struct past **ret_pasts,
                   size_t *ret_count, size_t *ret_total, struct err *err)
{
    struct catalog_pointer pointer = {0};
    struct catalog_entry *entries = NULL;
    TRY(catalog_read_pointer(&snapshot->catalog, snapshot->arena, &pointer, err));
    TRY(catalog_list(&snapshot->catalog, snapshot->arena, &entries, ret_total, NULL, err));
    size_t count = *ret_total < (size_t)limit ? *ret_total : (size_t)limit;
    struct past *pasts = arena_zero(snapshot->arena, (count + 1) * sizeof *pasts);
    for (size_t i = 0; i < count; i++) {
        pasts[i].entry = &entries[i];
        TRY(load(snapshot, &pointer, &pasts[i], err));
    }
    *ret_pasts = pasts;
    *ret_count = count;
    return true;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    int64_t limit = 0;
    if (!command_number(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!command_snapshot_open_store(call, &snapshot, &code)) {
        return code;
    }
    struct past *pasts = NULL;
    size_t count = 0;
    size_t total = 0;
    if (!gather(&snapshot, limit, &pasts, &count, &total, &err)) {
        return command_snapshot_fail(call, &err);
    }
    print_json(call, pasts, count, total, snapshot.arena);
    if (total == 0) {
        output_message(&call->output, "nothing is published at %s", store_url_of(snapshot.store));
        return EXIT_CODE_OK;
    }
    print_table(call, pasts, count, total, snapshot.arena);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_STORE,
    {"limit", 'n', "COUNT", "Show at most that many; 20 without it.", false},
    COMMAND_OPTIONS_END,
};

const struct command history_command = {
    .name = "history",
    .summary = "List published snapshots, newest first",
    .options = options,
    .help = "One line for each manifest; * marks the one that `_CURRENT` names. A run of this list "
            "can be opened with --run and brought back with rollback, until clean-up takes it.\n\n"
            "With --json: total, snapshots: a list with run_id, published_at, manifest_ref, "
            "current, readable (else problem), num_dbs, row_count, db_bytes, and where "
            "Tidemark made it build and trigger.",
    .examples = "tidemark history -c etc/tidemark.cfg -n 5\tthe five newest\n",
    .run = run,
};
