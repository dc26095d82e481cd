/* What the demo runs on: an embedded Kafka cluster, a temporary folder, and real data. */
#include "cli/commands/demo_world.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/ledger.h"
#include "adapters/os/file.h"
#include "consumer/settings/settings_file.h"
#include "core/base/json.h"

enum { DEMO_DATA_MAX = 64 << 20, DEMO_PARTITIONS = 3, DEMO_FLUSH_MS = 10 * 1000 };

#define DEMO_TOPIC "earthquakes"

static bool parse_line(struct demo_world *world, struct bytes text, struct demo_line *line,
                       struct err *err)
{
    AUTO(json) cJSON *root = NULL;
    TRY(json_parse(text, &root, err));
    struct json at = json_root(root);
    const char *id = NULL;
    TRY(json_text(&at, "id", 100, &id, err));
    const cJSON *magnitude = cJSON_GetObjectItem(root, "mag");
    *line = (struct demo_line){
        .text = text,
        .id = arena_text(world->arena, bytes_of_text(id)),
        .magnitude = cJSON_IsNumber(magnitude) ? magnitude->valuedouble : 0,
    };
    return true;
}

static bool load_lines(struct demo_world *world, const char *data, struct err *err)
{
    AUTO(buf) struct buf content;
    buf_init(&content, DEMO_DATA_MAX);
    TRY(file_read(arena_format(world->arena, "%s/earthquakes.jsonl", data), &content, err));
    struct bytes rest = arena_copy(world->arena, buf_bytes(&content));
    size_t count = 0;
    for (size_t i = 0; i < rest.size; i++) {
        count += rest.data[i] == '\n';
    }
    world->lines = arena_zero(world->arena, (count + 1) * sizeof *world->lines);
    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.data);
        if (size > 0) {
            TRY(parse_line(world, bytes_of(rest.data, size), &world->lines[world->line_count],
                           err));
            world->line_count++;
        }
        size += end == NULL ? 0 : 1;
        rest = bytes_of(rest.data + size, rest.size - size);
    }
    return true;
}

static bool load_settings(struct demo_world *world, const char *data, struct err *err)
{
    const char *store = arena_format(world->arena, "%s/store", world->folder);
    world->store_url = arena_format(world->arena, "file://%s", store);
    TRY(file_make_folders(store, err));
    /* The file has ${…} in it as a user's would; the values are the demo's. */
    setenv("DEMO_BROKERS", mock_cluster_brokers(world->cluster), 1);
    setenv("DEMO_STORE", world->store_url, 1);
    setenv("DEMO_WORK", arena_format(world->arena, "%s/work", world->folder), 1);
    struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    bool done = settings_load(arena_format(world->arena, "%s/demo.cfg", data), NULL,
                              &world->settings, &mistakes, err);
    settings_mistakes_done(&mistakes);
    return done;
}

bool demo_world_open(struct demo_world *world, const char *data, struct err *err)
{
    const char *temporary = getenv("TMPDIR");
    world->arena = arena_new(256 * 1024);
    TRY(load_lines(world, data, err));
    TRY(file_temp_folder(temporary == NULL ? "/tmp" : temporary, "tidemark-demo", &world->folder,
                         err));
    TRY(mock_cluster_new(1, &world->cluster, err));
    TRY(mock_cluster_create_topic(world->cluster, DEMO_TOPIC, DEMO_PARTITIONS, err));
    TRY(load_settings(world, data, err));
    TRY(mock_cluster_create_topic(world->cluster,
                                  ledger_topic_name(world->arena, world->settings->group), 1, err));
    struct cluster_settings cluster = {.brokers = mock_cluster_brokers(world->cluster)};
    return producer_new(&cluster, &world->producer, err);
}

void demo_world_close(struct demo_world *world, bool keep)
{
    struct err ignored;
    producer_free(world->producer);
    mock_cluster_free(world->cluster);
    settings_free(world->settings);
    if (world->folder != NULL && !keep && !file_remove_tree(world->folder, &ignored)) {
        /* It is a temporary folder: the system removes it one day. */
    }
    free(world->folder);
    arena_free(world->arena);
    *world = (struct demo_world){0};
}

bool demo_world_send(struct demo_world *world, size_t lines, struct err *err)
{
    for (size_t i = 0; i < lines && world->sent < world->line_count; i++) {
        const struct demo_line *line = &world->lines[world->sent];
        struct producer_record record = {
            .topic = DEMO_TOPIC,
            .partition = -1,
            .has_key = true,
            .has_value = true,
            .key = bytes_of_text(line->id),
            .value = line->text,
        };
        TRY(producer_send(world->producer, &record, err));
        world->sent++;
    }
    return producer_flush(world->producer, DEMO_FLUSH_MS, err);
}
