/* Structs to JSON and back, by a table of their fields. */
#include "core/coord/message_codec.h"

#include "core/window/cut.h"

/* A field's place in its struct. The tables are made with offsetof, so the types agree. */
static const void *at_offset(const void *value, size_t offset)
{
    return (const char *)value + offset;
}

static void *to_offset(void *value, size_t offset)
{
    return (char *)value + offset;
}

bool codec_name_ok(const char *name, size_t size_max)
{
    size_t size = strlen(name);
    if (size == 0 || size > size_max) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '/') {
            return false;
        }
    }
    return true;
}

/* ---- encode ---- */

static int64_t integer_of(const struct codec_field *field, const void *place)
{
    if (field->type == CODEC_I64) {
        return *(const int64_t *)place;
    }
    return field->type == CODEC_I32 ? *(const int32_t *)place : (int64_t) * (const uint32_t *)place;
}

/* True when an optional field has the value that is not written. */
static bool is_default(const struct codec_field *field, const void *value)
{
    const void *place = at_offset(value, field->offset);
    switch (field->type) {
    case CODEC_TEXT_OR_NULL:
        return *(const char *const *)place == NULL;
    case CODEC_TEXT:
    case CODEC_NAME:
        return field->optional &&
               (*(const char *const *)place == NULL || (*(const char *const *)place)[0] == '\0');
    case CODEC_I64:
    case CODEC_I32:
    case CODEC_U32:
        return field->optional && integer_of(field, place) == field->none;
    case CODEC_U64:
        return field->optional && *(const uint64_t *)place == 0;
    case CODEC_BOOL:
        return field->optional && !*(const bool *)place;
    case CODEC_LIST:
    case CODEC_TEXTS:
    case CODEC_U32S:
        return field->optional && *(const size_t *)at_offset(value, field->count_offset) == 0;
    case CODEC_STRUCT:
        return field->optional && !*(const bool *)at_offset(value, field->count_offset);
    case CODEC_ENUM:
    case CODEC_PARTITION:
        return false;
    }
    return false;
}

/* Into an object under its name, or at the end of a tuple. */
static void add(cJSON *to, const char *name, cJSON *take_value)
{
    if (cJSON_IsArray(to)) {
        CHECK(take_value != NULL && cJSON_AddItemToArray(to, take_value));
    } else {
        json_put(to, name, take_value);
    }
}

static void add_integer(cJSON *to, const char *name, int64_t value)
{
    if (cJSON_IsArray(to)) {
        json_add_i64(to, value);
    } else {
        json_put_i64(to, name, value);
    }
}

static void encode_list(const struct codec_field *field, const void *value, cJSON *to)
{
    const char *items = *(const char *const *)at_offset(value, field->offset);
    size_t count = *(const size_t *)at_offset(value, field->count_offset);
    cJSON *list = json_new_array();
    for (size_t i = 0; i < count; i++) {
        cJSON *item = field->items->tuple ? json_add_array(list) : json_add_object(list);
        codec_encode(field->items, items + i * field->items->size, item);
    }
    add(to, field->name, list);
}

static void encode_texts(const struct codec_field *field, const void *value, cJSON *to)
{
    const char *const *texts = *(const char *const *const *)at_offset(value, field->offset);
    size_t count = *(const size_t *)at_offset(value, field->count_offset);
    cJSON *list = json_new_array();
    for (size_t i = 0; i < count; i++) {
        json_add_text(list, texts[i]);
    }
    add(to, field->name, list);
}

static void encode_numbers(const struct codec_field *field, const void *value, cJSON *to)
{
    const uint32_t *numbers = *(const uint32_t *const *)at_offset(value, field->offset);
    size_t count = *(const size_t *)at_offset(value, field->count_offset);
    cJSON *list = json_new_array();
    for (size_t i = 0; i < count; i++) {
        json_add_i64(list, numbers[i]);
    }
    add(to, field->name, list);
}

static void encode_field(const struct codec_field *field, const void *value, cJSON *to)
{
    const void *place = at_offset(value, field->offset);
    switch (field->type) {
    case CODEC_TEXT:
    case CODEC_TEXT_OR_NULL:
    case CODEC_NAME:
        add(to, field->name, cJSON_CreateString(*(const char *const *)place));
        break;
    case CODEC_I64:
    case CODEC_I32:
    case CODEC_U32:
        add_integer(to, field->name, integer_of(field, place));
        break;
    case CODEC_U64: {
        uint64_t number = *(const uint64_t *)place;
        if (number <= (uint64_t)INT64_MAX) {
            add_integer(to, field->name, (int64_t)number);
        } else {
            CHECK(cJSON_IsObject(to));
            json_put_u64(to, field->name, number);
        }
        break;
    }
    case CODEC_BOOL:
        add(to, field->name, cJSON_CreateBool(*(const bool *)place));
        break;
    case CODEC_ENUM: {
        unsigned index = *(const unsigned *)place;
        CHECK(index < field->name_count);
        add(to, field->name, cJSON_CreateString(field->names[index]));
        break;
    }
    case CODEC_PARTITION: {
        const struct partition_id *id = place;
        add(to, "topic", cJSON_CreateString(id->topic));
        add_integer(to, "partition", id->number);
        break;
    }
    case CODEC_STRUCT: {
        cJSON *object = json_new_object();
        codec_encode(field->items, place, object);
        add(to, field->name, object);
        break;
    }
    case CODEC_LIST:
        encode_list(field, value, to);
        break;
    case CODEC_TEXTS:
        encode_texts(field, value, to);
        break;
    case CODEC_U32S:
        encode_numbers(field, value, to);
        break;
    }
}

void codec_encode(const struct codec_schema *schema, const void *value, cJSON *object)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->tuple || !is_default(&schema->fields[i], value)) {
            encode_field(&schema->fields[i], value, object);
        }
    }
}

/* ---- the limits ---- */

static bool text_fits(const struct codec_field *field, const char *text, struct err *err)
{
    size_t size = text == NULL ? 0 : strlen(text);
    return size <= field->text_max || err_set(err, ERR_INPUT, "%s: %zu bytes, at most %zu",
                                              field->name, size, field->text_max);
}

static bool count_fits(const struct codec_field *field, size_t count, struct err *err)
{
    return count <= field->count_max ||
           err_set(err, ERR_INPUT, "%s: %zu, at most %zu", field->name, count, field->count_max);
}

static bool list_fits(const struct codec_field *field, const void *value, struct err *err)
{
    const char *items = *(const char *const *)at_offset(value, field->offset);
    size_t count = *(const size_t *)at_offset(value, field->count_offset);
    TRY(count_fits(field, count, err));
    for (size_t i = 0; i < count; i++) {
        TRY(codec_fits(field->items, items + i * field->items->size, err));
    }
    return true;
}

static bool texts_fit(const struct codec_field *field, const void *value, struct err *err)
{
    const char *const *texts = *(const char *const *const *)at_offset(value, field->offset);
    size_t count = *(const size_t *)at_offset(value, field->count_offset);
    TRY(count_fits(field, count, err));
    for (size_t i = 0; i < count; i++) {
        TRY(text_fits(field, texts[i], err));
    }
    return true;
}

bool codec_fits(const struct codec_schema *schema, const void *value, struct err *err)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct codec_field *field = &schema->fields[i];
        if (!schema->tuple && is_default(field, value)) {
            continue;
        }
        if (field->type == CODEC_LIST) {
            TRY(list_fits(field, value, err));
        } else if (field->type == CODEC_TEXTS) {
            TRY(texts_fit(field, value, err));
        } else if (field->type == CODEC_U32S) {
            TRY(count_fits(field, *(const size_t *)at_offset(value, field->count_offset), err));
        } else if (field->type == CODEC_STRUCT) {
            TRY(codec_fits(field->items, at_offset(value, field->offset), err));
        } else if (field->type == CODEC_TEXT || field->type == CODEC_TEXT_OR_NULL ||
                   field->type == CODEC_NAME) {
            TRY(text_fits(field, *(const char *const *)at_offset(value, field->offset), err));
        }
    }
    return true;
}

/* ---- decode ---- */

static bool decode_struct(const struct codec_schema *schema, const struct json *at, bool tuple,
                          struct arena *arena, void *value, struct err *err);

static bool decode_text(const struct codec_field *field, const struct json *at, const char *name,
                        struct arena *arena, const char **out, struct err *err)
{
    const char *text = NULL;
    TRY(json_text(at, name, field->text_max, &text, err));
    if (field->type == CODEC_NAME && !(field->optional && text[0] == '\0') &&
        !codec_name_ok(text, field->text_max)) {
        return json_refuse(at, name, err, "not a name (printable ASCII without blank and '/')");
    }
    *out = arena_text(arena, bytes_of_text(text));
    return true;
}

static bool decode_enum(const struct codec_field *field, const struct json *at, const char *name,
                        unsigned *out, struct err *err)
{
    const char *text = NULL;
    TRY(json_text(at, name, field->text_max, &text, err));
    for (unsigned i = 0; i < field->name_count; i++) {
        if (strcmp(text, field->names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return json_refuse(at, name, err, "unknown: %.40s", text);
}

static bool check_sorted(const struct codec_schema *schema, const struct json *list,
                         const char *items, size_t count, struct err *err)
{
    for (size_t i = 1; schema->sorted && i < count; i++) {
        const struct partition_id *before = at_offset(items, (i - 1) * schema->size);
        const struct partition_id *id = at_offset(items, i * schema->size);
        if (partition_id_compare(*before, *id) >= 0) {
            return json_refuse(list, NULL, err, "%.100s/%d: not in order, or twice", id->topic,
                               id->number);
        }
    }
    return true;
}

static bool decode_list(const struct codec_field *field, const struct json *at, const char *name,
                        struct arena *arena, void *value, struct err *err)
{
    struct json list;
    size_t count = 0;
    TRY(json_array(at, name, field->count_max, &list, &count, err));
    struct json item = {0};
    size_t size = field->type == CODEC_LIST    ? field->items->size
                  : field->type == CODEC_TEXTS ? sizeof(const char *)
                                               : sizeof(uint32_t);
    char *items = arena_zero(arena, count * size);
    for (size_t i = 0; i < count; i++) {
        void *place = items + i * size;
        json_item(&list, i, &item);
        if (field->type == CODEC_LIST) {
            TRY(decode_struct(field->items, &item, field->items->tuple, arena, place, err));
        } else if (field->type == CODEC_TEXTS) {
            TRY(decode_text(field, &item, NULL, arena, place, err));
        } else {
            int64_t number = 0;
            TRY(json_i64(&item, NULL, field->min, field->max, &number, err));
            *(uint32_t *)place = (uint32_t)number;
        }
    }
    if (field->type == CODEC_LIST) {
        TRY(check_sorted(field->items, &list, items, count, err));
    }
    memcpy(to_offset(value, field->offset), &items, sizeof items);
    *(size_t *)to_offset(value, field->count_offset) = count;
    return true;
}

static void set_integer(const struct codec_field *field, void *place, int64_t number)
{
    if (field->type == CODEC_I64) {
        *(int64_t *)place = number;
    } else if (field->type == CODEC_I32) {
        *(int32_t *)place = (int32_t)number;
    } else {
        *(uint32_t *)place = (uint32_t)number;
    }
}

static void set_default(const struct codec_field *field, void *place)
{
    switch (field->type) {
    case CODEC_TEXT:
    case CODEC_NAME:
        *(const char **)place = "";
        break;
    case CODEC_I64:
    case CODEC_I32:
    case CODEC_U32:
        set_integer(field, place, field->none);
        break;
    case CODEC_TEXT_OR_NULL:
    case CODEC_U64:
    case CODEC_BOOL:
    case CODEC_ENUM:
    case CODEC_PARTITION:
    case CODEC_STRUCT:
    case CODEC_LIST:
    case CODEC_TEXTS:
    case CODEC_U32S:
        break; /* zero, as it is */
    }
}

static bool decode_partition(const struct json *at, struct arena *arena, struct partition_id *out,
                             struct err *err)
{
    const char *topic = NULL;
    int64_t number = 0;
    TRY(json_text(at, "topic", 249, &topic, err));
    TRY(json_i64(at, "partition", 0, INT32_MAX, &number, err));
    if (topic[0] == '\0') {
        return json_refuse(at, "topic", err, "empty");
    }
    *out = (struct partition_id){.topic = arena_text(arena, bytes_of_text(topic)),
                                 .number = (int32_t)number};
    return true;
}

/* `name` is NULL in a tuple, where `at` is the value itself. */
static bool decode_field(const struct codec_field *field, const struct json *at, const char *name,
                         struct arena *arena, void *value, struct err *err)
{
    void *place = to_offset(value, field->offset);
    bool may_miss = field->optional || field->type == CODEC_TEXT_OR_NULL;
    if (name != NULL && may_miss && !json_has(at, name)) {
        set_default(field, place);
        return true;
    }
    switch (field->type) {
    case CODEC_TEXT:
    case CODEC_TEXT_OR_NULL:
    case CODEC_NAME:
        return decode_text(field, at, name, arena, place, err);
    case CODEC_I64:
    case CODEC_I32:
    case CODEC_U32: {
        int64_t number = 0;
        TRY(json_i64(at, name, field->min, field->max, &number, err));
        set_integer(field, place, number);
        return true;
    }
    case CODEC_U64:
        return json_u64(at, name, place, err);
    case CODEC_BOOL:
        return json_bool(at, name, place, err);
    case CODEC_ENUM:
        return decode_enum(field, at, name, place, err);
    case CODEC_PARTITION:
        return decode_partition(at, arena, place, err);
    case CODEC_STRUCT: {
        struct json object;
        TRY(json_object(at, name, &object, err));
        if (field->optional) {
            *(bool *)to_offset(value, field->count_offset) = true;
        }
        return decode_struct(field->items, &object, false, arena, place, err);
    }
    case CODEC_LIST:
    case CODEC_TEXTS:
    case CODEC_U32S:
        return decode_list(field, at, name, arena, value, err);
    }
    return false;
}

static bool decode_struct(const struct codec_schema *schema, const struct json *at, bool tuple,
                          struct arena *arena, void *value, struct err *err)
{
    memset(value, 0, schema->size);
    if (!tuple) {
        for (size_t i = 0; i < schema->field_count; i++) {
            TRY(decode_field(&schema->fields[i], at, schema->fields[i].name, arena, value, err));
        }
        return true;
    }
    struct json items;
    size_t count = 0;
    TRY(json_array(at, NULL, schema->field_count, &items, &count, err));
    if (count != schema->field_count) {
        return json_refuse(at, NULL, err, "%zu items instead of %zu", count, schema->field_count);
    }
    struct json item = {0};
    for (size_t i = 0; i < count; i++) {
        json_item(&items, i, &item);
        TRY(decode_field(&schema->fields[i], &item, NULL, arena, value, err));
    }
    return true;
}

bool codec_decode(const struct codec_schema *schema, const struct json *at, struct arena *arena,
                  void *value, struct err *err)
{
    return decode_struct(schema, at, false, arena, value, err);
}
