/* One logical key and its two encodings, stored bytes and routing bytes (snapshot format, section
 * 4). */
#include <inttypes.h>

#include "core/base/json.h"
#include "core/record/key.h"

static const char *const encoding_names[] = {
    [KEY_ENCODING_U64BE] = "u64be",
    [KEY_ENCODING_U32BE] = "u32be",
    [KEY_ENCODING_UTF8] = "utf8",
    [KEY_ENCODING_RAW] = "raw",
};

const char *key_encoding_name(enum key_encoding encoding)
{
    CHECK((size_t)encoding < LENGTH_OF(encoding_names));
    return encoding_names[encoding];
}

bool key_encoding_parse(struct bytes name, enum key_encoding *ret_encoding)
{
    for (size_t i = 0; i < LENGTH_OF(encoding_names); i++) {
        if (bytes_equal(name, bytes_of_text(encoding_names[i]))) {
            *ret_encoding = (enum key_encoding)i;
            return true;
        }
    }
    return false;
}

enum reject_cause key_parse_integer(struct bytes text, struct logical_key *ret_key)
{
    bool minus = text.size > 0 && text.data[0] == '-';
    size_t i = minus ? 1 : 0;
    if (i == text.size) {
        return REJECT_KEY_TYPE;
    }
    uint64_t magnitude = 0;
    bool overflow = false;
    for (; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return REJECT_KEY_TYPE;
        }
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        overflow = overflow || magnitude > (UINT64_MAX - digit) / 10;
        magnitude = magnitude * 10 + digit;
    }
    if (overflow) {
        return REJECT_KEY_RANGE;
    }
    *ret_key = (struct logical_key){
        .type = KEY_INTEGER, .magnitude = magnitude, .negative = minus && magnitude != 0};
    return REJECT_NONE;
}

enum reject_cause key_store(enum key_encoding encoding, const struct logical_key *key,
                            uint8_t scratch[KEY_INTEGER_BYTES_MAX], struct bytes *ret_stored)
{
    bool integers = encoding == KEY_ENCODING_U64BE || encoding == KEY_ENCODING_U32BE;
    if (integers != (key->type == KEY_INTEGER)) {
        return REJECT_KEY_TYPE;
    }
    if (!integers) {
        *ret_stored = key->bytes;
        return REJECT_NONE;
    }
    if (key->negative) {
        return REJECT_KEY_RANGE;
    }
    if (encoding == KEY_ENCODING_U64BE) {
        put_u64be(scratch, key->magnitude);
        *ret_stored = bytes_of(scratch, 8);
        return REJECT_NONE;
    }
    if (key->magnitude > UINT32_MAX) {
        return REJECT_KEY_RANGE;
    }
    put_u32be(scratch, (uint32_t)key->magnitude);
    *ret_stored = bytes_of(scratch, 4);
    return REJECT_NONE;
}

enum reject_cause key_route(const struct logical_key *key, uint8_t scratch[KEY_INTEGER_BYTES_MAX],
                            struct bytes *ret_routing)
{
    if (key->type != KEY_INTEGER) {
        *ret_routing = key->bytes;
        return REJECT_NONE;
    }
    uint64_t limit = (UINT64_C(1) << 63) - (key->negative ? 0 : 1);
    if (key->magnitude > limit) {
        return REJECT_KEY_RANGE;
    }
    /* two's complement of the signed value */
    put_u64le(scratch, key->negative ? 0 - key->magnitude : key->magnitude);
    *ret_routing = bytes_of(scratch, 8);
    return REJECT_NONE;
}

bool key_load(enum key_encoding encoding, struct bytes stored, struct logical_key *ret_key,
              struct err *err)
{
    switch (encoding) {
    case KEY_ENCODING_U64BE:
        if (stored.size != 8) {
            return err_set(err, ERR_CORRUPT, "a u64be key of %zu bytes", stored.size);
        }
        *ret_key = key_of_u64(get_u64be(stored.data));
        return true;
    case KEY_ENCODING_U32BE:
        if (stored.size != 4) {
            return err_set(err, ERR_CORRUPT, "a u32be key of %zu bytes", stored.size);
        }
        *ret_key = key_of_u64(get_u32be(stored.data));
        return true;
    case KEY_ENCODING_UTF8:
        if (!bytes_are_utf8(stored)) {
            return err_set(err, ERR_CORRUPT, "a utf8 key that is not UTF-8");
        }
        *ret_key = key_of_text(stored);
        return true;
    case KEY_ENCODING_RAW:
        *ret_key = key_of_bytes(stored);
        return true;
    }
    CHECK(!"an encoding");
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool bytes_from_hex(const char *digits, struct arena *arena, struct bytes *ret_bytes,
                           struct err *err)
{
    size_t size = strlen(digits) / 2;
    uint8_t *data = arena_alloc(arena, size + 1);
    for (size_t i = 0; digits[i] != '\0'; i++) {
        int digit = hex_digit(digits[i]);
        if (digit < 0 || (digits[i + 1] == '\0' && i % 2 == 0)) {
            return err_set(err, ERR_INPUT, "0x must be followed by an even number of hex digits");
        }
        data[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : data[i / 2] | digit);
    }
    *ret_bytes = bytes_of(data, size);
    return true;
}

static bool integer_from_argument(enum key_encoding encoding, const char *text,
                                  struct logical_key *ret_key, struct err *err)
{
    struct logical_key key;
    uint8_t scratch[KEY_INTEGER_BYTES_MAX];
    struct bytes stored;
    enum reject_cause cause = key_parse_integer(bytes_of_text(text), &key);
    if (cause == REJECT_NONE) {
        cause = key_store(encoding, &key, scratch, &stored);
    }
    if (cause == REJECT_KEY_TYPE) {
        return err_set(err, ERR_INPUT, "a %s key is a decimal integer",
                       key_encoding_name(encoding));
    }
    if (cause != REJECT_NONE) {
        return err_set(err, ERR_INPUT, "a %s key is 0 to %s", key_encoding_name(encoding),
                       encoding == KEY_ENCODING_U32BE ? "4294967295" : "18446744073709551615");
    }
    *ret_key = key;
    return true;
}

bool key_from_argument(enum key_encoding encoding, const char *text, struct arena *arena,
                       struct logical_key *ret_key, struct err *err)
{
    if (encoding == KEY_ENCODING_U64BE || encoding == KEY_ENCODING_U32BE) {
        return integer_from_argument(encoding, text, ret_key, err);
    }
    struct bytes bytes = bytes_of_text(text);
    if (encoding == KEY_ENCODING_UTF8) {
        if (!bytes_are_utf8(bytes)) {
            return err_set(err, ERR_INPUT, "a utf8 key is text in UTF-8");
        }
        *ret_key = key_of_text(bytes);
        return true;
    }
    if (strncmp(text, "0x", 2) == 0) {
        TRY(bytes_from_hex(text + 2, arena, &bytes, err));
    }
    *ret_key = key_of_bytes(bytes);
    return true;
}

bool key_print_json(enum key_encoding encoding, struct bytes stored, struct buf *out)
{
    struct logical_key key = {0};
    struct err err;
    if (!key_load(encoding, stored, &key, &err)) {
        return false;
    }
    if (key.type == KEY_INTEGER) {
        buf_add_format(out, "%" PRIu64, key.magnitude);
        return true;
    }
    if (key.type == KEY_BYTES && !bytes_are_utf8(key.bytes)) {
        return false;
    }
    json_print_text(key.bytes, out);
    return true;
}

void key_print(enum key_encoding encoding, struct bytes stored, struct buf *out)
{
    if (!key_print_json(encoding, stored, out)) {
        buf_add_text(out, "0x");
        buf_add_hex(out, stored);
    }
}
