/* The steps of a compiled expression. */
#include "core/route/cel/cel_op.h"

#include <stdlib.h>

enum { KEYS_UNSORTED_MAX = 8 };

static bool run(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    return op->run(op, frame, ret);
}

static bool fail(const struct cel_op *op, struct cel_frame *frame, const char *fault)
{
    frame->fault_at = op->at;
    return cel_frame_fail(frame, fault);
}

bool cel_op_constant(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    (void)frame;
    *ret = op->constant;
    return true;
}

bool cel_op_column(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    const struct cel_binding *binding = &frame->columns[op->slot];
    if (binding->fault != NULL) {
        return fail(op, frame, binding->fault);
    }
    *ret = binding->value;
    return true;
}

bool cel_op_variable(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    *ret = frame->variables[op->slot];
    return true;
}

static bool field_of(const struct cel_op *op, struct cel_frame *frame,
                     const struct cel_value **ret_found)
{
    struct cel_value value;
    if (!run(op->children[0], frame, &value)) {
        return false;
    }
    if (value.kind != CEL_MAP) {
        return fail(op, frame, "a field of what is no map");
    }
    *ret_found = cel_value_lookup(value.map, &op->constant);
    return true;
}

bool cel_op_select(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    const struct cel_value *found = NULL;
    if (!field_of(op, frame, &found)) {
        return false;
    }
    if (found == NULL) {
        return fail(op, frame, "a key that is not in the map");
    }
    *ret = *found;
    return true;
}

bool cel_op_has(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    const struct cel_value *found = NULL;
    if (!field_of(op, frame, &found)) {
        return false;
    }
    *ret = cel_value_bool(found != NULL);
    return true;
}

/* All of them, also behind one that fails: another's fault may be fatal. */
static bool run_all(const struct cel_op *op, struct cel_frame *frame, struct cel_value *values)
{
    bool ok = true;
    for (size_t i = 0; i < op->child_count; i++) {
        if (!run(op->children[i], frame, &values[i])) {
            ok = false;
        }
    }
    return ok;
}

bool cel_op_call(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    struct cel_value arguments[2];
    arguments[1].kind = CEL_KINDS;
    if (!run_all(op, frame, arguments)) {
        return false;
    }
    if (!op->function(frame, arguments, ret)) {
        frame->fault_at = op->at;
        return false;
    }
    return true;
}

bool cel_op_matches(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    struct cel_value text;
    if (!run(op->children[0], frame, &text)) {
        return false;
    }
    if (text.kind != CEL_STRING) {
        frame->fault_at = op->at;
        return cel_frame_no_overload(frame);
    }
    *ret = cel_value_bool(cel_foreign_pattern_find(op->pattern, text.text.data, text.text.size));
    return true;
}

bool cel_op_bad_pattern(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    (void)ret;
    return fail(op, frame, "a pattern that is no regular expression");
}

/* One operand that decides is enough, whatever becomes of the others: their errors do not count. */
static bool run_logic(const struct cel_op *op, struct cel_frame *frame, bool decides,
                      struct cel_value *ret)
{
    const char *fault = NULL;
    size_t fault_at = 0;
    for (size_t i = 0; i < op->child_count; i++) {
        struct cel_value value;
        bool known = run(op->children[i], frame, &value);
        if (known && value.kind != CEL_BOOL) {
            frame->fault_at = op->at;
            known = cel_frame_no_overload(frame);
        }
        if (!known && fault == NULL) {
            fault = frame->fault;
            fault_at = frame->fault_at;
        }
        if (known && value.truth == decides) {
            *ret = cel_value_bool(decides);
            return true;
        }
    }
    if (fault != NULL) {
        frame->fault = fault;
        frame->fault_at = fault_at;
        return false;
    }
    *ret = cel_value_bool(!decides);
    return true;
}

bool cel_op_and(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    return run_logic(op, frame, false, ret);
}

bool cel_op_or(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    return run_logic(op, frame, true, ret);
}

bool cel_op_ternary(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    struct cel_value condition;
    if (!run(op->children[0], frame, &condition)) {
        return false;
    }
    if (condition.kind != CEL_BOOL) {
        frame->fault_at = op->at;
        return cel_frame_no_overload(frame);
    }
    return run(op->children[condition.truth ? 1 : 2], frame, ret);
}

/* The values of all children, in memory of the frame. */
static struct cel_value *run_children(const struct cel_op *op, struct cel_frame *frame)
{
    struct cel_value *values = cel_frame_alloc(frame, (op->child_count + 1) * sizeof *values);
    if (values == NULL) {
        frame->fault_at = op->at;
        return NULL;
    }
    return run_all(op, frame, values) ? values : NULL;
}

bool cel_op_list(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    struct cel_value *items = run_children(op, frame);
    struct cel_list *list = items == NULL ? NULL : cel_frame_alloc(frame, sizeof *list);
    if (list == NULL) {
        return false;
    }
    *list = (struct cel_list){.count = op->child_count, .items = items};
    *ret = (struct cel_value){.kind = CEL_LIST, .list = list};
    return true;
}

static int compare_sorted(const void *a, const void *b, void *keys)
{
    const struct cel_value *values = keys;
    return cel_value_key_order(&values[*(const uint32_t *)a], &values[*(const uint32_t *)b]);
}

/* For many keys their order is made, which finds a key twice, too. */
static bool sort_keys(struct cel_frame *frame, struct cel_map *map, struct cel_value *keys,
                      bool *out_twice)
{
    *out_twice = false;
    if (map->count <= KEYS_UNSORTED_MAX) {
        for (size_t i = 0; i < map->count; i++) {
            for (size_t j = 0; j < i; j++) {
                *out_twice = *out_twice || cel_value_key_order(&keys[i], &keys[j]) == 0;
            }
        }
        return true;
    }
    uint32_t *sorted = cel_frame_alloc(frame, map->count * sizeof *sorted);
    if (sorted == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->count; i++) {
        sorted[i] = (uint32_t)i;
    }
    qsort_r(sorted, map->count, sizeof *sorted, compare_sorted, keys);
    for (size_t i = 1; i < map->count; i++) {
        *out_twice = *out_twice || cel_value_key_order(&keys[sorted[i - 1]], &keys[sorted[i]]) == 0;
    }
    map->sorted = sorted;
    return true;
}

bool cel_op_make_map(struct cel_frame *frame, const struct cel_value *pairs, size_t count,
                     struct cel_value *ret)
{
    struct cel_map *map = cel_frame_alloc(frame, sizeof *map);
    struct cel_value *keys = map == NULL ? NULL
                                         : cel_frame_alloc(frame, (2 * count + 1) * sizeof *keys);
    if (keys == NULL) {
        return false;
    }
    struct cel_value *values = keys + count;
    for (size_t i = 0; i < count; i++) {
        keys[i] = pairs[2 * i];
        values[i] = pairs[2 * i + 1];
        if (keys[i].kind != CEL_BOOL && keys[i].kind != CEL_INT && keys[i].kind != CEL_UINT &&
            keys[i].kind != CEL_STRING) {
            return cel_frame_fail(frame, "a key of a map is neither bool, int, uint nor string");
        }
    }
    *map = (struct cel_map){.count = count, .keys = keys, .values = values};
    bool twice = false;
    if (!sort_keys(frame, map, keys, &twice)) {
        return false;
    }
    if (twice) {
        frame->fatal = true; /* to readers, too */
        return cel_frame_fail(frame, "a key is twice in the map");
    }
    *ret = (struct cel_value){.kind = CEL_MAP, .map = map};
    return true;
}

bool cel_op_map(const struct cel_op *op, struct cel_frame *frame, struct cel_value *ret)
{
    struct cel_value *pairs = run_children(op, frame);
    if (pairs == NULL) {
        return false;
    }
    if (!cel_op_make_map(frame, pairs, op->child_count / 2, ret)) {
        frame->fault_at = op->at;
        return false;
    }
    return true;
}
