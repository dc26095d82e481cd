/* Records of any bytes: a record within its limits, or a reject with a short printable reason. */
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/utc.h"
#include "core/record/decode.h"
#include "core/record/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct value_field fields[] = {
    {"a", {FIELD_JSON, "/a"}, false},  {"h", {FIELD_HEADER, "h"}, false},
    {"k", {FIELD_KEY, NULL}, false},   {"v", {FIELD_VALUE, NULL}, false},
    {"o", {FIELD_OFFSET, NULL}, true},
};

/* The first byte chooses the settings, the fourth those of vectors. */
static struct topic_settings settings_of(uint8_t choice)
{
    static const struct field_ref keys[] = {
        {FIELD_KEY, NULL}, {FIELD_JSON, "/id"}, {FIELD_HEADER, "h"}, {FIELD_OFFSET, NULL}};
    static const struct field_ref times[] = {
        {FIELD_TIMESTAMP, NULL}, {FIELD_JSON, "/at"}, {FIELD_HEADER, "h"}};
    return (struct topic_settings){
        .name = "t",
        .format = (choice & 1) != 0 ? PAYLOAD_JSON : PAYLOAD_RAW,
        .key = keys[choice >> 1 & 3],
        .key_encoding = (enum key_encoding)(choice >> 3 & 3),
        .key_form = (choice & 32) != 0 ? KEY_FORM_BINARY : KEY_FORM_TEXT,
        .fields = (choice & 64) != 0 ? fields : NULL,
        .field_count = LENGTH_OF(fields),
        .event_time = times[choice % 3],
        .time_unit = (enum time_unit)(choice / 3 % 4),
    };
}

/* Cuts `size` bytes off the front, as a copy of their own, so that a read past them is seen. */
static struct bytes take(struct bytes *rest, size_t size, struct arena *arena)
{
    size = size < rest->size ? size : rest->size;
    struct bytes taken = arena_copy(arena, bytes_of(rest->data, size));
    *rest = bytes_of(rest->data + size, rest->size - size);
    return taken;
}

static void check_fields(struct bytes value, struct arena *arena)
{
    struct json_pointers *pointers = NULL;
    struct json_view view;
    struct err err = {0};
    const char *problem = NULL;
    size_t offset = 0;
    CHECK(json_pointers_compile((const char *const[]){"/o"}, 1, arena, &pointers, &err));
    CHECK(json_scan(pointers, value, &view, &problem, &offset));
    CHECK(bytes_equal(view.raw, bytes_of_text("7")));
}

static const struct topic_vector vectors[] = {
    {.dim = 0},
    {.dim = 2,
     .on = true,
     .from = {FIELD_JSON, "/v"},
     .has_payload = true,
     .payload = {FIELD_JSON, "/p"}},
    {.dim = 1,
     .on = true,
     .from = {FIELD_HEADER, "h"},
     .required = true,
     .has_id = true,
     .id = {FIELD_JSON, "/i"}},
    {.dim = 3,
     .on = true,
     .from = {FIELD_VALUE, NULL},
     .metric = VECTOR_L2,
     .has_id = true,
     .id = {FIELD_KEY, NULL}},
};

/* Packed with its vector, or as it was. */
static void check_value(const struct topic_settings *settings, const struct record *record,
                        uint64_t value_bytes_max, struct arena *arena)
{
    struct vector_row row = {.value = record->value};
    struct err err = {0};
    if (settings->vector.dim > 0 && !record->tombstone) {
        CHECK(vector_row_unpack(record->value, settings->vector.dim, &row, &err));
        CHECK(row.vector.size == 0 || row.vector.size == (size_t)4 * settings->vector.dim);
    }
    CHECK(row.value.size <= value_bytes_max);
    if (settings->fields != NULL && !record->tombstone) {
        check_fields(row.value, arena);
    }
}

static void run(uint8_t choice, uint8_t vector, const struct raw_record *raw, struct arena *arena)
{
    static const struct decode_limits limits = {.key_bytes_max = 20, .value_bytes_max = 200};
    struct topic_settings settings = settings_of(choice);
    settings.vector = vectors[vector];
    AUTO(decoder) struct decoder *decoder = NULL;
    struct err err = {0};
    CHECK(decoder_new(&settings, &limits, &decoder, &err));
    struct record record;
    struct reject why = {0};
    if (!decode_record(decoder, raw, arena, &record, &why)) {
        CHECK(why.cause > REJECT_NONE && why.cause < REJECT_CAUSES && why.text[0] != '\0');
        return;
    }
    CHECK(record.key.size <= limits.key_bytes_max);
    CHECK(utc_in_range(record.event_time_us));
    CHECK(record.tombstone == (raw->value.data == NULL));
    check_value(&settings, &record, limits.value_bytes_max, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) {
        return 0;
    }
    struct arena *arena = arena_new(1 << 16);
    struct bytes rest = bytes_of(data + 4, size - 4);
    struct header_view header = {.name = bytes_of_text("h"), .value = take(&rest, data[2], arena)};
    struct raw_record raw = {
        .place = {.offset = 7},
        .timestamp_ms = 1700000000000,
        .key = take(&rest, data[1], arena),
        .headers = &header,
        .header_count = (data[3] & 1) != 0,
    };
    raw.value = (data[3] & 2) != 0 ? (struct bytes){0} : take(&rest, rest.size, arena);
    run(data[0], data[3] >> 2 & 3, &raw, arena);
    arena_free(arena);
    return 0;
}
