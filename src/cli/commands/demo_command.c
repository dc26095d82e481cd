/* `tidemark demo`: the main job on embedded defaults, seen by a person. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/os/clock.h"
#include "adapters/os/log.h"
#include "checkpoint/reading/snapshot_reader.h"
#include "cli/commands/command_lineage.h"
#include "cli/commands/command_service.h"
#include "cli/commands/command_snapshot.h"
#include "cli/commands/commands.h"
#include "cli/commands/demo_world.h"
#include "cli/commands/output_progress.h"
#include "consumer/wiring/wiring.h"

enum {
    DEMO_SECONDS = 12,           /* the week goes by in about that time */
    DEMO_QUIET_US = 3000 * 1000, /* no snapshot for so long after the last record: over */
    DEMO_LOOKUPS = 3,
    DEMO_VALUE_MAX = 1 << 20,
};

struct demo {
    struct command_call *call;
    struct demo_world world;
    struct output_progress progress;
    char run_id[MESSAGE_NAME_MAX + 1]; /* of the last snapshot shown */
    int64_t began_us;
    int64_t news_us; /* when the last record was sent or the last snapshot seen */
    int snapshots;
    bool failed;
    struct err err;
};

static bool open_reader(struct demo *demo, struct store **ret_store,
                        struct snapshot_reader **ret_reader, struct err *err)
{
    TRY(wiring_open_store(demo->world.store_url, NULL, ret_store, err));
    struct snapshot_reader_request request = {
        .catalog = {.borrowed_store = *ret_store},
        .kv = wiring_kv(),
    };
    return snapshot_reader_new(&request, ret_reader, err);
}

static void print_snapshot(struct demo *demo, const struct manifest *manifest)
{
    AUTO(arena) struct arena *arena = arena_new(64 * 1024);
    struct command_lineage lineage;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    command_lineage_read(manifest, arena, &lineage);
    command_snapshot_sums(manifest, &rows, &bytes);
    output_progress_clear(&demo->progress);
    output_print(&demo->call->output,
                 "%swindow up to %s closed%s  snapshot %s: %" PRIu64 " rows in %zu shards, %s\n",
                 output_colour(&demo->call->output, OUTPUT_BOLD),
                 command_event_time(lineage.window_to_us, arena),
                 output_colour(&demo->call->output, OUTPUT_PLAIN), manifest->run_id, rows,
                 manifest->shard_count, command_bytes(bytes, arena));
    if (demo->call->output.json) {
        AUTO(json) cJSON *line = json_new_object();
        json_put_text(line, "run_id", manifest->run_id);
        json_put_text(line, "window_end", command_event_time(lineage.window_to_us, arena));
        json_put_u64(line, "rows", rows);
        output_json(&demo->call->output, line);
    }
}

static bool show_snapshot(struct demo *demo, struct err *err)
{
    AUTO(store) struct store *store = NULL;
    AUTO(snapshot_reader) struct snapshot_reader *reader = NULL;
    TRY(open_reader(demo, &store, &reader, err));
    print_snapshot(demo, &snapshot_reader_snapshot(reader)->manifest);
    demo->snapshots++;
    return true;
}

static bool step(struct demo *demo, const struct member_state *state, struct err *err)
{
    int64_t now = clock_mono_us();
    struct demo_world *world = &demo->world;
    if (state->partitions > 0 && demo->began_us == 0) {
        demo->began_us = now;
    }
    if (demo->began_us > 0 && world->sent < world->line_count) {
        double part = (double)(now - demo->began_us) / (DEMO_SECONDS * 1e6);
        size_t due = part >= 1 ? world->line_count : (size_t)(part * (double)world->line_count);
        TRY(demo_world_send(world, due > world->sent ? due - world->sent : 0, err));
        demo->news_us = now;
    }
    if (strcmp(state->run_id, demo->run_id) != 0) {
        snprintf(demo->run_id, sizeof demo->run_id, "%s", state->run_id);
        demo->news_us = now;
        TRY(show_snapshot(demo, err));
    }
    output_progress_show(&demo->progress, world->sent, world->line_count,
                         "%zu earthquakes sent, %d snapshots published", world->sent,
                         demo->snapshots);
    return true;
}

static bool watch(void *context, struct service *service, const struct member_state *state)
{
    struct demo *demo = context;
    (void)service;
    if (!step(demo, state, &demo->err)) {
        demo->failed = true;
        return true;
    }
    return demo->world.sent == demo->world.line_count &&
           clock_mono_us() - demo->news_us > DEMO_QUIET_US;
}

static int by_magnitude(const void *left, const void *right)
{
    double a = ((const struct demo_line *)left)->magnitude;
    double b = ((const struct demo_line *)right)->magnitude;
    return (a < b) - (a > b);
}

/* The strongest earthquakes of the last snapshot, by key; and a key that is not there. */
static bool look_up(struct demo *demo, struct err *err)
{
    AUTO(store) struct store *store = NULL;
    AUTO(snapshot_reader) struct snapshot_reader *reader = NULL;
    TRY(open_reader(demo, &store, &reader, err));
    struct demo_world *world = &demo->world;
    qsort(world->lines, world->line_count, sizeof *world->lines, by_magnitude);
    int shown = 0;
    for (size_t i = 0; i < world->line_count && shown < DEMO_LOOKUPS; i++) {
        AUTO(buf) struct buf value;
        buf_init(&value, DEMO_VALUE_MAX);
        struct logical_key key = key_of_text(bytes_of_text(world->lines[i].id));
        bool found = false;
        int64_t began = clock_mono_us();
        TRY(snapshot_reader_get(reader, &key, &value, &found, err));
        if (found) {
            output_print(&demo->call->output, "get %-12s %s  (%" PRId64 " us)\n",
                         world->lines[i].id, buf_text(&value), clock_mono_us() - began);
            shown++;
        }
    }
    return true;
}

static enum exit_code finish(struct demo *demo, bool keep)
{
    struct err err;
    if (demo->snapshots == 0) {
        err_set(&err, ERR_STOPPED, "no snapshot was published");
        return command_fail(demo->call, EXIT_CODE_FAILED, &err);
    }
    output_print(&demo->call->output, "\nThe strongest of the last snapshot, looked up by key:\n");
    if (!look_up(demo, &err)) {
        return command_snapshot_fail(demo->call, &err);
    }
    output_print(
        &demo->call->output,
        "\n%zu records read, %d windows published. Late reports went into the next window; "
        "the last window stays open until later earthquakes arrive.\n",
        demo->world.line_count, demo->snapshots);
    if (keep) {
        output_print(&demo->call->output, "Look around: tidemark history --snapshot %s\n",
                     demo->world.store_url);
    }
    return EXIT_CODE_OK;
}

static const char *data_folder(const struct command_call *call)
{
    const char *given = command_value(call, "data");
    if (given != NULL) {
        return given;
    }
    return access("etc/demo/demo.cfg", R_OK) == 0 ? "etc/demo" : TIDEMARK_SHARE "/demo";
}

static enum exit_code run(struct command_call *call)
{
    struct demo demo = {.call = call};
    bool keep = command_has(call, "keep");
    if (!demo_world_open(&demo.world, data_folder(call), &demo.err)) {
        demo_world_close(&demo.world, false);
        return command_fail(call, EXIT_CODE_OK, &demo.err);
    }
    log_set(command_has(call, "verbose") ? LOG_INFO : LOG_ERROR, LOG_TEXT);
    output_print(
        &call->output,
        "An embedded Kafka cluster, %zu earthquakes of a week in 2018 (USGS), one snapshot "
        "a day\ninto %s\n\n",
        demo.world.line_count, demo.world.store_url);
    output_progress_start(&demo.progress, &call->output);
    struct service_options options = {.mock = true};
    struct member_state state = {0};
    enum exit_code code =
        command_service_run(call, demo.world.settings, &options, watch, &demo, &state);
    output_progress_clear(&demo.progress);
    if (code == EXIT_CODE_OK && demo.failed) {
        code = command_fail(call, EXIT_CODE_OK, &demo.err);
    }
    if (code == EXIT_CODE_OK) {
        code = finish(&demo, keep);
    }
    demo_world_close(&demo.world, keep);
    return code;
}

static const struct command_option options[] = {
    {"data", 0, "FOLDER", "Where demo.cfg and earthquakes.jsonl are.", false},
    {"keep", 'k', NULL, "Leave the snapshots there, to look at them with other commands.", false},
    {"verbose", 'v', NULL, "Show what the service logs.", false},
    COMMAND_OPTION_JSON,
    COMMAND_OPTIONS_END,
};

const struct command demo_command = {
    .name = "demo",
    .summary = "Show the main job on an embedded Kafka cluster, with real data",
    .options = options,
    .help =
        "Sends a week of earthquakes to a Kafka cluster inside this process, faster than they "
        "happened, and runs the service on it: windows of a day close by event time, a snapshot "
        "is published for each, and keys are looked up in the last one. Nothing outside of a "
        "temporary folder is touched.",
    .examples = "tidemark demo\ttakes less than a minute\n"
                "tidemark demo --keep\tand leave the snapshots there\n",
    .run = run,
};
