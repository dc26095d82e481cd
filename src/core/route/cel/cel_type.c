/* The static types of CEL, and what may be given where. */
#include "core/route/cel/cel_type.h"

#include "core/base/check.h"

struct cel_type_change {
    size_t number;
    const struct cel_type *before;
};

const struct cel_type cel_type_dyn = {.kind = CEL_TYPE_DYN};

const struct cel_type *cel_type_of(enum cel_kind kind)
{
    static const struct cel_type types[CEL_KINDS] = {
        [CEL_NULL] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_NULL},
        [CEL_BOOL] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_BOOL},
        [CEL_INT] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_INT},
        [CEL_UINT] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_UINT},
        [CEL_DOUBLE] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_DOUBLE},
        [CEL_STRING] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_STRING},
        [CEL_BYTES] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_BYTES},
        [CEL_TIMESTAMP] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_TIMESTAMP},
        [CEL_DURATION] = {.kind = CEL_TYPE_OF_KIND, .of = CEL_DURATION},
    };
    CHECK(kind < CEL_KINDS && kind != CEL_LIST && kind != CEL_MAP && kind != CEL_TYPE);
    return &types[kind];
}

const struct cel_type *cel_type_type(void)
{
    static const struct cel_type type = {.kind = CEL_TYPE_TYPE};
    return &type;
}

const struct cel_type *cel_type_list(struct cel_types *types, const struct cel_type *value)
{
    struct cel_type *type = arena_zero(types->arena, sizeof *type);
    *type = (struct cel_type){.kind = CEL_TYPE_LIST_OF, .value = value};
    return type;
}

const struct cel_type *cel_type_map(struct cel_types *types, const struct cel_type *key,
                                    const struct cel_type *value)
{
    struct cel_type *type = arena_zero(types->arena, sizeof *type);
    *type = (struct cel_type){.kind = CEL_TYPE_MAP_OF, .key = key, .value = value};
    return type;
}

/* Doubles an array in the arena. */
static void *grow(struct arena *arena, const void *array, size_t size, size_t *capacity,
                  size_t item)
{
    *capacity = *capacity == 0 ? 64 : 2 * *capacity;
    void *larger = arena_zero(arena, *capacity * item);
    if (size > 0) {
        memcpy(larger, array, size * item);
    }
    return larger;
}

const struct cel_type *cel_type_free(struct cel_types *types)
{
    if (types->count == types->capacity) {
        types->known = grow(types->arena, types->known, types->count, &types->capacity,
                            sizeof(struct cel_type *));
    }
    types->known[types->count] = NULL;
    struct cel_type *type = arena_zero(types->arena, sizeof *type);
    *type = (struct cel_type){.kind = CEL_TYPE_FREE, .number = types->count++};
    return type;
}

static void learn(struct cel_types *types, const struct cel_type *free_type,
                  const struct cel_type *known)
{
    if (types->change_count == types->change_capacity) {
        types->changes = grow(types->arena, types->changes, types->change_count,
                              &types->change_capacity, sizeof(struct cel_type_change));
    }
    types->changes[types->change_count++] = (struct cel_type_change){
        .number = free_type->number, .before = types->known[free_type->number]};
    types->known[free_type->number] = known;
}

size_t cel_type_mark(struct cel_types *types)
{
    types->committed = types->change_count;
    return types->committed;
}

void cel_type_take_back(struct cel_types *types, size_t mark)
{
    while (types->change_count > mark) {
        const struct cel_type_change *change = &types->changes[--types->change_count];
        types->known[change->number] = change->before;
    }
}

/* The type behind free ones that are known; the outermost level alone. */
static const struct cel_type *look(const struct cel_types *types, const struct cel_type *type)
{
    while (type->kind == CEL_TYPE_FREE && types->known[type->number] != NULL) {
        type = types->known[type->number];
    }
    return type;
}

bool cel_type_same(const struct cel_type *a, const struct cel_type *b)
{
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case CEL_TYPE_OF_KIND:
        return a->of == b->of;
    case CEL_TYPE_LIST_OF:
        return cel_type_same(a->value, b->value);
    case CEL_TYPE_MAP_OF:
        return cel_type_same(a->key, b->key) && cel_type_same(a->value, b->value);
    case CEL_TYPE_FREE:
        return a->number == b->number;
    case CEL_TYPE_DYN:
    case CEL_TYPE_TYPE:
        return true;
    }
    return false;
}

static bool occurs(const struct cel_types *types, const struct cel_type *free_type,
                   const struct cel_type *in)
{
    in = look(types, in);
    if (in->kind == CEL_TYPE_FREE) {
        return in->number == free_type->number;
    }
    return (in->key != NULL && occurs(types, free_type, in->key)) ||
           (in->value != NULL && occurs(types, free_type, in->value));
}

static bool is_nullable(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_OF_KIND &&
           (type->of == CEL_TIMESTAMP || type->of == CEL_DURATION);
}

static bool is_null(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_OF_KIND && type->of == CEL_NULL;
}

/* Was this free type learnt in the attempt under way? */
static bool is_fresh(const struct cel_types *types, const struct cel_type *type)
{
    if (type->kind != CEL_TYPE_FREE) {
        return false;
    }
    for (size_t i = types->change_count; i > types->committed; i--) {
        if (types->changes[i - 1].number == type->number) {
            return true;
        }
    }
    return false;
}

enum generality { EQUIVALENT, MORE_GENERAL, LESS_GENERAL };

/* Does `a` admit more than `b`? dyn admits all; a time admits null. */
static enum generality compare(const struct cel_types *types, const struct cel_type *a,
                               const struct cel_type *b)
{
    a = look(types, a);
    b = look(types, b);
    if (cel_type_same(a, b)) {
        return EQUIVALENT;
    }
    if (a->kind == CEL_TYPE_DYN) {
        return MORE_GENERAL;
    }
    if (b->kind == CEL_TYPE_DYN) {
        return LESS_GENERAL;
    }
    if (is_nullable(a) && is_null(b)) {
        return MORE_GENERAL;
    }
    if (a->kind == CEL_TYPE_LIST_OF && b->kind == CEL_TYPE_LIST_OF) {
        return compare(types, a->value, b->value);
    }
    if (a->kind == CEL_TYPE_MAP_OF && b->kind == CEL_TYPE_MAP_OF) {
        enum generality key = compare(types, a->key, b->key);
        enum generality value = compare(types, a->value, b->value);
        return key == LESS_GENERAL || value == LESS_GENERAL   ? LESS_GENERAL
               : key == MORE_GENERAL || value == MORE_GENERAL ? MORE_GENERAL
                                                              : EQUIVALENT;
    }
    return EQUIVALENT;
}

static bool assign_free(struct cel_types *types, const struct cel_type *from,
                        const struct cel_type *to)
{
    if (to->kind == CEL_TYPE_FREE && from->kind == CEL_TYPE_FREE) {
        learn(types, from, to);
        return true;
    }
    if (to->kind == CEL_TYPE_FREE && !occurs(types, to, from)) {
        learn(types, to, from);
        return true;
    }
    if (from->kind == CEL_TYPE_FREE && !occurs(types, from, to)) {
        learn(types, from, to);
        return true;
    }
    return from->kind == CEL_TYPE_DYN || to->kind == CEL_TYPE_DYN;
}

bool cel_type_assign(struct cel_types *types, const struct cel_type *from,
                     const struct cel_type *to)
{
    const struct cel_type *wanted = look(types, to);
    const struct cel_type *given = look(types, from);
    if (cel_type_same(wanted, given)) {
        return true;
    }
    if (wanted->kind == CEL_TYPE_FREE || given->kind == CEL_TYPE_FREE) {
        return assign_free(types, given, wanted);
    }
    if (is_fresh(types, to) && compare(types, given, wanted) == MORE_GENERAL) {
        size_t mark = types->change_count;
        if (cel_type_assign(types, wanted, given) && !occurs(types, to, given)) {
            learn(types, to, given);
            return true;
        }
        cel_type_take_back(types, mark);
    }
    if ((is_null(given) && is_nullable(wanted)) || (is_null(wanted) && is_nullable(given)) ||
        wanted->kind == CEL_TYPE_DYN || given->kind == CEL_TYPE_DYN) {
        return true;
    }
    if (wanted->kind != given->kind || wanted->kind == CEL_TYPE_OF_KIND) {
        return false;
    }
    return (wanted->kind != CEL_TYPE_MAP_OF || cel_type_assign(types, given->key, wanted->key)) &&
           cel_type_assign(types, given->value, wanted->value);
}

const struct cel_type *cel_type_resolve(struct cel_types *types, const struct cel_type *type)
{
    type = look(types, type);
    if (type->kind == CEL_TYPE_LIST_OF) {
        return cel_type_list(types, cel_type_resolve(types, type->value));
    }
    if (type->kind == CEL_TYPE_MAP_OF) {
        return cel_type_map(types, cel_type_resolve(types, type->key),
                            cel_type_resolve(types, type->value));
    }
    return type;
}

void cel_type_print(struct cel_types *types, const struct cel_type *type, struct buf *out)
{
    type = look(types, type);
    switch (type->kind) {
    case CEL_TYPE_OF_KIND:
        buf_add_text(out, type->of == CEL_NULL        ? "null"
                          : type->of == CEL_TIMESTAMP ? "timestamp"
                          : type->of == CEL_DURATION  ? "duration"
                                                      : cel_value_kind_name(type->of));
        return;
    case CEL_TYPE_LIST_OF:
    case CEL_TYPE_MAP_OF:
        buf_add_text(out, type->kind == CEL_TYPE_LIST_OF ? "list(" : "map(");
        if (type->key != NULL) {
            cel_type_print(types, type->key, out);
            buf_add_text(out, ", ");
        }
        cel_type_print(types, type->value, out);
        buf_add_byte(out, ')');
        return;
    case CEL_TYPE_TYPE:
        buf_add_text(out, "type");
        return;
    case CEL_TYPE_DYN:
    case CEL_TYPE_FREE:
        buf_add_text(out, "dyn");
        return;
    }
}
