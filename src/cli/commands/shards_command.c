/* `tidemark shards`: what a snapshot is divided into. */
#include <inttypes.h>
#include <string.h>

#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_table.h"
#include "cli/commands/output_value.h"

static void print_json(struct command_call *call, const struct manifest *manifest)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", manifest->run_id);
    json_put_i64(root, "num_dbs", manifest->num_dbs);
    cJSON *list = json_put_array(root, "shards");
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const struct attempt *shard = &manifest->shards[i];
        cJSON *item = json_add_object(list);
        json_put_i64(item, "db_id", shard->db_id);
        json_put_i64(item, "row_count", shard->row_count);
        json_put_i64(item, "db_bytes", shard->db_bytes);
        json_put_i64(item, "attempt", shard->attempt);
        json_put_optional(item, "min_key", shard->min_key);
        json_put_optional(item, "max_key", shard->max_key);
        json_put_optional(item, "checkpoint_id", shard->checkpoint_id);
        json_put_optional(item, "db_url", shard->db_url);
    }
    output_json(&call->output, root);
}

enum { KEY_COLUMN_MAX = 40 };

/* One key of some kilobytes would make every row that wide; --json has all of it. */
static void add_key(struct output_table *table, const char *json)
{
    if (json == NULL) {
        output_table_add(table, "-");
        return;
    }
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    output_value_key(json, &text);
    const char *key = buf_text(&text);
    if (strlen(key) <= KEY_COLUMN_MAX) {
        output_table_add(table, "%s", key);
    } else {
        int shown = KEY_COLUMN_MAX - 1;
        while (shown > 0 && ((unsigned char)key[shown] & 0xC0) == 0x80) {
            shown--; /* not in the middle of a character */
        }
        output_table_add(table, "%.*s…", shown, key);
    }
}

static void print_table(struct command_call *call, const struct manifest *manifest,
                        struct arena *arena)
{
    static const struct output_column columns[] = {
        {"SHARD", true},    {"ROWS", true},     {"BYTES", true}, {"ATTEMPT", true},
        {"MIN KEY", false}, {"MAX KEY", false}, {"URL", false},
    };
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (size_t i = 0; i < manifest->shard_count; i++) {
        const struct attempt *shard = &manifest->shards[i];
        output_table_add(&table, "%" PRId64, shard->db_id);
        output_table_add(&table, "%" PRId64, shard->row_count);
        output_table_add(&table, "%s", command_bytes((uint64_t)shard->db_bytes, arena));
        output_table_add(&table, "%" PRId64, shard->attempt);
        add_key(&table, shard->min_key);
        add_key(&table, shard->max_key);
        output_table_add(&table, "%s", shard->db_url == NULL ? "-" : shard->db_url);
    }
    output_table_print(&table, &call->output);
    if (manifest->num_dbs > manifest->shard_count) {
        output_print(&call->output, "%zu of %" PRIu32 " shards are empty\n",
                     manifest->num_dbs - manifest->shard_count, manifest->num_dbs);
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
    print_json(call, &found.manifest);
    print_table(call, &found.manifest, snapshot.arena);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_SNAPSHOT,
    COMMAND_OPTIONS_END,
};

const struct command shards_command = {
    .name = "shards",
    .summary = "List the shards of a snapshot",
    .options = options,
    .help = "One line for each shard that has rows: its number, rows, the size of its file, the "
            "attempt that won, the smallest and the largest key (the begin of a long one), and "
            "where it is.\n\n"
            "With --json: run_id, num_dbs, shards: a list with db_id, row_count, db_bytes, "
            "attempt, min_key and max_key (the JSON text of the key, or null), "
            "checkpoint_id, db_url.",
    .examples = "tidemark shards -c etc/tidemark.cfg\tthe shards of the current snapshot\n",
    .run = run,
};
