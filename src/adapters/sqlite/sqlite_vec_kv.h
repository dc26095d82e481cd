/* Shard files of SQLite with vectors beside the rows, by the extension sqlite-vec (snapshot format,
 * section 9). */
#ifndef TIDEMARK_ADAPTERS_SQLITE_SQLITE_VEC_KV_H
#define TIDEMARK_ADAPTERS_SQLITE_SQLITE_VEC_KV_H

#include "adapters/kv.h"
#include "core/record/vector.h"

struct sqlite_vec_settings {
    const char *extension; /* its file */
    uint32_t dim;
    enum vector_metric metric;
};

/* Loads the extension once to see that it is there. SETTINGS: it cannot be loaded, or is none. Free
 * it with kv_free, after its files. */
MUST_CHECK bool sqlite_vec_kv_new(const struct sqlite_vec_settings *settings, struct kv **ret_kv,
                                  struct err *err);

#endif
