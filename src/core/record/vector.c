/* Vectors: from a record's bytes to checked float32 values, and packed beside the value of a row.
 */
#include "core/record/vector.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/record/json_scan.h"

enum { NUMBER_TEXT_MAX = 64, PACK_HEADER = 16 };

const char *vector_metric_name(enum vector_metric metric)
{
    return metric == VECTOR_L2 ? "l2" : "cosine";
}

/* ---- from JSON ---- */

static void skip_blanks(struct bytes *rest)
{
    while (rest->size > 0 && (*rest->data == ' ' || *rest->data == '\t' || *rest->data == '\n' ||
                              *rest->data == '\r')) {
        *rest = bytes_of(rest->data + 1, rest->size - 1);
    }
}

static bool take_char(struct bytes *rest, char wanted)
{
    skip_blanks(rest);
    if (rest->size == 0 || *rest->data != (uint8_t)wanted) {
        return false;
    }
    *rest = bytes_of(rest->data + 1, rest->size - 1);
    return true;
}

static bool is_in_number(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' ||
           byte == 'e' || byte == 'E';
}

/* Digits beyond NUMBER_TEXT_MAX cannot change a float32 that is written as people and programs
 * write them; such a text is refused, not cut. */
static bool take_number(struct bytes *rest, float *ret_number)
{
    char text[NUMBER_TEXT_MAX];
    size_t size = 0;
    skip_blanks(rest);
    while (size < rest->size && is_in_number(rest->data[size])) {
        size++;
    }
    if (size == 0 || size >= sizeof text) {
        return false;
    }
    memcpy(text, rest->data, size);
    text[size] = '\0';
    char *end = NULL;
    double number = strtod(text, &end);
    *rest = bytes_of(rest->data + size, rest->size - size);
    /* as other writers make it: the nearest double, and of that the nearest float */
    *ret_number = (float)number;
    return *end == '\0';
}

static void put_float(uint8_t *to, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_u32le(to, bits);
}

static float get_float(const uint8_t *from)
{
    uint32_t bits = get_u32le(from);
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static bool refuse(const char *problem, size_t index, const char **ret_problem, size_t *ret_index)
{
    *ret_problem = problem;
    *ret_index = index;
    return false;
}

bool vector_from_json(struct bytes text, uint32_t dim, uint8_t *ret_vector,
                      const char **ret_problem, size_t *ret_index)
{
    struct bytes rest = text;
    if (!take_char(&rest, '[')) {
        return refuse("not an array of numbers", 0, ret_problem, ret_index);
    }
    for (uint32_t i = 0; i < dim; i++) {
        float number = 0;
        if (i > 0 && !take_char(&rest, ',')) {
            return refuse("fewer numbers than the dimension", i, ret_problem, ret_index);
        }
        if (!take_number(&rest, &number)) {
            bool ended = i == 0 && take_char(&rest, ']');
            return refuse(ended ? "fewer numbers than the dimension" : "not a number", i,
                          ret_problem, ret_index);
        }
        if (!isfinite(number)) {
            return refuse("beyond what a float32 holds", i, ret_problem, ret_index);
        }
        put_float(ret_vector + (size_t)4 * i, number);
    }
    if (!take_char(&rest, ']')) {
        return refuse("more numbers than the dimension", dim, ret_problem, ret_index);
    }
    skip_blanks(&rest);
    return rest.size == 0 || refuse("something behind the array", dim, ret_problem, ret_index);
}

bool vector_check(struct bytes vector, uint32_t dim, enum vector_metric metric,
                  const char **ret_problem, size_t *ret_index)
{
    bool some = false;
    if (vector.size != (size_t)4 * dim) {
        return refuse("another number of bytes than 4 for each dimension", vector.size / 4,
                      ret_problem, ret_index);
    }
    for (uint32_t i = 0; i < dim; i++) {
        float number = get_float(vector.data + (size_t)4 * i);
        if (!isfinite(number)) {
            return refuse("not a finite number", i, ret_problem, ret_index);
        }
        some = some || number != 0;
    }
    return some || metric != VECTOR_COSINE ||
           refuse("all zeros, which has no direction", 0, ret_problem, ret_index);
}

/* To the byte: an integer of 64 bits is no double. */
const char *vector_id_json(const char *id, struct arena *arena)
{
    static const char *const pointer = "/v";
    struct json_pointers *pointers = NULL;
    struct json_view value = {0};
    struct err err = {0};
    const char *problem = NULL;
    size_t offset = 0;
    CHECK(json_pointers_compile(&pointer, 1, arena, &pointers, &err));
    if (json_scan(pointers, bytes_of_text(id), &value, &problem, &offset) &&
        value.type != JSON_VIEW_ABSENT) {
        return arena_text(arena, value.raw);
    }
    AUTO(buf) struct buf text;
    buf_init(&text, SIZE_MAX);
    json_print_text(bytes_of_text(id), &text);
    return arena_text(arena, buf_bytes(&text));
}

/* ---- packed: four sizes (u32, little-endian), then the four one behind the other ---- */

static void add_size(struct buf *to, struct bytes part)
{
    uint8_t size[4];
    CHECK(part.size <= UINT32_MAX);
    put_u32le(size, (uint32_t)part.size);
    buf_add(to, size, sizeof size);
}

void vector_row_pack(const struct vector_row *row, struct buf *to)
{
    add_size(to, row->value);
    add_size(to, row->vector);
    add_size(to, row->id);
    add_size(to, row->payload);
    buf_add_bytes(to, row->value);
    buf_add_bytes(to, row->vector);
    buf_add_bytes(to, row->id);
    buf_add_bytes(to, row->payload);
}

bool vector_row_unpack(struct bytes packed, uint32_t dim, struct vector_row *ret_row,
                       struct err *err)
{
    struct vector_row row;
    struct bytes *const parts[] = {&row.value, &row.vector, &row.id, &row.payload};
    if (packed.size < PACK_HEADER) {
        return err_set(err, ERR_CORRUPT, "a row without a place for a vector");
    }
    size_t at = PACK_HEADER;
    for (size_t i = 0; i < LENGTH_OF(parts); i++) {
        size_t size = get_u32le(packed.data + 4 * i);
        if (size > packed.size - at) {
            return err_set(err, ERR_CORRUPT, "a row whose parts are longer than it is");
        }
        *parts[i] = bytes_of(packed.data + at, size);
        at += size;
    }
    bool has_vector = row.vector.size > 0;
    if (at != packed.size || (has_vector && row.vector.size != (size_t)4 * dim) ||
        has_vector != (row.id.size > 0) || (!has_vector && row.payload.size > 0)) {
        return err_set(err, ERR_CORRUPT, "a row whose parts do not fit");
    }
    *ret_row = row;
    return true;
}

uint64_t vector_row_value_bytes(struct bytes packed)
{
    return packed.size < PACK_HEADER ? 0 : get_u32le(packed.data);
}
