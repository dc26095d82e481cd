/* How a snapshot's keys were divided among its shards: the model of the manifest's `sharding`. */
#ifndef TIDEMARK_CORE_ROUTE_SHARDING_H
#define TIDEMARK_CORE_ROUTE_SHARDING_H

#include "core/record/key.h"

enum sharding_strategy { SHARDING_HASH, SHARDING_CEL };

enum column_type {
    COLUMN_INT,
    COLUMN_UINT,
    COLUMN_DOUBLE,
    COLUMN_BOOL,
    COLUMN_STRING,
    COLUMN_BYTES
};

struct sharding_column {
    const char *name;
    enum column_type type;
};

/* A value: copying it copies pointers, which the arena of whoever made it owns. */
struct sharding {
    enum sharding_strategy strategy;
    const char *cel_expr;                  /* NULL for hash */
    const struct sharding_column *columns; /* of the expression; by name */
    size_t column_count;
    bool has_routing_values;                  /* CEL, categorical: db_id is the index in the list */
    const struct logical_key *routing_values; /* all integers, or all text; distinct */
    size_t routing_value_count;
};

const char *sharding_column_type_name(enum column_type type); /* "int", … */
MUST_CHECK bool sharding_column_type_parse(struct bytes name, enum column_type *ret_type);

#endif
