/* A Kafka record in, key, value and event time out, as the settings of its topic say. */
#include <stdlib.h>

#include "core/base/utc.h"
#include "core/record/decimal.h"
#include "core/record/decode.h"
#include "core/record/decode_vector.h"
#include "core/record/json_scan.h"
#include "core/record/key.h"
#include "core/record/value_json.h"

struct decoder {
    const struct topic_settings *borrowed_settings;
    struct decode_limits limits;
    struct arena *arena; /* of all that is compiled */
    struct json_pointers *pointers;
    struct json_view views[JSON_POINTERS_MAX]; /* of the record at hand */
    struct buf value;                          /* scratch */
    struct field key;
    struct field event_time;
    struct value_member *members;
    struct decode_vector vector;
    struct field *columns;
    bool scans; /* the payload must be JSON */
    bool wants_headers;
};

/* ---- compiling ---- */

/* Pointers in the order of their slots. */
struct slots {
    const char *pointers[JSON_POINTERS_MAX + 1];
    size_t count;
};

static bool compile_field(struct decoder *decoder, const struct field_ref *ref, struct slots *slots,
                          struct field *ret_field, struct err *err)
{
    *ret_field = (struct field){.source = ref->source};
    if (ref->source == FIELD_HEADER) {
        ret_field->header = bytes_of_text(ref->name);
        decoder->wants_headers = true;
    }
    if (ref->source == FIELD_JSON) {
        if (slots->count == JSON_POINTERS_MAX) {
            return err_set(err, ERR_SETTINGS, "more than %d JSON pointers", JSON_POINTERS_MAX);
        }
        ret_field->slot = slots->count;
        slots->pointers[slots->count++] = ref->name;
    }
    return true;
}

static bool compile_members(struct decoder *decoder, struct slots *slots, struct err *err)
{
    const struct topic_settings *settings = decoder->borrowed_settings;
    if (settings->fields == NULL) {
        return true;
    }
    decoder->members =
        arena_zero(decoder->arena, (settings->field_count + 1) * sizeof *decoder->members);
    for (size_t i = 0; i < settings->field_count; i++) {
        const struct value_field *field = &settings->fields[i];
        if (field->name == NULL || field->name[0] == '\0' ||
            !bytes_are_utf8(bytes_of_text(field->name))) {
            return err_set(err, ERR_SETTINGS, "field %zu of the value has no name in UTF-8", i);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(settings->fields[j].name, field->name) == 0) {
                return err_set(err, ERR_SETTINGS, "the value has the field \"%.100s\" twice",
                               field->name);
            }
        }
        struct value_member *member = &decoder->members[i];
        TRY(compile_field(decoder, &field->from, slots, &member->field, err));
        member->name_json = value_json_name(field->name, decoder->arena);
        member->borrowed_settings = field;
    }
    return true;
}

static bool compile_vector(struct decoder *decoder, struct slots *slots, struct err *err)
{
    const struct topic_vector *vector = &decoder->borrowed_settings->vector;
    decoder->vector.borrowed_settings = vector;
    if (!vector->on) {
        return true;
    }
    if (vector->has_payload && vector->payload.source != FIELD_JSON) {
        return err_set(err, ERR_SETTINGS, "a vector's payload comes from json:, not from %s",
                       field_label(&vector->payload).text);
    }
    return compile_field(decoder, &vector->from, slots, &decoder->vector.from, err) &&
           (!vector->has_id ||
            compile_field(decoder, &vector->id, slots, &decoder->vector.id, err)) &&
           (!vector->has_payload ||
            compile_field(decoder, &vector->payload, slots, &decoder->vector.payload, err));
}

static bool compile_columns(struct decoder *decoder, struct slots *slots, struct err *err)
{
    const struct topic_settings *settings = decoder->borrowed_settings;
    decoder->columns =
        arena_zero(decoder->arena, (settings->column_count + 1) * sizeof *decoder->columns);
    for (size_t i = 0; i < settings->column_count; i++) {
        TRY(compile_field(decoder, &settings->columns[i], slots, &decoder->columns[i], err));
    }
    return true;
}

static bool compile(struct decoder *decoder, struct err *err)
{
    const struct topic_settings *settings = decoder->borrowed_settings;
    struct slots slots = {.count = 0};
    if (settings->event_time.source != FIELD_TIMESTAMP &&
        settings->event_time.source != FIELD_JSON && settings->event_time.source != FIELD_HEADER) {
        return err_set(err, ERR_SETTINGS,
                       "an event time comes from timestamp, json: or header:, not from %s",
                       field_label(&settings->event_time).text);
    }
    TRY(compile_field(decoder, &settings->key, &slots, &decoder->key, err));
    TRY(compile_field(decoder, &settings->event_time, &slots, &decoder->event_time, err));
    TRY(compile_members(decoder, &slots, err));
    TRY(compile_vector(decoder, &slots, err));
    TRY(compile_columns(decoder, &slots, err));
    TRY(json_pointers_compile(slots.pointers, slots.count, decoder->arena, &decoder->pointers,
                              err));
    decoder->scans = settings->format == PAYLOAD_JSON || slots.count > 0;
    return true;
}

bool decoder_new(const struct topic_settings *borrowed_settings, const struct decode_limits *limits,
                 struct decoder **ret_decoder, struct err *err)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    CHECK(decoder != NULL);
    decoder->borrowed_settings = borrowed_settings;
    decoder->limits = *limits;
    decoder->arena = arena_new(4096);
    buf_init(&decoder->value, limits->value_bytes_max);
    if (!compile(decoder, err)) {
        decoder_free(decoder);
        return err_wrap(err, "topic %.100s", borrowed_settings->name);
    }
    *ret_decoder = decoder;
    return true;
}

struct decoder *decoder_free(struct decoder *decoder)
{
    if (decoder != NULL) {
        arena_free(decoder->arena);
        buf_done(&decoder->value);
        free(decoder);
    }
    return NULL;
}

void decoder_auto(struct decoder **decoder)
{
    *decoder = decoder_free(*decoder);
}

bool decoder_wants_headers(const struct decoder *decoder)
{
    return decoder->wants_headers;
}

/* ---- key ---- */

static bool encoding_is_integer(enum key_encoding encoding)
{
    return encoding == KEY_ENCODING_U64BE || encoding == KEY_ENCODING_U32BE;
}

static bool refuse_key(const struct topic_settings *settings, enum reject_cause cause,
                       const char *what, struct bytes seen, struct reject *ret_why)
{
    return reject_set(ret_why, cause, "%s: %s for %s: %s", field_label(&settings->key).text, what,
                      key_encoding_name(settings->key_encoding), reject_excerpt(seen).text);
}

/* Bytes of a message key, a header or the payload. */
static bool key_from_bytes(const struct topic_settings *settings, struct bytes bytes,
                           struct logical_key *ret_key, struct reject *ret_why)
{
    enum key_encoding encoding = settings->key_encoding;
    if (encoding == KEY_ENCODING_RAW) {
        *ret_key = key_of_bytes(bytes);
        return true;
    }
    if (encoding == KEY_ENCODING_UTF8) {
        *ret_key = key_of_text(bytes);
        return bytes_are_utf8(bytes) ||
               refuse_key(settings, REJECT_KEY_TYPE, "not UTF-8", bytes, ret_why);
    }
    if (settings->key_form == KEY_FORM_BINARY) {
        if (bytes.size != (encoding == KEY_ENCODING_U64BE ? 8 : 4)) {
            return refuse_key(settings, REJECT_KEY_TYPE, "not the bytes", bytes, ret_why);
        }
        *ret_key = key_of_u64(bytes.size == 8 ? get_u64be(bytes.data) : get_u32be(bytes.data));
        return true;
    }
    enum reject_cause cause = key_parse_integer(bytes, ret_key);
    return cause == REJECT_NONE ||
           refuse_key(settings, cause,
                      cause == REJECT_KEY_RANGE ? "out of range" : "not a decimal integer", bytes,
                      ret_why);
}

static bool key_from_json(const struct topic_settings *settings, const struct json_view *view,
                          struct arena *arena, struct logical_key *ret_key, struct reject *ret_why)
{
    if (view->type == JSON_VIEW_NULL) {
        return reject_set(ret_why, REJECT_NO_KEY, "%s: null", field_label(&settings->key).text);
    }
    if (encoding_is_integer(settings->key_encoding)) {
        enum reject_cause cause = view->type == JSON_VIEW_NUMBER
                                      ? key_parse_integer(view->raw, ret_key)
                                      : REJECT_KEY_TYPE;
        return cause == REJECT_NONE ||
               refuse_key(settings, cause,
                          cause == REJECT_KEY_RANGE ? "out of range" : "not an integer", view->raw,
                          ret_why);
    }
    if (view->type != JSON_VIEW_STRING) {
        return refuse_key(settings, REJECT_KEY_TYPE, "not a string", view->raw, ret_why);
    }
    *ret_key = key_of_text(json_view_text(view, arena));
    return true;
}

static bool find_key(struct decoder *decoder, const struct field_record *record,
                     struct arena *arena, struct logical_key *ret_key, struct reject *ret_why)
{
    const struct topic_settings *settings = decoder->borrowed_settings;
    struct field_value found = field_find(&decoder->key, record);
    switch (found.kind) {
    case FIELD_ABSENT:
        return reject_set(ret_why, REJECT_NO_KEY, "%s: absent%s", field_label(&settings->key).text,
                          record->raw->value.data == NULL ? " (the payload is null)" : "");
    case FIELD_INTEGER:
        *ret_key =
            key_of_u64(found.integer < 0 ? 0 - (uint64_t)found.integer : (uint64_t)found.integer);
        ret_key->negative = found.integer < 0;
        return true;
    case FIELD_TEXT:
        *ret_key = key_of_text(found.bytes);
        return true;
    case FIELD_BYTES:
        return key_from_bytes(settings, found.bytes, ret_key, ret_why);
    case FIELD_DOCUMENT:
        return key_from_json(settings, &found.view, arena, ret_key, ret_why);
    }
    CHECK(!"a field kind");
    return false;
}

/* For a routing expression: the key, and what its other columns hold. */
static void decode_columns(struct decoder *decoder, const struct field_record *record,
                           const struct logical_key *key, struct arena *arena, struct record *ret)
{
    size_t count = decoder->borrowed_settings->column_count;
    struct field_value *columns = arena_alloc(arena, count * sizeof *columns);
    for (size_t i = 0; i < count; i++) {
        columns[i] = field_find(&decoder->columns[i], record);
    }
    struct logical_key *logical = arena_alloc(arena, sizeof *logical);
    *logical = *key;
    ret->columns = columns;
    ret->logical = logical;
}

static bool decode_key(struct decoder *decoder, const struct field_record *record,
                       struct arena *arena, struct logical_key *ret_key, struct record *ret,
                       struct reject *ret_why)
{
    const struct topic_settings *settings = decoder->borrowed_settings;
    struct logical_key key = {0};
    TRY(find_key(decoder, record, arena, &key, ret_why));
    *ret_key = key;
    uint8_t *stored = NULL;
    uint8_t *routing = NULL;
    if (key.type == KEY_INTEGER) {
        stored = arena_alloc(arena, (size_t)2 * KEY_INTEGER_BYTES_MAX);
        routing = stored + KEY_INTEGER_BYTES_MAX;
    }
    enum reject_cause cause = key_store(settings->key_encoding, &key, stored, &ret->key);
    if (cause != REJECT_NONE) {
        return reject_set(ret_why, cause, "%s: %s%llu does not fit %s",
                          field_label(&settings->key).text, key.negative ? "-" : "",
                          (unsigned long long)key.magnitude,
                          key_encoding_name(settings->key_encoding));
    }
    if (ret->key.size < decoder->limits.key_bytes_min) {
        return reject_set(ret_why, REJECT_NO_KEY,
                          "%s: an empty key, which SlateDB has no place for",
                          field_label(&settings->key).text);
    }
    if (ret->key.size > decoder->limits.key_bytes_max) {
        return reject_set(ret_why, REJECT_TOO_LARGE, "a key of %zu bytes, at most %llu are allowed",
                          ret->key.size, (unsigned long long)decoder->limits.key_bytes_max);
    }
    if (key_route(&key, routing, &ret->routing) != REJECT_NONE) {
        ret->routing = (struct bytes){0};
    }
    if (settings->column_count > 0) {
        decode_columns(decoder, record, &key, arena, ret);
    }
    return true;
}

/* ---- event time ---- */

static int power_of(enum time_unit unit)
{
    return unit == TIME_S ? 6 : unit == TIME_MS ? 3 : 0;
}

static bool parse_time(enum time_unit unit, struct bytes text, int64_t *ret_time_us)
{
    if (unit == TIME_RFC3339) {
        struct err err;
        return utc_parse(text, ret_time_us, &err);
    }
    return decimal_scale(text, power_of(unit), ret_time_us);
}

static bool time_of_timestamp(const struct raw_record *raw, int64_t *ret_time_us,
                              struct reject *ret_why)
{
    if (raw->timestamp_ms < 0) {
        return reject_set(ret_why, REJECT_NO_EVENT_TIME, "the record has no timestamp");
    }
    if (raw->timestamp_ms > UTC_MAX_US / 1000) {
        return reject_set(ret_why, REJECT_BAD_EVENT_TIME, "a timestamp of %lld ms",
                          (long long)raw->timestamp_ms);
    }
    *ret_time_us = raw->timestamp_ms * 1000;
    return true;
}

static bool decode_time(struct decoder *decoder, const struct field_record *record,
                        struct arena *arena, struct record *ret, struct reject *ret_why)
{
    const struct topic_settings *settings = decoder->borrowed_settings;
    enum field_source source = decoder->event_time.source;
    if (source == FIELD_TIMESTAMP || (source == FIELD_JSON && record->raw->value.data == NULL)) {
        return time_of_timestamp(record->raw, &ret->event_time_us, ret_why);
    }
    struct field_value found = field_find(&decoder->event_time, record);
    bool null = found.kind == FIELD_DOCUMENT && found.view.type == JSON_VIEW_NULL;
    if (found.kind == FIELD_ABSENT || null) {
        return reject_set(ret_why, REJECT_NO_EVENT_TIME, "%s: %s",
                          field_label(&settings->event_time).text, null ? "null" : "absent");
    }
    struct bytes text = found.bytes;
    bool usable = true;
    if (found.kind == FIELD_DOCUMENT) {
        text = found.view.raw;
        if (found.view.type == JSON_VIEW_STRING) {
            text = json_view_text(&found.view, arena);
        } else {
            usable = found.view.type == JSON_VIEW_NUMBER && settings->time_unit != TIME_RFC3339;
        }
    }
    static const char *const units[] = {"ms", "us", "s", "rfc3339"};
    if (!usable || !parse_time(settings->time_unit, text, &ret->event_time_us) ||
        !utc_in_range(ret->event_time_us)) {
        return reject_set(ret_why, REJECT_BAD_EVENT_TIME, "%s: not a time in %s: %s",
                          field_label(&settings->event_time).text, units[settings->time_unit],
                          reject_excerpt(text).text);
    }
    return true;
}

/* ---- value ---- */

static bool scan_payload(struct decoder *decoder, const struct raw_record *raw,
                         struct reject *ret_why)
{
    if (raw->value.data == NULL) {
        memset(decoder->views, 0, sizeof decoder->views);
        return true;
    }
    const char *problem = NULL;
    size_t offset = 0;
    if (!json_scan(decoder->pointers, raw->value, decoder->views, &problem, &offset)) {
        size_t from = offset < 16 ? 0 : offset - 16;
        return reject_set(
            ret_why, REJECT_BAD_JSON, "%s at byte %zu: %s", problem, offset,
            reject_excerpt(bytes_of(raw->value.data + from, raw->value.size - from)).text);
    }
    return true;
}

static bool decode_value(struct decoder *decoder, const struct field_record *record,
                         struct arena *arena, struct record *ret, struct reject *ret_why)
{
    const struct topic_settings *settings = decoder->borrowed_settings;
    ret->tombstone = record->raw->value.data == NULL;
    if (ret->tombstone) {
        ret->value = bytes_of("", 0);
        return true;
    }
    ret->value = record->raw->value;
    uint64_t limit = decoder->limits.value_bytes_max;
    if (settings->fields != NULL) {
        buf_clear(&decoder->value);
        TRY(value_json_build(decoder->members, settings->field_count, record, decoder->scans,
                             &decoder->value, ret_why));
        if (decoder->value.overflowed) {
            return reject_set(ret_why, REJECT_TOO_LARGE, "the fields make a value over %llu bytes",
                              (unsigned long long)limit);
        }
        ret->value = arena_copy(arena, buf_bytes(&decoder->value));
    }
    if (ret->value.size > limit) {
        return reject_set(ret_why, REJECT_TOO_LARGE,
                          "a value of %zu bytes, at most %llu are allowed", ret->value.size,
                          (unsigned long long)limit);
    }
    return true;
}

bool decode_record(struct decoder *decoder, const struct raw_record *raw, struct arena *arena,
                   struct record *ret, struct reject *ret_why)
{
    struct record record = {.place = raw->place};
    struct field_record source = {
        .raw = raw, .views = decoder->views, .topic = decoder->borrowed_settings->name};
    if (decoder->scans) {
        TRY(scan_payload(decoder, raw, ret_why));
    }
    struct logical_key key;
    TRY(decode_key(decoder, &source, arena, &key, &record, ret_why));
    TRY(decode_time(decoder, &source, arena, &record, ret_why));
    TRY(decode_value(decoder, &source, arena, &record, ret_why));
    if (decoder->vector.borrowed_settings->dim > 0 && !record.tombstone) {
        TRY(decode_vector_pack(&decoder->vector, &source, &key, record.value, arena, &record.value,
                               ret_why));
    }
    *ret = record;
    return true;
}
