/* What the demo runs on: an embedded Kafka cluster, a temporary folder, and real data. */
#ifndef TIDEMARK_CLI_COMMANDS_DEMO_WORLD_H
#define TIDEMARK_CLI_COMMANDS_DEMO_WORLD_H

#include "adapters/mock_cluster.h"
#include "adapters/producer.h"
#include "core/base/arena.h"
#include "core/settings.h"

struct demo_line {
    struct bytes text; /* one JSON object */
    const char *id;
    double magnitude;
};

struct demo_world {
    struct arena *arena;
    char *folder; /* temporary; malloc'ed */
    struct mock_cluster *cluster;
    struct producer *producer;
    struct settings *settings;
    const char *store_url;
    struct demo_line *lines;
    size_t line_count;
    size_t sent;
};

/* `data`: the folder with demo.cfg and earthquakes.jsonl. Zero the struct first; demo_world_auto
 * ends it also after a failure, and removes the folder unless `keep`. */
MUST_CHECK bool demo_world_open(struct demo_world *world, const char *data, struct err *err);
void demo_world_close(struct demo_world *world, bool keep);

/* The next lines go to Kafka, in the order in which they were reported. */
MUST_CHECK bool demo_world_send(struct demo_world *world, size_t lines, struct err *err);

#endif
