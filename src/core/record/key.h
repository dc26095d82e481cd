/* One logical key and its two encodings, stored bytes and routing bytes (snapshot format, section
 * 4). */
#ifndef TIDEMARK_CORE_RECORD_KEY_H
#define TIDEMARK_CORE_RECORD_KEY_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/record/record.h"

enum key_type { KEY_INTEGER, KEY_TEXT, KEY_BYTES };

struct logical_key {
    enum key_type type;
    struct bytes bytes; /* KEY_TEXT (UTF-8) and KEY_BYTES */
    uint64_t magnitude; /* KEY_INTEGER: -(2^64 - 1) to 2^64 - 1 can be held */
    bool negative;      /* never with magnitude 0 */
};

enum { KEY_INTEGER_BYTES_MAX = 8 }; /* scratch that an integer's encoding needs */

static inline struct logical_key key_of_u64(uint64_t value)
{
    return (struct logical_key){.type = KEY_INTEGER, .magnitude = value};
}

static inline struct logical_key key_of_text(struct bytes text)
{
    return (struct logical_key){.type = KEY_TEXT, .bytes = text};
}

static inline struct logical_key key_of_bytes(struct bytes bytes)
{
    return (struct logical_key){.type = KEY_BYTES, .bytes = bytes};
}

/* "-?digits", no leading zeros needed or refused, nothing else. REJECT_KEY_TYPE: not an integer;
 * REJECT_KEY_RANGE: more than 64 bits; REJECT_NONE: *ret_key is written. */
MUST_CHECK enum reject_cause key_parse_integer(struct bytes text, struct logical_key *ret_key);

/* The bytes of the `k` column: a view into the key or into `scratch`. u64be and u32be take integers
 * of their range; utf8 and raw take text and bytes as they are. REJECT_KEY_TYPE, REJECT_KEY_RANGE.
 */
MUST_CHECK enum reject_cause key_store(enum key_encoding encoding, const struct logical_key *key,
                                       uint8_t scratch[KEY_INTEGER_BYTES_MAX],
                                       struct bytes *ret_stored);

/* The bytes that are hashed: an integer is 8 bytes, signed little-endian; text and bytes as they
 * are. REJECT_KEY_RANGE: an integer outside [-2^63, 2^63 - 1]. */
MUST_CHECK enum reject_cause key_route(const struct logical_key *key,
                                       uint8_t scratch[KEY_INTEGER_BYTES_MAX],
                                       struct bytes *ret_routing);

/* From stored bytes back to the logical key: integers; text for utf8 (ERR_CORRUPT when it is not
 * UTF-8 or not of the encoding's width); bytes for raw. */
MUST_CHECK bool key_load(enum key_encoding encoding, struct bytes stored,
                         struct logical_key *ret_key, struct err *err);

/* A key as a user types it. Integers in decimal; utf8 as it stands; raw: "0x…" is hex, all else is
 * the text's bytes. Views into `text` or `arena`. ERR_INPUT. */
MUST_CHECK bool key_from_argument(enum key_encoding encoding, const char *text, struct arena *arena,
                                  struct logical_key *ret_key, struct err *err);

/* The JSON text of the logical key, for min_key and max_key: `17`, `"user-3"` (ASCII-escaped).
 * False: there is none (raw bytes that are not UTF-8), which is SQL NULL. */
bool key_print_json(enum key_encoding encoding, struct bytes stored, struct buf *out);

/* For people: the same, and 0x… in place of what JSON cannot hold. */
void key_print(enum key_encoding encoding, struct bytes stored, struct buf *out);

const char *key_encoding_name(enum key_encoding encoding); /* "u64be", … */
MUST_CHECK bool key_encoding_parse(struct bytes name, enum key_encoding *ret_encoding);

#endif
