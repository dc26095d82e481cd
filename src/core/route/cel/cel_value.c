/* A value of a CEL expression, and how values compare across types. */
#include "core/route/cel/cel_value.h"

#include "core/base/check.h"

static const double TWO_63 = 9223372036854775808.0;
static const double TWO_64 = 18446744073709551616.0;

const char *cel_value_kind_name(enum cel_kind kind)
{
    static const char *const names[CEL_KINDS] = {
        [CEL_NULL] = "null_type",
        [CEL_BOOL] = "bool",
        [CEL_INT] = "int",
        [CEL_UINT] = "uint",
        [CEL_DOUBLE] = "double",
        [CEL_STRING] = "string",
        [CEL_BYTES] = "bytes",
        [CEL_LIST] = "list",
        [CEL_MAP] = "map",
        [CEL_TIMESTAMP] = "google.protobuf.Timestamp",
        [CEL_DURATION] = "google.protobuf.Duration",
        [CEL_TYPE] = "type",
    };
    CHECK(kind < CEL_KINDS);
    return names[kind];
}

static enum cel_order order_of(bool less, bool more)
{
    return less ? CEL_LESS : more ? CEL_MORE : CEL_SAME;
}

static enum cel_order reverse(enum cel_order order)
{
    return order == CEL_LESS ? CEL_MORE : order == CEL_MORE ? CEL_LESS : order;
}

static enum cel_order order_doubles(double a, double b)
{
    if (a != a || b != b) {
        return CEL_UNORDERED;
    }
    return order_of(a<b, a> b);
}

static enum cel_order order_int_uint(int64_t a, uint64_t b)
{
    return a < 0 ? CEL_LESS : order_of((uint64_t)a<b, (uint64_t)a> b);
}

/* What lies outside of the integers is clear; inside, both are compared as doubles, as readers do.
 */
static enum cel_order order_int_double(int64_t a, double b)
{
    if (b != b) {
        return CEL_UNORDERED;
    }
    if (b < -TWO_63) {
        return CEL_MORE;
    }
    return b > TWO_63 ? CEL_LESS : order_doubles((double)a, b);
}

static enum cel_order order_uint_double(uint64_t a, double b)
{
    if (b != b) {
        return CEL_UNORDERED;
    }
    if (b < 0) {
        return CEL_MORE;
    }
    return b > TWO_64 ? CEL_LESS : order_doubles((double)a, b);
}

static bool is_number(enum cel_kind kind)
{
    return kind == CEL_INT || kind == CEL_UINT || kind == CEL_DOUBLE;
}

static enum cel_order order_numbers(const struct cel_value *a, const struct cel_value *b)
{
    if (a->kind == CEL_INT) {
        return b->kind == CEL_INT    ? order_of(a->integer<b->integer, a->integer> b->integer)
               : b->kind == CEL_UINT ? order_int_uint(a->integer, b->natural)
                                     : order_int_double(a->integer, b->real);
    }
    if (a->kind == CEL_UINT) {
        return b->kind == CEL_UINT  ? order_of(a->natural<b->natural, a->natural> b->natural)
               : b->kind == CEL_INT ? reverse(order_int_uint(b->integer, a->natural))
                                    : order_uint_double(a->natural, b->real);
    }
    return b->kind == CEL_DOUBLE ? order_doubles(a->real, b->real) : reverse(order_numbers(b, a));
}

enum cel_order cel_value_order(const struct cel_value *a, const struct cel_value *b)
{
    if (is_number(a->kind) && is_number(b->kind)) {
        return order_numbers(a, b);
    }
    if (a->kind != b->kind) {
        return CEL_INCOMPARABLE;
    }
    if (a->kind == CEL_STRING || a->kind == CEL_BYTES) {
        int order = bytes_compare(a->text, b->text); /* UTF-8 sorts as code points do */
        return order_of(order<0, order> 0);
    }
    if (a->kind == CEL_BOOL) {
        return order_of(a->truth<b->truth, a->truth> b->truth);
    }
    if (a->kind == CEL_TIMESTAMP || a->kind == CEL_DURATION) {
        if (a->span.seconds != b->span.seconds) {
            return order_of(a->span.seconds < b->span.seconds, true);
        }
        return order_of(a->span.nanos<b->span.nanos, a->span.nanos> b->span.nanos);
    }
    return CEL_INCOMPARABLE;
}

static bool lists_equal(const struct cel_list *a, const struct cel_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!cel_value_equal(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

static bool maps_equal(const struct cel_map *a, const struct cel_map *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct cel_value *other = cel_value_lookup(b, &a->keys[i]);
        if (other == NULL || !cel_value_equal(&a->values[i], other)) {
            return false;
        }
    }
    return true;
}

bool cel_value_equal(const struct cel_value *a, const struct cel_value *b)
{
    enum cel_order order = cel_value_order(a, b);
    if (order != CEL_INCOMPARABLE) {
        return order == CEL_SAME;
    }
    if (a->kind != b->kind) {
        return false;
    }
    return a->kind == CEL_NULL || (a->kind == CEL_TYPE && a->type == b->type) ||
           (a->kind == CEL_LIST && lists_equal(a->list, b->list)) ||
           (a->kind == CEL_MAP && maps_equal(a->map, b->map));
}

int cel_value_key_order(const struct cel_value *a, const struct cel_value *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    enum cel_order order = cel_value_order(a, b);
    return order == CEL_LESS ? -1 : order == CEL_MORE;
}

static const struct cel_value *find_exactly(const struct cel_map *map, const struct cel_value *key)
{
    if (map->sorted == NULL) {
        for (size_t i = 0; i < map->count; i++) {
            if (cel_value_key_order(&map->keys[i], key) == 0) {
                return &map->values[i];
            }
        }
        return NULL;
    }
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cel_value_key_order(&map->keys[map->sorted[middle]], key);
        if (order == 0) {
            return &map->values[map->sorted[middle]];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool cel_value_whole_int(const struct cel_value *value, int64_t *ret)
{
    if (value->kind == CEL_INT) {
        *ret = value->integer;
        return true;
    }
    if (value->kind == CEL_UINT && value->natural <= INT64_MAX) {
        *ret = (int64_t)value->natural;
        return true;
    }
    if (value->kind == CEL_DOUBLE && value->real >= -TWO_63 && value->real < TWO_63 &&
        (double)(int64_t)value->real == value->real) {
        *ret = (int64_t)value->real;
        return true;
    }
    return false;
}

bool cel_value_whole_uint(const struct cel_value *value, uint64_t *ret)
{
    if (value->kind == CEL_UINT) {
        *ret = value->natural;
        return true;
    }
    if (value->kind == CEL_INT && value->integer >= 0) {
        *ret = (uint64_t)value->integer;
        return true;
    }
    if (value->kind == CEL_DOUBLE && value->real >= 0 && value->real < TWO_64 &&
        (double)(uint64_t)value->real == value->real) {
        *ret = (uint64_t)value->real;
        return true;
    }
    return false;
}

const struct cel_value *cel_value_lookup(const struct cel_map *map, const struct cel_value *key)
{
    const struct cel_value *found = key->kind == CEL_DOUBLE ? NULL : find_exactly(map, key);
    struct cel_value other;
    if (found == NULL && key->kind != CEL_INT && is_number(key->kind)) {
        other.kind = CEL_INT;
        found = cel_value_whole_int(key, &other.integer) ? find_exactly(map, &other) : NULL;
    }
    if (found == NULL && key->kind != CEL_UINT && is_number(key->kind)) {
        other.kind = CEL_UINT;
        found = cel_value_whole_uint(key, &other.natural) ? find_exactly(map, &other) : NULL;
    }
    return found;
}
