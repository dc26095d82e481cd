/* `tidemark diff`: what is different between two snapshots. */
#include <inttypes.h>

#include "checkpoint/reading/snapshot_diff.h"
#include "cli/commands/command_service.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_progress.h"
#include "cli/commands/output_table.h"
#include "consumer/service_signals.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 100 * 1000 * 1000, KEY_BYTES_MAX = 16 << 20 };

static const char *const words[] = {
    [ROWS_ADDED] = "added", [ROWS_REMOVED] = "removed", [ROWS_CHANGED] = "changed"};
static const char signs[] = {[ROWS_ADDED] = '+', [ROWS_REMOVED] = '-', [ROWS_CHANGED] = '*'};

struct listing {
    struct command_call *call;
    struct output_progress progress;
    enum key_encoding encoding;
    bool keys; /* --keys */
    uint64_t limit;
    uint64_t listed;
    cJSON *json; /* of the keys */
};

static bool found(void *to, uint32_t shard, enum rows_difference difference, struct bytes key,
                  struct err *err)
{
    (void)err;
    struct listing *listing = to;
    if (!listing->keys || listing->listed++ >= listing->limit) {
        return true;
    }
    AUTO(buf) struct buf text;
    buf_init(&text, KEY_BYTES_MAX);
    key_print(listing->encoding, key, &text);
    output_progress_clear(&listing->progress);
    output_print(&listing->call->output, "%c ", signs[difference]);
    if (!listing->call->output.json) {
        output_print_foreign(&listing->call->output, buf_bytes(&text));
    }
    output_print(&listing->call->output, "\n");
    cJSON *item = json_add_object(listing->json);
    json_put_text(item, "change", words[difference]);
    json_put_text(item, "key", buf_text(&text));
    if (shard == SNAPSHOT_DIFF_ALL) {
        json_put_null(item, "shard");
    } else {
        json_put_i64(item, "shard", shard);
    }
    return true;
}

static bool begins(void *to, uint32_t shard, uint32_t count)
{
    struct listing *listing = to;
    output_progress_show(&listing->progress, shard, count, "shard %" PRIu32 " of %" PRIu32, shard,
                         count);
    return service_signals_wait(0) != 0;
}

static uint64_t differences(const struct rows_differ_counts *counts)
{
    return counts->differ[ROWS_ADDED] + counts->differ[ROWS_REMOVED] + counts->differ[ROWS_CHANGED];
}

static void put_counts(cJSON *object, const struct rows_differ_counts *counts)
{
    for (unsigned i = 0; i < LENGTH_OF(words); i++) {
        json_put_u64(object, words[i], counts->differ[i]);
    }
    json_put_u64(object, "equal", counts->equal);
}

static void print_json(struct listing *listing, const char *before, const char *after,
                       const struct snapshot_diff *diff)
{
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "before", before);
    json_put_text(root, "after", after);
    put_counts(root, &diff->all);
    json_put_u64(root, "same_files", diff->same_files);
    cJSON *shards = json_put_array(root, "shards");
    for (uint32_t i = 0; diff->shards != NULL && i < diff->shard_count; i++) {
        cJSON *item = json_add_object(shards);
        json_put_i64(item, "db_id", i);
        json_put_bool(item, "same_file", diff->shards[i].same_file);
        put_counts(item, &diff->shards[i].counts);
    }
    json_put(root, "keys", TAKE(listing->json));
    json_put_u64(root, "keys_left_out",
                 listing->listed > listing->limit ? listing->listed - listing->limit : 0);
    output_json(&listing->call->output, root);
}

static void add_row(struct output_table *table, const char *name,
                    const struct rows_differ_counts *counts, bool same_file)
{
    output_table_add(table, "%s", name);
    output_table_add(table, "%" PRIu64, counts->differ[ROWS_ADDED]);
    output_table_add(table, "%" PRIu64, counts->differ[ROWS_REMOVED]);
    output_table_add(table, "%" PRIu64, counts->differ[ROWS_CHANGED]);
    output_table_add(table, "%" PRIu64 "%s", counts->equal, same_file ? " (same file)" : "");
}

static void print_text(struct listing *listing, const char *before, const char *after,
                       const struct snapshot_diff *diff, struct arena *arena)
{
    static const struct output_column columns[] = {
        {"SHARD", true}, {"ADDED", true}, {"REMOVED", true}, {"CHANGED", true}, {"EQUAL", false}};
    struct output *output = &listing->call->output;
    if (listing->listed > listing->limit) {
        output_print(output, "… and %" PRIu64 " more keys\n", listing->listed - listing->limit);
    }
    output_print(output, "from     %s\nto       %s\n", before, after);
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    for (uint32_t i = 0; diff->shards != NULL && i < diff->shard_count; i++) {
        if (differences(&diff->shards[i].counts) > 0) {
            add_row(&table, arena_format(arena, "%" PRIu32, i), &diff->shards[i].counts, false);
        }
    }
    add_row(&table, "all", &diff->all, false);
    output_table_print(&table, output);
    if (diff->shards != NULL) {
        output_print(output, "%" PRIu32 " of %" PRIu32 " shards are the same file\n",
                     diff->same_files, diff->shard_count);
    }
}

static enum exit_code compare(struct listing *listing, struct command_snapshot *snapshot,
                              struct snapshot_reader *before, struct snapshot_reader *after)
{
    struct err err = {0};
    struct snapshot_diff diff = {0};
    struct snapshot_diff_sink sink = {.found = found, .begins = begins, .to = listing};
    const struct manifest *left = &snapshot_reader_snapshot(before)->manifest;
    const struct manifest *right = &snapshot_reader_snapshot(after)->manifest;
    listing->encoding = left->key_encoding;
    service_signals_block();
    output_progress_start(&listing->progress, &listing->call->output);
    bool done =
        snapshot_diff(&snapshot->catalog, before, after, &sink, snapshot->arena, &diff, &err);
    output_progress_clear(&listing->progress);
    if (!done) {
        return command_snapshot_fail(listing->call, &err);
    }
    print_json(listing, left->run_id, right->run_id, &diff);
    print_text(listing, left->run_id, right->run_id, &diff, snapshot->arena);
    return differences(&diff.all) > 0 ? EXIT_CODE_DIFFERS : EXIT_CODE_OK;
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    AUTO(snapshot_reader) struct snapshot_reader *before = NULL;
    AUTO(snapshot_reader) struct snapshot_reader *after = NULL;
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    int64_t limit = 0;
    if (!command_number(call, "limit", 0, LIMIT_MAX, LIMIT_DEFAULT, &limit, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    const char *to = call->argument_count > 1 ? call->arguments[1] : NULL;
    if (!command_snapshot_open_store(call, &snapshot, &code) ||
        !command_snapshot_open_run(call, &snapshot, call->arguments[0], &before, &code) ||
        !command_snapshot_open_run(call, &snapshot, to, &after, &code)) {
        return code;
    }
    struct listing listing = {.call = call,
                              .keys = command_has(call, "keys"),
                              .limit = (uint64_t)limit,
                              .json = json_new_array()};
    code = compare(&listing, &snapshot, before, after);
    json_free(listing.json);
    return code;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_STORE,
    COMMAND_OPTION_CACHE,
    COMMAND_OPTION_CACHE_SIZE,
    {"keys", 'k', NULL, "List the keys that differ: + added, - removed, * changed.", false},
    {"limit", 'n', "COUNT", "List at most that many keys; 100 without it.", false},
    COMMAND_OPTIONS_END,
};

const struct command diff_command = {
    .name = "diff",
    .summary = "Say what is different between two snapshots",
    .arguments = "RUN_ID [RUN_ID]",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = options,
    .help =
        "Counts the keys that the second snapshot (the current one without it) has added, removed "
        "or changed since the first, in all and for each shard. Shard files with the same size and "
        "tag are not looked into. Snapshots with different numbers of shards are compared as a "
        "whole. Ends with exit code 13 when anything differs.\n\n"
        "With --json: before, after (run ids), added, removed, changed, equal, same_files, shards: "
        "a list with db_id, same_file, added, removed, changed, equal; keys: a list with key, "
        "change, shard; keys_left_out.",
    .examples = "tidemark diff -c etc/tidemark.cfg b7-t31-0f3c9a6b2d8e4c51 --keys\t"
                "what is new since build 7\n",
    .run = run,
};
