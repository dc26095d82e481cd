/* Does a record's vector come with its id and payload, or is the record refused with the cause? */
#include "core/record/decode_vector.h"

#include <criterion/criterion.h>

#include "core/record/decode.h"

#define FROM_JSON(pointer)                                                                         \
    {                                                                                              \
        .source = FIELD_JSON, .name = pointer                                                      \
    }

static struct topic_settings settings_of(struct topic_vector vector)
{
    vector.on = true;
    vector.dim = vector.dim == 0 ? 2 : vector.dim;
    return (struct topic_settings){
        .name = "t",
        .format = PAYLOAD_JSON,
        .key = FROM_JSON("/k"),
        .key_encoding = KEY_ENCODING_U64BE,
        .event_time = {.source = FIELD_TIMESTAMP},
        .vector = vector,
    };
}

struct outcome {
    bool ok;
    struct record record;
    struct vector_row row;
    struct reject why;
};

static struct outcome decode(const struct topic_settings *settings, const struct raw_record *raw,
                             struct arena *arena)
{
    static const struct decode_limits limits = {.key_bytes_max = 64, .value_bytes_max = 500};
    struct decoder *decoder = NULL;
    struct outcome outcome = {0};
    struct err err = {0};
    cr_assert(decoder_new(settings, &limits, &decoder, &err), "%s", err.message);
    outcome.ok = decode_record(decoder, raw, arena, &outcome.record, &outcome.why);
    decoder_free(decoder);
    if (outcome.ok && !outcome.record.tombstone) {
        cr_assert(vector_row_unpack(outcome.record.value, settings->vector.dim, &outcome.row, &err),
                  "%s", err.message);
    }
    return outcome;
}

static struct raw_record raw_of(const char *value)
{
    return (struct raw_record){.timestamp_ms = 1700000000123,
                               .key = bytes_of_text("message key"),
                               .value = bytes_of_text(value)};
}

static void expect_text(struct bytes have, const char *wanted)
{
    cr_assert(bytes_equal(have, bytes_of_text(wanted)), "%.*s", (int)have.size, have.data);
}

Test(decode_vector, from_json)
{
    struct arena *arena = arena_new(4096);
    struct topic_settings settings = settings_of((struct topic_vector){
        .from = FROM_JSON("/v"), .has_payload = true, .payload = FROM_JSON("/p")});
    struct raw_record raw = raw_of("{\"k\":17,\"v\":[1, -2.5],\"p\":{\"a\":[1]}}");
    struct outcome outcome = decode(&settings, &raw, arena);
    cr_assert(outcome.ok, "%s", outcome.why.text);
    float numbers[2] = {1, -2.5F};
    cr_assert(bytes_equal(outcome.row.vector, bytes_of(numbers, sizeof numbers)));
    cr_assert(bytes_equal(outcome.row.value, raw.value));
    expect_text(outcome.row.id, "{\"v\": 17, \"t\": \"int\"}");
    expect_text(outcome.row.payload, "{\"a\":[1]}");
    raw = raw_of("{\"k\":17,\"v\":[1,2],\"p\":null}");
    outcome = decode(&settings, &raw, arena);
    cr_assert(outcome.ok && outcome.row.payload.size == 0);
    arena_free(arena);
}

Test(decode_vector, from_bytes_and_ids)
{
    struct arena *arena = arena_new(4096);
    float numbers[2] = {3, 4};
    struct header_view header = {.name = bytes_of_text("embedding"),
                                 .value = bytes_of(numbers, sizeof numbers)};
    struct topic_settings settings =
        settings_of((struct topic_vector){.from = {.source = FIELD_HEADER, .name = "embedding"},
                                          .has_id = true,
                                          .id = FROM_JSON("/id")});
    static const struct {
        const char *value;
        const char *id; /* NULL: refused */
    } cases[] = {
        {"{\"k\":1,\"id\":\"a\\\"b\"}", "{\"v\": \"a\\\"b\", \"t\": \"str\"}"},
        {"{\"k\":1,\"id\":-5}", "{\"v\": -5, \"t\": \"int\"}"},
        {"{\"k\":1,\"id\":1.5}", NULL},
        {"{\"k\":1,\"id\":null}", NULL},
        {"{\"k\":1}", NULL},
        {"{\"k\":1,\"id\":[1]}", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct raw_record raw = raw_of(cases[i].value);
        raw.headers = &header;
        raw.header_count = 1;
        struct outcome outcome = decode(&settings, &raw, arena);
        cr_assert_eq(outcome.ok, cases[i].id != NULL, "%s", outcome.why.text);
        if (outcome.ok) {
            cr_assert(bytes_equal(outcome.row.vector, header.value));
            expect_text(outcome.row.id, cases[i].id);
        } else {
            cr_assert_eq(outcome.why.cause, REJECT_VECTOR);
            cr_assert_not_null(strstr(outcome.why.text, "json:/id"), "%s", outcome.why.text);
        }
    }
    settings.vector.id = (struct field_ref){.source = FIELD_KEY};
    struct raw_record raw = raw_of("{\"k\":1}");
    raw.headers = &header;
    raw.header_count = 1;
    expect_text(decode(&settings, &raw, arena).row.id, "{\"v\": \"message key\", \"t\": \"str\"}");
    header.value = bytes_of(numbers, 5);
    struct outcome outcome = decode(&settings, &raw, arena);
    cr_assert(!outcome.ok && outcome.why.cause == REJECT_VECTOR);
    arena_free(arena);
}

Test(decode_vector, refused_and_missing)
{
    static const struct {
        const char *value;
        const char *says;
    } cases[] = {
        {"{\"k\":1}", "no vector"},
        {"{\"k\":1,\"v\":null}", "no vector"},
        {"{\"k\":1,\"v\":[1]}", "fewer numbers"},
        {"{\"k\":1,\"v\":[1,2,3]}", "more numbers"},
        {"{\"k\":1,\"v\":\"AAAA\"}", "not an array"},
        {"{\"k\":1,\"v\":[1,1e99]}", "beyond what a float32 holds"},
        {"{\"k\":1,\"v\":[0,0]}", "no direction"},
    };
    struct arena *arena = arena_new(4096);
    struct topic_settings settings =
        settings_of((struct topic_vector){.from = FROM_JSON("/v"), .required = true});
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct raw_record raw = raw_of(cases[i].value);
        struct outcome outcome = decode(&settings, &raw, arena);
        cr_assert(!outcome.ok && outcome.why.cause == REJECT_VECTOR, "%s", cases[i].value);
        cr_assert_not_null(strstr(outcome.why.text, cases[i].says), "%s", outcome.why.text);
        cr_assert_not_null(strstr(outcome.why.text, "json:/v"), "%s", outcome.why.text);
    }
    settings.vector.required = false;
    struct raw_record raw = raw_of("{\"k\":1}");
    struct outcome outcome = decode(&settings, &raw, arena);
    cr_assert(outcome.ok && outcome.row.vector.size == 0 && outcome.row.id.size == 0);
    cr_assert(bytes_equal(outcome.row.value, raw.value));
    settings.vector.on = false; /* another topic of the snapshot has vectors */
    raw = raw_of("{\"k\":1,\"v\":[1,2]}");
    outcome = decode(&settings, &raw, arena);
    cr_assert(outcome.ok && outcome.row.vector.size == 0);
    settings.vector.on = true;
    settings.key = (struct field_ref){.source = FIELD_KEY};
    settings.key_encoding = KEY_ENCODING_UTF8;
    raw.value = (struct bytes){0};
    outcome = decode(&settings, &raw, arena);
    cr_assert(outcome.ok && outcome.record.tombstone && outcome.record.value.size == 0);
    arena_free(arena);
}
