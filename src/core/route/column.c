/* A column of a routing expression, from where a record or a reader has it (snapshot format,
 * section 5: binding). */
#include "core/route/column.h"

#include "core/route/cel/cel.h"
#include "core/route/cel/cel_foreign.h"

static struct cel_binding fault(const char *text)
{
    return (struct cel_binding){.fault = text};
}

static struct cel_binding of_integer(enum column_type type, bool negative, uint64_t magnitude)
{
    struct cel_binding binding = {0};
    switch (type) {
    case COLUMN_INT:
        if (magnitude > (uint64_t)INT64_MAX + negative) {
            return fault("a column outside of what an int can hold");
        }
        binding.value = cel_value_int(negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
        return binding;
    case COLUMN_UINT:
        if (negative && magnitude > 0) {
            return fault("a column of type uint that is negative");
        }
        binding.value = cel_value_uint(magnitude);
        return binding;
    case COLUMN_DOUBLE:
        binding.value = cel_value_double(negative ? -(double)magnitude : (double)magnitude);
        return binding;
    case COLUMN_BOOL:
    case COLUMN_STRING:
    case COLUMN_BYTES:
        break;
    }
    return fault("a column that holds a number, and is of another type");
}

static struct cel_binding of_decimal(enum column_type type, struct bytes text)
{
    struct logical_key number;
    enum reject_cause cause = key_parse_integer(text, &number);
    if (cause == REJECT_KEY_RANGE) {
        return fault("a column outside of what an int or uint can hold");
    }
    return cause == REJECT_NONE ? of_integer(type, number.negative, number.magnitude)
                                : fault("a column that is not an integer");
}

static struct cel_binding of_real(struct bytes text)
{
    struct cel_binding binding = {0};
    double real = 0;
    bool negative = text.size > 0 && text.data[0] == '-';
    if (negative) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    if (text.size == 0 || !cel_foreign_parse_double(text.data, text.size, &real)) {
        return fault("a column that is not a number");
    }
    binding.value = cel_value_double(negative ? -real : real);
    return binding;
}

static struct cel_binding of_bytes(enum column_type type, struct bytes bytes)
{
    struct cel_binding binding = {0};
    bool is_true = bytes_equal(bytes, bytes_of_text("true"));
    switch (type) {
    case COLUMN_INT:
    case COLUMN_UINT:
        return of_decimal(type, bytes);
    case COLUMN_DOUBLE:
        return of_real(bytes);
    case COLUMN_BOOL:
        if (!is_true && !bytes_equal(bytes, bytes_of_text("false"))) {
            return fault("a column that is neither true nor false");
        }
        binding.value = cel_value_bool(is_true);
        return binding;
    case COLUMN_STRING:
        if (!bytes_are_utf8(bytes)) {
            return fault("a column of type string that is not UTF-8");
        }
        binding.value = cel_value_string(cel_column_bytes(bytes));
        return binding;
    case COLUMN_BYTES:
        binding.value = cel_value_bytes(cel_column_bytes(bytes));
        return binding;
    }
    CHECK(!"a column of no type");
    return binding;
}

/* As the readers' JSON gives it to their CEL: true and false are integers there. */
static struct cel_binding of_json(enum column_type type, const struct json_view *view,
                                  struct arena *arena)
{
    bool truth = view->type == JSON_VIEW_TRUE;
    bool is_bool = truth || view->type == JSON_VIEW_FALSE;
    struct cel_binding binding = {0};
    if (view->type == JSON_VIEW_NULL) {
        return fault("a column that is null");
    }
    if (type == COLUMN_BYTES) {
        return fault("a column of type bytes, which JSON does not have");
    }
    if (type == COLUMN_STRING) {
        return view->type == JSON_VIEW_STRING ? of_bytes(type, json_view_text(view, arena))
                                              : fault("a column that is not a string");
    }
    if (type == COLUMN_BOOL) {
        binding.value = cel_value_bool(truth);
        return is_bool ? binding : fault("a column that is neither true nor false");
    }
    if (is_bool) {
        return of_integer(type, false, truth);
    }
    if (view->type != JSON_VIEW_NUMBER) {
        return fault("a column that is not a number");
    }
    return type == COLUMN_DOUBLE ? of_real(view->raw) : of_decimal(type, view->raw);
}

struct cel_binding column_of_field(enum column_type type, const struct field_value *field,
                                   struct arena *arena)
{
    switch (field->kind) {
    case FIELD_ABSENT:
        return fault("a column that the record does not have");
    case FIELD_BYTES:
    case FIELD_TEXT:
        return of_bytes(type, field->bytes);
    case FIELD_INTEGER:
        return of_integer(type, field->integer < 0,
                          field->integer < 0 ? 0 - (uint64_t)field->integer
                                             : (uint64_t)field->integer);
    case FIELD_DOCUMENT:
        return of_json(type, &field->view, arena);
    }
    CHECK(!"a field of no kind");
    return fault("");
}

struct cel_binding column_of_key(enum column_type type, const struct logical_key *key)
{
    if (key->type == KEY_INTEGER && (type == COLUMN_INT || type == COLUMN_UINT)) {
        return of_integer(type, key->negative, key->magnitude);
    }
    if ((key->type == KEY_TEXT && type == COLUMN_STRING) ||
        (key->type == KEY_BYTES && type == COLUMN_BYTES)) {
        return of_bytes(type, key->bytes);
    }
    return fault("a key of another type than its column");
}

bool column_takes_key(enum column_type type, enum key_encoding encoding)
{
    switch (encoding) {
    case KEY_ENCODING_U64BE:
    case KEY_ENCODING_U32BE:
        return type == COLUMN_INT || type == COLUMN_UINT;
    case KEY_ENCODING_UTF8:
        return type == COLUMN_STRING;
    case KEY_ENCODING_RAW:
        return type == COLUMN_BYTES;
    }
    return false;
}

bool column_of_argument(enum column_type type, const char *text, struct arena *arena,
                        struct cel_binding *ret_binding, struct err *err)
{
    struct bytes bytes = bytes_of_text(text);
    if (type == COLUMN_BYTES) {
        struct logical_key key;
        TRY(key_from_argument(KEY_ENCODING_RAW, text, arena, &key, err));
        bytes = key.bytes;
    }
    *ret_binding = of_bytes(type, bytes);
    return ret_binding->fault == NULL ||
           err_set(err, ERR_INPUT, "%.60s: %s", text, ret_binding->fault);
}
