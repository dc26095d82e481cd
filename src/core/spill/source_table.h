/* The numbers of the sources of rows: (topic, partition) pairs, sorted, so that numbers compare as
 * pairs. */
#ifndef TIDEMARK_CORE_SPILL_SOURCE_TABLE_H
#define TIDEMARK_CORE_SPILL_SOURCE_TABLE_H

#include "core/base/bytes.h"
#include "core/base/check.h"

enum {
    SOURCE_TOPIC_MAX = 249, /* bytes of a topic's name: Kafka's own limit */
};

/* `row.source` of a row that comes from the last published shard file, and of whose record nothing
 * is known. It is older than every other row (PROTOCOL R6). Never a number of a table. */
#define ROW_SOURCE_BASE UINT32_MAX
#define SOURCE_NONE UINT32_MAX

struct source_name {
    char *topic; /* NUL-terminated, owned by the table */
    int32_t partition;
};

/* A zeroed struct is an empty table. Not shared while it grows. */
struct source_table {
    struct source_name *names; /* ascending by topic (strcmp), then partition; no pair twice */
    uint32_t count;
    uint32_t capacity;
};

void source_table_done(struct source_table *table);

/* Adds the pair if it is new. The numbers of the pairs behind it go up by one: fill a table first,
 * use its numbers after. */
void source_table_add(struct source_table *table, const char *topic, int32_t partition);
void source_table_add_all(struct source_table *table, const struct source_table *from);

/* The pair's number; SOURCE_NONE when it is not in the table. */
uint32_t source_table_find(const struct source_table *table, const char *topic, int32_t partition);

/* ret_map[i] = the number in `to` of pair i of `from` (SOURCE_NONE when it is not there);
 * `from->count` items. The map ascends, so rows keep their order under it. Returns true when
 * nothing changes. */
bool source_table_map(const struct source_table *from, const struct source_table *to,
                      uint32_t *ret_map);

/* The order of pairs in every table. */
int source_name_compare(const char *topic_a, int32_t partition_a, const char *topic_b,
                        int32_t partition_b);

#endif
