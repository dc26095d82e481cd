/* The vector of a record, with its id and payload, as the settings of its topic say.
 *
 * The vector: a JSON array of numbers, or float32 bytes (little-endian) of a header, the message
 * key or the payload. The id: the row's key, or a JSON string or integer, or text. The payload: any
 * JSON but null, which is none. */
#include "core/record/decode_vector.h"

#include <inttypes.h>

#include "core/base/json.h"
#include "core/record/vector.h"

static bool refuse(const struct field_ref *from, const char *problem, struct bytes seen,
                   struct reject *ret_why)
{
    return reject_set(ret_why, REJECT_VECTOR, "%s: %s: %s", field_label(from).text, problem,
                      reject_excerpt(seen).text);
}

/* ---- the vector ---- */

static bool is_absent(const struct field_value *found)
{
    return found->kind == FIELD_ABSENT ||
           (found->kind == FIELD_DOCUMENT && found->view.type == JSON_VIEW_NULL);
}

/* *ret_vector empty: there is none, and there need not be one. */
static bool take_vector(const struct decode_vector *vector, const struct field_record *record,
                        struct arena *arena, struct bytes *ret_vector, struct reject *ret_why)
{
    const struct topic_vector *settings = vector->borrowed_settings;
    *ret_vector = (struct bytes){0};
    struct field_value found = {.kind = FIELD_ABSENT};
    if (settings->on) {
        found = field_find(&vector->from, record);
    }
    if (is_absent(&found)) {
        return !settings->on || !settings->required ||
               refuse(&settings->from, "no vector", (struct bytes){0}, ret_why);
    }
    const char *problem = NULL;
    size_t index = 0;
    struct bytes bytes = found.bytes;
    if (found.kind == FIELD_DOCUMENT) {
        uint8_t *numbers = arena_alloc(arena, (size_t)4 * settings->dim);
        if (!vector_from_json(found.view.raw, settings->dim, numbers, &problem, &index)) {
            return reject_set(ret_why, REJECT_VECTOR, "%s: %s (%" PRIu32 "), number %zu: %s",
                              field_label(&settings->from).text, problem, settings->dim, index,
                              reject_excerpt(found.view.raw).text);
        }
        bytes = bytes_of(numbers, (size_t)4 * settings->dim);
    }
    if (!vector_check(bytes, settings->dim, settings->metric, &problem, &index)) {
        return reject_set(ret_why, REJECT_VECTOR, "%s: %s (%" PRIu32 "), number %zu",
                          field_label(&settings->from).text, problem, settings->dim, index);
    }
    *ret_vector = bytes;
    return true;
}

/* ---- its id ---- */

static void print_text_id(struct bytes text, struct buf *to)
{
    buf_add_text(to, "{\"v\": ");
    json_print_text(text, to);
    buf_add_text(to, ", \"t\": \"str\"}");
}

static void print_integer_id(const struct logical_key *key, struct buf *to)
{
    buf_add_format(to, "{\"v\": %s%" PRIu64 ", \"t\": \"int\"}", key->negative ? "-" : "",
                   key->magnitude);
}

static bool print_id_of(const struct field_ref *from, const struct field_value *found,
                        struct arena *arena, struct buf *to, struct reject *ret_why)
{
    struct logical_key key = {0};
    if (found->kind == FIELD_DOCUMENT && found->view.type == JSON_VIEW_STRING) {
        print_text_id(json_view_text(&found->view, arena), to);
        return true;
    }
    if (found->kind == FIELD_DOCUMENT) {
        if (found->view.type != JSON_VIEW_NUMBER ||
            key_parse_integer(found->view.raw, &key) != REJECT_NONE) {
            return refuse(from, "an id is a string or an integer", found->view.raw, ret_why);
        }
        print_integer_id(&key, to);
        return true;
    }
    if (!bytes_are_utf8(found->bytes)) {
        return refuse(from, "an id that is not UTF-8", found->bytes, ret_why);
    }
    print_text_id(found->bytes, to);
    return true;
}

static bool print_id(const struct decode_vector *vector, const struct field_record *record,
                     const struct logical_key *key, struct arena *arena, struct buf *to,
                     struct reject *ret_why)
{
    static const struct field_ref the_key = {.source = FIELD_KEY};
    const struct topic_vector *settings = vector->borrowed_settings;
    if (settings->has_id) {
        struct field_value found = field_find(&vector->id, record);
        return is_absent(&found) ? refuse(&settings->id, "no id", (struct bytes){0}, ret_why)
                                 : print_id_of(&settings->id, &found, arena, to, ret_why);
    }
    if (key->type == KEY_INTEGER) {
        print_integer_id(key, to);
        return true;
    }
    struct field_value found = {.kind = FIELD_BYTES, .bytes = key->bytes};
    return print_id_of(&the_key, &found, arena, to, ret_why);
}

/* ---- all of it ---- */

bool decode_vector_pack(const struct decode_vector *vector, const struct field_record *record,
                        const struct logical_key *key, struct bytes value, struct arena *arena,
                        struct bytes *ret_value, struct reject *ret_why)
{
    const struct topic_vector *settings = vector->borrowed_settings;
    struct vector_row row = {.value = value};
    AUTO(buf) struct buf id;
    AUTO(buf) struct buf packed;
    buf_init(&id, SIZE_MAX);
    buf_init(&packed, SIZE_MAX);
    TRY(take_vector(vector, record, arena, &row.vector, ret_why));
    if (row.vector.size > 0) {
        TRY(print_id(vector, record, key, arena, &id, ret_why));
        row.id = buf_bytes(&id);
    }
    if (row.vector.size > 0 && settings->has_payload) {
        struct field_value found = field_find(&vector->payload, record);
        row.payload = is_absent(&found) ? (struct bytes){0} : found.view.raw;
    }
    vector_row_pack(&row, &packed);
    *ret_value = arena_copy(arena, buf_bytes(&packed));
    return true;
}
