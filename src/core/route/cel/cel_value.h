/* A value of a CEL expression, and how values compare across types. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_VALUE_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_VALUE_H

#include "core/base/bytes.h"

enum cel_kind {
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_BYTES,
    CEL_LIST,
    CEL_MAP,
    CEL_TIMESTAMP,
    CEL_DURATION,
    CEL_TYPE,
    CEL_KINDS,
};

/* A timestamp is seconds since 1970 and 0 to 999999999 ns. Both parts of a duration have its sign.
 */
struct cel_span {
    int64_t seconds;
    int32_t nanos;
};

/* Passed by value; text, lists and maps are views into memory of the program or the evaluation. */
struct cel_value {
    enum cel_kind kind;
    union {
        bool truth;
        int64_t integer;
        uint64_t natural; /* CEL_UINT */
        double real;
        struct bytes text; /* CEL_STRING (UTF-8 for sure) and CEL_BYTES */
        const struct cel_list *list;
        const struct cel_map *map;
        struct cel_span span;
        enum cel_kind type; /* CEL_TYPE: which one */
    };
};

struct cel_list {
    size_t count;
    const struct cel_value *items;
};

/* Keys and values in the order of the literal. `sorted`: indexes by key order, for many keys. */
struct cel_map {
    size_t count;
    const struct cel_value *keys;
    const struct cel_value *values;
    const uint32_t *sorted; /* NULL for few keys */
};

static inline struct cel_value cel_value_bool(bool truth)
{
    return (struct cel_value){.kind = CEL_BOOL, .truth = truth};
}

static inline struct cel_value cel_value_int(int64_t integer)
{
    return (struct cel_value){.kind = CEL_INT, .integer = integer};
}

static inline struct cel_value cel_value_uint(uint64_t natural)
{
    return (struct cel_value){.kind = CEL_UINT, .natural = natural};
}

static inline struct cel_value cel_value_double(double real)
{
    return (struct cel_value){.kind = CEL_DOUBLE, .real = real};
}

static inline struct cel_value cel_value_string(struct bytes text)
{
    return (struct cel_value){.kind = CEL_STRING, .text = text};
}

static inline struct cel_value cel_value_bytes(struct bytes text)
{
    return (struct cel_value){.kind = CEL_BYTES, .text = text};
}

/* "int", "string", …, "google.protobuf.Timestamp": the names of CEL. */
const char *cel_value_kind_name(enum cel_kind kind);

/* Numbers compare by value whatever their type, lists and maps deeply, all else of two kinds is not
 * equal. A NaN equals nothing. */
bool cel_value_equal(const struct cel_value *a, const struct cel_value *b);

enum cel_order { CEL_LESS, CEL_SAME, CEL_MORE, CEL_UNORDERED, CEL_INCOMPARABLE };

/* CEL_UNORDERED: a NaN is among them. CEL_INCOMPARABLE: these kinds have no order. */
enum cel_order cel_value_order(const struct cel_value *a, const struct cel_value *b);

/* The one order of map keys (bool, int, uint, string; kinds do not mix): for search alone. */
int cel_value_key_order(const struct cel_value *a, const struct cel_value *b);

/* The value of a key, NULL when it is not there. A number finds a key of another number type. */
const struct cel_value *cel_value_lookup(const struct cel_map *map, const struct cel_value *key);

/* A whole number as int64 or uint64, whatever its type. False: it is none. */
bool cel_value_whole_int(const struct cel_value *value, int64_t *ret);
bool cel_value_whole_uint(const struct cel_value *value, uint64_t *ret);

#endif
