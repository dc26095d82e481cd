/* From one type to another, type() and shard_hash(). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <xxhash.h>

#include "core/base/bytes.h"
#include "core/route/cel/cel_foreign.h"
#include "core/route/cel/cel_functions.h"
#include "core/route/cel/cel_time_text.h"

static const char *const NOT_INT = "a text that is not an int";
static const char *const NOT_UINT = "a text that is not a uint";
static const char *const NOT_DOUBLE = "a text that is not a double";
static const char *const OUTSIDE_INT = "a number outside of what an int can hold";
static const char *const OUTSIDE_UINT = "a number outside of what a uint can hold";

enum { NUMBER_TEXT_MAX = 24 };

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* A sign, then digits; blanks around. */
static bool parse_digits(struct bytes text, bool *out_negative, uint64_t *out_magnitude)
{
    text = trim(text);
    *out_negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    uint64_t magnitude = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(magnitude, (uint64_t)10, &magnitude) ||
            __builtin_add_overflow(magnitude, (uint64_t)(text.data[i] - '0'), &magnitude)) {
            return false;
        }
    }
    *out_magnitude = magnitude;
    return text.size > 0;
}

static bool int_of_text(struct cel_frame *frame, struct bytes text, struct cel_value *ret)
{
    bool negative = false;
    uint64_t magnitude = 0;
    if (!parse_digits(text, &negative, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative) {
        return cel_frame_fail(frame, NOT_INT);
    }
    *ret = cel_value_int(negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
    return true;
}

bool cel_convert_int(struct cel_frame *frame, const struct cel_value *value, struct cel_value *ret)
{
    switch ((int)value->kind) {
    case CEL_BOOL:
        *ret = cel_value_int(value->truth);
        return true;
    case CEL_INT:
        *ret = *value;
        return true;
    case CEL_UINT:
        *ret = cel_value_int((int64_t)value->natural);
        return value->natural <= INT64_MAX || cel_frame_fail(frame, OUTSIDE_INT);
    case CEL_DOUBLE:
        if (!(value->real > -0x1p63 && value->real < 0x1p63)) {
            return cel_frame_fail(frame, OUTSIDE_INT);
        }
        *ret = cel_value_int((int64_t)value->real);
        return true;
    case CEL_STRING:
        return int_of_text(frame, value->text, ret);
    case CEL_TIMESTAMP:
        *ret = cel_value_int(value->span.seconds);
        return true;
    default:
        return cel_frame_no_overload(frame);
    }
}

bool cel_convert_uint(struct cel_frame *frame, const struct cel_value *value, struct cel_value *ret)
{
    bool negative = false;
    switch ((int)value->kind) {
    case CEL_INT:
        *ret = cel_value_uint((uint64_t)value->integer);
        return value->integer >= 0 || cel_frame_fail(frame, OUTSIDE_UINT);
    case CEL_UINT:
        *ret = *value;
        return true;
    case CEL_DOUBLE:
        if (!(value->real >= 0 && value->real < 0x1p64)) {
            return cel_frame_fail(frame, OUTSIDE_UINT);
        }
        *ret = cel_value_uint((uint64_t)value->real);
        return true;
    case CEL_STRING:
        ret->kind = CEL_UINT;
        return (parse_digits(value->text, &negative, &ret->natural) && !negative) ||
               cel_frame_fail(frame, NOT_UINT);
    default:
        return cel_frame_no_overload(frame);
    }
}

static bool double_of_text(struct cel_frame *frame, struct bytes text, struct cel_value *ret)
{
    text = trim(text);
    bool negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && (negative || text.data[0] == '+')) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    double real = 0;
    if (text.size == 0 || !cel_foreign_parse_double(text.data, text.size, &real)) {
        return cel_frame_fail(frame, NOT_DOUBLE);
    }
    *ret = cel_value_double(negative ? -real : real);
    return true;
}

bool cel_convert_double(struct cel_frame *frame, const struct cel_value *value,
                        struct cel_value *ret)
{
    switch ((int)value->kind) {
    case CEL_INT:
        *ret = cel_value_double((double)value->integer);
        return true;
    case CEL_UINT:
        *ret = cel_value_double((double)value->natural);
        return true;
    case CEL_DOUBLE:
        *ret = *value;
        return true;
    case CEL_STRING:
        return double_of_text(frame, value->text, ret);
    default:
        return cel_frame_no_overload(frame);
    }
}

bool cel_convert_bool(struct cel_frame *frame, const struct cel_value *value, struct cel_value *ret)
{
    static const char *const words[2][5] = {{"false", "False", "FALSE", "f", "0"},
                                            {"true", "True", "TRUE", "t", "1"}};
    if (value->kind == CEL_BOOL) {
        *ret = *value;
        return true;
    }
    if (value->kind != CEL_STRING) {
        return cel_frame_no_overload(frame);
    }
    for (int truth = 0; truth < 2; truth++) {
        for (size_t i = 0; i < 5; i++) {
            if (bytes_equal(value->text, bytes_of_text(words[truth][i]))) {
                *ret = cel_value_bool(truth);
                return true;
            }
        }
    }
    return cel_frame_fail(frame, "a text that is not a bool");
}

/* Decimal digits, without the detour of snprintf: it is on the way of every record. */
static size_t print_natural(uint64_t natural, bool negative, char *to)
{
    char digits[NUMBER_TEXT_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + natural % 10);
        natural /= 10;
    } while (natural > 0);
    size_t size = 0;
    if (negative) {
        to[size++] = '-';
    }
    while (count > 0) {
        to[size++] = digits[--count];
    }
    return size;
}

static bool print(struct cel_frame *frame, const struct cel_value *value, struct cel_value *ret)
{
    char *to = cel_frame_alloc(frame, CEL_TIME_TEXT_MAX);
    if (to == NULL) {
        return false;
    }
    size_t size = 0;
    if (value->kind == CEL_INT) {
        bool negative = value->integer < 0;
        size = print_natural(negative ? 0 - (uint64_t)value->integer : (uint64_t)value->integer,
                             negative, to);
    } else if (value->kind == CEL_UINT) {
        size = print_natural(value->natural, false, to);
    } else if (value->kind == CEL_DOUBLE) {
        size = cel_foreign_print_double(value->real, to);
    } else if (value->kind == CEL_TIMESTAMP) {
        size = cel_time_text_print_timestamp(value->span, to);
    } else {
        size = cel_time_text_print_duration(value->span, to);
    }
    *ret = cel_value_string(bytes_of(to, size));
    return true;
}

bool cel_convert_string(struct cel_frame *frame, const struct cel_value *value,
                        struct cel_value *ret)
{
    switch ((int)value->kind) {
    case CEL_STRING:
        *ret = *value;
        return true;
    case CEL_BOOL:
        *ret = cel_value_string(bytes_of_text(value->truth ? "true" : "false"));
        return true;
    case CEL_BYTES:
        if (!bytes_are_utf8(value->text)) {
            return cel_frame_fail(frame, "bytes that are not UTF-8");
        }
        *ret = cel_value_string(value->text);
        return true;
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return print(frame, value, ret);
    default:
        return cel_frame_no_overload(frame);
    }
}

bool cel_convert_bytes(struct cel_frame *frame, const struct cel_value *value,
                       struct cel_value *ret)
{
    if (value->kind != CEL_STRING && value->kind != CEL_BYTES) {
        return cel_frame_no_overload(frame);
    }
    *ret = cel_value_bytes(value->text);
    return true;
}

bool cel_convert_dyn(struct cel_frame *frame, const struct cel_value *value, struct cel_value *ret)
{
    (void)frame;
    *ret = *value;
    return true;
}

bool cel_convert_type(struct cel_frame *frame, const struct cel_value *value, struct cel_value *ret)
{
    (void)frame;
    *ret = (struct cel_value){.kind = CEL_TYPE, .type = value->kind};
    return true;
}

/* The snapshot format's one function: XXH3-64 of the routing bytes (sections 4 and 5). */
bool cel_convert_hash(struct cel_frame *frame, const struct cel_value *value, struct cel_value *ret)
{
    uint8_t scratch[8] = {0};
    struct bytes routing = bytes_of(scratch, sizeof scratch);
    switch ((int)value->kind) {
    case CEL_UINT:
        if (value->natural > INT64_MAX) {
            return cel_frame_fail(frame, "shard_hash() of a uint above 9223372036854775807");
        }
        put_u64le(scratch, value->natural);
        break;
    case CEL_INT:
        put_u64le(scratch, (uint64_t)value->integer);
        break;
    case CEL_STRING:
    case CEL_BYTES:
        routing = value->text;
        break;
    default:
        return cel_frame_no_overload(frame);
    }
    const void *data = routing.size == 0 ? "" : (const void *)routing.data;
    *ret = cel_value_uint(XXH3_64bits(data, routing.size));
    return true;
}
