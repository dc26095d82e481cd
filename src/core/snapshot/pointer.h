/* `_CURRENT`: the one mutable object (snapshot format, section 2). */
#ifndef TIDEMARK_CORE_SNAPSHOT_POINTER_H
#define TIDEMARK_CORE_SNAPSHOT_POINTER_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"

enum { POINTER_FORMAT_VERSION = 1, POINTER_BYTES_MAX = 64 * 1024 };

struct pointer {
    const char *manifest_ref; /* full URL of the manifest object */
    const char *run_id;
    int64_t updated_at_us;
};

/* One fixed text for one pointer: sorted keys, no blanks, ASCII. */
void pointer_encode(const struct pointer *pointer, struct buf *out);

/* ERR_INPUT: not what a reader takes. Members that are not the format's are passed over. Texts go
 * into `arena`. */
MUST_CHECK bool pointer_decode(struct bytes text, struct arena *arena, struct pointer *ret_pointer,
                               struct err *err);

#endif
