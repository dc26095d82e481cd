/* A Kafka record in, key, value and event time out, as the settings of its topic say. */
#ifndef TIDEMARK_CORE_RECORD_DECODE_H
#define TIDEMARK_CORE_RECORD_DECODE_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/record/decode_settings.h"
#include "core/record/reject.h"

/* What the settings mean, where they leave a choice:
 *
 * Key, integers (u64be, u32be). From JSON: a number written as an integer ("17"; not "17.0", not a
 *   string). From the message key or a header: decimal text, or with KEY_FORM_BINARY exactly the
 *   big-endian bytes that the encoding stores. From offset, partition or timestamp: the number.
 * Key, utf8. From JSON: a string. Else: bytes that are UTF-8. raw: a JSON string, or any bytes.
 * An integer key above 2^63 - 1 has stored bytes and no routing bytes (`routing.data` is NULL):
 *   hash routing rejects it, an expression may still route it.
 * A header given twice: the last counts. A header without a value is absent.
 * Null value: a tombstone. Its key cannot come from JSON (REJECT_NO_KEY). An event time from JSON
 * is taken from the record's timestamp instead, because Kafka leaves no other place for it. format
 * = json checks the payload even when no pointer needs it. Any pointer needs it, too. Event time:
 * `timestamp` is Kafka's, always milliseconds. JSON number, or decimal text in a JSON string or
 * header, in ms, us or s; fractions and exponents are exact, what is below a microsecond is cut off
 * towards the past. rfc3339: text, see core/base/utc.h. Fields: a JSON object with the members in
 * the settings' order. JSON values stand as they are in the payload, byte for byte. Key, header and
 * payload are JSON strings, or {"base64":"…"} when they are not UTF-8; the payload of format json
 * stands as it is. `timestamp` is Kafka's, in milliseconds. What is absent is null, or
 * REJECT_NO_FIELD when it is required. */

/* Where the snapshot has vectors (topic_settings.vector.dim), `value` is the row packed with its
 * vector (core/record/vector.h); a tombstone's is empty as ever. */

struct decode_limits {
    uint64_t key_bytes_min;   /* below it is REJECT_NO_KEY; 0: an empty key is a key */
    uint64_t key_bytes_max;   /* of the stored bytes; over it is REJECT_TOO_LARGE */
    uint64_t value_bytes_max; /* of the `v` column */
};

/* One topic's settings, compiled. One thread at a time: it owns scratch memory. */
struct decoder;

/* `borrowed_settings` must outlive the decoder. ERR_SETTINGS: a pointer that is none, a source that
 * cannot give a key or a time, a field without a name or with a name given twice. */
MUST_CHECK bool decoder_new(const struct topic_settings *borrowed_settings,
                            const struct decode_limits *limits, struct decoder **ret_decoder,
                            struct err *err);
struct decoder *decoder_free(struct decoder *decoder); /* takes NULL; returns NULL */
void decoder_auto(struct decoder **decoder);

/* Does any of the settings look at headers? Where none does, the source need not carry them. */
bool decoder_wants_headers(const struct decoder *decoder);

/* True: *ret is written; its views are into `raw` or `arena`. False: *ret_why says why not, and
 * *ret is not written. Nothing is allocated for a text or bytes key and a whole payload. */
MUST_CHECK bool decode_record(struct decoder *decoder, const struct raw_record *raw,
                              struct arena *arena, struct record *ret, struct reject *ret_why);

#endif
