/* `tidemark get`: the value of one key. */
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_value.h"

enum { VALUE_BYTES_MAX = 1024 * 1024 * 1024 };

/* What was asked of the store: until the shard was open, and then for the key. */
struct get_stats {
    bool by_range;
    struct store_traffic opened;
    struct store_traffic looked_up;
};

static void put_traffic(cJSON *root, const char *name, const struct store_traffic *from,
                        const struct store_traffic *to)
{
    cJSON *object = json_put_object(root, name);
    json_put_u64(object, "requests", to->requests - from->requests);
    json_put_u64(object, "bytes", to->bytes_received - from->bytes_received);
}

static void print_json(struct command_call *call, const struct manifest *manifest, uint32_t shard,
                       const struct get_stats *stats, bool found, struct bytes value)
{
    static const struct store_traffic nothing;
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", manifest->run_id);
    json_put_text(root, "key", call->arguments[0]);
    json_put_i64(root, "db_id", shard);
    json_put_bool(root, "found", found);
    if (found) {
        output_value_json(root, value);
    }
    json_put_bool(root, "by_range", stats->by_range);
    put_traffic(root, "opening", &nothing, &stats->opened);
    put_traffic(root, "look_up", &stats->opened, &stats->looked_up);
    output_json(&call->output, root);
}

static void print_stats(struct command_call *call, const struct get_stats *stats)
{
    output_message(&call->output,
                   "read %s: opening %ju requests, %ju bytes; look-up %ju requests, %ju bytes",
                   stats->by_range ? "by range" : "whole files", (uintmax_t)stats->opened.requests,
                   (uintmax_t)stats->opened.bytes_received,
                   (uintmax_t)(stats->looked_up.requests - stats->opened.requests),
                   (uintmax_t)(stats->looked_up.bytes_received - stats->opened.bytes_received));
}

static bool look_up(struct command_snapshot *snapshot, const char *text, uint32_t *ret_shard,
                    struct buf *value, bool *ret_found, struct get_stats *stats, struct err *err)
{
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot->reader)->manifest;
    struct logical_key key = {0};
    TRY(command_snapshot_key(manifest, text, snapshot->arena, &key, err));
    TRY(snapshot_reader_route(snapshot->reader, &key, ret_shard, err));
    TRY(snapshot_reader_open_shard(snapshot->reader, *ret_shard, &stats->by_range, err));
    stats->opened = store_traffic_of(snapshot->store);
    TRY(snapshot_reader_get(snapshot->reader, &key, value, ret_found, err));
    stats->looked_up = store_traffic_of(snapshot->store);
    return true;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (!command_snapshot_open_keys(call, &snapshot, &code)) {
        return code;
    }
    AUTO(buf) struct buf value;
    buf_init(&value, VALUE_BYTES_MAX);
    struct err err = {0};
    uint32_t shard = 0;
    bool found = false;
    struct get_stats stats = {.by_range = false};
    if (!look_up(&snapshot, call->arguments[0], &shard, &value, &found, &stats, &err)) {
        return command_snapshot_fail(call, &err);
    }
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot.reader)->manifest;
    print_json(call, manifest, shard, &stats, found, buf_bytes(&value));
    if (command_has(call, "stats") && !call->output.json) {
        print_stats(call, &stats);
    }
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
    COMMAND_OPTION_COLUMN,
    {"stats", 0, NULL, "Say on standard error what was asked of the store.", false},
    COMMAND_OPTIONS_END,
};

const struct command get_command = {
    .name = "get",
    .summary = "Print the value of a key",
    .arguments = "KEY",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .help =
        "Prints the bytes of the value as they are; on a terminal a newline follows. KEY is "
        "written as the snapshot's key encoding has it: a decimal number for u64be and u32be, "
        "text for utf8, text or 0x and hex digits for raw. A key that is not there ends with "
        "exit code 4.\n\n"
        "Small shard files of an S3 store are downloaded once and kept. Larger ones are read by "
        "range: the page index first, then one request for the key's page, and one more where "
        "the value is large (see --reading; --stats counts). Those of a file store are opened "
        "where they are. When the current manifest cannot be read, that is an error: "
        "other readers fall back to an older snapshot without saying so.\n\n"
        "With --json: run_id, key, db_id (the shard), found, and if found value and "
        "encoding, which is utf8, or base64 where the bytes are not UTF-8 or hold a NUL; "
        "by_range, and opening and look_up: the requests to the store and the bytes received, "
        "until the shard was open and for the key.",
    .examples = "tidemark get -c etc/tidemark.cfg 4711\tthe value of 4711 in the current snapshot\n"
                "tidemark get --snapshot s3://bucket/orders --json 4711\tfrom another place, as "
                "JSON\n",
    .run = run,
};
