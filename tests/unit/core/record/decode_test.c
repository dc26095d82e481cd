/* Does a Kafka record become the key, value and time that the settings say, or a reject with its
 * cause? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/record/decode.h"

static const struct decode_limits limits = {.key_bytes_max = 64, .value_bytes_max = 500};

static struct decoder *new_decoder(const struct topic_settings *settings)
{
    struct decoder *decoder = NULL;
    struct err err = {0};
    cr_assert(decoder_new(settings, &limits, &decoder, &err), "%s", err.message);
    return decoder;
}

/* NULL is a null key or payload; NUL bytes cannot be given this way. */
static struct raw_record raw_record(const char *key, const char *value)
{
    return (struct raw_record){
        .place = {.topic = 1, .partition = 3, .offset = 77},
        .timestamp_ms = 1700000000123,
        .key = bytes_of_text(key),
        .value = bytes_of_text(value),
    };
}

#define FROM_KEY                                                                                   \
    {                                                                                              \
        .source = FIELD_KEY                                                                        \
    }
#define FROM_JSON(pointer)                                                                         \
    {                                                                                              \
        .source = FIELD_JSON, .name = pointer                                                      \
    }
#define FROM_HEADER(header)                                                                        \
    {                                                                                              \
        .source = FIELD_HEADER, .name = header                                                     \
    }
#define FROM_TIMESTAMP                                                                             \
    {                                                                                              \
        .source = FIELD_TIMESTAMP                                                                  \
    }

/* ---- keys ---- */

static const struct {
    struct field_ref from;
    enum key_encoding encoding;
    enum key_form form;
    const char *key;
    const char *value;
    enum reject_cause cause;
    const char *stored; /* as bytes, of this size */
    size_t size;
} keys[] = {
    {FROM_KEY, KEY_ENCODING_RAW, 0, "ab\xff", "x", REJECT_NONE, "ab\xff", 3},
    {FROM_KEY, KEY_ENCODING_RAW, 0, "", "x", REJECT_NONE, "", 0},
    {FROM_KEY, KEY_ENCODING_RAW, 0, NULL, "x", REJECT_NO_KEY, NULL, 0},
    {FROM_KEY, KEY_ENCODING_RAW, 0, "k", NULL, REJECT_NONE, "k", 1},
    {FROM_KEY, KEY_ENCODING_UTF8, 0, "caf\xc3\xa9", "x", REJECT_NONE, "caf\xc3\xa9", 5},
    {FROM_KEY, KEY_ENCODING_UTF8, 0, "caf\xe9", "x", REJECT_KEY_TYPE, NULL, 0},
    {FROM_KEY, KEY_ENCODING_U64BE, 0, "258", "x", REJECT_NONE, "\0\0\0\0\0\0\1\2", 8},
    {FROM_KEY, KEY_ENCODING_U64BE, 0, "-1", "x", REJECT_KEY_RANGE, NULL, 0},
    {FROM_KEY, KEY_ENCODING_U64BE, 0, "18446744073709551616", "x", REJECT_KEY_RANGE, NULL, 0},
    {FROM_KEY, KEY_ENCODING_U64BE, 0, "12345678x", "x", REJECT_KEY_TYPE, NULL, 0},
    {FROM_KEY, KEY_ENCODING_U64BE, KEY_FORM_BINARY, "12345678", "x", REJECT_NONE, "12345678", 8},
    {FROM_KEY, KEY_ENCODING_U64BE, KEY_FORM_BINARY, "1234", "x", REJECT_KEY_TYPE, NULL, 0},
    {FROM_KEY, KEY_ENCODING_U32BE, KEY_FORM_BINARY, "1234", "x", REJECT_NONE, "1234", 4},
    {FROM_KEY, KEY_ENCODING_U32BE, 0, "4294967296", "x", REJECT_KEY_RANGE, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{\"id\":9007199254740993}", REJECT_NONE,
     "\x00\x20\x00\x00\x00\x00\x00\x01", 8},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{\"id\":-0}", REJECT_NONE, "\0\0\0\0\0\0\0\0",
     8},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{\"id\":17.0}", REJECT_KEY_TYPE, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{\"id\":1e3}", REJECT_KEY_TYPE, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{\"id\":\"17\"}", REJECT_KEY_TYPE, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{\"id\":null}", REJECT_NO_KEY, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{}", REJECT_NO_KEY, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "{\"id\":17", REJECT_BAD_JSON, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, NULL, "", REJECT_BAD_JSON, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_U64BE, 0, "17", NULL, REJECT_NO_KEY, NULL, 0},
    {FROM_JSON("/id"), KEY_ENCODING_UTF8, 0, NULL, "{\"id\":\"a\\u00e9\"}", REJECT_NONE,
     "a\xc3\xa9", 3},
    {FROM_JSON("/id"), KEY_ENCODING_UTF8, 0, NULL, "{\"id\":\"a\\u0000b\"}", REJECT_NONE, "a\0b",
     3},
    {FROM_JSON("/id"), KEY_ENCODING_RAW, 0, NULL, "{\"id\":\"ab\"}", REJECT_NONE, "ab", 2},
    {FROM_JSON("/id"), KEY_ENCODING_UTF8, 0, NULL, "{\"id\":17}", REJECT_KEY_TYPE, NULL, 0},
    {FROM_HEADER("id"), KEY_ENCODING_U32BE, 0, NULL, "x", REJECT_NONE, "\0\0\0\x2a", 4},
    {FROM_HEADER("none"), KEY_ENCODING_UTF8, 0, NULL, "x", REJECT_NO_KEY, NULL, 0},
    {FROM_HEADER("null"), KEY_ENCODING_UTF8, 0, NULL, "x", REJECT_NO_KEY, NULL, 0},
    {{.source = FIELD_OFFSET},
     KEY_ENCODING_U64BE,
     0,
     NULL,
     "x",
     REJECT_NONE,
     "\0\0\0\0\0\0\0\x4d",
     8},
    {{.source = FIELD_OFFSET}, KEY_ENCODING_UTF8, 0, NULL, "x", REJECT_KEY_TYPE, NULL, 0},
    {{.source = FIELD_TOPIC}, KEY_ENCODING_UTF8, 0, NULL, "x", REJECT_NONE, "orders", 6},
    {FROM_KEY, KEY_ENCODING_RAW, 0,
     "0123456789012345678901234567890123456789012345678901234567890123", "x", REJECT_NONE,
     "0123456789012345678901234567890123456789012345678901234567890123", 64},
    {FROM_KEY, KEY_ENCODING_RAW, 0,
     "01234567890123456789012345678901234567890123456789012345678901234", "x", REJECT_TOO_LARGE,
     NULL, 0},
};

static const struct header_view headers[] = {
    {.name = {(const uint8_t *)"id", 2}, .value = {(const uint8_t *)"41", 2}},
    {.name = {(const uint8_t *)"null", 4}, .value = {NULL, 0}},
    {.name = {(const uint8_t *)"at", 2}, .value = {(const uint8_t *)"1700000000.5", 12}},
    {.name = {(const uint8_t *)"id", 2}, .value = {(const uint8_t *)"42", 2}},
    {.name = {(const uint8_t *)"trace", 5}, .value = {(const uint8_t *)"a\"\n", 3}},
    {.name = {(const uint8_t *)"binary", 6}, .value = {(const uint8_t *)"\xff\x00\x01", 3}},
};

Test(decode, keys)
{
    struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < LENGTH_OF(keys); i++) {
        struct topic_settings settings = {
            .name = "orders",
            .key = keys[i].from,
            .key_encoding = keys[i].encoding,
            .key_form = keys[i].form,
            .event_time = FROM_TIMESTAMP,
        };
        AUTO(decoder) struct decoder *decoder = new_decoder(&settings);
        struct raw_record raw = raw_record(keys[i].key, keys[i].value);
        raw.headers = headers;
        raw.header_count = LENGTH_OF(headers);
        struct record record = {0};
        struct reject why = {0};
        bool ok = decode_record(decoder, &raw, arena, &record, &why);
        cr_assert_eq(ok, keys[i].cause == REJECT_NONE, "row %zu: %s", i, why.text);
        cr_assert_eq(why.cause, keys[i].cause, "row %zu: %s", i, why.text);
        if (!ok) {
            cr_assert_neq(why.text[0], '\0');
            continue;
        }
        cr_assert(bytes_equal(record.key, bytes_of(keys[i].stored, keys[i].size)), "row %zu", i);
        bool integer = keys[i].encoding == KEY_ENCODING_U64BE ||
                       keys[i].encoding == KEY_ENCODING_U32BE;
        cr_assert_eq(record.routing.size, integer ? 8 : record.key.size);
        cr_assert_eq(record.tombstone, keys[i].value == NULL);
        cr_assert_eq(record.event_time_us, 1700000000123000);
        cr_assert_eq(record.place.topic, 1);
        cr_assert_eq(record.place.partition, 3);
        cr_assert_eq(record.place.offset, 77);
    }
    arena_free(arena);
}

Test(decode, integer_beyond_routing_has_no_routing_bytes)
{
    struct arena *arena = arena_new(1 << 16);
    struct topic_settings settings = {.name = "orders",
                                      .key = FROM_KEY,
                                      .key_encoding = KEY_ENCODING_U64BE,
                                      .event_time = FROM_TIMESTAMP};
    AUTO(decoder) struct decoder *decoder = new_decoder(&settings);
    struct raw_record raw = raw_record("9223372036854775808", "x");
    struct record record;
    struct reject why;
    cr_assert(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert_null(record.routing.data);
    cr_assert_eq(record.key.data[0], 0x80);
    raw.key = bytes_of_text("9223372036854775807");
    cr_assert(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert(bytes_equal(record.routing, bytes_of("\xff\xff\xff\xff\xff\xff\xff\x7f", 8)));
    arena_free(arena);
}

/* ---- event times ---- */

static const struct {
    struct field_ref from;
    enum time_unit unit;
    const char *value;
    enum reject_cause cause;
    int64_t time_us;
} times[] = {
    {FROM_JSON("/at"), TIME_MS, "{\"at\":1700000000123}", REJECT_NONE, 1700000000123000},
    {FROM_JSON("/at"), TIME_MS, "{\"at\":1700000000123.4567}", REJECT_NONE, 1700000000123456},
    {FROM_JSON("/at"), TIME_MS, "{\"at\":1.700000000123E12}", REJECT_NONE, 1700000000123000},
    {FROM_JSON("/at"), TIME_US, "{\"at\":1700000000123456}", REJECT_NONE, 1700000000123456},
    {FROM_JSON("/at"), TIME_US, "{\"at\":\"1700000000123456\"}", REJECT_NONE, 1700000000123456},
    {FROM_JSON("/at"), TIME_S, "{\"at\":1700000000}", REJECT_NONE, 1700000000000000},
    {FROM_JSON("/at"), TIME_S, "{\"at\":1700000000.123456}", REJECT_NONE, 1700000000123456},
    {FROM_JSON("/at"), TIME_S, "{\"at\":-1.5}", REJECT_NONE, -1500000},
    {FROM_JSON("/at"), TIME_RFC3339, "{\"at\":\"2023-11-14T22:13:20.5Z\"}", REJECT_NONE,
     1700000000500000},
    {FROM_JSON("/at"), TIME_RFC3339, "{\"at\":\"2023-11-15\\u005400:13:20+02:00\"}", REJECT_NONE,
     1700000000000000},
    {FROM_JSON("/at"), TIME_RFC3339, "{\"at\":1700000000}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_RFC3339, "{\"at\":\"yesterday\"}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_MS, "{\"at\":true}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_MS, "{\"at\":{}}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_MS, "{\"at\":\"\"}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_MS, "{\"at\":\"17x\"}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_S, "{\"at\":1700000000000}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_S, "{\"at\":1e99}", REJECT_BAD_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_MS, "{\"at\":null}", REJECT_NO_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_MS, "{}", REJECT_NO_EVENT_TIME, 0},
    {FROM_JSON("/at"), TIME_MS, NULL, REJECT_NONE, 1700000000123000}, /* a tombstone */
    {FROM_HEADER("at"), TIME_S, "x", REJECT_NONE, 1700000000500000},
    {FROM_HEADER("at"), TIME_S, NULL, REJECT_NONE, 1700000000500000},
    {FROM_HEADER("none"), TIME_S, "x", REJECT_NO_EVENT_TIME, 0},
    {FROM_HEADER("null"), TIME_S, "x", REJECT_NO_EVENT_TIME, 0},
    {FROM_HEADER("trace"), TIME_S, "x", REJECT_BAD_EVENT_TIME, 0},
    {FROM_TIMESTAMP, TIME_S, "x", REJECT_NONE, 1700000000123000},
};

Test(decode, event_times)
{
    struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        struct topic_settings settings = {
            .name = "orders",
            .key = FROM_KEY,
            .key_encoding = KEY_ENCODING_RAW,
            .event_time = times[i].from,
            .time_unit = times[i].unit,
        };
        AUTO(decoder) struct decoder *decoder = new_decoder(&settings);
        cr_assert_eq(decoder_wants_headers(decoder), times[i].from.source == FIELD_HEADER);
        struct raw_record raw = raw_record("k", times[i].value);
        raw.headers = headers;
        raw.header_count = LENGTH_OF(headers);
        struct record record = {0};
        struct reject why = {0};
        bool ok = decode_record(decoder, &raw, arena, &record, &why);
        cr_assert_eq(why.cause, times[i].cause, "row %zu: %s", i, why.text);
        cr_assert_eq(ok, times[i].cause == REJECT_NONE);
        cr_assert(!ok || record.event_time_us == times[i].time_us, "row %zu: %lld", i,
                  (long long)record.event_time_us);
    }
    arena_free(arena);
}

Test(decode, timestamps)
{
    struct arena *arena = arena_new(1 << 16);
    struct topic_settings settings = {.name = "orders",
                                      .key = FROM_KEY,
                                      .key_encoding = KEY_ENCODING_RAW,
                                      .event_time = FROM_TIMESTAMP};
    AUTO(decoder) struct decoder *decoder = new_decoder(&settings);
    struct raw_record raw = raw_record("k", "v");
    struct record record;
    struct reject why = {0};
    raw.timestamp_ms = -1;
    cr_assert_not(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert_eq(why.cause, REJECT_NO_EVENT_TIME);
    raw.timestamp_ms = INT64_MAX;
    cr_assert_not(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert_eq(why.cause, REJECT_BAD_EVENT_TIME);
    raw.timestamp_ms = 0;
    cr_assert(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert_eq(record.event_time_us, 0);
    arena_free(arena);
}

/* ---- values ---- */

static const struct value_field fields[] = {
    {"z", FROM_JSON("/n"), true},
    {"a\"", FROM_JSON("/s"), false},
    {"part", {.source = FIELD_PARTITION}, false},
    {"off", {.source = FIELD_OFFSET}, false},
    {"ts", FROM_TIMESTAMP, false},
    {"topic", {.source = FIELD_TOPIC}, false},
    {"trace", FROM_HEADER("trace"), false},
    {"binary", FROM_HEADER("binary"), false},
    {"absent", FROM_HEADER("nothing"), false},
    {"key", FROM_KEY, false},
    {"all", {.source = FIELD_VALUE}, false},
};

static const struct topic_settings with_fields = {
    .name = "or\"ders",
    .format = PAYLOAD_JSON,
    .key = FROM_KEY,
    .key_encoding = KEY_ENCODING_RAW,
    .fields = fields,
    .field_count = LENGTH_OF(fields),
    .event_time = FROM_TIMESTAMP,
};

Test(decode, value_of_fields)
{
    struct arena *arena = arena_new(1 << 16);
    AUTO(decoder) struct decoder *decoder = new_decoder(&with_fields);
    struct raw_record raw = raw_record("k\xff", "{\"n\": 1.50, \"s\": {\"x\": \"\\u00e9\"}}");
    raw.headers = headers;
    raw.header_count = LENGTH_OF(headers);
    struct record record = {0};
    struct reject why = {0};
    cr_assert(decode_record(decoder, &raw, arena, &record, &why), "%s", why.text);
    cr_assert_str_eq(arena_text(arena, record.value),
                     "{\"z\":1.50,\"a\\\"\":{\"x\": \"\\u00e9\"},\"part\":3,\"off\":77,"
                     "\"ts\":1700000000123,\"topic\":\"or\\\"ders\",\"trace\":\"a\\\"\\u000a\","
                     "\"binary\":{\"base64\":\"/wAB\"},\"absent\":null,"
                     "\"key\":{\"base64\":\"a/8=\"},"
                     "\"all\":{\"n\": 1.50, \"s\": {\"x\": \"\\u00e9\"}}}");
    raw.value = bytes_of_text("{\"s\":1}");
    cr_assert_not(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert_eq(why.cause, REJECT_NO_FIELD);
    raw.value = bytes_of_text("{\"n\":null}");
    cr_assert(decode_record(decoder, &raw, arena, &record, &why), "%s", why.text);
    cr_assert_eq(strncmp((const char *)record.value.data, "{\"z\":null,\"a\\\"\":null,", 21), 0);
    raw.value = bytes_of(NULL, 0);
    cr_assert(decode_record(decoder, &raw, arena, &record, &why), "%s", why.text);
    cr_assert(record.tombstone);
    cr_assert_eq(record.value.size, 0);
    char large[600];
    snprintf(large, sizeof large, "{\"n\":\"%0450d\"}", 1);
    raw.value = bytes_of_text(large);
    cr_assert_not(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert_eq(why.cause, REJECT_TOO_LARGE);
    arena_free(arena);
}

Test(decode, whole_payload_is_not_copied)
{
    struct arena *arena = arena_new(1 << 16);
    struct topic_settings settings = {.name = "orders",
                                      .key = FROM_KEY,
                                      .key_encoding = KEY_ENCODING_UTF8,
                                      .event_time = FROM_TIMESTAMP};
    AUTO(decoder) struct decoder *decoder = new_decoder(&settings);
    char value[501];
    memset(value, 'v', sizeof value);
    struct raw_record raw = raw_record("k", "");
    raw.value = bytes_of(value, 500);
    struct record record = {0};
    struct reject why = {0};
    cr_assert(decode_record(decoder, &raw, arena, &record, &why), "%s", why.text);
    cr_assert_eq(record.value.data, raw.value.data);
    cr_assert_eq(record.key.data, raw.key.data);
    cr_assert_eq(record.routing.data, raw.key.data);
    raw.value.size = 501;
    cr_assert_not(decode_record(decoder, &raw, arena, &record, &why));
    cr_assert_eq(why.cause, REJECT_TOO_LARGE);
    raw.value = bytes_of(value, 0);
    cr_assert(decode_record(decoder, &raw, arena, &record, &why), "%s", why.text);
    cr_assert_not(record.tombstone);
    settings.format = PAYLOAD_JSON;
    AUTO(decoder) struct decoder *strict = new_decoder(&settings);
    cr_assert_not(decode_record(strict, &raw, arena, &record, &why));
    cr_assert_eq(why.cause, REJECT_BAD_JSON);
    arena_free(arena);
}

Test(decode, refused_settings)
{
    static const struct value_field twice[] = {{"a", FROM_KEY, false},
                                               {"a", FROM_TIMESTAMP, false}};
    static const struct value_field no_name[] = {{"", FROM_KEY, false}};
    const struct topic_settings bad[] = {
        {.name = "t", .key = FROM_JSON("id"), .event_time = FROM_TIMESTAMP},
        {.name = "t", .key = FROM_KEY, .event_time = FROM_KEY},
        {.name = "t", .key = FROM_KEY, .event_time = FROM_JSON("/~")},
        {.name = "t",
         .key = FROM_KEY,
         .event_time = FROM_TIMESTAMP,
         .fields = twice,
         .field_count = 2},
        {.name = "t",
         .key = FROM_KEY,
         .event_time = FROM_TIMESTAMP,
         .fields = no_name,
         .field_count = 1},
    };
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        struct decoder *decoder = NULL;
        struct err err = {0};
        cr_assert_not(decoder_new(&bad[i], &limits, &decoder, &err), "row %zu", i);
        cr_assert_eq(err.kind, ERR_SETTINGS);
        cr_assert_null(decoder);
    }
}

Test(decode, an_empty_key_where_there_is_no_place_for_one)
{
    struct topic_settings settings = {.name = "t",
                                      .key = FROM_KEY,
                                      .key_encoding = KEY_ENCODING_RAW,
                                      .event_time = FROM_TIMESTAMP};
    struct decode_limits some = limits;
    some.key_bytes_min = 1;
    struct decoder *decoder = NULL;
    struct err err = {0};
    cr_assert(decoder_new(&settings, &some, &decoder, &err), "%s", err.message);
    struct arena *arena = arena_new(1000);
    struct reject why = {0};
    struct record got = {0};
    struct raw_record empty = raw_record("", "x");
    struct raw_record one = raw_record("a", "x");
    cr_assert_not(decode_record(decoder, &empty, arena, &got, &why));
    cr_assert(why.cause == REJECT_NO_KEY && strstr(why.text, "empty") != NULL, "%s", why.text);
    cr_assert(decode_record(decoder, &one, arena, &got, &why), "%s", why.text);
    arena_free(arena);
    decoder_free(decoder);
}
