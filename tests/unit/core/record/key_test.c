/* Do keys get the stored bytes and the JSON text that readers expect? */
#include "tests/support/key_vectors.h"

Test(key, encoding_vectors)
{
    static const char *const names[] = {"/encoding", "/type", "/key", "/stored_hex", "/error"};
    struct arena *arena = arena_new(1 << 16);
    struct json_pointers *pointers = key_vectors_compile(names, LENGTH_OF(names), arena);
    struct bytes rest = vectors_read("key_encoding.jsonl", arena);
    struct bytes line;
    int rows = 0;
    while (vectors_line(&rest, &line)) {
        struct key_vectors_row row = {.arena = arena};
        const char *problem = NULL;
        size_t offset = 0;
        cr_assert(json_scan(pointers, line, row.views, &problem, &offset), "%s", problem);
        enum key_encoding encoding = KEY_ENCODING_RAW;
        cr_assert(key_encoding_parse(key_vectors_get(&row, 0), &encoding));
        struct logical_key key;
        uint8_t scratch[KEY_INTEGER_BYTES_MAX];
        struct bytes stored = {0};
        /* an integer of more than 64 bits cannot be held at all: the encoding's word decides */
        bool integers = encoding == KEY_ENCODING_U64BE || encoding == KEY_ENCODING_U32BE;
        enum reject_cause cause = integers ? REJECT_KEY_RANGE : REJECT_KEY_TYPE;
        if (key_vectors_key(key_vectors_get(&row, 1), key_vectors_get(&row, 2), arena, &key)) {
            cause = key_store(encoding, &key, scratch, &stored);
        }
        struct bytes error = key_vectors_get(&row, 4);
        enum reject_cause expected = error.size == 0        ? REJECT_NONE
                                     : error.data[0] == 'r' ? REJECT_KEY_RANGE
                                                            : REJECT_KEY_TYPE;
        cr_assert_eq(cause, expected, "%.*s", (int)line.size, (const char *)line.data);
        if (cause == REJECT_NONE) {
            struct bytes wanted = vectors_hex(key_vectors_get(&row, 3), arena);
            cr_assert(bytes_equal(stored, wanted), "%.*s", (int)line.size, (const char *)line.data);
        }
        rows++;
    }
    cr_assert_eq(rows, 248);
    arena_free(arena);
}

static const struct {
    const char *text;
    enum reject_cause cause;
    bool negative;
    uint64_t magnitude;
} integers[] = {
    {"0", REJECT_NONE, false, 0},
    {"-0", REJECT_NONE, false, 0},
    {"007", REJECT_NONE, false, 7},
    {"-1", REJECT_NONE, true, 1},
    {"18446744073709551615", REJECT_NONE, false, UINT64_MAX},
    {"-18446744073709551615", REJECT_NONE, true, UINT64_MAX},
    {"18446744073709551616", REJECT_KEY_RANGE, false, 0},
    {"99999999999999999999999", REJECT_KEY_RANGE, false, 0},
    {"99999999999999999999999x", REJECT_KEY_TYPE, false, 0},
    {"", REJECT_KEY_TYPE, false, 0},
    {"-", REJECT_KEY_TYPE, false, 0},
    {"+1", REJECT_KEY_TYPE, false, 0},
    {" 1", REJECT_KEY_TYPE, false, 0},
    {"1.0", REJECT_KEY_TYPE, false, 0},
    {"1e3", REJECT_KEY_TYPE, false, 0},
};

Test(key, parse_integer)
{
    for (size_t i = 0; i < LENGTH_OF(integers); i++) {
        struct logical_key key = {0};
        cr_assert_eq(key_parse_integer(bytes_of_text(integers[i].text), &key), integers[i].cause,
                     "%s", integers[i].text);
        cr_assert_eq(key.negative, integers[i].negative, "%s", integers[i].text);
        cr_assert_eq(key.magnitude, integers[i].magnitude, "%s", integers[i].text);
    }
}

static const struct {
    bool negative;
    uint64_t magnitude;
    const char *hex; /* NULL: out of range */
} routed[] = {
    {false, 1, "0100000000000000"},
    {true, 1, "ffffffffffffffff"},
    {false, INT64_MAX, "ffffffffffffff7f"},
    {true, UINT64_C(1) << 63, "0000000000000080"},
    {false, UINT64_C(1) << 63, NULL},
    {true, (UINT64_C(1) << 63) + 1, NULL},
    {false, UINT64_MAX, NULL},
};

Test(key, routing_range)
{
    struct arena *arena = arena_new(1000);
    for (size_t i = 0; i < LENGTH_OF(routed); i++) {
        struct logical_key key = {
            .type = KEY_INTEGER, .negative = routed[i].negative, .magnitude = routed[i].magnitude};
        uint8_t scratch[KEY_INTEGER_BYTES_MAX];
        struct bytes routing = {0};
        enum reject_cause cause = key_route(&key, scratch, &routing);
        cr_assert_eq(cause, routed[i].hex == NULL ? REJECT_KEY_RANGE : REJECT_NONE);
        if (routed[i].hex != NULL) {
            cr_assert(bytes_equal(routing, vectors_hex(bytes_of_text(routed[i].hex), arena)));
        }
    }
    arena_free(arena);
}

static const struct {
    enum key_encoding encoding;
    const char *argument;
    const char *stored_hex; /* NULL: refused */
    const char *json;       /* NULL: SQL NULL */
    const char *shown;
} arguments[] = {
    {KEY_ENCODING_U64BE, "17", "0000000000000011", "17", "17"},
    {KEY_ENCODING_U64BE, "18446744073709551615", "ffffffffffffffff", "18446744073709551615",
     "18446744073709551615"},
    {KEY_ENCODING_U64BE, "18446744073709551616", NULL, NULL, NULL},
    {KEY_ENCODING_U64BE, "-1", NULL, NULL, NULL},
    {KEY_ENCODING_U64BE, "x", NULL, NULL, NULL},
    {KEY_ENCODING_U32BE, "4294967295", "ffffffff", "4294967295", "4294967295"},
    {KEY_ENCODING_U32BE, "4294967296", NULL, NULL, NULL},
    {KEY_ENCODING_UTF8, "user-\xc3\xa9", "757365722dc3a9", "\"user-\\u00e9\"", "\"user-\\u00e9\""},
    {KEY_ENCODING_UTF8, "0x41", "30783431", "\"0x41\"", "\"0x41\""},
    {KEY_ENCODING_UTF8, "\xff", NULL, NULL, NULL},
    {KEY_ENCODING_UTF8, "", "", "\"\"", "\"\""},
    {KEY_ENCODING_RAW, "0xFf00", "ff00", NULL, "0xff00"},
    {KEY_ENCODING_RAW, "0x", "", "\"\"", "\"\""},
    {KEY_ENCODING_RAW, "0xf", NULL, NULL, NULL},
    {KEY_ENCODING_RAW, "0xfg", NULL, NULL, NULL},
    {KEY_ENCODING_RAW, "abc", "616263", "\"abc\"", "\"abc\""},
    {KEY_ENCODING_RAW, "\xff", "ff", NULL, "0xff"},
};

Test(key, arguments_and_json)
{
    struct arena *arena = arena_new(1000);
    for (size_t i = 0; i < LENGTH_OF(arguments); i++) {
        struct logical_key key;
        struct err err = {0};
        bool ok =
            key_from_argument(arguments[i].encoding, arguments[i].argument, arena, &key, &err);
        cr_assert_eq(ok, arguments[i].stored_hex != NULL, "%s", arguments[i].argument);
        if (!ok) {
            cr_assert_eq(err.kind, ERR_INPUT);
            continue;
        }
        uint8_t scratch[KEY_INTEGER_BYTES_MAX];
        struct bytes stored;
        cr_assert_eq(key_store(arguments[i].encoding, &key, scratch, &stored), REJECT_NONE);
        cr_assert(bytes_equal(stored, vectors_hex(bytes_of_text(arguments[i].stored_hex), arena)));
        AUTO(buf) struct buf out;
        buf_init(&out, 1000);
        cr_assert_eq(key_print_json(arguments[i].encoding, stored, &out),
                     arguments[i].json != NULL);
        cr_assert_str_eq(buf_text(&out), arguments[i].json == NULL ? "" : arguments[i].json);
        buf_clear(&out);
        key_print(arguments[i].encoding, stored, &out);
        cr_assert_str_eq(buf_text(&out), arguments[i].shown);
    }
    arena_free(arena);
}

Test(key, load_refuses_what_the_encoding_cannot_hold)
{
    struct logical_key key;
    struct err err = {0};
    cr_assert_not(key_load(KEY_ENCODING_U64BE, bytes_of("1234567", 7), &key, &err));
    cr_assert_eq(err.kind, ERR_CORRUPT);
    cr_assert_not(key_load(KEY_ENCODING_U32BE, bytes_of("12345678", 8), &key, &err));
    cr_assert_not(key_load(KEY_ENCODING_UTF8, bytes_of("\xff", 1), &key, &err));
    cr_assert(key_load(KEY_ENCODING_RAW, bytes_of("\xff", 1), &key, &err));
    cr_assert_eq(key.type, KEY_BYTES);
}
