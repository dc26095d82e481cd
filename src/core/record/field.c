/* Where a part of a record is found: payload, pointer, header, key or coordinates. */
#include <stdio.h>

#include "core/base/check.h"
#include "core/record/field.h"

static struct field_value of_bytes(struct bytes bytes)
{
    if (bytes.data == NULL) {
        return (struct field_value){.kind = FIELD_ABSENT};
    }
    return (struct field_value){.kind = FIELD_BYTES, .bytes = bytes};
}

static struct field_value of_integer(int64_t integer)
{
    return (struct field_value){.kind = FIELD_INTEGER, .integer = integer};
}

static struct field_value find_header(const struct raw_record *raw, struct bytes name)
{
    for (size_t i = raw->header_count; i > 0; i--) {
        if (bytes_equal(raw->headers[i - 1].name, name)) {
            return of_bytes(raw->headers[i - 1].value);
        }
    }
    return (struct field_value){.kind = FIELD_ABSENT};
}

struct field_value field_find(const struct field *field, const struct field_record *record)
{
    const struct raw_record *raw = record->raw;
    switch (field->source) {
    case FIELD_KEY:
        return of_bytes(raw->key);
    case FIELD_VALUE:
        return of_bytes(raw->value);
    case FIELD_HEADER:
        return find_header(raw, field->header);
    case FIELD_TIMESTAMP:
        return raw->timestamp_ms < 0 ? (struct field_value){.kind = FIELD_ABSENT}
                                     : of_integer(raw->timestamp_ms);
    case FIELD_PARTITION:
        return of_integer(raw->place.partition);
    case FIELD_OFFSET:
        return of_integer(raw->place.offset);
    case FIELD_TOPIC:
        return (struct field_value){.kind = FIELD_TEXT, .bytes = bytes_of_text(record->topic)};
    case FIELD_JSON: {
        const struct json_view *view = &record->views[field->slot];
        return (struct field_value){
            .kind = view->type == JSON_VIEW_ABSENT ? FIELD_ABSENT : FIELD_DOCUMENT,
            .view = *view,
        };
    }
    }
    CHECK(!"a field source");
    return (struct field_value){0};
}

const char *field_source_text(enum field_source source)
{
    static const char *const names[] = {
        [FIELD_KEY] = "key",
        [FIELD_VALUE] = "value",
        [FIELD_JSON] = "json:",
        [FIELD_HEADER] = "header:",
        [FIELD_TIMESTAMP] = "timestamp",
        [FIELD_TOPIC] = "topic",
        [FIELD_PARTITION] = "partition",
        [FIELD_OFFSET] = "offset",
    };
    return names[source];
}

struct field_label field_label(const struct field_ref *ref)
{
    struct field_label label;
    snprintf(label.text, sizeof label.text, "%s%s", field_source_text(ref->source),
             ref->name == NULL ? "" : ref->name);
    return label;
}
