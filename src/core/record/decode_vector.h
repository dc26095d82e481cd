/* The vector of a record, with its id and payload, as the settings of its topic say. */
#ifndef TIDEMARK_CORE_RECORD_DECODE_VECTOR_H
#define TIDEMARK_CORE_RECORD_DECODE_VECTOR_H

#include "core/base/arena.h"
#include "core/record/field.h"
#include "core/record/key.h"
#include "core/record/reject.h"

/* The settings' sources, compiled. */
struct decode_vector {
    const struct topic_vector *borrowed_settings;
    struct field from;
    struct field id;
    struct field payload;
};

/* *ret_value becomes the packed row of `value` (core/record/vector.h), in the arena. `key`: the id
 * where the settings name none. REJECT_VECTOR. */
MUST_CHECK bool decode_vector_pack(const struct decode_vector *vector,
                                   const struct field_record *record, const struct logical_key *key,
                                   struct bytes value, struct arena *arena, struct bytes *ret_value,
                                   struct reject *ret_why);

#endif
