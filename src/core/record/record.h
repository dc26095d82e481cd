/* One Kafka record, decoded: what the rest of the service needs of it. */
#ifndef TIDEMARK_CORE_RECORD_RECORD_H
#define TIDEMARK_CORE_RECORD_RECORD_H

#include "core/base/bytes.h"

/* How a logical key becomes the bytes of the `k` column (SNAPSHOT-FORMAT section 4). */
enum key_encoding { KEY_ENCODING_U64BE, KEY_ENCODING_U32BE, KEY_ENCODING_UTF8, KEY_ENCODING_RAW };

/* Where a record is in Kafka. `topic` is the index in the settings' list of topics. */
struct record_place {
    uint32_t topic;
    int32_t partition;
    int64_t offset;
};

struct header_view {
    struct bytes name;
    struct bytes value; /* data NULL: a null header value */
};

/* A record as it came from the topic. Views into the batch that carries it. */
struct raw_record {
    struct record_place place;
    int64_t timestamp_ms;              /* the broker's or producer's timestamp; -1: none */
    struct bytes key;                  /* data NULL: null key */
    struct bytes value;                /* data NULL: null value, a tombstone */
    const struct header_view *headers; /* empty unless the settings use headers */
    size_t header_count;
};

struct field_value;
struct logical_key;

/* What decode makes of it. Views into the batch, or into the arena given to decode. */
struct record {
    struct record_place place;
    int64_t event_time_us; /* microseconds since 1970-01-01 UTC */
    struct bytes key;      /* stored bytes */
    struct bytes routing;  /* routing bytes; the same view as `key` for strings and bytes */
    struct bytes value;    /* the `v` column; empty for a tombstone */
    bool tombstone;
    /* where the settings name columns; else NULL */
    const struct field_value *columns; /* in their order */
    const struct logical_key *logical;
};

/* Why a record cannot be used. Each is counted by topic and partition, and named in the dead
 * letter. */
enum reject_cause {
    REJECT_NONE,
    REJECT_BAD_JSON,       /* the payload is not JSON, though the settings need it to be */
    REJECT_NO_KEY,         /* null or absent key, pointer or header */
    REJECT_KEY_TYPE,       /* not an integer, string or bytes as the encoding wants */
    REJECT_KEY_RANGE,      /* an integer out of the encoding's or the routing's range */
    REJECT_NO_EVENT_TIME,  /* absent pointer, header or timestamp */
    REJECT_BAD_EVENT_TIME, /* present, not a time in the unit of the settings */
    REJECT_NO_FIELD,       /* a field of `value.fields` that is required is absent */
    REJECT_TOO_LARGE,      /* key or value over the limits of the settings */
    REJECT_ROUTE,          /* the routing expression failed for it */
    REJECT_VECTOR,         /* no vector, or not one of the dimension; no id for it */
    REJECT_CAUSES,
};

#endif
