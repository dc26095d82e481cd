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

static void print(struct command_call *call, const struct manifest *manifest, uint32_t db_id)
{
    const struct attempt *shard = shard_of(manifest, db_id);
    const char *url = shard == NULL ? NULL : shard->db_url;
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", manifest->run_id);
    json_put_text(root, "key", call->arguments[0]);
    json_put_i64(root, "db_id", db_id);
    json_put_i64(root, "num_dbs", manifest->num_dbs);
    json_put_i64(root, "row_count", shard == NULL ? 0 : shard->row_count);
    if (url == NULL) {
        json_put_null(root, "db_url");
    } else {
        json_put_text(root, "db_url", url);
    }
    output_json(&call->output, root);
    output_print(&call->output, "shard %" PRIu32 " of %" PRIu32 "  %s\n", db_id, manifest->num_dbs,
                 url == NULL ? "(empty)" : url);
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open_reader(call, &snapshot, &code)) {
        return code;
    }
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot.reader)->manifest;
    struct err err = {0};
    struct logical_key key = {0};
    uint32_t db_id = 0;
    if (!command_snapshot_key(manifest, call->arguments[0], snapshot.arena, &key, &err) ||
        !snapshot_reader_route(snapshot.reader, &key, &db_id, &err)) {
        return command_snapshot_fail(call, &err);
    }
    print(call, manifest, db_id);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_READER,
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
            "Nothing but the manifest is read.\n\n"
            "With --json: run_id, key, db_id, num_dbs, row_count, db_url (null: the shard is "
            "empty).",
    .examples = "tidemark route -c etc/tidemark.cfg 4711\tthe shard of 4711 and its URL\n",
    .run = run,
};
