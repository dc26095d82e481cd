/* Structs to JSON and back, by a table of their fields. */
#ifndef TIDEMARK_CORE_COORD_MESSAGE_CODEC_H
#define TIDEMARK_CORE_COORD_MESSAGE_CODEC_H

#include "core/base/arena.h"
#include "core/base/json.h"

enum codec_type {
    CODEC_TEXT,         /* const char *; "" is a value like others unless optional */
    CODEC_TEXT_OR_NULL, /* const char *; NULL is left out */
    CODEC_NAME,         /* const char * that may be part of a key */
    CODEC_I64,
    CODEC_U64,
    CODEC_I32,
    CODEC_U32,
    CODEC_BOOL,
    CODEC_ENUM,      /* one of `names` */
    CODEC_PARTITION, /* struct partition_id, as the members "topic" and "partition" */
    CODEC_STRUCT, /* inline struct, by `items`; when optional, count_offset is that of a bool: there
                   */
    CODEC_LIST,   /* pointer and size_t count of structs, by `items` */
    CODEC_TEXTS,  /* pointer and size_t count of const char * */
    CODEC_U32S,   /* pointer and size_t count of uint32_t */
};

struct codec_schema;

struct codec_field {
    const char *name;
    enum codec_type type;
    bool optional; /* left out when it is 0, false, "" or an empty list; for I64: when it is `none`
                    */
    size_t offset;
    size_t count_offset;
    size_t count_max;
    size_t text_max;
    int64_t none;
    int64_t min; /* I64, I32, U32 */
    int64_t max;
    const char *const *names;
    size_t name_count;
    const struct codec_schema *items;
};

struct codec_schema {
    const struct codec_field *fields;
    size_t field_count;
    size_t size;
    bool tuple;  /* items are written as arrays: [1,2,3], without names and with nothing left out */
    bool sorted; /* lists are strictly ascending by the partition_id at offset 0 */
};

void codec_encode(const struct codec_schema *schema, const void *value, cJSON *object);
/* False with INPUT, which names the field and its limit: what codec_encode makes of it could not be
 * decoded. */
MUST_CHECK bool codec_fits(const struct codec_schema *schema, const void *value, struct err *err);
/* Fills *value, whose pointers are then into `arena`. Unknown members are ignored. ERR_INPUT. */
MUST_CHECK bool codec_decode(const struct codec_schema *schema, const struct json *at,
                             struct arena *arena, void *value, struct err *err);

bool codec_name_ok(const char *name, size_t size_max);

#endif
