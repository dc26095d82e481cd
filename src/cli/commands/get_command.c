/* `tidemark get`: the value of one key. */
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_value.h"

enum { VALUE_BYTES_MAX = 1024 * 1024 * 1024 };

static void print_json(struct command_call *call, const struct manifest *manifest, uint32_t shard,
                       bool found, struct bytes value)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", manifest->run_id);
    json_put_text(root, "key", call->arguments[0]);
    json_put_i64(root, "db_id", shard);
    json_put_bool(root, "found", found);
    if (found) {
        output_value_json(root, value);
    }
    output_json(&call->output, root);
}

static bool look_up(struct command_snapshot *snapshot, const char *text, uint32_t *ret_shard,
                    struct buf *value, bool *ret_found, struct err *err)
{
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot->reader)->manifest;
    struct logical_key key = {0};
    TRY(command_snapshot_key(manifest, text, snapshot->arena, &key, err));
    TRY(snapshot_reader_route(snapshot->reader, &key, ret_shard, err));
    return snapshot_reader_get(snapshot->reader, &key, value, ret_found, err);
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open_reader(call, &snapshot, &code)) {
        return code;
    }
    AUTO(buf) struct buf value;
    buf_init(&value, VALUE_BYTES_MAX);
    struct err err = {0};
    uint32_t shard = 0;
    bool found = false;
    if (!look_up(&snapshot, call->arguments[0], &shard, &value, &found, &err)) {
        return command_snapshot_fail(call, &err);
    }
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot.reader)->manifest;
    print_json(call, manifest, shard, found, buf_bytes(&value));
    if (!found) {
        output_message(&call->output, "key %.200s is not in run %s", call->arguments[0],
                       manifest->run_id);
        return EXIT_CODE_NOT_FOUND;
    }
    output_value_raw(&call->output, buf_bytes(&value));
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_READER,
    COMMAND_OPTIONS_END,
};

const struct command get_command = {
    .name = "get",
    .summary = "Print the value of a key",
    .arguments = "KEY",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .help = "Prints the bytes of the value as they are; on a terminal a newline follows. KEY is "
            "written as the snapshot's key encoding has it: a decimal number for u64be and u32be, "
            "text for utf8, text or 0x and hex digits for raw. A key that is not there ends with "
            "exit code 4.\n\n"
            "Shard files of an S3 store are downloaded once and kept; those of a file store are "
            "opened where they are. When the current manifest cannot be read, that is an error: "
            "other readers fall back to an older snapshot without saying so.\n\n"
            "With --json: run_id, key, db_id (the shard), found, and if found value and "
            "encoding, which is utf8, or base64 where the bytes are not UTF-8 or hold a NUL.",
    .examples = "tidemark get -c etc/tidemark.cfg 4711\tthe value of 4711 in the current snapshot\n"
                "tidemark get --snapshot s3://bucket/orders --json 4711\tfrom another place, as "
                "JSON\n",
    .run = run,
};
