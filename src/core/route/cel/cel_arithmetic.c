/* + - * / % on values, and their negation: what overflows is an error. */
#include "core/route/cel/cel_functions.h"

static const char *const INT_OVERFLOW = "an int overflows";
static const char *const UINT_OVERFLOW = "a uint overflows";
static const char *const BY_ZERO = "a division by zero";

static bool concat_texts(struct cel_frame *frame, const struct cel_value *pair,
                         struct cel_value *ret)
{
    struct bytes a = pair[0].text;
    struct bytes b = pair[1].text;
    *ret = pair[0].text.size == 0 ? pair[1] : pair[0];
    if (a.size == 0 || b.size == 0) {
        return true;
    }
    uint8_t *to = cel_frame_alloc(frame, a.size + b.size);
    if (to == NULL) {
        return false;
    }
    memcpy(to, a.data, a.size);
    memcpy(to + a.size, b.data, b.size);
    ret->text = bytes_of(to, a.size + b.size);
    return true;
}

static bool concat_lists(struct cel_frame *frame, const struct cel_value *pair,
                         struct cel_value *ret)
{
    const struct cel_list *a = pair[0].list;
    const struct cel_list *b = pair[1].list;
    *ret = a->count == 0 ? pair[1] : pair[0];
    if (a->count == 0 || b->count == 0) {
        return true;
    }
    struct cel_list *list = cel_frame_alloc(frame, sizeof *list);
    struct cel_value *items =
        list == NULL ? NULL : cel_frame_alloc(frame, (a->count + b->count) * sizeof *items);
    if (items == NULL) {
        return false;
    }
    memcpy(items, a->items, a->count * sizeof *items);
    memcpy(items + a->count, b->items, b->count * sizeof *items);
    *list = (struct cel_list){.count = a->count + b->count, .items = items};
    ret->list = list;
    return true;
}

bool cel_arithmetic_add(struct cel_frame *frame, const struct cel_value *pair,
                        struct cel_value *ret)
{
    if (pair[0].kind != pair[1].kind || pair[0].kind == CEL_DURATION) {
        return cel_time_add(frame, pair, ret);
    }
    ret->kind = pair[0].kind;
    switch ((int)pair[0].kind) {
    case CEL_INT:
        return !__builtin_add_overflow(pair[0].integer, pair[1].integer, &ret->integer) ||
               cel_frame_fail(frame, INT_OVERFLOW);
    case CEL_UINT:
        return !__builtin_add_overflow(pair[0].natural, pair[1].natural, &ret->natural) ||
               cel_frame_fail(frame, UINT_OVERFLOW);
    case CEL_DOUBLE:
        ret->real = pair[0].real + pair[1].real;
        return true;
    case CEL_STRING:
    case CEL_BYTES:
        return concat_texts(frame, pair, ret);
    case CEL_LIST:
        return concat_lists(frame, pair, ret);
    default:
        return cel_frame_no_overload(frame);
    }
}

bool cel_arithmetic_subtract(struct cel_frame *frame, const struct cel_value *pair,
                             struct cel_value *ret)
{
    if (pair[0].kind == CEL_TIMESTAMP || pair[0].kind == CEL_DURATION) {
        return cel_time_subtract(frame, pair, ret);
    }
    if (pair[0].kind != pair[1].kind) {
        return cel_frame_no_overload(frame);
    }
    ret->kind = pair[0].kind;
    switch ((int)pair[0].kind) {
    case CEL_INT:
        return !__builtin_sub_overflow(pair[0].integer, pair[1].integer, &ret->integer) ||
               cel_frame_fail(frame, INT_OVERFLOW);
    case CEL_UINT:
        return !__builtin_sub_overflow(pair[0].natural, pair[1].natural, &ret->natural) ||
               cel_frame_fail(frame, UINT_OVERFLOW);
    case CEL_DOUBLE:
        ret->real = pair[0].real - pair[1].real;
        return true;
    default:
        return cel_frame_no_overload(frame);
    }
}

bool cel_arithmetic_multiply(struct cel_frame *frame, const struct cel_value *pair,
                             struct cel_value *ret)
{
    if (pair[0].kind != pair[1].kind) {
        return cel_frame_no_overload(frame);
    }
    ret->kind = pair[0].kind;
    switch ((int)pair[0].kind) {
    case CEL_INT:
        return !__builtin_mul_overflow(pair[0].integer, pair[1].integer, &ret->integer) ||
               cel_frame_fail(frame, INT_OVERFLOW);
    case CEL_UINT:
        return !__builtin_mul_overflow(pair[0].natural, pair[1].natural, &ret->natural) ||
               cel_frame_fail(frame, UINT_OVERFLOW);
    case CEL_DOUBLE:
        ret->real = pair[0].real * pair[1].real;
        return true;
    default:
        return cel_frame_no_overload(frame);
    }
}

/* Both of / and % have the same errors, INT64_MIN by -1 among them. */
static bool can_divide(struct cel_frame *frame, const struct cel_value *pair)
{
    if (pair[0].kind != pair[1].kind) {
        return cel_frame_no_overload(frame);
    }
    if (pair[0].kind == CEL_INT) {
        if (pair[1].integer == 0) {
            return cel_frame_fail(frame, BY_ZERO);
        }
        return pair[0].integer != INT64_MIN || pair[1].integer != -1 ||
               cel_frame_fail(frame, INT_OVERFLOW);
    }
    if (pair[0].kind == CEL_UINT) {
        return pair[1].natural != 0 || cel_frame_fail(frame, BY_ZERO);
    }
    return pair[0].kind == CEL_DOUBLE || cel_frame_no_overload(frame);
}

bool cel_arithmetic_divide(struct cel_frame *frame, const struct cel_value *pair,
                           struct cel_value *ret)
{
    if (!can_divide(frame, pair)) {
        return false;
    }
    if (pair[0].kind == CEL_INT) {
        *ret = cel_value_int(pair[0].integer / pair[1].integer);
    } else if (pair[0].kind == CEL_UINT) {
        *ret = cel_value_uint(pair[0].natural / pair[1].natural);
    } else {
        *ret = cel_value_double(pair[0].real / pair[1].real);
    }
    return true;
}

bool cel_arithmetic_modulo(struct cel_frame *frame, const struct cel_value *pair,
                           struct cel_value *ret)
{
    if (!can_divide(frame, pair)) {
        return false;
    }
    if (pair[0].kind == CEL_DOUBLE) {
        return cel_frame_no_overload(frame);
    }
    *ret = pair[0].kind == CEL_INT ? cel_value_int(pair[0].integer % pair[1].integer)
                                   : cel_value_uint(pair[0].natural % pair[1].natural);
    return true;
}

bool cel_arithmetic_negate(struct cel_frame *frame, const struct cel_value *value,
                           struct cel_value *ret)
{
    ret->kind = value->kind;
    if (value->kind == CEL_INT) {
        return !__builtin_sub_overflow((int64_t)0, value->integer, &ret->integer) ||
               cel_frame_fail(frame, INT_OVERFLOW);
    }
    if (value->kind == CEL_DOUBLE) {
        ret->real = -value->real;
        return true;
    }
    return cel_frame_no_overload(frame);
}

bool cel_arithmetic_not(struct cel_frame *frame, const struct cel_value *value,
                        struct cel_value *ret)
{
    if (value->kind != CEL_BOOL) {
        return cel_frame_no_overload(frame);
    }
    *ret = cel_value_bool(!value->truth);
    return true;
}
