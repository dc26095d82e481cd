/* The value column as a JSON object made of chosen fields. */
#ifndef TIDEMARK_CORE_RECORD_VALUE_JSON_H
#define TIDEMARK_CORE_RECORD_VALUE_JSON_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/record/field.h"
#include "core/record/reject.h"

/* One member, compiled. */
struct value_member {
    struct bytes name_json; /* `"name":` */
    struct field field;
    const struct value_field *borrowed_settings;
};

/* The member's name as JSON with its colon, in `arena`. */
struct bytes value_json_name(const char *name, struct arena *arena);

/* Adds the object to `out`; see core/record/decode.h for what stands in it. `payload_is_json`: the
 * payload has been scanned and stands as it is. False: REJECT_NO_FIELD. */
MUST_CHECK bool value_json_build(const struct value_member *members, size_t count,
                                 const struct field_record *record, bool payload_is_json,
                                 struct buf *out, struct reject *ret_why);

#endif
