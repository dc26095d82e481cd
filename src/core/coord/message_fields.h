/* How a field of a record is written in a table: a line each. */
#ifndef TIDEMARK_CORE_COORD_MESSAGE_FIELDS_H
#define TIDEMARK_CORE_COORD_MESSAGE_FIELDS_H

#include "core/coord/message_codec.h"

/* One line a field; the member of the struct and the member of the JSON object have the same name.
 */
#define TEXT(s, f)                                                                                 \
    {                                                                                              \
        .name = #f, .type = CODEC_TEXT, .offset = offsetof(struct s, f),                           \
        .text_max = MESSAGE_TEXT_MAX                                                               \
    }
#define TEXT_IF(s, f)                                                                              \
    {                                                                                              \
        .name = #f, .type = CODEC_TEXT, .offset = offsetof(struct s, f),                           \
        .text_max = MESSAGE_TEXT_MAX, .optional = true                                             \
    }
#define TEXT_OR_NULL(s, f)                                                                         \
    {                                                                                              \
        .name = #f, .type = CODEC_TEXT_OR_NULL, .offset = offsetof(struct s, f),                   \
        .text_max = MESSAGE_TEXT_MAX                                                               \
    }
#define NAME(s, f)                                                                                 \
    {                                                                                              \
        .name = #f, .type = CODEC_NAME, .offset = offsetof(struct s, f),                           \
        .text_max = MESSAGE_NAME_MAX                                                               \
    }
#define NAME_IF(s, f)                                                                              \
    {                                                                                              \
        .name = #f, .type = CODEC_NAME, .offset = offsetof(struct s, f),                           \
        .text_max = MESSAGE_NAME_MAX, .optional = true                                             \
    }
#define RANGE_I64(s, f, low, high)                                                                 \
    {                                                                                              \
        .name = #f, .type = CODEC_I64, .offset = offsetof(struct s, f), .min = low, .max = high    \
    }
#define OFFSET(s, f) RANGE_I64(s, f, 0, INT64_MAX)
#define I64(s, f) RANGE_I64(s, f, INT64_MIN, INT64_MAX)
/* Left out when it is `absent`. */
#define I64_IF(s, f, absent)                                                                       \
    {                                                                                              \
        .name = #f, .type = CODEC_I64, .offset = offsetof(struct s, f), .min = INT64_MIN,          \
        .max = INT64_MAX, .optional = true, .none = absent                                         \
    }
#define U64(s, f)                                                                                  \
    {                                                                                              \
        .name = #f, .type = CODEC_U64, .offset = offsetof(struct s, f)                             \
    }
#define COUNT(s, f)                                                                                \
    {                                                                                              \
        .name = #f, .type = CODEC_U64, .offset = offsetof(struct s, f), .optional = true           \
    }
#define U32(s, f, low, high)                                                                       \
    {                                                                                              \
        .name = #f, .type = CODEC_U32, .offset = offsetof(struct s, f), .min = low, .max = high    \
    }
#define I32(s, f, low, high)                                                                       \
    {                                                                                              \
        .name = #f, .type = CODEC_I32, .offset = offsetof(struct s, f), .min = low, .max = high    \
    }
#define BOOL(s, f)                                                                                 \
    {                                                                                              \
        .name = #f, .type = CODEC_BOOL, .offset = offsetof(struct s, f), .optional = true          \
    }
#define ENUM(s, f, texts)                                                                          \
    {                                                                                              \
        .name = #f, .type = CODEC_ENUM, .offset = offsetof(struct s, f), .names = texts,           \
        .name_count = LENGTH_OF(texts), .text_max = MESSAGE_NAME_MAX                               \
    }
#define PARTITION(s, f)                                                                            \
    {                                                                                              \
        .name = #f, .type = CODEC_PARTITION, .offset = offsetof(struct s, f)                       \
    }
#define STRUCT(s, f, schema)                                                                       \
    {                                                                                              \
        .name = #f, .type = CODEC_STRUCT, .offset = offsetof(struct s, f), .items = &schema        \
    }
/* There when the bool `c` is true. */
#define STRUCT_IF(s, f, c, schema)                                                                 \
    {                                                                                              \
        .name = #f, .type = CODEC_STRUCT, .offset = offsetof(struct s, f),                         \
        .count_offset = offsetof(struct s, c), .items = &schema, .optional = true                  \
    }
#define LIST(s, f, c, most, schema)                                                                \
    {                                                                                              \
        .name = #f, .type = CODEC_LIST, .offset = offsetof(struct s, f),                           \
        .count_offset = offsetof(struct s, c), .count_max = most, .items = &schema,                \
        .optional = true                                                                           \
    }
#define TEXTS(s, f, c, most)                                                                       \
    {                                                                                              \
        .name = #f, .type = CODEC_TEXTS, .offset = offsetof(struct s, f),                          \
        .count_offset = offsetof(struct s, c), .count_max = most, .text_max = MESSAGE_TEXT_MAX,    \
        .optional = true                                                                           \
    }
#define U32S(s, f, c, most, high)                                                                  \
    {                                                                                              \
        .name = #f, .type = CODEC_U32S, .offset = offsetof(struct s, f),                           \
        .count_offset = offsetof(struct s, c), .count_max = most, .max = high, .optional = true    \
    }
#define SCHEMA(id, s, ...)                                                                         \
    static const struct codec_schema id##_schema = {.fields = id##_fields,                         \
                                                    .field_count = LENGTH_OF(id##_fields),         \
                                                    .size = sizeof(struct s),                      \
                                                    __VA_ARGS__}

#endif
