/* Where a part of a record is found: payload, pointer, header, key or coordinates. */
#ifndef TIDEMARK_CORE_RECORD_FIELD_H
#define TIDEMARK_CORE_RECORD_FIELD_H

#include "core/record/decode_settings.h"
#include "core/record/json_view.h"

/* A field_ref, compiled. */
struct field {
    enum field_source source;
    size_t slot;         /* FIELD_JSON: which of the document's views */
    struct bytes header; /* FIELD_HEADER */
};

enum field_kind {
    FIELD_ABSENT,
    FIELD_BYTES,    /* of any content */
    FIELD_TEXT,     /* UTF-8 for sure */
    FIELD_INTEGER,  /* of the record's coordinates */
    FIELD_DOCUMENT, /* a value of the payload */
};

struct field_value {
    enum field_kind kind;
    struct bytes bytes;
    int64_t integer;
    struct json_view view;
};

/* What a record is asked through. */
struct field_record {
    const struct raw_record *raw;
    const struct json_view *views; /* of the payload; all absent for a tombstone */
    const char *topic;
};

/* JSON null is FIELD_DOCUMENT; a null header, key or payload is FIELD_ABSENT, and so is a timestamp
 * that the record does not have. Of headers with one name the last counts. */
struct field_value field_find(const struct field *field, const struct field_record *record);

/* As it is written in settings: "key", "timestamp", …; "json:" and "header:" want a name behind
 * them. */
const char *field_source_text(enum field_source source);

/* "json:/order_id", "header:id", "key": for messages. */
struct field_label {
    char text[80];
};
struct field_label field_label(const struct field_ref *ref);

#endif
