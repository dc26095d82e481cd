/* The static types of CEL, and what may be given where. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_TYPE_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_TYPE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/route/cel/cel_value.h"

enum cel_type_kind {
    CEL_TYPE_OF_KIND, /* a cel_kind without parameters */
    CEL_TYPE_DYN,
    CEL_TYPE_LIST_OF,
    CEL_TYPE_MAP_OF,
    CEL_TYPE_TYPE, /* of a type; which one does not matter */
    CEL_TYPE_FREE, /* to be found out */
};

struct cel_type {
    enum cel_type_kind kind;
    enum cel_kind of;             /* CEL_TYPE_OF_KIND */
    const struct cel_type *key;   /* MAP_OF */
    const struct cel_type *value; /* MAP_OF and LIST_OF */
    size_t number;                /* FREE */
};

/* What is known of the free types. In the arena of the compilation. */
struct cel_types {
    struct arena *arena;
    const struct cel_type **known; /* by number; NULL: still free */
    size_t count;
    size_t capacity;
    struct cel_type_change *changes; /* so that an attempt can be taken back */
    size_t change_count;
    size_t change_capacity;
    size_t committed; /* changes below that are older than the attempt under way */
};

extern const struct cel_type cel_type_dyn;

const struct cel_type *cel_type_of(enum cel_kind kind); /* neither CEL_LIST nor CEL_MAP nor CEL_TYPE
                                                         */
const struct cel_type *cel_type_type(void);
const struct cel_type *cel_type_list(struct cel_types *types, const struct cel_type *value);
const struct cel_type *cel_type_map(struct cel_types *types, const struct cel_type *key,
                                    const struct cel_type *value);
const struct cel_type *cel_type_free(struct cel_types *types);

/* Begins an attempt; the mark is for taking it back. */
size_t cel_type_mark(struct cel_types *types);

/* May a value of `from` stand where `to` is wanted? Free types become known by it, also when the
 * answer is no: take it back to the mark then. What one argument has taught in this attempt,
 * another may widen: 1 and dyn(1) have dyn in common. */
bool cel_type_assign(struct cel_types *types, const struct cel_type *from,
                     const struct cel_type *to);
void cel_type_take_back(struct cel_types *types, size_t mark);

bool cel_type_same(const struct cel_type *a, const struct cel_type *b);

/* With all that is known put in; what is still free stays so. */
const struct cel_type *cel_type_resolve(struct cel_types *types, const struct cel_type *type);

/* "list(int)", "dyn"; what is still free is dyn. */
void cel_type_print(struct cel_types *types, const struct cel_type *type, struct buf *out);

#endif
