/* The names of librdkafka's configuration properties, as the library that was loaded knows them. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cluster_properties.h"
#include "core/base/check.h"
#include "core/nearest.h"

/* The library prints a table in Markdown and has no other list: "name   | C/P | range | …". */
static bool read_name(const char *line, char name[CLUSTER_PROPERTIES_NAME_SIZE])
{
    size_t size = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789._");
    size_t bar = size + strspn(line + size, " ");
    if (size == 0 || size >= CLUSTER_PROPERTIES_NAME_SIZE || line[bar] != '|') {
        return false;
    }
    memcpy(name, line, size);
    name[size] = '\0';
    return true;
}

bool cluster_properties_nearest(const char *name, char ret_nearest[CLUSTER_PROPERTIES_NAME_SIZE])
{
    char *table = NULL;
    size_t table_size = 0;
    FILE *stream = open_memstream(&table, &table_size);
    CHECK(stream != NULL);
    rd_kafka_conf_properties_show(stream);
    CHECK(fclose(stream) == 0);

    char candidates[2][CLUSTER_PROPERTIES_NAME_SIZE]; /* the best so far, and the next */
    int next = 0;
    const char *best = NULL;
    size_t best_distance = 0;
    for (const char *line = table; *line != '\0';) {
        if (read_name(line, candidates[next])) {
            const char *before = best;
            nearest_offer(name, candidates[next], &best, &best_distance);
            next = best != before ? 1 - next : next;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (best != NULL) {
        strcpy(ret_nearest, best);
    }
    free(table);
    return best != NULL;
}
