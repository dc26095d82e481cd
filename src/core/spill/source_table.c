/* The numbers of the sources of rows. */
#include "core/spill/source_table.h"

#include <stdlib.h>

int source_name_compare(const char *topic_a, int32_t partition_a, const char *topic_b,
                        int32_t partition_b)
{
    int by_topic = strcmp(topic_a, topic_b);
    if (by_topic != 0) {
        return by_topic;
    }
    return (partition_a > partition_b) - (partition_a < partition_b);
}

/* The first pair that is not below the given one. */
static uint32_t lower_bound(const struct source_table *table, const char *topic, int32_t partition)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct source_name *name = &table->names[middle];
        if (source_name_compare(name->topic, name->partition, topic, partition) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct source_table *table, uint32_t at, const char *topic,
                  int32_t partition)
{
    return at < table->count &&
           source_name_compare(table->names[at].topic, table->names[at].partition, topic,
                               partition) == 0;
}

void source_table_done(struct source_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        free(table->names[i].topic);
    }
    free(table->names);
    *table = (struct source_table){0};
}

void source_table_add(struct source_table *table, const char *topic, int32_t partition)
{
    uint32_t at = lower_bound(table, topic, partition);
    if (is_at(table, at, topic, partition)) {
        return;
    }
    if (table->count == table->capacity) {
        CHECK(table->capacity < SOURCE_NONE / 4);
        uint32_t capacity = table->capacity == 0 ? 16 : table->capacity * 2;
        struct source_name *names = realloc(table->names, capacity * sizeof *names);
        CHECK(names != NULL);
        table->names = names;
        table->capacity = capacity;
    }
    char *copy = strdup(topic);
    CHECK(copy != NULL);
    memmove(&table->names[at + 1], &table->names[at], (table->count - at) * sizeof table->names[0]);
    table->names[at] = (struct source_name){.topic = copy, .partition = partition};
    table->count++;
}

void source_table_add_all(struct source_table *table, const struct source_table *from)
{
    for (uint32_t i = 0; i < from->count; i++) {
        source_table_add(table, from->names[i].topic, from->names[i].partition);
    }
}

uint32_t source_table_find(const struct source_table *table, const char *topic, int32_t partition)
{
    uint32_t at = lower_bound(table, topic, partition);
    return is_at(table, at, topic, partition) ? at : SOURCE_NONE;
}

bool source_table_map(const struct source_table *from, const struct source_table *to,
                      uint32_t *ret_map)
{
    bool same = true;
    for (uint32_t i = 0; i < from->count; i++) {
        ret_map[i] = source_table_find(to, from->names[i].topic, from->names[i].partition);
        same = same && ret_map[i] == i;
    }
    return same;
}
