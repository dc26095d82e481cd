/* The macros: all, exists, exists_one, filter, map. */
#include "core/route/cel/cel_op.h"

/* What a loop has come to. */
struct loop {
    const struct cel_op *op;
    struct cel_frame *frame;
    struct cel_value *items; /* filter and map: what the list will hold */
    size_t count;            /* of them; of exists_one: how often it was true */
    const char *fault;       /* all and exists: of the first round that failed */
    size_t fault_at;
};

static bool fail(const struct loop *loop, const char *fault)
{
    loop->frame->fault_at = loop->op->at;
    return cel_frame_fail(loop->frame, fault);
}

static bool find_range(struct loop *loop, const struct cel_value **out_items, size_t *out_count)
{
    struct cel_value range;
    const struct cel_op *first = loop->op->children[0];
    if (!first->run(first, loop->frame, &range)) {
        return false;
    }
    if (range.kind == CEL_LIST) {
        *out_items = range.list->items;
        *out_count = range.list->count;
        return true;
    }
    if (range.kind == CEL_MAP) {
        *out_items = range.map->keys;
        *out_count = range.map->count;
        return true;
    }
    return fail(loop, "a macro over what is neither list nor map");
}

static bool condition(const struct loop *loop, bool *ret)
{
    struct cel_value value;
    const struct cel_op *op = loop->op->children[1];
    if (!op->run(op, loop->frame, &value)) {
        return false;
    }
    if (value.kind != CEL_BOOL) {
        loop->frame->fault_at = loop->op->at;
        return cel_frame_no_overload(loop->frame);
    }
    *ret = value.truth;
    return true;
}

/* One round of all or exists. `*out_done`: the answer is known. */
static void quantify(struct loop *loop, bool decides, bool *out_done)
{
    bool truth = false;
    if (condition(loop, &truth)) {
        *out_done = truth == decides;
    } else if (loop->fault == NULL) {
        loop->fault = loop->frame->fault;
        loop->fault_at = loop->frame->fault_at;
    }
}

/* One round of the others: what fails ends the loop. */
static bool collect(struct loop *loop, const struct cel_value *item)
{
    bool wanted = true;
    if (loop->op->loop != CEL_LOOP_MAP && !condition(loop, &wanted)) {
        return false;
    }
    if (!wanted) {
        return true;
    }
    if (loop->op->loop == CEL_LOOP_FILTER) {
        loop->items[loop->count] = *item;
    } else if (loop->op->loop != CEL_LOOP_EXISTS_ONE) {
        const struct cel_op *into = loop->op->children[loop->op->child_count - 1];
        if (!into->run(into, loop->frame, &loop->items[loop->count])) {
            return false;
        }
    }
    loop->count++;
    return true;
}

static bool finish(struct loop *loop, bool decided, struct cel_value *ret)
{
    bool all = loop->op->loop == CEL_LOOP_ALL;
    if (all || loop->op->loop == CEL_LOOP_EXISTS) {
        if (!decided && loop->fault != NULL) {
            loop->frame->fault_at = loop->fault_at;
            return cel_frame_fail(loop->frame, loop->fault);
        }
        *ret = cel_value_bool(decided != all);
        return true;
    }
    if (loop->op->loop == CEL_LOOP_EXISTS_ONE) {
        *ret = cel_value_bool(loop->count == 1);
        return true;
    }
    struct cel_list *list = cel_frame_alloc(loop->frame, sizeof *list);
    if (list == NULL) {
        loop->frame->fault_at = loop->op->at;
        return false;
    }
    *list = (struct cel_list){.count = loop->count, .items = loop->items};
    *ret = (struct cel_value){.kind = CEL_LIST, .list = list};
    return true;
}

bool cel_op_loop_run(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    struct loop loop = {.op = op, .frame = frame};
    const struct cel_value *items = NULL;
    size_t count = 0;
    bool quantifies = op->loop == CEL_LOOP_ALL || op->loop == CEL_LOOP_EXISTS;
    if (!find_range(&loop, &items, &count)) {
        return false;
    }
    if (!quantifies && op->loop != CEL_LOOP_EXISTS_ONE) {
        loop.items = cel_frame_alloc(frame, (count + 1) * sizeof *loop.items);
        if (loop.items == NULL) {
            frame->fault_at = op->at;
            return false;
        }
    }
    bool decided = false;
    for (size_t i = 0; i < count && !decided; i++) {
        if (++frame->rounds > CEL_ROUNDS_MAX) {
            frame->fatal = true;
        }
        if (frame->fatal) {
            return fail(&loop, "more than 10000 rounds of macros in one evaluation");
        }
        frame->variables[op->slot] = items[i];
        if (quantifies) {
            quantify(&loop, op->loop == CEL_LOOP_EXISTS, &decided);
        } else if (!collect(&loop, &items[i])) {
            return false;
        }
    }
    return finish(&loop, decided, ret);
}
