/* `tidemark search`: the vectors nearest to one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/output_table.h"

enum { COUNT_DEFAULT = 10, TEXT_MAX = 4 * 1024 * 1024 };

/* The vector's text: the option itself, or all of standard input for "-". */
static bool take_text(struct command_call *call, struct buf *text, struct err *err)
{
    const char *given = command_value(call, "vector");
    if (given == NULL) {
        return err_set(err, ERR_INPUT, "which vector? give --vector '[0.1, …]', or --vector -");
    }
    if (strcmp(given, "-") != 0) {
        buf_add_text(text, given);
        return true;
    }
    uint8_t chunk[4096];
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, stdin)) > 0;) {
        buf_add(text, chunk, got);
    }
    return !text->overflowed || err_set(err, ERR_INPUT, "a vector of more than %d bytes", TEXT_MAX);
}

static bool take_vector(struct command_call *call, const struct manifest_vector *kind,
                        struct arena *arena, struct bytes *ret_vector, struct err *err)
{
    AUTO(buf) struct buf text;
    buf_init(&text, TEXT_MAX);
    const char *problem = NULL;
    size_t index = 0;
    TRY(take_text(call, &text, err));
    size_t bytes = (size_t)4 * kind->dim;
    uint8_t *numbers = arena_alloc(arena, bytes);
    if (!vector_from_json(buf_bytes(&text), kind->dim, numbers, &problem, &index) ||
        !vector_check(bytes_of(numbers, bytes), kind->dim, kind->metric, &problem, &index)) {
        return err_set(err, ERR_INPUT, "--vector: %s (%" PRIu32 "), number %zu", problem, kind->dim,
                       index);
    }
    *ret_vector = bytes_of(numbers, bytes);
    return true;
}

static bool take_count(struct command_call *call, size_t *ret_count, struct err *err)
{
    const char *text = command_value(call, "count");
    char *end = NULL;
    long count = text == NULL ? COUNT_DEFAULT : strtol(text, &end, 10);
    if (count < 1 || count > KV_NEIGHBOURS_MAX || (end != NULL && (end == text || *end != '\0'))) {
        return err_set(err, ERR_INPUT, "-k: a number from 1 to %d, not \"%.20s\"",
                       KV_NEIGHBOURS_MAX, text);
    }
    *ret_count = (size_t)count;
    return true;
}

/* `name`: the JSON text as it is in the snapshot; one that is no JSON is shown as a text. */
static void put_json(cJSON *object, const char *name, const char *text)
{
    cJSON *value = NULL;
    struct err ignored = {0};
    if (text == NULL) {
        json_put_null(object, name);
    } else if (json_parse(bytes_of_text(text), &value, &ignored)) {
        cJSON_AddItemToObject(object, name, value);
    } else {
        json_put_text(object, name, text);
    }
}

static void print_neighbours(struct command_call *call, const struct manifest *manifest,
                             const struct kv_neighbour *neighbours, size_t count)
{
    static const struct output_column columns[] = {
        {"DISTANCE", true}, {"ID", false}, {"PAYLOAD", false}};
    AUTO(arena) struct arena *arena = arena_new(4096);
    AUTO(output_table) struct output_table table;
    output_table_init(&table, columns, LENGTH_OF(columns));
    AUTO(json) cJSON *root = json_new_object();
    json_put_text(root, "run_id", manifest->run_id);
    json_put_text(root, "metric", vector_metric_name(manifest->vector.metric));
    cJSON *results = json_put_array(root, "results");
    for (size_t i = 0; i < count; i++) {
        const struct kv_neighbour *at = &neighbours[i];
        cJSON *item = json_new_object();
        const char *id = vector_id_json(at->id, arena);
        put_json(item, "id", id);
        cJSON_AddNumberToObject(item, "distance", at->distance);
        put_json(item, "payload", at->payload);
        output_table_add(&table, "%.6g", at->distance);
        output_table_add(&table, "%s", id);
        output_table_add(&table, "%s", at->payload == NULL ? "" : at->payload);
        cJSON_AddItemToArray(results, item);
    }
    output_json(&call->output, root);
    output_table_print(&table, &call->output);
}

static enum exit_code run(struct command_call *call)
{
    AUTO(command_snapshot) struct command_snapshot snapshot = {0};
    enum exit_code code = EXIT_CODE_OK;
    struct err err = {0};
    size_t count = 0;
    if (!take_count(call, &count, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!command_snapshot_open_vectors(call, &snapshot, &code)) {
        return code;
    }
    const struct manifest *manifest = &snapshot_reader_snapshot(snapshot.reader)->manifest;
    struct bytes vector = {0};
    struct kv_neighbour *neighbours = NULL;
    size_t have = 0;
    if (!take_vector(call, &manifest->vector, snapshot.arena, &vector, &err)) {
        return command_fail(call, EXIT_CODE_USAGE, &err);
    }
    if (!snapshot_reader_search(snapshot.reader, vector, count, snapshot.arena, &neighbours, &have,
                                &err)) {
        return command_snapshot_fail(call, &err);
    }
    print_neighbours(call, manifest, neighbours, have);
    return EXIT_CODE_OK;
}

static const struct command_option options[] = {
    COMMAND_OPTIONS_READER,
    {"vector", 0, "JSON",
     "The vector to look near, as an array of numbers; - reads it from "
     "standard input.",
     false},
    {"count", 'k', "N", "So many of the nearest; 10 without it, at most 4096.", false},
    {"extension", 0, "FILE", "The file of sqlite-vec (vec0.so); the settings file names one, too.",
     false},
    COMMAND_OPTIONS_END,
};

const struct command search_command = {
    .name = "search",
    .summary = "Find the vectors nearest to one",
    .options = options,
    .help = "Asks every shard of a snapshot with vectors for the nearest ones, by the metric that "
            "it was made with, and prints the nearest of all: distance, id, payload.\n\n"
            "SQLite's extension sqlite-vec does the search; it is no part of Tidemark and is "
            "loaded from the file that --extension or the setting vectors.extension names.\n\n"
            "With --json: run_id, metric (cosine or l2), results: a list with id, distance and "
            "payload (null: none), nearest first.",
    .examples = "tidemark search -c etc/tidemark.cfg --vector '[0.1, 0.2, 0.7]' -k 3\tthe three "
                "nearest\n",
    .run = run,
};
