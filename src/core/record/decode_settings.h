/* What a user says about one topic: how its records become keys, values and event times. */
#ifndef TIDEMARK_CORE_RECORD_DECODE_SETTINGS_H
#define TIDEMARK_CORE_RECORD_DECODE_SETTINGS_H

#include "core/record/record.h"
#include "core/record/vector.h"

/* `key`, `value`, `json:/a/b` (RFC 6901 into the payload), `header:name`, `timestamp`, `topic`,
 * `partition`, `offset`. */
enum field_source {
    FIELD_KEY,
    FIELD_VALUE,
    FIELD_JSON,
    FIELD_HEADER,
    FIELD_TIMESTAMP,
    FIELD_TOPIC,
    FIELD_PARTITION,
    FIELD_OFFSET,
};

struct field_ref {
    enum field_source source;
    const char *name; /* the pointer of FIELD_JSON, the name of FIELD_HEADER; else NULL */
};

enum payload_format {
    PAYLOAD_RAW,
    PAYLOAD_JSON
}; /* json: a payload that is not JSON is rejected */
enum time_unit { TIME_MS, TIME_US, TIME_S, TIME_RFC3339 };

/* How an integer key stands in a message key or a header. */
enum key_form {
    KEY_FORM_TEXT,   /* decimal digits */
    KEY_FORM_BINARY, /* big-endian, 8 bytes for u64be, 4 for u32be, as Kafka's serializers write */
};

/* One member of the JSON object that becomes the value. */
struct value_field {
    const char *name;
    struct field_ref from;
    bool required; /* absent: REJECT_NO_FIELD instead of null */
};

/* The vector of each record, where the snapshot has vectors. */
struct topic_vector {
    uint32_t dim; /* 0: the snapshot has none; the same for all topics */
    enum vector_metric metric;
    bool on; /* false: rows of this topic have no vector */
    struct field_ref from;
    bool required; /* without one: REJECT_VECTOR; else the row goes without */
    bool has_id;   /* false: the key is the id */
    struct field_ref id;
    bool has_payload;
    struct field_ref payload; /* FIELD_JSON */
};

struct topic_settings {
    const char *name;
    enum payload_format format;
    struct field_ref key;
    enum key_encoding key_encoding;   /* the same for every topic of a snapshot */
    enum key_form key_form;           /* integer encodings, from a message key or header */
    const struct value_field *fields; /* NULL: the value is the whole payload, unchanged */
    size_t field_count;
    struct field_ref event_time;
    enum time_unit time_unit;
    struct topic_vector vector;
    const struct field_ref *columns; /* what a routing expression names */
    size_t column_count;
};

#endif
