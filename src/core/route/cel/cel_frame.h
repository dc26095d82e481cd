/* One evaluation under way: columns in, memory that dies with it, and the reason when it fails. */
#ifndef TIDEMARK_CORE_ROUTE_CEL_CEL_FRAME_H
#define TIDEMARK_CORE_ROUTE_CEL_CEL_FRAME_H

#include "core/base/arena.h"
#include "core/route/cel/cel_value.h"

enum {
    CEL_ROUNDS_MAX = 10000, /* of all loops of one evaluation: readers stop there, too */
    CEL_MEMORY_MAX = 32 << 20,
};

/* What one column holds. */
struct cel_binding {
    struct cel_value value;
    const char *fault; /* NULL: there is a value. Looked at only when the column is evaluated */
};

struct cel_frame {
    const struct cel_binding *columns;
    struct cel_value *variables; /* of loops, by slot */
    struct arena *arena;
    size_t memory; /* bytes taken from the arena */
    uint32_t rounds;
    bool fatal;        /* a fault that || and && do not absorb: the evaluation has failed */
    const char *fault; /* a constant text */
    size_t fault_at;   /* byte of the expression */
};

/* A function of one or two values. False: frame->fault says why. */
typedef bool cel_function(struct cel_frame *frame, const struct cel_value *arguments,
                          struct cel_value *ret);

/* Sets the fault and returns false. */
static inline bool cel_frame_fail(struct cel_frame *frame, const char *fault)
{
    frame->fault = fault;
    return false;
}

static inline bool cel_frame_no_overload(struct cel_frame *frame)
{
    return cel_frame_fail(frame, "no function of that name for values of these types");
}

/* NULL with the fault set when an evaluation takes too much. */
static inline void *cel_frame_alloc(struct cel_frame *frame, size_t size)
{
    if (size > CEL_MEMORY_MAX || frame->memory + size > CEL_MEMORY_MAX) {
        frame->fatal = true;
        cel_frame_fail(frame, "more than 32 MiB of memory for one evaluation");
        return NULL;
    }
    frame->memory += size;
    return arena_alloc(frame->arena, size);
}

#endif
