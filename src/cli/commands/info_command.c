/* `tidemark info`: what a snapshot is and where it comes from. */
#include <inttypes.h>

#include "cli/commands/command_lineage.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_table.h"
#include "consumer/status/group_status.h"

static void put_event_time(cJSON *object, const char *name, int64_t time_us, struct arena *arena)
{
    const char *text = command_event_time(time_us, arena);
    if (strcmp(text, "-") == 0) {
        json_put_null(object, name);
    } else {
        json_put_text(object, name, text);
    }
}

static void put_lineage(cJSON *root, const struct command_lineage *lineage, struct arena *arena)
{
    if (!lineage->there) {
        json_put_null(root, "lineage");
        return;
    }
    const struct message_commit *commit = &lineage->commit;
    cJSON *item = json_put_object(root, "lineage");
    json_put_u64(item, "build", commit->build);
    json_put_u64(item, "term", commit->term);
    json_put_text(item, "trigger", close_trigger_names[commit->trigger]);
    json_put_text(item, "parent_run_id", commit->parent);
    json_put_text(item, "fingerprint", commit->fingerprint);
    put_event_time(item, "window_from", lineage->window_from_us, arena);
    put_event_time(item, "window_to", lineage->window_to_us, arena);
    command_account_json(json_put_object(item, "account"), &lineage->sum);
    cJSON *partitions = json_put_array(item, "partitions");
    for (size_t i = 0; i < commit->partition_count; i++) {
        const struct commit_partition *partition = &commit->partitions[i];
        cJSON *entry = json_add_object(partitions);
        json_put_text(entry, "topic", partition->id.topic);
        json_put_i64(entry, "partition", partition->id.number);
        json_put_i64(entry, "cut", partition->cut);
        json_put_i64(entry, "tail_from", partition->tail_from);
        command_account_json(json_put_object(entry, "account"), &partition->account);
    }
}

static void print_json(struct command_call *call, const struct catalog_snapshot *found,
                       const struct command_lineage *lineage, struct arena *arena)
{
    const struct manifest *manifest = &found->manifest;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    command_snapshot_sums(manifest, &rows, &bytes);
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", manifest->run_id);
    json_put_text(root, "manifest_ref", found->url);
    json_put_text(root, "created_at", command_time(manifest->created_at_us, arena));
    json_put_bool(root, "current", found->is_current);
    if (found->pointer.valid) {
        json_put_text(root, "pointer_run_id", found->pointer.pointer.run_id);
        json_put_text(root, "pointer_updated_at",
                      command_time(found->pointer.pointer.updated_at_us, arena));
    }
    json_put_i64(root, "num_dbs", manifest->num_dbs);
    json_put_u64(root, "shards_with_rows", manifest->shard_count);
    json_put_u64(root, "row_count", rows);
    json_put_u64(root, "db_bytes", bytes);
    json_put_text(root, "key_column", manifest->key_column);
    json_put_text(root, "key_encoding", key_encoding_name(manifest->key_encoding));
    bool by_hash = manifest->sharding.strategy == SHARDING_HASH;
    json_put_text(root, "routing", by_hash ? "hash" : "cel");
    if (!by_hash) {
        json_put_text(root, "cel_expr", manifest->sharding.cel_expr);
    }
    json_put_bool(root, "sidecar", manifest->sidecar.on);
    json_put_text(root, "kv_backend", backend_name(manifest->backend));
    put_lineage(root, lineage, arena);
    output_json(&call->output, root);
}

static void print_lineage(struct command_call *call, const struct command_lineage *lineage,
                          struct arena *arena)
{
    struct output *output = &call->output;
    const struct message_commit *commit = &lineage->commit;
    output_print(output, "build        %" PRIu64 ", closed by %s\n", commit->build,
                 close_trigger_names[commit->trigger]);
    if (lineage->window_to_us != EVENT_TIME_HIGH) {
        output_print(output, "window       %s to %s\n",
                     command_event_time(lineage->window_from_us, arena),
                     command_event_time(lineage->window_to_us, arena));
    }
    output_print(output, "parent       %s\n", commit->parent[0] == '\0' ? "none" : commit->parent);
    static const struct output_column columns[] = {
        {"TOPIC", false},     {"PARTITION", true},   {"CUT", true},        {"TAIL FROM", true},
        {"READ", true},       {"STORED", true},      {"SUPERSEDED", true}, {"TOMBSTONES", true},
        {"NOT STORED", true}, {"CARRIED OUT", true},
    };
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (size_t i = 0; i < commit->partition_count; i++) {
        const struct commit_partition *partition = &commit->partitions[i];
        const struct account *account = &partition->account;
        output_table_add(&table, "%s", partition->id.topic);
        output_table_add(&table, "%" PRId32, partition->id.number);
        output_table_add(&table, "%" PRId64, partition->cut);
        output_table_add(&table, "%" PRId64, partition->tail_from);
        output_table_add(&table, "%" PRIu64, account->read);
        output_table_add(&table, "%" PRIu64, account->stored);
        output_table_add(&table, "%" PRIu64, account->superseded);
        output_table_add(&table, "%" PRIu64, account->tombstones);
        output_table_add(&table, "%" PRIu64, command_lineage_not_stored(account));
        output_table_add(&table, "%" PRIu64, account->carried_out);
    }
    output_print(output, "\n");
    output_table_print(&table, output);
}

static void print_text(struct command_call *call, const struct catalog_snapshot *found,
                       const struct command_lineage *lineage, struct arena *arena)
{
    struct output *output = &call->output;
    const struct manifest *manifest = &found->manifest;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    command_snapshot_sums(manifest, &rows, &bytes);
    output_print(output, "run          %s%s\n", manifest->run_id,
                 found->is_current ? " (current)" : "");
    output_print(output, "created      %s\n", command_time(manifest->created_at_us, arena));
    if (found->pointer.valid && found->is_current) {
        output_print(output, "published    %s\n",
                     command_time(found->pointer.pointer.updated_at_us, arena));
    } else if (found->pointer.valid) {
        output_print(output, "current      %s\n", found->pointer.pointer.run_id);
    }
    output_print(output, "manifest     %s\n", found->url);
    output_print(output, "rows         %" PRIu64 "\n", rows);
    output_print(output, "shards       %" PRIu32 ", %zu with rows, %s\n", manifest->num_dbs,
                 manifest->shard_count, command_bytes(bytes, arena));
    if (manifest->backend != BACKEND_SQLITE) {
        output_print(output, "backend      %s\n", backend_name(manifest->backend));
    }
    output_print(output, "keys         %s, column %s\n", key_encoding_name(manifest->key_encoding),
                 manifest->key_column);
    output_print(output, "routing      %s\n",
                 manifest->sharding.strategy == SHARDING_HASH
                     ? "hash"
                     : arena_format(arena, "cel: %s", manifest->sharding.cel_expr));
    output_print(output, "sidecars     %s\n", manifest->sidecar.on ? "yes" : "no");
    if (lineage->there) {
        print_lineage(call, lineage, arena);
    } else if (lineage->problem != NULL) {
        output_print(output, "lineage      not readable: %s\n", lineage->problem);
    }
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    struct catalog_snapshot found = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open(call, &snapshot, &found, &code)) {
        return code;
    }
    struct command_lineage lineage = {0};
    command_lineage_read(&found.manifest, snapshot.arena, &lineage);
    print_json(call, &found, &lineage, snapshot.arena);
    print_text(call, &found, &lineage, snapshot.arena);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_SNAPSHOT,
    COMMAND_OPTIONS_END,
};

const struct command info_command = {
    .name = "info",
    .summary = "Describe a snapshot and where it comes from",
    .options = options,
    .help =
        "What the manifest says: the run, rows and shards, how keys are stored and divided, and, "
        "where Tidemark made it, the cut of every source partition, with the account of what "
        "became of the records. A reader that wants to follow the live topic behind the "
        "snapshot begins at TAIL FROM.\n\n"
        "With --json: run_id, manifest_ref, created_at, current, pointer_run_id, "
        "pointer_updated_at, num_dbs, shards_with_rows, row_count, db_bytes, key_column, "
        "key_encoding, routing (hash or cel; cel_expr), sidecar, kv_backend "
        "(sqlite or slatedb), lineage: null, or build, term, trigger, parent_run_id, fingerprint, "
        "window_from, window_to, "
        "account and partitions: a list with topic, partition, cut, tail_from, account.",
    .examples = "tidemark info -c etc/tidemark.cfg\tthe current snapshot\n"
                "tidemark info -s s3://bucket/orders --run b7-t31-0f3c9a6b2d8e4c51\tan older one\n",
    .run = run,
};
