/* How a snapshot's keys were divided among its shards: the model of the manifest's `sharding`. */
#include "core/route/sharding.h"

static const char *const type_names[] = {
    [COLUMN_INT] = "int",   [COLUMN_UINT] = "uint",     [COLUMN_DOUBLE] = "double",
    [COLUMN_BOOL] = "bool", [COLUMN_STRING] = "string", [COLUMN_BYTES] = "bytes",
};

const char *sharding_column_type_name(enum column_type type)
{
    CHECK((size_t)type < LENGTH_OF(type_names));
    return type_names[type];
}

bool sharding_column_type_parse(struct bytes name, enum column_type *ret_type)
{
    for (size_t i = 0; i < LENGTH_OF(type_names); i++) {
        if (bytes_equal(name, bytes_of_text(type_names[i]))) {
            *ret_type = (enum column_type)i;
            return true;
        }
    }
    return false;
}
