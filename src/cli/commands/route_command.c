/* `tidemark route`: the shard that a key belongs to. */
#include <inttypes.h>

#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"

static const struct attempt *shard_of(const struct manifest *manifest, uint32_t db_id)
{
    for (size_t i = 0; i < manifest->shard_count; i++) {
        if (manifest->shards[i].db_id == (int64_t)db_id) {
            return &manifest->shards[i];
        }
    }
    return NULL;
}

/* What leads to the shard. */
struct route_way {
    const struct route_column *columns; /* as they were given */
    size_t column_count;
    const char *value; /* the hash, or the expression's value */
};

static const char *value_of(const struct route_way *way, const char *name, const char *key)
{
    for (size_t i = way->column_count; i > 0; i--) {
        if (strcmp(way->columns[i - 1].name, name) == 0) {
            return way->columns[i - 1].text;
        }
    }
    return strcmp(name, "key") == 0 ? key : NULL;
}

static void explain_json(cJSON *root, const struct manifest *manifest, const struct route_way *way,
                         const char *key)
{
    const struct sharding *sharding = &manifest->sharding;
    bool cel = sharding->strategy == SHARDING_CEL;
    json_put_text(root, "routing", cel ? "cel" : "hash");
    if (cel) {
        json_put_text(root, "cel_expr", sharding->cel_expr);
        cJSON *columns = json_put_object(root, "columns");
        for (size_t i = 0; i < sharding->column_count; i++) {
            const char *text = value_of(way, sharding->columns[i].name, key);
            if (text != NULL) {
                json_put_text(columns, sharding->columns[i].name, text);
            }
        }
    }
    json_put_text(root, "value", way->value);
}

static void explain_text(struct output *output, const struct manifest *manifest,
                         const struct route_way *way, const char *key, uint32_t db_id)
{
    const struct sharding *sharding = &manifest->sharding;
    if (sharding->strategy == SHARDING_HASH) {
        output_print(output, "hash         %s, modulo %" PRIu32 " shards\n", way->value,
                     manifest->num_dbs);
        return;
    }
    output_print(output, "expression   %s\n", sharding->cel_expr);
    for (size_t i = 0; i < sharding->column_count; i++) {
        const struct sharding_column *column = &sharding->columns[i];
        const char *text = value_of(way, column->name, key);
        output_print(output, "column       %s (%s) = ", column->name,
                     sharding_column_type_name(column->type));
        output_print_foreign(output, bytes_of_text(text == NULL ? "(not needed)" : text));
        output_print(output, "\n");
    }
    output_print(output, "value        %s\n", way->value);
    output_print(output,
                 sharding->has_routing_values ? "token        number %" PRIu32
                                                " of the routing values\n"
                                              : "token        %" PRIu32 ", the shard's number\n",
                 db_id);
}

static void print(struct command_call *call, const struct manifest *manifest,
                  const struct route_way *way, uint32_t db_id)
{
    bool explain = command_has(call, "explain");
    const struct attempt *shard = shard_of(manifest, db_id);
    const char *url = shard == NULL ? NULL : shard->db_url;
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", manifest->run_id);
    json_put_text(root, "key", call->arguments[0]);
    json_put_i64(root, "db_id", db_id);
    json_put_i64(root, "num_dbs", manifest->num_dbs);
    json_put_i64(root, "row_count", shard == NULL ? 0 : shard->row_count);
    json_put_optional(root, "db_url", url);
    if (explain) {
        explain_json(root, manifest, way, call->arguments[0]);
    }
    output_json(&call->output, root);
    if (explain && !call->output.json) {
        explain_text(&call->output, manifest, way, call->arguments[0], db_id);
    }
    output_print(&call->output, "shard %" PRIu32 " of %" PRIu32 "  %s\n", db_id, manifest->num_dbs,
                 url == NULL ? "(empty)" : url);
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open_keys(call, &snapshot, &code)) {
        return code;
    }
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot.reader)->manifest;
    struct err err = {0};
    struct logical_key key = {0};
    uint32_t db_id = 0;
    struct route_way way = {0};
    if (!command_snapshot_columns(call, &snapshot, &way.columns, &way.column_count, &err) ||
        !command_snapshot_key(manifest, call->arguments[0], snapshot.arena, &key, &err) ||
        !snapshot_reader_explain(snapshot.reader, &key, snapshot.arena, &way.value, &db_id, &err)) {
        return command_snapshot_fail(call, &err);
    }
    print(call, manifest, &way, db_id);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_READER,
    COMMAND_OPTION_COLUMN,
    {"explain", 0, NULL, "Say what leads there: columns, value and token.", false},
    COMMAND_OPTIONS_END,
};

const struct command route_command = {
    .name = "route",
    .summary = "Say which shard a key belongs to",
    .arguments = "KEY",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .help = "The shard in which a reader looks for the key, whether the key is there or not. "
            "Nothing but the manifest is read. Where an expression divides the snapshot by more "
            "than the key, the other columns are given with --column.\n\n"
            "With --json: run_id, key, db_id, num_dbs, row_count, db_url (null: the shard is "
            "empty); with --explain also routing, value, and for an expression cel_expr and "
            "columns.",
    .examples = "tidemark route -c etc/tidemark.cfg 4711\tthe shard of 4711 and its URL\n"
                "tidemark route -c etc/tidemark.cfg --column region=eu --explain 4711\tof a "
                "snapshot that is divided by region, and why\n",
    .run = run,
};
